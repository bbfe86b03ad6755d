#include "tools/simulator/driver/Images.h"

#include "tools/simulator/driver/Errors.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Compression.h"
#include "llvm/Support/Error.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <elf.h>

namespace dscc::sim {

static constexpr char trailerMagic[] = "DSCCPTX1";
static constexpr uint64_t maxTextBytes = uint64_t(256) << 20;
static constexpr uint64_t maxElfBytes = uint64_t(1) << 32;

/// Where an ELF file ends, by its own tables; 0 if they make no sense.
static uint64_t endOfElf(const char *image) {
  Elf64_Ehdr header;
  std::memcpy(&header, image, sizeof(header));
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_shentsize != sizeof(Elf64_Shdr) ||
      header.e_shoff > maxElfBytes)
    return 0;
  uint64_t end = std::max<uint64_t>(header.e_shoff + uint64_t(header.e_shnum) * sizeof(Elf64_Shdr),
                                    header.e_phoff + uint64_t(header.e_phnum) * header.e_phentsize);
  for (unsigned i = 0; i < header.e_shnum; ++i) {
    Elf64_Shdr section;
    std::memcpy(&section, image + header.e_shoff + i * sizeof(section), sizeof(section));
    if (section.sh_type != SHT_NOBITS && section.sh_type != SHT_NULL)
      end = std::max<uint64_t>(end, section.sh_offset + section.sh_size);
  }
  return end <= maxElfBytes ? end : 0;
}

static CUresult readTrailer(const char *trailer, std::string &text) {
  if (std::memcmp(trailer, trailerMagic, sizeof(trailerMagic) - 1) != 0) {
    log("an image is machine code without the PTX that it was made from, and that cannot be simulated");
    return CUDA_ERROR_NO_BINARY_FOR_GPU;
  }
  uint64_t sizes[2];
  std::memcpy(sizes, trailer + 8, sizeof(sizes));
  if (sizes[0] > maxTextBytes || sizes[1] > maxTextBytes || !llvm::compression::zlib::isAvailable())
    return CUDA_ERROR_INVALID_IMAGE;
  llvm::SmallVector<uint8_t, 0> bytes;
  llvm::ArrayRef<uint8_t> packed(reinterpret_cast<const uint8_t *>(trailer) + 24, sizes[0]);
  if (llvm::Error error = llvm::compression::zlib::decompress(packed, bytes, sizes[1])) {
    log("the PTX of an image is damaged: " + llvm::toString(std::move(error)));
    return CUDA_ERROR_INVALID_IMAGE;
  }
  text.assign(bytes.begin(), bytes.end());
  return CUDA_SUCCESS;
}

int requiredDriver(const std::string &text) {
  int major = 0, minor = 0;
  size_t at = text.find(".version");
  if (at == std::string::npos || std::sscanf(text.c_str() + at, ".version %d.%d", &major, &minor) != 2 || major < 7)
    return 0;
  return (major + 4) * 1000 + minor * 10;
}

int targetOf(const std::string &text) {
  int number = 0;
  size_t at = text.find(".target");
  if (at != std::string::npos)
    std::sscanf(text.c_str() + at, ".target sm_%d", &number);
  return number;
}

//===-- fat binaries ----------------------------------------------------------------------------------------------===//

namespace {
/// Around a fat binary that nvcc has linked into a program.
struct Wrapper {
  uint32_t magic, version;
  const char *binary;
};

struct FatHeader {
  uint32_t magic;
  uint16_t version, headerBytes;
  uint64_t bytes; // of the entries, which follow each other
};

struct FatEntry {
  uint16_t kind, version;
  uint32_t headerBytes;
  uint64_t bytes; // of what follows the header
  uint32_t packedBytes, options;
  uint16_t minor, major; // of the PTX
  uint32_t architecture;
  uint64_t name, flags, zero, textBytes;
};
static_assert(sizeof(FatHeader) == 16 && sizeof(FatEntry) == 64);
} // namespace

static constexpr uint32_t wrapperMagic = 0x466243b1, fatMagic = 0xba55ed50;
static constexpr uint16_t kindPtx = 1;
static constexpr uint64_t flagsPacked = 0xa000, flagZstd = 0x8000; // the other one is LZ4

template <typename T> static T readAs(const char *place) {
  T value;
  std::memcpy(&value, place, sizeof(value));
  return value;
}

static CUresult readEntry(const char *place, const FatEntry &entry, std::string &text) {
  const char *payload = place + entry.headerBytes;
  if (!(entry.flags & flagsPacked)) {
    text.assign(payload, strnlen(payload, entry.bytes));
    return CUDA_SUCCESS;
  }
  if (!(entry.flags & flagZstd) || !llvm::compression::zstd::isAvailable()) {
    log("the PTX of a fat binary is compressed in a way that is not known; fatbinary --compress=false leaves it as it "
        "is");
    return CUDA_ERROR_NOT_SUPPORTED;
  }
  llvm::SmallVector<uint8_t, 0> bytes;
  llvm::ArrayRef<uint8_t> packed(reinterpret_cast<const uint8_t *>(payload), entry.packedBytes);
  if (entry.packedBytes > entry.bytes || entry.textBytes > maxTextBytes)
    return CUDA_ERROR_INVALID_IMAGE;
  if (llvm::Error error = llvm::compression::zstd::decompress(packed, bytes, entry.textBytes)) {
    log("the PTX of a fat binary is damaged: " + llvm::toString(std::move(error)));
    return CUDA_ERROR_INVALID_IMAGE;
  }
  text.assign(bytes.begin(), llvm::find(bytes, 0));
  return CUDA_SUCCESS;
}

/// sm_90a is for 9.0 alone.
static bool isForOneArchitecture(const std::string &text) {
  char suffix = 0;
  size_t at = text.find(".target");
  return at != std::string::npos && std::sscanf(text.c_str() + at, ".target sm_%*d%c", &suffix) == 1 && suffix == 'a';
}

static CUresult readFat(const char *image, int architecture, std::string &text) {
  auto header = readAs<FatHeader>(image);
  const char *place = image + header.headerBytes;
  if (header.headerBytes < sizeof(header) || header.bytes > maxElfBytes)
    return CUDA_ERROR_INVALID_IMAGE;
  uint32_t best = 0;
  for (const char *end = place + header.bytes; uint64_t(end - place) >= sizeof(FatEntry);) {
    auto entry = readAs<FatEntry>(place);
    uint64_t room = uint64_t(end - place);
    if (entry.headerBytes < sizeof(entry) || entry.headerBytes > room || entry.bytes > room - entry.headerBytes)
      return CUDA_ERROR_INVALID_IMAGE;
    if (entry.kind == kindPtx && entry.architecture <= uint32_t(architecture) && entry.architecture > best) {
      std::string found;
      if (CUresult error = readEntry(place, entry, found))
        return error;
      if (entry.architecture == uint32_t(architecture) || !isForOneArchitecture(found)) {
        best = entry.architecture;
        text = std::move(found);
      }
    }
    place += entry.headerBytes + entry.bytes;
  }
  if (best)
    return CUDA_SUCCESS;
  log("a fat binary has no PTX for sm_" + std::to_string(architecture) + " or an older chip");
  return CUDA_ERROR_NO_BINARY_FOR_GPU;
}

//===-- any image -------------------------------------------------------------------------------------------------===//

static CUresult readImage(const char *bytes, int architecture, std::string &text) {
  if (strnlen(bytes, 4) >= 4 && readAs<uint32_t>(bytes) == wrapperMagic)
    bytes = readAs<Wrapper>(bytes).binary;
  if (strnlen(bytes, 4) >= 4 && readAs<uint32_t>(bytes) == fatMagic)
    return readFat(bytes, architecture, text);
  if (std::memcmp(bytes, ELFMAG, SELFMAG) == 0) {
    uint64_t end = endOfElf(bytes);
    return end ? readTrailer(bytes + (end + 7) / 8 * 8, text) : CUDA_ERROR_INVALID_IMAGE;
  }
  text.assign(bytes, strnlen(bytes, maxTextBytes));
  return CUDA_SUCCESS;
}

CUresult findPtx(const void *image, int architecture, std::string &text) {
  if (CUresult error = readImage(static_cast<const char *>(image), architecture, text))
    return error;
  if (text.size() < maxTextBytes && text.find(".version") != std::string::npos)
    return CUDA_SUCCESS;
  log("an image is neither PTX nor an ELF file nor a fat binary");
  return CUDA_ERROR_INVALID_IMAGE;
}

} // namespace dscc::sim
