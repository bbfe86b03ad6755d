// A product or a convolution seen as a product of two matrices, for kernels whose blocks compute tiles.
//
//        inner ->
//   rows +------+               A convolution is the same with the window unrolled into the inner dim: the coordinates
//   of
//        | lhs  |   columns     an operand are computed, nothing is materialised. What lies outside an operand counts
//        as
//        +------+  +------+     zero.
//                  | rhs  |
//                  +------+

#ifndef DSCC_PASSES_KERNELS_CUDA_MATRIXVIEW_H
#define DSCC_PASSES_KERNELS_CUDA_MATRIXVIEW_H

#include "passes/kernels/ElementCode.h"
#include "passes/kernels/Lay.h"

#include <functional>

namespace dscc::kernels {

struct Kernel;
class Sizes;

/// An operand that lies in memory in such a way that pieces of it can be copied. Addresses are made of two parts, so
/// that what depends on the place alone is computed once, before the loop over steps.
struct Pieces {
  /// What `address` wants to know of a row, or a column, that exists.
  std::function<llvm::SmallVector<Value>(llvm::ArrayRef<Value> outer, Value place)> atPlace;
  /// What it wants to know of a step of the inner dim.
  std::function<llvm::SmallVector<Value>(Value step)> atStep;
  /// Where the piece lies that begins there.
  std::function<Value(llvm::ArrayRef<Value> place, llvm::ArrayRef<Value> step)> address;
  /// Whether it is there; what is not counts as zeros. Unset if all are.
  std::function<Value(llvm::ArrayRef<Value> place, llvm::ArrayRef<Value> step)> exists = nullptr;
  /// How many elements further the next place lies, and the next step, if that is the same everywhere.
  std::optional<DimExpr> placeStride = std::nullopt, stepStride = std::nullopt;
};

/// One of the two matrices. `place` is a row of the left one, a column of the right one.
struct OperandView {
  /// An element that exists, of the compute type of the operand.
  std::function<Value(llvm::ArrayRef<Value> outer, Value place, Value step)> element;
  /// The op's operand that it is.
  Value operand;
  /// Whether neighbours in memory are neighbours along the inner dim, not along the places.
  bool alongInner = true;
  /// Set if the operand lies in memory as a matrix of pieces along that dim.
  std::optional<Pieces> pieces = std::nullopt;
};

/// Two operands seen as matrices. Coordinates are scalars inside the matrices.
struct MatrixView {
  /// Dims with a product of their own for each place.
  dsc::Dims outer;
  /// The size of each product.
  DimExpr rows, columns, inner;
  OperandView lhs, rhs;
  /// Coordinates of a result element; lanes may run along the columns.
  std::function<Indices(llvm::ArrayRef<Value> outer, Value row, const Index &column)> resultAt;
  /// Whether lanes that run along the columns run along the result's last dim.
  bool columnsAreLast = true;
};

/// The hero's operands, a product's or a convolution's.
MatrixView matrixViewOf(ElementCode &code, mlir::Operation *hero);

/// Whether the left or the right operand of that view has `pieces`, if the group's inputs lie as they are and no window
/// of another tensor is in the way.
bool isCopiedInPieces(mlir::Operation *hero, bool isLhs);

/// The sizes of that view.
struct MatrixSizes {
  DimExpr outer, rows, columns, inner;
};
MatrixSizes matrixSizesOf(mlir::Operation *hero);

/// Where the filter of a convolution with channels last lies, a matrix with a column for each channel that is made.
struct FilterLay {
  Value tensor;             // whose elements these are
  int64_t panelColumns = 0; // if it lies in panels; else 0
};
/// Looks through what turns its coordinates.
FilterLay filterLayOf(dsc::ConvOp op);

/// Adds up the parts of each element, which lie one after the other in the workspace, in their order, and does with the
/// sum what the group does with it. (SharedTiles.cpp)
mlir::LogicalResult emitSumOfParts(Kernel &kernel, int64_t parts);
/// The bytes of such a workspace: a sum for each element and part. (SharedTiles.cpp)
DimExpr bytesOfParts(dsc::GroupOp group, int64_t parts);
/// How long such a kernel takes, its launch included. (SharedTiles.cpp)
double secondsOfSumOfParts(dsc::GroupOp group, const Gpu &gpu, int64_t parts, const Sizes &sizes);

} // namespace dscc::kernels

#endif // DSCC_PASSES_KERNELS_CUDA_MATRIXVIEW_H
