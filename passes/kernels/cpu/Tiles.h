// What products and convolutions have in common: a result of rows and columns, each element a sum over an inner space.

#ifndef DSCC_PASSES_KERNELS_CPU_TILES_H
#define DSCC_PASSES_KERNELS_CPU_TILES_H

#include "passes/kernels/Emitters.h"

#include <functional>

namespace dscc::kernels {

/// A vector of columns of the tile, and which of its lanes exist (null: all).
struct TileColumn {
  /// Contiguous along the columns.
  Index index;
  /// Lanes past the last column are off.
  Value mask;
};

/// A sum of products seen as a matrix product: lanes run along the columns.
struct Contraction {
  dsc::Dims outer; // dims with a product of their own for each place
  /// The size of each product's result.
  DimExpr rows, columns;
  DimExpr inner; // terms of each sum
  /// Coordinates of a result element.
  std::function<Indices(llvm::ArrayRef<Index> outer, const Index &row, const Index &column)> resultAt;
  /// Adds all terms to the accumulators, which lie row by row.
  std::function<llvm::SmallVector<Value>(llvm::ArrayRef<Index> outer, llvm::ArrayRef<Index> rows,
                                         llvm::ArrayRef<TileColumn> columns, llvm::SmallVector<Value> sums)>
      accumulate;
};

Contraction contractionOf(ElementCode &code, dsc::MatmulOp op); // Matmul.cpp
Contraction contractionOf(ElementCode &code, dsc::ConvOp op);   // Conv.cpp: with channels in the model's order
/// ChannelsLast.cpp: with channels last. Asks for scratch where pixels may lie outside of the image.
Contraction channelsLastContraction(Kernel &kernel, ElementCode &code, dsc::ConvOp op);

/// Multiplications that one block should be worth.
inline constexpr int64_t blockWork = 1 << 17;
/// A group's product as tiles see it; Contraction has the same, with the code.
struct Extent {
  DimExpr outer, rows, columns, inner;
};
Extent extentOf(mlir::Operation *hero);
/// What a tile keeps in registers: its sums, a row of what columns are multiplied with, and one row element.
inline int64_t countRegisters(int64_t rows, int64_t vectors) { return rows * vectors + vectors + 1; }
/// Whether lanes of the image meet lanes of the filter.
bool isLanewise(mlir::Operation *hero);
/// TileTime.cpp: about how long a group takes in tiles, in seconds.
double estimateTiles(dsc::GroupOp group, const Target &target, dsc::ScheduleAttr schedule, const Sizes &sizes);

/// sums += row elements x column elements.
void multiplyAdd(KernelBuilder &k, llvm::ArrayRef<Value> rows, llvm::ArrayRef<Value> columns,
                 llvm::MutableArrayRef<Value> sums);

} // namespace dscc::kernels

#endif // DSCC_PASSES_KERNELS_CPU_TILES_H
