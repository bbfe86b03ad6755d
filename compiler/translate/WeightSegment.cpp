#include "compiler/translate/WeightSegment.h"

#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Support/MathExtras.h"

#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace dscc {

using namespace llvm::ELF;

static constexpr uint64_t pageBytes = 4096; // -z max-page-size in Link.cpp

template <typename T> static bool readAt(int file, T *to, size_t count, uint64_t offset) {
  return pread(file, to, count * sizeof(T), offset) == static_cast<ssize_t>(count * sizeof(T));
}
template <typename T> static bool writeAt(int file, const T &value, uint64_t offset) {
  return pwrite(file, &value, sizeof(T), offset) == static_cast<ssize_t>(sizeof(T));
}

/// Tells tools that read sections (objcopy, readelf) the same as the loader learns from the segment.
static bool placeSection(int file, const Elf64_Ehdr &header, uint64_t bytes, uint64_t offset) {
  std::vector<Elf64_Shdr> sections(header.e_shnum);
  if (!readAt(file, sections.data(), sections.size(), header.e_shoff))
    return false;
  for (size_t i = 0; i < sections.size(); ++i) {
    Elf64_Shdr &section = sections[i];
    if (section.sh_type != SHT_NOBITS || section.sh_size != bytes)
      continue;
    section.sh_type = SHT_PROGBITS;
    section.sh_flags &= ~uint64_t(SHF_WRITE);
    section.sh_offset = offset;
    return writeAt(file, section, header.e_shoff + i * sizeof(section));
  }
  return false;
}

std::optional<uint64_t> placeWeightSegment(int file, uint64_t bytes) {
  struct stat status;
  Elf64_Ehdr header;
  if (fstat(file, &status) || !readAt(file, &header, 1, 0))
    return std::nullopt;
  std::vector<Elf64_Phdr> segments(header.e_phnum);
  if (!readAt(file, segments.data(), segments.size(), header.e_phoff))
    return std::nullopt;
  for (size_t i = 0; i < segments.size(); ++i) {
    Elf64_Phdr &segment = segments[i];
    if (segment.p_type != PT_LOAD || segment.p_filesz != 0 || segment.p_memsz != bytes)
      continue;
    // The loader maps whole pages: address and offset must agree below the page.
    segment.p_offset = llvm::alignTo(status.st_size, pageBytes) + segment.p_vaddr % pageBytes;
    segment.p_filesz = bytes;
    segment.p_flags = PF_R;
    if (!writeAt(file, segment, header.e_phoff + i * sizeof(segment)) ||
        !placeSection(file, header, bytes, segment.p_offset))
      return std::nullopt;
    return segment.p_offset;
  }
  return std::nullopt;
}

} // namespace dscc
