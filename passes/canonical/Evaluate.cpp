#include "passes/canonical/Evaluate.h"

#include "passes/canonical/RoundFloat.h"
#include "passes/canonical/ScalarProgram.h"

#include "mlir/IR/DialectResourceBlobManager.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

using namespace mlir;

namespace dscc {

/// Longer constants are resources: they are neither hashed nor printed.
constexpr int64_t maxDenseElements = 64;

ElementsAttr getConstant(Value value) {
  auto constant = value.getDefiningOp<dsc::ConstantOp>();
  return constant ? constant.getValue() : ElementsAttr();
}

std::optional<ArrayRef<char>> getBytes(ElementsAttr constant) {
  Type element = constant.getElementType();
  if (element.getIntOrFloatBitWidth() % 8 != 0)
    return std::nullopt;
  if (auto dense = dyn_cast<DenseElementsAttr>(constant))
    return dense.getRawData();
  auto resource = dyn_cast<DenseResourceElementsAttr>(constant);
  AsmResourceBlob *blob = resource ? resource.getRawHandle().getBlob() : nullptr;
  uint64_t bytes = constant.getNumElements() * (element.getIntOrFloatBitWidth() / 8);
  if (!blob || blob->getData().size() < bytes)
    return std::nullopt;
  return blob->getData().take_front(bytes);
}

ElementsAttr makeFromBytes(RankedTensorType type, ArrayRef<char> bytes, StringRef name) {
  int64_t bits = type.getElementType().getIntOrFloatBitWidth();
  bool isSplat = int64_t(bytes.size()) * 8 == bits;
  assert((isSplat || int64_t(bytes.size()) * 8 == type.getNumElements() * bits) &&
         "the bytes are those of all elements, or of one for all");
  if (isSplat || type.getNumElements() <= maxDenseElements)
    return DenseElementsAttr::getFromRawBuffer(type, bytes);
  AsmResourceBlob blob = HeapAsmResourceBlob::allocateAndCopyWithAlign(bytes, 64, /*dataIsMutable=*/false);
  return DenseResourceElementsAttr::get(type, name, std::move(blob));
}

ElementsAttr reshapeConstant(ElementsAttr constant, RankedTensorType type) {
  if (auto dense = dyn_cast<DenseElementsAttr>(constant))
    return dense.reshape(type);
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(constant))
    return DenseResourceElementsAttr::get(type, resource.getRawHandle());
  return {};
}

template <class T> static void append(ArrayRef<char> bytes, auto &values) {
  assert(bytes.size() % sizeof(T) == 0 && "the bytes are whole elements");
  for (size_t i = 0; i < bytes.size(); i += sizeof(T)) {
    T value;
    std::memcpy(&value, bytes.data() + i, sizeof(T));
    values.push_back(value);
  }
}

static void readFloats(FloatType element, ArrayRef<char> bytes, std::vector<double> &values) {
  if (element.isF32())
    return append<float>(bytes, values);
  if (element.isF64())
    return append<double>(bytes, values);
  assert((element.isF16() || element.isBF16()) && "floats of other types are not read as numbers");
  std::vector<uint16_t> bits;
  append<uint16_t>(bytes, bits);
  auto widen = element.isF16() ? fromF16 : fromBf16;
  for (uint16_t b : bits)
    values.push_back(widen(b));
}

std::optional<Numbers> readNumbers(ElementsAttr constant) {
  Numbers numbers{cast<RankedTensorType>(constant.getType()), false, {}, {}};
  Type element = constant.getElementType();
  if (element.isInteger(1)) {
    auto dense = dyn_cast<DenseElementsAttr>(constant);
    if (!dense)
      return std::nullopt;
    if (dense.isSplat())
      numbers.integers.push_back(dense.getSplatValue<bool>());
    else
      llvm::append_range(numbers.integers, dense.getValues<bool>());
    return numbers;
  }
  std::optional<ArrayRef<char>> bytes = getBytes(constant);
  unsigned width = element.getIntOrFloatBitWidth();
  if (!bytes || width > 64)
    return std::nullopt;
  if (auto floating = dyn_cast<FloatType>(element)) {
    if (width < 16 || (width == 16 && !element.isF16() && !element.isBF16()))
      return std::nullopt;
    numbers.isFloat = true;
    numbers.floats.reserve(bytes->size() / (width / 8));
    readFloats(floating, *bytes, numbers.floats);
    return numbers;
  }
  bool isUnsigned = element.isUnsignedInteger();
  switch (width) {
  case 8: isUnsigned ? append<uint8_t>(*bytes, numbers.integers) : append<int8_t>(*bytes, numbers.integers); break;
  case 16: isUnsigned ? append<uint16_t>(*bytes, numbers.integers) : append<int16_t>(*bytes, numbers.integers); break;
  case 32: isUnsigned ? append<uint32_t>(*bytes, numbers.integers) : append<int32_t>(*bytes, numbers.integers); break;
  case 64: append<int64_t>(*bytes, numbers.integers); break;
  default: return std::nullopt;
  }
  return numbers;
}

/// Each value as it lies in memory, by `convert` to what it is there.
template <class T> static std::vector<char> toBytes(const std::vector<T> &values, auto convert) {
  std::vector<char> bytes(values.size() * sizeof(convert(T())));
  char *to = bytes.data();
  for (T value : values) {
    auto converted = convert(value);
    std::memcpy(to, &converted, sizeof(converted));
    to += sizeof(converted);
  }
  return bytes;
}

static std::vector<char> toBytes(const std::vector<double> &values, FloatType element) {
  if (element.isF64())
    return toBytes(values, [](double value) { return value; });
  if (element.isF32())
    return toBytes(values, [](double value) { return float(value); });
  // Through float first, as kernels do: they compute in f32 and round at the store.
  if (element.isF16())
    return toBytes(values, [](double value) { return roundToF16(float(value)); });
  assert(element.isBF16() && "all constants of other types are read as bytes only");
  return toBytes(values, [](double value) { return roundToBf16(float(value)); });
}

static std::vector<char> toBytes(const std::vector<int64_t> &values, unsigned width) {
  switch (width) {
  case 8: return toBytes(values, [](int64_t value) { return int8_t(value); });
  case 16: return toBytes(values, [](int64_t value) { return int16_t(value); });
  case 32: return toBytes(values, [](int64_t value) { return int32_t(value); });
  default: break;
  }
  assert(width == 64 && "integers of other widths are not read as numbers");
  return toBytes(values, [](int64_t value) { return value; });
}

ElementsAttr makeConstant(const Numbers &numbers, StringRef name) {
  Type element = numbers.type.getElementType();
  assert(numbers.isFloat == isa<FloatType>(element) && "the list that is used is the one of the type");
  assert((numbers.size() == 1 || int64_t(numbers.size()) == numbers.type.getNumElements()) &&
         "there is a number for each element, or one for all");
  if (element.isInteger(1)) {
    SmallVector<bool> values(numbers.integers.begin(), numbers.integers.end());
    return DenseElementsAttr::get(numbers.type, values);
  }
  auto floating = dyn_cast<FloatType>(element);
  return makeFromBytes(
      numbers.type,
      floating ? toBytes(numbers.floats, floating) : toBytes(numbers.integers, element.getIntOrFloatBitWidth()), name);
}

/// Nearly all weights come through here: one loop without branches, from the file's bytes to the constant's.
static void narrowFloats(ArrayRef<char> floats, char *to, auto round) {
  // Beyond the largest number comes infinity.
  const uint16_t infinity = round(std::numeric_limits<float>::infinity());
  for (size_t i = 0, count = floats.size() / sizeof(float); i < count; ++i) {
    float value;
    std::memcpy(&value, floats.data() + i * sizeof(value), sizeof(value));
    uint16_t bits = round(value);
    bool isLost = (bits & 0x7fff) == infinity && (toBits(value) & 0x7fffffff) < 0x7f800000;
    bits = uint16_t(bits - isLost);
    std::memcpy(to + i * sizeof(bits), &bits, sizeof(bits));
  }
}

static void narrowFloats(ArrayRef<char> floats, char *to, FloatType element) {
  element.isF16() ? narrowFloats(floats, to, [](float value) { return roundToF16(value); })
                  : narrowFloats(floats, to, [](float value) { return roundToBf16(value); });
}

ElementsAttr narrowConstant(ElementsAttr constant, FloatType element, StringRef name) {
  assert((element.isF16() || element.isBF16()) && "these are the narrow types");
  auto type = RankedTensorType::get(constant.getShapedType().getShape(), element);
  if (!constant.getElementType().isF32()) {
    std::optional<Numbers> numbers = readNumbers(constant);
    if (!numbers || !numbers->isFloat || numbers->size() == 0)
      return {};
    double largest = APFloat::getLargest(element.getFloatSemantics()).convertToDouble();
    for (double &number : numbers->floats)
      number = std::isfinite(number) ? std::clamp(number, -largest, largest) : number;
    numbers->type = type;
    return makeConstant(*numbers, name);
  }
  std::optional<ArrayRef<char>> floats = getBytes(constant);
  if (!floats || floats->empty())
    return {};
  if (constant.isSplat() || type.getNumElements() <= maxDenseElements) {
    SmallVector<char> bytes(floats->size() / 2);
    narrowFloats(*floats, bytes.data(), element);
    return makeFromBytes(type, bytes, name);
  }
  AsmResourceBlob blob = HeapAsmResourceBlob::allocate(floats->size() / 2, 64);
  narrowFloats(*floats, blob.getMutableData().data(), element);
  return DenseResourceElementsAttr::get(type, name, std::move(blob));
}

/// The elements as kernels read them, a boolean as a byte; nothing for those of which several share a byte.
static std::optional<ArrayRef<char>> getElements(ElementsAttr constant, std::vector<char> &booleans) {
  if (!constant.getElementType().isInteger(1))
    return getBytes(constant);
  auto dense = dyn_cast<DenseElementsAttr>(constant);
  if (!dense)
    return std::nullopt;
  if (dense.isSplat())
    booleans.push_back(dense.getSplatValue<bool>());
  else
    llvm::append_range(booleans, dense.getValues<bool>());
  return ArrayRef<char>(booleans);
}

static ElementsAttr evaluateElementwise(Operation *op, RankedTensorType type, ArrayRef<ElementsAttr> constants) {
  std::unique_ptr<ScalarProgram> program = ScalarProgram::compile(op);
  if (!program)
    return {};
  std::vector<std::vector<char>> held(constants.size()); // what no constant holds as it is wanted
  SmallVector<ScalarProgram::Input> inputs;
  bool allSplat = true;
  for (auto [constant, own] : llvm::zip_equal(constants, held)) {
    std::optional<ArrayRef<char>> bytes = getElements(constant, own);
    if (!bytes || bytes->empty())
      return {};
    auto from = cast<RankedTensorType>(constant.getType());
    bool isSplat = constant.isSplat() || from.getNumElements() == 1;
    size_t width = bytes->size() / (isSplat ? 1 : from.getNumElements());
    if (!isSplat && from.getShape() != type.getShape()) {
      own = broadcastBytes(*bytes, from.getShape(), type.getShape(), width);
      bytes = own;
    }
    inputs.push_back({bytes->data(), isSplat});
    allSplat &= isSplat;
  }
  size_t count = allSplat ? 1 : type.getNumElements();
  std::vector<char> result(count * program->getResultBytes());
  if (!program->run(inputs, result.data(), count))
    return {};
  if (!type.getElementType().isInteger(1))
    return makeFromBytes(type, result, "folded");
  return DenseElementsAttr::get(type, SmallVector<bool>(result.begin(), result.end()));
}

ElementsAttr evaluateConstant(Operation *op) {
  if (op->getNumResults() != 1 || op->getNumOperands() == 0)
    return {};
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  SmallVector<ElementsAttr> constants = llvm::map_to_vector(op->getOperands(), getConstant);
  if (!type.hasStaticShape() || type.getNumElements() == 0 || llvm::is_contained(constants, ElementsAttr()))
    return {};
  if (!dsc::isElementwise(op))
    return evaluateMovement(op, constants);
  return evaluateElementwise(op, type, constants);
}

} // namespace dscc
