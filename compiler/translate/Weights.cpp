#include "compiler/translate/Weights.h"

#include "passes/canonical/Evaluate.h"
#include "passes/kernels/Panels.h"

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/Support/MathExtras.h"

#include <cerrno>
#include <sys/mman.h>
#include <unistd.h>

namespace dscc {

using namespace mlir;

static constexpr uint64_t weightAlignment = 64; // bytes; a cache line, and what vector loads want
static constexpr uint64_t chunkBytes = 16ull << 20;

/// Types of fewer than 8 bits take a byte for each value.
static uint64_t bytesPerElement(Type element) {
  return std::max<uint64_t>(1, llvm::divideCeil(element.getIntOrFloatBitWidth(), 8));
}

static uint64_t bytesOf(ElementsAttr value) { return value.getNumElements() * bytesPerElement(value.getElementType()); }

size_t Weights::append(ArrayAttr list, uint32_t programs) {
  size_t first = entries.size();
  for (Attribute attribute : list) {
    auto value = cast<ElementsAttr>(attribute);
    auto [found, isNew] = known.try_emplace(value, entries.size());
    if (isNew) {
      totalBytes = llvm::alignTo(totalBytes, weightAlignment);
      contents.push_back({value, totalBytes});
      entries.push_back({totalBytes, bytesOf(value), programs, 0});
      totalBytes += bytesOf(value);
      continue;
    }
    dscc_weight shared = entries[found->second];
    shared.programs = programs;
    entries.push_back(shared);
  }
  return first;
}

static bool writeAll(int file, const char *data, uint64_t bytes, uint64_t offset) {
  while (bytes) {
    ssize_t written = pwrite(file, data, std::min(bytes, chunkBytes), offset);
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return false;
    data += written;
    offset += written;
    bytes -= written;
  }
  return true;
}

/// Lets go of pages that we have read. They come back by themselves if somebody reads them again.
static void release(const char *data, uint64_t bytes) {
  uint64_t page = sysconf(_SC_PAGESIZE);
  uint64_t begin = llvm::alignTo(reinterpret_cast<uintptr_t>(data), page);
  uint64_t end = llvm::alignDown(reinterpret_cast<uintptr_t>(data) + bytes, page);
#ifdef MADV_PAGEOUT
  if (begin < end)
    (void)madvise(reinterpret_cast<void *>(begin), end - begin, MADV_PAGEOUT);
#endif
}

/// Writes from memory that may be a mapped file.
static bool writeMapped(int file, llvm::ArrayRef<char> data, uint64_t offset) {
  for (uint64_t done = 0; done < data.size(); done += chunkBytes) {
    uint64_t bytes = std::min<uint64_t>(chunkBytes, data.size() - done);
    if (!writeAll(file, data.data() + done, bytes, offset + done))
      return false;
    release(data.data() + done, bytes);
  }
  return true;
}

static void appendBits(const llvm::APInt &bits, uint64_t bytes, std::vector<char> &buffer) {
  for (uint64_t byte = 0; byte < bytes; ++byte)
    buffer.push_back(static_cast<char>(bits.extractBitsAsZExtValue(8, byte * 8)));
}

/// One element, or the value of all elements of a splat, as it is in memory.
static void appendElement(Attribute value, uint64_t bytes, std::vector<char> &buffer) {
  if (auto number = dyn_cast<FloatAttr>(value))
    return appendBits(number.getValue().bitcastToAPInt().zext(bytes * 8), bytes, buffer);
  auto integer = cast<IntegerAttr>(value);
  auto type = cast<IntegerType>(integer.getType());
  bool isSigned = !type.isUnsigned() && type.getWidth() > 1;
  unsigned bits = bytes * 8;
  appendBits(isSigned ? integer.getValue().sext(bits) : integer.getValue().zext(bits), bytes, buffer);
}

static bool writeSplat(int file, DenseElementsAttr value, uint64_t offset) {
  uint64_t bytes = bytesPerElement(value.getElementType()), left = bytesOf(value);
  std::vector<char> buffer;
  while (buffer.size() < std::min(left, chunkBytes))
    appendElement(value.getSplatValue<Attribute>(), bytes, buffer);
  for (; left; left -= std::min<uint64_t>(left, buffer.size())) {
    uint64_t count = std::min<uint64_t>(left, buffer.size());
    if (!writeAll(file, buffer.data(), count, offset))
      return false;
    offset += count;
  }
  return true;
}

/// Element by element: booleans and narrow integers, whose raw form is not the form in memory.
static bool writeElements(int file, DenseElementsAttr value, uint64_t offset) {
  uint64_t bytes = bytesPerElement(value.getElementType());
  std::vector<char> buffer;
  for (Attribute element : value.getValues<Attribute>()) {
    appendElement(element, bytes, buffer);
    if (buffer.size() < chunkBytes)
      continue;
    if (!writeAll(file, buffer.data(), buffer.size(), offset))
      return false;
    offset += buffer.size();
    buffer.clear();
  }
  return writeAll(file, buffer.data(), buffer.size(), offset);
}

/// Packs panels by the chunk, so that beside the constant no more than that is in memory.
static bool writePanels(int file, dsc::PanelsAttr value, uint64_t offset) {
  std::optional<ArrayRef<char>> matrices = getBytes(value.getMatrices());
  assert(matrices && "a module whose text lacks contents is refused");
  kernels::MatrixShape shape = kernels::shapeOf(value);
  uint64_t width = bytesPerElement(value.getElementType()), panelBytes = shape.panelElements() * width;
  int64_t all = shape.matrices * shape.panels(), most = std::max<int64_t>(1, chunkBytes / panelBytes);
  std::vector<char> buffer(std::min(all, most) * panelBytes);
  for (int64_t first = 0; first < all; first += most) {
    auto panels = MutableArrayRef(buffer).take_front(std::min(most, all - first) * panelBytes);
    kernels::packPanels(*matrices, shape, width, first, panels);
    if (!writeAll(file, panels.data(), panels.size(), offset + first * panelBytes))
      return false;
  }
  if (isa<DenseResourceElementsAttr>(value.getMatrices()))
    release(matrices->data(), matrices->size());
  return true;
}

static bool writeOne(int file, ElementsAttr value, uint64_t offset) {
  if (auto panels = dyn_cast<dsc::PanelsAttr>(value))
    return writePanels(file, panels, offset);
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(value)) {
    llvm::ArrayRef<char> data = resource.getData();
    return writeMapped(file, data.take_front(bytesOf(value)), offset);
  }
  auto dense = cast<DenseElementsAttr>(value);
  if (dense.isSplat())
    return writeSplat(file, dense, offset);
  if (value.getElementType().getIntOrFloatBitWidth() % 8 == 0 && dense.getRawData().size() == bytesOf(value))
    return writeAll(file, dense.getRawData().data(), bytesOf(value), offset);
  return writeElements(file, dense, offset);
}

bool Weights::write(int file, uint64_t offset) const {
  for (const Content &content : contents)
    if (!writeOne(file, content.value, offset + content.offset))
      return false;
  return true;
}

} // namespace dscc
