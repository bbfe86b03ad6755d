// Writes host functions of an artifact: the structures of <dscc/abi.h>, dims, early returns.
//
// A program is a chain of blocks. The entry block reads the arguments and makes all slots; each service call ends a
// block, because a status other than 0 is returned at once.

#ifndef DSCC_PASSES_STREAM_HOSTPROGRAM_H
#define DSCC_PASSES_STREAM_HOSTPROGRAM_H

#include "dialects/dsc/DimExpr.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/ADT/StringMap.h"

namespace dscc {

/// An llvm.func that is being written, block by block.
class HostFunction {
public:
  /// Appends `name` to the builder's place. `symbols` is the module's dsc.symbols, or null.
  HostFunction(mlir::OpBuilder &builder, mlir::Location location, llvm::StringRef name,
               llvm::ArrayRef<mlir::Type> arguments, mlir::Type result, mlir::ArrayAttr symbols);

  /// The function's own argument, from 0 on.
  mlir::Value argument(unsigned index);
  /// LLVM's one pointer type.
  mlir::Type pointerType();
  /// The type of sizes, dims and offsets.
  mlir::Type i64();
  /// The type of a status.
  mlir::Type i32();
  /// An i64 constant.
  mlir::Value number(int64_t value);
  /// An i32 constant: 0, or what the function returns at once.
  mlir::Value status(int32_t value);

  /// The `index`-th of pointer-sized elements at `base`: its address, or what is there.
  mlir::Value address(mlir::Value base, int64_t index);
  /// What is there, read as `type`, which must not be larger than a pointer.
  mlir::Value load(mlir::Value base, int64_t index, mlir::Type type);
  /// Puts a value there, which must not be larger than a pointer.
  void store(mlir::Value value, mlir::Value base, int64_t index);
  /// `base` + `bytes`.
  mlir::Value advance(mlir::Value base, mlir::Value bytes);
  /// Room for `count` pointer-sized elements, made once in the entry block.
  mlir::Value slots(int64_t count);

  /// Where the named dims' values are. To be set before `dim`.
  void setSymbols(mlir::Value pointer) { symbolPointer = pointer; }
  /// The value of `expr`, computed once, in the entry block.
  mlir::Value dim(const DimExpr &expr);

  /// Goes on in a new block if `condition` holds, else returns `value`.
  void returnUnless(mlir::Value condition, mlir::Value value);
  /// Runs `body` only if `condition` holds.
  void onlyIf(mlir::Value condition, llvm::function_ref<void()> body);
  /// Returns `value`, or nothing if it is null, and ends the function: no more code may follow.
  void finish(mlir::Value value);

  /// Stands at the end of the current block.
  mlir::OpBuilder b;
  /// Of every op that is made.
  mlir::Location loc;

private:
  mlir::Block *newBlock();
  /// Runs `make` with the builder in the entry block, whatever the current one.
  mlir::Value inEntry(llvm::function_ref<mlir::Value()> make);
  mlir::Value symbol(llvm::StringRef name);

  mlir::LLVM::LLVMFuncOp function;
  mlir::Block *entry;
  mlir::Operation *entryEnd = nullptr; // the entry block's terminator, once it has one
  mlir::ArrayAttr symbols;
  mlir::Value symbolPointer;
  llvm::StringMap<mlir::Value> symbolValues, dimValues;
};

} // namespace dscc

#endif // DSCC_PASSES_STREAM_HOSTPROGRAM_H
