// The table `dsc.arena` of a placed function: what lies where in its arena, for every value of the named dims.
//
//     dsc.arena = [{bytes = #dsc.dims<"64*n">, live = array<i64: 0, 2>, above = array<i64>},
//                  {bytes = #dsc.dims<128>, live = array<i64: 1, 3>, above = array<i64: 0>}]
//
// A place begins where the highest of the places below it ends: offset(p) = max(0, offset(q) + bytes(q) for q in
// above), where bytes below 0 count as 0. So a formula is only as long as the table, however deep the stack, and nobody
// needs the dims to see who lies apart.

#ifndef DSCC_PASSES_MEMORY_PLACES_H
#define DSCC_PASSES_MEMORY_PLACES_H

#include "dialects/dsc/Dsc.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace dscc {

/// One line of the table.
struct Place {
  DimExpr bytes;                    // a multiple of bufferAlignment
  int64_t first, last;              // it is in use from this op of the function to that one, both included
  llvm::SmallVector<int64_t> above; // the places that it lies on; all come earlier in the table
};

/// The function's attribute that holds the table.
inline constexpr llvm::StringLiteral arenaName = "dsc.arena";

/// The table as an attribute; readPlaces reads it back.
mlir::ArrayAttr encodePlaces(mlir::MLIRContext *context, llvm::ArrayRef<Place> places);
/// The table of `function`; an error there if it has none, or one that breaks the rules above.
mlir::FailureOr<std::vector<Place>> readPlaces(mlir::func::FuncOp function);

} // namespace dscc

#endif // DSCC_PASSES_MEMORY_PLACES_H
