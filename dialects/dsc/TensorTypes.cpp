#include "dialects/dsc/TensorTypes.h"

#include "dialects/dsc/DscAttributes.h"

using namespace mlir;

namespace dscc::dsc {

bool isElementType(Type type) {
  if (auto integer = dyn_cast<IntegerType>(type)) {
    bool isUnsigned = integer.isUnsigned() && integer.getWidth() > 1;
    return (integer.isSignless() || isUnsigned) && llvm::is_contained({1, 2, 4, 8, 16, 32, 64}, integer.getWidth());
  }
  return isa<Float32Type, Float64Type, Float16Type, BFloat16Type, Float8E4M3FNType, Float8E4M3FNUZType, Float8E5M2Type,
             Float8E5M2FNUZType, Float4E2M1FNType, Float8E8M0FNUType>(type);
}

Dims getDims(Type type) {
  auto tensor = cast<RankedTensorType>(type);
  if (auto encoding = dyn_cast_or_null<DimsAttr>(tensor.getEncoding()))
    return encoding.getDims();
  Dims dims;
  for (int64_t size : tensor.getShape())
    dims.push_back(ShapedType::isDynamic(size) ? DimExpr::invalid() : DimExpr(size));
  return dims;
}

RankedTensorType makeTensor(ArrayRef<DimExpr> dims, Type elementType) {
  SmallVector<int64_t> shape;
  bool isStatic = true, isValid = true;
  for (const DimExpr &dim : dims) {
    bool number = dim.isConstant() && dim.constant() >= 0;
    shape.push_back(number ? dim.constant() : ShapedType::kDynamic);
    isStatic &= number;
    isValid &= dim.isValid();
  }
  Attribute encoding = isStatic || !isValid ? Attribute() : DimsAttr::get(elementType.getContext(), dims);
  return RankedTensorType::get(shape, elementType, encoding);
}

Type getElementType(Value value) { return cast<RankedTensorType>(value.getType()).getElementType(); }

std::string whyNoTensor(ArrayRef<DimExpr> dims) {
  constexpr int64_t largestElement = 8;
  DimExpr bytes = largestElement; // of the tensor were no dim 0
  for (auto [axis, dim] : llvm::enumerate(dims)) {
    if (dim.isTooLong())
      continue;
    if (!dim.isValid() || (dim.isConstant() && dim.constant() < 0))
      return ("would make dim " + Twine(axis) + " of " + (dim.isValid() ? dim.str() : dim.whyInvalid().str())).str();
    if (!dim.isConstant(0))
      bytes = bytes * dim;
  }
  return bytes.isValid() || bytes.isTooLong()
             ? ""
             : "would make " + describeDims(dims) + " elements, more than 64 bits can count";
}

LogicalResult inferTensor(std::optional<Location> location, ArrayRef<DimExpr> dims, Type elementType, Types &types) {
  if (std::string problem = whyNoTensor(dims); !problem.empty())
    return emitOptionalError(location, problem);
  types.push_back(makeTensor(dims, elementType));
  return success();
}

DimExpr countElements(ArrayRef<DimExpr> dims) {
  if (llvm::any_of(dims, [](const DimExpr &dim) { return dim.isConstant(0); }))
    return 0;
  DimExpr count = 1;
  for (const DimExpr &dim : dims)
    count = count * dim;
  return count;
}

SmallVector<int64_t> getIntegers(ArrayAttr attribute) {
  return llvm::map_to_vector(attribute, [](Attribute a) { return cast<IntegerAttr>(a).getInt(); });
}

std::string describeDims(ArrayRef<DimExpr> dims) {
  if (dims.empty())
    return "scalar";
  std::string text;
  for (const DimExpr &dim : dims)
    text += (text.empty() ? "" : " x ") + dim.str();
  return text;
}

std::optional<DimExpr> broadcastDim(const DimExpr &a, const DimExpr &b) {
  if (a == b || b.isConstant(1))
    return a;
  if (a.isConstant(1))
    return b;
  if (a.isConstant() && b.isConstant())
    return std::nullopt;
  // A number other than 1 against an expression: the expression must be 1 or that number at run time.
  if (a.isConstant())
    return a;
  if (b.isConstant())
    return b;
  return DimExpr::max(a, b);
}

std::optional<Dims> broadcastDims(ArrayRef<DimExpr> a, ArrayRef<DimExpr> b) {
  if (a.size() < b.size())
    std::swap(a, b);
  Dims dims(a);
  for (size_t i = 0; i < b.size(); ++i) {
    DimExpr &dim = dims[a.size() - b.size() + i];
    std::optional<DimExpr> joined = broadcastDim(dim, b[i]);
    if (!joined)
      return std::nullopt;
    dim = *joined;
  }
  return dims;
}

DimExpr windowDim(const DimExpr &size, int64_t window, int64_t stride, int64_t dilation, int64_t low, int64_t high,
                  bool ceilMode) {
  assert(stride > 0 && dilation > 0 && "a window moves on, as its op's inference checks");
  DimExpr span = size + low + high - ((DimExpr(window) - 1) * dilation + 1);
  if (!ceilMode)
    return DimExpr::floorDiv(span, stride) + 1;
  // The last window must begin inside the input or its low pad: (places - 1) * stride < size + low.
  DimExpr places = DimExpr::ceilDiv(span, stride) + 1;
  return DimExpr::min(places, DimExpr::floorDiv(size + low - 1, stride) + 1);
}

LogicalResult inferSame(Value input, Types &types) {
  types.push_back(input.getType());
  return success();
}

LogicalResult inferBroadcastTo(std::optional<Location> location, ValueRange operands, Type elementType, Types &types) {
  assert(!operands.empty() && "an elementwise op has an operand");
  Dims dims = getDims(operands[0]);
  for (Value operand : operands.drop_front()) {
    std::optional<Dims> joined = broadcastDims(dims, getDims(operand));
    if (!joined)
      return emitOptionalError(location, "cannot broadcast ", describeDims(dims), " and ",
                               describeDims(getDims(operand)), " against each other");
    dims = *joined;
  }
  return inferTensor(location, dims, elementType, types);
}

LogicalResult checkOneElementType(std::optional<Location> location, ValueRange operands) {
  for (Value operand : operands)
    if (getElementType(operand) != getElementType(operands[0]))
      return emitOptionalError(location, "has operands of element types ", getElementType(operands[0]), " and ",
                               getElementType(operand), ", which must be equal");
  return success();
}

LogicalResult inferBroadcast(std::optional<Location> location, ValueRange operands, Types &types) {
  if (failed(checkOneElementType(location, operands)))
    return failure();
  return inferBroadcastTo(location, operands, getElementType(operands[0]), types);
}

LogicalResult inferComparison(std::optional<Location> location, ValueRange operands, Types &types) {
  if (failed(checkOneElementType(location, operands)))
    return failure();
  return inferBroadcastTo(location, operands, IntegerType::get(operands[0].getContext(), 1), types);
}

LogicalResult inferPad(std::optional<Location> location, Value input, DimsAttr lows, DimsAttr highs, Types &types) {
  Dims dims = getDims(input), low = lows.getDims(), high = highs.getDims();
  if (low.size() != dims.size() || high.size() != dims.size())
    return emitOptionalError(location, "has ", low.size(), " low and ", high.size(), " high pads for ", dims.size(),
                             " dims");
  for (size_t i = 0; i < dims.size(); ++i)
    dims[i] = dims[i] + low[i] + high[i];
  return inferTensor(location, dims, getElementType(input), types);
}

static LogicalResult checkAxis(std::optional<Location> location, int64_t axis, size_t rank) {
  if (axis >= 0 && axis < int64_t(rank))
    return success();
  return emitOptionalError(location, "has axis ", axis, ", which is outside [0, ", rank, ")");
}

LogicalResult inferAlongAxis(std::optional<Location> location, Value input, uint64_t axis, Types &types) {
  if (failed(checkAxis(location, axis, getDims(input).size())))
    return failure();
  return inferSame(input, types);
}

LogicalResult inferReduce(std::optional<Location> location, Value input, ArrayAttr axes, Types &types) {
  Dims dims = getDims(input);
  int64_t previous = -1;
  for (int64_t axis : getIntegers(axes)) {
    if (failed(checkAxis(location, axis, dims.size())))
      return failure();
    if (axis <= previous)
      return emitOptionalError(location, "has axes that are not sorted and distinct");
    previous = axis;
    dims[axis] = 1;
  }
  return inferTensor(location, dims, getElementType(input), types);
}

LogicalResult inferArg(std::optional<Location> location, Value input, uint64_t axis, Types &types) {
  Dims dims = getDims(input);
  if (failed(checkAxis(location, axis, dims.size())))
    return failure();
  dims[axis] = 1;
  return inferTensor(location, dims, IntegerType::get(input.getContext(), 64), types);
}

} // namespace dscc::dsc
