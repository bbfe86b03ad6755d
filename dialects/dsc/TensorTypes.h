// Tensor types with symbolic dims: how to read them, how to make them, and the inference that several families share.

#ifndef DSCC_DIALECTS_DSC_TENSORTYPES_H
#define DSCC_DIALECTS_DSC_TENSORTYPES_H

#include "dialects/dsc/DimExpr.h"

#include "mlir/IR/Attributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Location.h"
#include "mlir/IR/Value.h"

namespace dscc::dsc {

class DimsAttr;
/// The dims of one tensor, outermost first.
using Dims = llvm::SmallVector<DimExpr>;
/// Where inference puts the types of an op's results.
using Types = llvm::SmallVectorImpl<mlir::Type>;

/// True for the types that ONNX has numbers for; what else MLIR has, no kernel computes.
bool isElementType(mlir::Type type);
/// The dims of a ranked tensor. A `?` that no encoding names is an invalid DimExpr.
Dims getDims(mlir::Type type);
inline Dims getDims(mlir::Value value) { return getDims(value.getType()); }
/// The tensor type with these dims: static where a number, with an encoding if any is not. With an invalid dim it is a
/// type for a sentence only, in which no `?` has a name.
mlir::RankedTensorType makeTensor(llvm::ArrayRef<DimExpr> dims, mlir::Type elementType);
/// What is wrong with a tensor of these dims, as "would make dim 1 of 3 * 2^62, which ..."; empty if nothing is: no dim
/// is negative, and 64 bits hold each and count the bytes of any part. That a formula is too long is not said here.
std::string whyNoTensor(llvm::ArrayRef<DimExpr> dims);
/// The element type of a ranked tensor.
mlir::Type getElementType(mlir::Value value);
/// The number of elements; 0 if any dim is, however large the others are.
DimExpr countElements(llvm::ArrayRef<DimExpr> dims);
/// The numbers of an array of i64 attributes, such as an op's axes.
llvm::SmallVector<int64_t> getIntegers(mlir::ArrayAttr attribute);
/// "4x?x3" in the user's words: "4 x batch x 3".
std::string describeDims(llvm::ArrayRef<DimExpr> dims);

/// The dim that two dims broadcast to; nothing if they are numbers that do not fit. Two different expressions give
/// their maximum: which of them is 1 is known at run time only.
std::optional<DimExpr> broadcastDim(const DimExpr &a, const DimExpr &b);
/// The dims that two tensors broadcast to, aligned at the last; nothing if a pair of them does not fit.
std::optional<Dims> broadcastDims(llvm::ArrayRef<DimExpr> a, llvm::ArrayRef<DimExpr> b);
/// How many places a window takes along a dim; ceil_mode as ONNX defines it since opset 11 (a window that begins in the
/// high pad does not count).
DimExpr windowDim(const DimExpr &size, int64_t window, int64_t stride, int64_t dilation, int64_t low, int64_t high,
                  bool ceilMode);

// Inference that whole families share. Each reports at `location` why it fails.
/// Appends the type that makeTensor makes; what no tensor can have fails.
llvm::LogicalResult inferTensor(std::optional<mlir::Location> location, llvm::ArrayRef<DimExpr> dims,
                                mlir::Type elementType, Types &types);
/// The input's own type.
llvm::LogicalResult inferSame(mlir::Value input, Types &types);
/// Fails unless all operands have the same element type.
llvm::LogicalResult checkOneElementType(std::optional<mlir::Location> location, mlir::ValueRange operands);
/// `elementType` on the dims that all operands broadcast to.
llvm::LogicalResult inferBroadcastTo(std::optional<mlir::Location> location, mlir::ValueRange operands,
                                     mlir::Type elementType, Types &types);
/// The operands' common element type on the dims that all of them broadcast to.
llvm::LogicalResult inferBroadcast(std::optional<mlir::Location> location, mlir::ValueRange operands, Types &types);
/// As inferBroadcast, but with boolean elements.
llvm::LogicalResult inferComparison(std::optional<mlir::Location> location, mlir::ValueRange operands, Types &types);
/// The input's dims grown by `lows` and `highs`, one each a dim; either may be negative.
llvm::LogicalResult inferPad(std::optional<mlir::Location> location, mlir::Value input, DimsAttr lows, DimsAttr highs,
                             Types &types);
/// The input's own type, for ops that work along one axis, which must exist.
llvm::LogicalResult inferAlongAxis(std::optional<mlir::Location> location, mlir::Value input, uint64_t axis,
                                   Types &types);
/// The input's type with a 1 for each of `axes`, which must exist, sorted and each once.
llvm::LogicalResult inferReduce(std::optional<mlir::Location> location, mlir::Value input, mlir::ArrayAttr axes,
                                Types &types);
/// Indices (i64) on the input's dims with a 1 for `axis`, which must exist.
llvm::LogicalResult inferArg(std::optional<mlir::Location> location, mlir::Value input, uint64_t axis, Types &types);

} // namespace dscc::dsc

#endif // DSCC_DIALECTS_DSC_TENSORTYPES_H
