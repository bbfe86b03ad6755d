#include "runtime/ArtifactFile.h"

#include "runtime/Error.h"
#include "runtime/Hash.h"

#include <cassert>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace dscc {

namespace {
struct File {
  int descriptor = -1;
  uint64_t bytes = 0;
  ~File() {
    if (descriptor >= 0)
      close(descriptor);
  }
};
} // namespace

static dscc_status openFile(const char *path, File &file) {
  file.descriptor = open(path, O_RDONLY | O_CLOEXEC);
  if (file.descriptor < 0)
    return fail(DSCC_BAD_FILE, "'%s' cannot be opened: %s", path, strerror(errno));
  struct stat status;
  if (fstat(file.descriptor, &status) || !S_ISREG(status.st_mode))
    return fail(DSCC_BAD_FILE, "'%s' is not a regular file", path);
  file.bytes = status.st_size;
  return DSCC_OK;
}

static bool readFully(int descriptor, void *target, size_t bytes, uint64_t offset) {
  auto *at = static_cast<char *>(target);
  while (bytes) {
    ssize_t count = pread(descriptor, at, bytes, offset);
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return false;
    at += count;
    bytes -= count;
    offset += count;
  }
  return true;
}

static dscc_status checkSections(const char *path, const File &file, const dscc_trailer &trailer) {
  if (trailer.num_sections > DSCC_TRAILER_SECTIONS)
    return fail(DSCC_BAD_FILE, "'%s' is damaged: its trailer counts %u sections", path, trailer.num_sections);
  for (uint32_t i = 0; i < trailer.num_sections; ++i) {
    auto &section = trailer.sections[i];
    if (section.offset > file.bytes || section.bytes > file.bytes - section.offset)
      return fail(DSCC_BAD_FILE, "'%s' is damaged: section %u lies outside the file", path, i);
    if (!section.bytes)
      continue;
    uint64_t slack = section.offset % sysconf(_SC_PAGESIZE);
    assert(slack <= section.offset && "a mapping begins within the file");
    void *mapped =
        mmap(nullptr, section.bytes + slack, PROT_READ, MAP_PRIVATE, file.descriptor, section.offset - slack);
    if (mapped == MAP_FAILED)
      return fail(DSCC_BAD_FILE, "'%s' cannot be mapped: %s", path, strerror(errno));
    uint64_t hash = xxh64(static_cast<char *>(mapped) + slack, section.bytes);
    munmap(mapped, section.bytes + slack);
    if (hash != section.hash)
      return fail(DSCC_BAD_FILE,
                  "'%s' is damaged: section %u (bytes %llu to %llu) has another hash than when it was made", path, i,
                  (unsigned long long)section.offset, (unsigned long long)(section.offset + section.bytes));
  }
  return DSCC_OK;
}

dscc_status checkArtifact(const char *path, bool skipHashes) {
  File file;
  if (dscc_status status = openFile(path, file))
    return status;
  dscc_trailer trailer;
  if (file.bytes < sizeof(trailer) ||
      !readFully(file.descriptor, &trailer, sizeof(trailer), file.bytes - sizeof(trailer)))
    return fail(DSCC_BAD_FILE, "'%s' is too short to be an artifact: %llu bytes", path, (unsigned long long)file.bytes);
  if (memcmp(trailer.magic, DSCC_TRAILER_MAGIC, sizeof(trailer.magic)))
    return fail(DSCC_BAD_FILE,
                "'%s' does not end in an artifact's trailer: it is no artifact, was cut off, or was stripped", path);
  if (xxh64(&trailer, offsetof(dscc_trailer, trailer_hash)) != trailer.trailer_hash)
    return fail(DSCC_BAD_FILE, "'%s' is damaged: its trailer has another hash than when it was made", path);
  if (trailer.abi_version != DSCC_ABI_VERSION)
    return fail(DSCC_BAD_FILE, "'%s' was made for ABI version %u, but this runtime speaks version %u", path,
                trailer.abi_version, DSCC_ABI_VERSION);
  if (trailer.file_bytes != file.bytes)
    return fail(DSCC_BAD_FILE, "'%s' is damaged: it has %llu bytes and should have %llu", path,
                (unsigned long long)file.bytes, (unsigned long long)trailer.file_bytes);
  return skipHashes ? DSCC_OK : checkSections(path, file, trailer);
}

dscc_status mapBeside(const char *artifact, const char *name, MappedFile &mapped) {
  assert(!mapped.data && "a mapping that is there would be lost");
  char path[PATH_MAX];
  const char *slash = strrchr(artifact, '/');
  int folder = slash ? int(slash - artifact) + 1 : 0;
  if (strchr(name, '/') || snprintf(path, sizeof(path), "%.*s%s", folder, artifact, name) >= int(sizeof(path)))
    return fail(DSCC_BAD_FILE, "'%s' names the weight file '%s', which is not a plain file name", artifact, name);
  File file;
  if (dscc_status status = openFile(path, file))
    return status;
  mapped.bytes = file.bytes;
  mapped.data = mmap(nullptr, file.bytes, PROT_READ, MAP_SHARED, file.descriptor, 0);
  if (mapped.data == MAP_FAILED) {
    mapped.data = nullptr;
    return fail(DSCC_BAD_FILE, "'%s' cannot be mapped: %s", path, strerror(errno));
  }
  return DSCC_OK;
}

void unmap(MappedFile &file) {
  if (file.data)
    munmap(file.data, file.bytes);
  file = {};
}

} // namespace dscc
