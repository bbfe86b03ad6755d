#include "compiler/import/TensorData.h"

#include "compiler/import/ElementTypes.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace dscc {

/// Integers are also read as shapes, so that somewhat larger ones are worth having at hand.
static constexpr int64_t maxDenseElements = 64, maxDenseIntegers = 256;

/// The number of elements; nothing if the dims are negative or their product does not fit.
static std::optional<int64_t> countElements(const onnx::TensorProto &tensor) {
  int64_t count = 1;
  for (int64_t dim : tensor.dims())
    if (dim < 0 || llvm::MulOverflow(count, dim, count))
      return std::nullopt;
  return count;
}

/// Unpacks 4-bit or 2-bit elements, low bits first, to one byte each, signed ones extended.
static std::vector<char> unpack(ArrayRef<char> packed, unsigned width, bool isSigned, int64_t count) {
  assert(packed.size() * 8 >= uint64_t(count) * width && "findBytes has compared the sizes");
  std::vector<char> bytes(count);
  unsigned perByte = 8 / width;
  for (int64_t i = 0; i < count; ++i) {
    unsigned bits = uint8_t(packed[i / perByte]) >> (i % perByte * width) & ((1u << width) - 1);
    bool negative = isSigned && (bits >> (width - 1));
    bytes[i] = char(negative ? bits | (0xffu << width) : bits);
  }
  return bytes;
}

static std::shared_ptr<std::vector<char>> share(std::vector<char> bytes) {
  return std::make_shared<std::vector<char>>(std::move(bytes));
}

/// The numbers of a typed field as elements of `width` bits each, cut to that width.
template <class Field> static std::vector<char> narrow(const Field &field, unsigned width) {
  std::vector<char> bytes(field.size() * (width / 8));
  char *to = bytes.data();
  for (auto number : field) {
    std::memcpy(to, &number, width / 8); // little endian: the low bytes come first
    to += width / 8;
  }
  return bytes;
}

/// What the typed fields hold, encoded as raw_data would be.
static std::vector<char> readTypedField(const onnx::TensorProto &tensor, Type element) {
  unsigned width = std::max(storedBits(element), 8u);
  switch (tensor.data_type()) {
  case onnx::TensorProto::FLOAT: return narrow(tensor.float_data(), width);
  case onnx::TensorProto::DOUBLE: return narrow(tensor.double_data(), width);
  case onnx::TensorProto::INT64: return narrow(tensor.int64_data(), width);
  case onnx::TensorProto::UINT32:
  case onnx::TensorProto::UINT64: return narrow(tensor.uint64_data(), width);
  default: return narrow(tensor.int32_data(), width);
  }
}

std::optional<TensorData::Bytes> TensorData::findBytes(const onnx::TensorProto &tensor, StringRef name, Type element,
                                                       int64_t count) {
  uint64_t expected = llvm::divideCeil(uint64_t(count) * storedBits(element), 8);
  Bytes found;
  if (tensor.data_location() == onnx::TensorProto::EXTERNAL) {
    ExternalData::Range range = external.find(tensor, expected);
    if (!range.file)
      return std::nullopt;
    found = {range.file, range.bytes};
  } else if (tensor.external_data_size() == 1 && tensor.external_data(0).key() == OnnxFile::mappedKey) {
    size_t index;
    if (!llvm::to_integer(tensor.external_data(0).value(), index, 10) || index >= file.mapped.size()) {
      (void)problems.reject("tensor '" + name + "' refers to data that is not there");
      return std::nullopt;
    }
    found = {file.bytes, file.mapped[index]};
  } else {
    auto copy = share(tensor.has_raw_data() ? std::vector<char>(tensor.raw_data().begin(), tensor.raw_data().end())
                                            : readTypedField(tensor, element));
    found = {copy, *copy};
  }
  if (found.bytes.size() != expected) {
    (void)problems.reject("tensor '" + name + "' has " + Twine(found.bytes.size()) + " bytes of data, but " +
                          Twine(count) + " elements of type " + dataTypeName(tensor.data_type()) + " need " +
                          Twine(expected));
    return std::nullopt;
  }
  if (unsigned width = storedBits(element); width < 8) {
    auto copy = share(unpack(found.bytes, width, element.isSignlessInteger(), count));
    found = {copy, *copy};
  }
  return found;
}

ElementsAttr TensorData::makeConstant(RankedTensorType type, Bytes data, StringRef name) {
  Type element = type.getElementType();
  int64_t count = type.getNumElements();
  assert(data.bytes.size() == uint64_t(count) * (std::max(storedBits(element), 8u) / 8) &&
         "findBytes gives whole bytes to all elements");
  if (count <= (isa<IntegerType>(element) ? maxDenseIntegers : maxDenseElements)) {
    if (element.isInteger(1))
      return DenseElementsAttr::get(type, llvm::map_to_vector(data.bytes, [](char byte) { return byte != 0; }));
    if (count == 0)
      return DenseElementsAttr::get(type, ArrayRef<Attribute>());
    return DenseElementsAttr::getFromRawBuffer(type, data.bytes);
  }
  AsmResourceBlob blob = UnmanagedAsmResourceBlob::allocateWithAlign(
      data.bytes, /*align=*/1, [owner = std::move(data.owner)](void *, size_t, size_t) {});
  return DenseResourceElementsAttr::get(type, name.empty() ? "constant" : name, std::move(blob));
}

ElementsAttr TensorData::read(const onnx::TensorProto &tensor, StringRef name) {
  Type element = elementType(&context, tensor.data_type());
  if (!element) {
    (void)problems.unsupported("tensor '" + name + "' has elements of type " + dataTypeName(tensor.data_type()));
    return {};
  }
  std::optional<int64_t> count = countElements(tensor);
  if (!count) {
    (void)problems.reject("tensor '" + name + "' has dims that are negative or too many");
    return {};
  }
  uint64_t elementBytes = std::max(storedBits(element), 8u) / 8;
  if (uint64_t(*count) > budgets.tensorBytes / elementBytes) {
    (void)problems.limit("tensor '" + name + "' has " + Twine(*count) + " elements, more than the limit of " +
                             Twine(budgets.tensorBytes) + " bytes",
                         "", "", "raise it with --max-tensor-bytes");
    return {};
  }
  if (tensor.has_segment()) {
    (void)problems.unsupported("tensor '" + name + "' is stored in segments");
    return {};
  }
  std::optional<Bytes> bytes = findBytes(tensor, name, element, *count);
  if (!bytes)
    return {};
  SmallVector<int64_t> shape(tensor.dims().begin(), tensor.dims().end());
  return makeConstant(RankedTensorType::get(shape, element), std::move(*bytes), name);
}

} // namespace dscc
