#include "compiler/translate/Trailer.h"

#include "llvm/Support/MathExtras.h"
#include "llvm/Support/xxhash.h"

#include <dscc/abi.h>

#include <cstring>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace dscc {

static constexpr uint64_t pageBytes = 4096; // mmap offsets are multiples of it
static constexpr uint64_t minSectionBytes = 1 << 20;

static std::optional<uint64_t> hashRange(int file, uint64_t offset, uint64_t bytes) {
  void *mapped = mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, file, offset);
  if (mapped == MAP_FAILED)
    return std::nullopt;
  uint64_t hash = llvm::xxHash64(llvm::StringRef(static_cast<const char *>(mapped), bytes));
  munmap(mapped, bytes);
  return hash;
}

std::optional<uint64_t> appendTrailer(int file) {
  struct stat status;
  if (fstat(file, &status))
    return std::nullopt;
  uint64_t body = llvm::alignTo(status.st_size, 8);
  if (ftruncate(file, body))
    return std::nullopt;

  dscc_trailer trailer;
  std::memset(&trailer, 0, sizeof(trailer));
  trailer.file_bytes = body + sizeof(trailer);
  trailer.abi_version = DSCC_ABI_VERSION;
  std::memcpy(trailer.magic, DSCC_TRAILER_MAGIC, sizeof(trailer.magic));
  // Several ranges, so that a runtime can check them side by side and only one is in memory here.
  uint64_t share = llvm::alignTo(std::max(minSectionBytes, llvm::divideCeil(body, DSCC_TRAILER_SECTIONS)), pageBytes);
  for (uint64_t offset = 0; offset < body; offset += share) {
    uint64_t bytes = std::min(share, body - offset);
    std::optional<uint64_t> hash = hashRange(file, offset, bytes);
    if (!hash)
      return std::nullopt;
    auto &section = trailer.sections[trailer.num_sections++];
    section.offset = offset;
    section.bytes = bytes;
    section.hash = *hash;
  }
  llvm::StringRef above(reinterpret_cast<const char *>(&trailer), offsetof(dscc_trailer, trailer_hash));
  trailer.trailer_hash = llvm::xxHash64(above);
  if (pwrite(file, &trailer, sizeof(trailer), body) != static_cast<ssize_t>(sizeof(trailer)))
    return std::nullopt;
  return trailer.file_bytes;
}

} // namespace dscc
