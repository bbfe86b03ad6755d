#include "compiler/translate/Weights.h"

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/Support/MathExtras.h"

#include <cerrno>
#include <sys/mman.h>
#include <unistd.h>

namespace dscc {

using namespace mlir;

static constexpr uint64_t weightAlignment = 64;    // bytes; a cache line, and what vector loads want
static constexpr uint64_t chunkBytes = 16ull << 20;

/// Types of fewer than 8 bits take a byte for each value.
static uint64_t bytesPerElement(Type element) {
  return std::max<uint64_t>(1, llvm::divideCeil(element.getIntOrFloatBitWidth(), 8));
}

static uint64_t bytesOf(ElementsAttr value) {
  return value.getNumElements() * bytesPerElement(value.getElementType());
}

size_t Weights::append(ArrayAttr list, uint32_t device) {
  size_t first = entries.size();
  for (Attribute attribute : list) {
    auto value = cast<ElementsAttr>(attribute);
    auto [found, isNew] = known.try_emplace(value, entries.size());
    if (isNew) {
      totalBytes = llvm::alignTo(totalBytes, weightAlignment);
      contents.push_back({value, totalBytes});
      entries.push_back({totalBytes, bytesOf(value), 1u << device, 0});
      totalBytes += bytesOf(value);
      continue;
    }
    dscc_weight shared = entries[found->second];
    shared.devices = 1u << device;
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
  for (uint64_t byte = 0; byte < bytes; ++byte) {
    unsigned low = byte * 8;
    unsigned width = std::min(8u, bits.getBitWidth() - low);
    buffer.push_back(static_cast<char>(bits.extractBitsAsZExtValue(width, low)));
  }
}

/// Element by element: splats, booleans and narrow integers, whose raw form is not the form in memory.
static bool writeElements(int file, ElementsAttr value, uint64_t offset) {
  Type element = value.getElementType();
  uint64_t bytes = bytesPerElement(element);
  std::vector<char> buffer;
  uint64_t count = value.getNumElements();
  auto flushIfFull = [&](bool last) {
    if (buffer.empty() || (!last && buffer.size() < chunkBytes))
      return true;
    bool ok = writeAll(file, buffer.data(), buffer.size(), offset);
    offset += buffer.size();
    buffer.clear();
    return ok;
  };
  if (isa<FloatType>(element)) {
    auto values = value.value_begin<llvm::APFloat>();
    for (uint64_t i = 0; i < count; ++i, ++values) {
      appendBits((*values).bitcastToAPInt(), bytes, buffer);
      if (!flushIfFull(false))
        return false;
    }
    return flushIfFull(true);
  }
  auto values = value.value_begin<llvm::APInt>();
  for (uint64_t i = 0; i < count; ++i, ++values) {
    appendBits(*values, bytes, buffer);
    if (!flushIfFull(false))
      return false;
  }
  return flushIfFull(true);
}

static bool writeOne(int file, ElementsAttr value, uint64_t offset) {
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(value)) {
    llvm::ArrayRef<char> data = resource.getData();
    return writeMapped(file, data.take_front(bytesOf(value)), offset);
  }
  auto dense = dyn_cast<DenseElementsAttr>(value);
  if (dense && !dense.isSplat() && dense.getRawData().size() == bytesOf(value))
    return writeAll(file, dense.getRawData().data(), bytesOf(value), offset);
  return writeElements(file, value, offset);
}

bool Weights::write(int file, uint64_t offset) const {
  for (const Content &content : contents)
    if (!writeOne(file, content.value, offset + content.offset))
      return false;
  return true;
}

} // namespace dscc
