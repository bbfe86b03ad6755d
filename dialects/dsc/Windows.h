// Where the elements of a tensor lie that has no bytes of its own: in a window of another tensor.
//
//     %c = dsc.concat %a, %b {axis = 1, in_place}       %a  offset 0, strides [12, 1]
//       (2x8, 2x4) -> 2x12                              %b  offset 8, strides [12, 1], both within %c
//
// Outside of groups four ops compute nothing. A reshape, and a slice or a transpose that is `in_place`, show the bytes
// of their input; a concat that is `in_place` owns bytes, into whose windows the groups that make its operands write,
// and so does a transpose that is in place as a "home". A value is at home in one op at most. Homes nest: what is at
// home in a join that is itself at home in another lies in the latter.

#ifndef DSCC_DIALECTS_DSC_WINDOWS_H
#define DSCC_DIALECTS_DSC_WINDOWS_H

#include "dialects/dsc/Dsc.h"

#include "llvm/ADT/DenseMap.h"

namespace dscc {

/// The attribute of slices, concats and transposes outside of groups that compute nothing. It is `unit`, but for
/// transposes that own bytes.
inline constexpr llvm::StringLiteral inPlaceName = "in_place";
/// Its value there.
inline constexpr llvm::StringLiteral inPlaceAsHome = "home";
/// The attribute of groups, launches and homes: a window for each input, then for each result. `unit` is a
/// tensor that begins where its storage does and lies there in row-major order.
inline constexpr llvm::StringLiteral windowsName = "windows";

/// In elements of the storage.
struct Window {
  /// Where element [0, 0, ..] is.
  DimExpr offset;
  /// How far neighbours along each dim are apart.
  dsc::Dims strides;
};

/// A window and the value that owns the bytes.
struct Layout {
  /// A block argument, a constant, a result of a group or launch, or of a home that is itself nobody's part.
  mlir::Value storage;
  /// Where in it.
  Window window;
};

/// Looks through reshapes to the value whose elements these are.
mlir::Value withoutReshapes(mlir::Value value);
/// True if the op, a slice, a concat or a transpose, only says where bytes are.
bool isInPlace(mlir::Operation *op);
/// True if the op shows bytes of its only input: a reshape, or a slice or transpose in place. Null is none.
bool isView(mlir::Operation *op);
/// True if the op owns bytes into which those write who make its inputs: a concat in place, or a transpose that is so
/// as a home. Null is none.
bool isHome(mlir::Operation *op);
/// The strides of a tensor that lies in row-major order without gaps.
dsc::Dims rowMajorStrides(llvm::ArrayRef<DimExpr> dims);
/// The strides at which elements of these dims and strides lie under other dims, in the same order; nothing if no
/// strides say that.
std::optional<dsc::Dims> restride(llvm::ArrayRef<DimExpr> dims, llvm::ArrayRef<DimExpr> strides,
                                  llvm::ArrayRef<DimExpr> other);
/// The strides of what a transpose makes of a tensor with such strides.
dsc::Dims permute(dsc::TransposeOp transpose, llvm::ArrayRef<DimExpr> strides);
/// The strides of what the transpose reads where its result has these.
dsc::Dims permuteBack(dsc::TransposeOp transpose, llvm::ArrayRef<DimExpr> strides);
/// How many elements of the concat lie before operand `number` along the axis.
DimExpr startOfPart(dsc::ConcatOp concat, size_t number);
/// Where the values of a function lie, each looked up once. Not to be used after the function has changed.
class Layouts {
public:
  /// `block` is the function's.
  explicit Layouts(mlir::Block &block);

  /// Nothing if the value shows a window under dims for which there are no strides, or whose formulas are too long.
  std::optional<Layout> find(mlir::Value value);
  /// What holds the bytes of the value.
  mlir::Value findStorage(mlir::Value value);

private:
  std::optional<Layout> compute(mlir::Value value);

  llvm::DenseMap<mlir::Value, mlir::OpOperand *> homes; // by who makes the part
  llvm::DenseMap<mlir::Value, std::optional<Layout>> known;
};

/// The windows of tensors as an attribute; null if all are `unit`.
mlir::ArrayAttr encodeWindows(mlir::MLIRContext *context, mlir::ValueRange tensors, llvm::ArrayRef<Window> windows);
/// The window that `op` names for tensor `number`, inputs first; nothing if that is `unit`.
std::optional<Window> readWindow(mlir::Operation *op, size_t number);
/// The same, if the tensor does not lie in row-major order: a kernel needs its strides.
std::optional<Window> readStrided(mlir::Operation *op, size_t number);
/// An error unless the op's windows, if it has any, are one for each of `tensors`.
mlir::LogicalResult verifyWindows(mlir::Operation *op, mlir::TypeRange tensors);

} // namespace dscc

#endif // DSCC_DIALECTS_DSC_WINDOWS_H
