#include "passes/canonical/Evaluate.h"

#include "passes/canonical/RoundFloat.h"
#include "passes/canonical/SmallTensor.h"

#include "mlir/IR/DialectResourceBlobManager.h"

#include <cmath>
#include <cstring>

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

namespace {
struct FloatEntry {
  StringLiteral op;
  double (*compute)(double a, double b);
};
struct IntegerEntry {
  StringLiteral op;
  int64_t (*compute)(int64_t a, int64_t b);
};
} // namespace

/// As in the kernels, a NaN wins and -0 is less than 0.
static double maximum(double a, double b) {
  if (std::isnan(a) || std::isnan(b))
    return NAN;
  return a == b ? (std::signbit(a) ? b : a) : std::max(a, b);
}
static double minimum(double a, double b) { return -maximum(-a, -b); }

static constexpr FloatEntry floatEntries[] = {
    {"dsc.abs", [](double a, double) { return std::fabs(a); }},
    {"dsc.neg", [](double a, double) { return -a; }},
    {"dsc.floor", [](double a, double) { return std::floor(a); }},
    {"dsc.ceil", [](double a, double) { return std::ceil(a); }},
    {"dsc.round", [](double a, double) { return std::nearbyint(a); }},
    {"dsc.trunc", [](double a, double) { return std::trunc(a); }},
    {"dsc.sqrt", [](double a, double) { return std::sqrt(a); }},
    {"dsc.rsqrt", [](double a, double) { return 1 / std::sqrt(a); }},
    {"dsc.reciprocal", [](double a, double) { return 1 / a; }},
    {"dsc.exp", [](double a, double) { return std::exp(a); }},
    {"dsc.log", [](double a, double) { return std::log(a); }},
    {"dsc.sin", [](double a, double) { return std::sin(a); }},
    {"dsc.cos", [](double a, double) { return std::cos(a); }},
    {"dsc.tanh", [](double a, double) { return std::tanh(a); }},
    {"dsc.erf", [](double a, double) { return std::erf(a); }},
    {"dsc.sigmoid", [](double a, double) { return 1 / (1 + std::exp(-a)); }},
    {"dsc.relu", [](double a, double) { return maximum(a, 0); }},
    {"dsc.add", [](double a, double b) { return a + b; }},
    {"dsc.sub", [](double a, double b) { return a - b; }},
    {"dsc.mul", [](double a, double b) { return a * b; }},
    {"dsc.div", [](double a, double b) { return a / b; }},
    {"dsc.pow", [](double a, double b) { return std::pow(a, b); }},
    {"dsc.min", minimum},
    {"dsc.max", maximum},
};

/// Integers wrap around, as in the kernels; division is left to them.
static constexpr IntegerEntry integerEntries[] = {
    {"dsc.neg", [](int64_t a, int64_t) { return int64_t(-uint64_t(a)); }},
    {"dsc.add", [](int64_t a, int64_t b) { return int64_t(uint64_t(a) + uint64_t(b)); }},
    {"dsc.sub", [](int64_t a, int64_t b) { return int64_t(uint64_t(a) - uint64_t(b)); }},
    {"dsc.mul", [](int64_t a, int64_t b) { return int64_t(uint64_t(a) * uint64_t(b)); }},
    {"dsc.and", [](int64_t a, int64_t b) { return a & b; }},
    {"dsc.or", [](int64_t a, int64_t b) { return a | b; }},
    {"dsc.xor", [](int64_t a, int64_t b) { return a ^ b; }},
};

/// For each element of `result`, in order, the place in a tensor of `shape` that broadcasting shows there.
static std::vector<size_t> broadcastPlaces(ArrayRef<int64_t> shape, ArrayRef<int64_t> result) {
  std::vector<size_t> places;
  forEachIndex(result, [&](ArrayRef<int64_t> index) { places.push_back(broadcastPlace(shape, index)); });
  return places;
}

template <class T, class Entry>
static void computeElements(const Entry &entry, RankedTensorType type, ArrayRef<Numbers> operands,
                            std::vector<T> Numbers::*values, Numbers &result) {
  assert(operands.size() <= 2 && "the entries of the tables compute with one or two numbers");
  bool allSplat = llvm::all_of(operands, [](const Numbers &n) { return n.size() == 1; });
  size_t count = allSplat ? 1 : type.getNumElements();
  std::vector<size_t> places[2];
  for (auto [index, operand] : llvm::enumerate(operands))
    if (operand.size() != 1 && operand.type.getShape() != type.getShape())
      places[index] = broadcastPlaces(operand.type.getShape(), type.getShape());
  auto at = [&](size_t operand, size_t i) {
    if (operand >= operands.size())
      return T(0);
    const std::vector<T> &from = operands[operand].*values;
    return from[from.size() == 1 ? 0 : places[operand].empty() ? i : places[operand][i]];
  };
  for (size_t i = 0; i < count; ++i)
    (result.*values).push_back(entry.compute(at(0, i), at(1, i)));
}

/// A conversion between numbers, as long as it is one that is the same everywhere.
static std::optional<Numbers> convert(const Numbers &input, RankedTensorType type) {
  // Types narrower than a byte, and float8, whose rounding and saturation the kernels know.
  Type to = type.getElementType();
  if (to.getIntOrFloatBitWidth() < (isa<FloatType>(to) ? 16 : 8) && !to.isInteger(1))
    return std::nullopt;
  Numbers result{type, isa<FloatType>(type.getElementType()), {}, {}};
  if (input.isFloat && result.isFloat)
    result.floats = input.floats;
  else if (!input.isFloat && result.isFloat && !input.type.getElementType().isUnsignedInteger(64))
    result.floats.assign(input.integers.begin(), input.integers.end());
  else if (!input.isFloat && !result.isFloat && !type.getElementType().isInteger(1))
    result.integers = input.integers;
  else
    return std::nullopt;
  return result;
}

static std::optional<Numbers> evaluateElementwise(Operation *op, RankedTensorType type, ArrayRef<Numbers> operands) {
  if (isa<dsc::CastOp>(op))
    return convert(operands[0], type);
  bool isFloat = isa<FloatType>(type.getElementType());
  if (llvm::any_of(operands, [&](const Numbers &n) { return n.isFloat != isFloat || n.size() == 0; }))
    return std::nullopt;
  Numbers result{type, isFloat, {}, {}};
  StringRef name = op->getName().getStringRef();
  if (isFloat) {
    auto entry = llvm::find_if(floatEntries, [&](const FloatEntry &e) { return e.op == name; });
    if (entry == std::end(floatEntries))
      return std::nullopt;
    computeElements<double>(*entry, type, operands, &Numbers::floats, result);
    return result;
  }
  auto entry = llvm::find_if(integerEntries, [&](const IntegerEntry &e) { return e.op == name; });
  if (entry == std::end(integerEntries))
    return std::nullopt;
  computeElements<int64_t>(*entry, type, operands, &Numbers::integers, result);
  return result;
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
  SmallVector<Numbers> operands;
  for (ElementsAttr constant : constants) {
    std::optional<Numbers> numbers = readNumbers(constant);
    if (!numbers)
      return {};
    operands.push_back(std::move(*numbers));
  }
  if (operands.size() > 2)
    return {};
  std::optional<Numbers> result = evaluateElementwise(op, type, operands);
  return result ? makeConstant(*result, "folded") : ElementsAttr();
}

} // namespace dscc
