#include "runtime/simulator/driver/Images.h"

#include "runtime/simulator/driver/Errors.h"

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
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_shentsize != sizeof(Elf64_Shdr) || header.e_shoff > maxElfBytes)
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

CUresult findPtx(const void *image, std::string &text) {
  auto *bytes = static_cast<const char *>(image);
  if (std::memcmp(bytes, ELFMAG, SELFMAG) == 0) {
    uint64_t end = endOfElf(bytes);
    return end ? readTrailer(bytes + (end + 7) / 8 * 8, text) : CUDA_ERROR_INVALID_IMAGE;
  }
  uint64_t length = strnlen(bytes, maxTextBytes);
  text.assign(bytes, length);
  if (length == maxTextBytes || text.find(".version") == std::string::npos) {
    log("an image is neither PTX nor an ELF file");
    return CUDA_ERROR_INVALID_IMAGE;
  }
  return CUDA_SUCCESS;
}

} // namespace dscc::sim
