#include "test/unit/runtime/Artifacts.h"

#include "runtime/Hash.h"

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <unistd.h>

namespace dscc {

std::string withTrailer(std::string body, uint32_t abiVersion) {
  body.resize((body.size() + 7) / 8 * 8);
  dscc_trailer trailer = {};
  trailer.file_bytes = body.size() + sizeof(trailer);
  trailer.abi_version = abiVersion;
  // Two sections, so that the second one's offset matters.
  trailer.num_sections = 2;
  uint64_t half = body.size() / 2;
  trailer.sections[0] = {0, half, xxh64(body.data(), half)};
  trailer.sections[1] = {half, body.size() - half, xxh64(body.data() + half, body.size() - half)};
  memcpy(trailer.magic, DSCC_TRAILER_MAGIC, sizeof(trailer.magic));
  trailer.trailer_hash = xxh64(&trailer, offsetof(dscc_trailer, trailer_hash));
  return body.append(reinterpret_cast<const char *>(&trailer), sizeof(trailer));
}

std::string readFile(const std::string &path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

TemporaryFile::TemporaryFile(const std::string &bytes) {
  const char *folder = getenv("TMPDIR");
  name = std::string(folder ? folder : "/tmp") + "/dscc-test-XXXXXX";
  close(mkstemp(name.data()));
  write(bytes);
}

TemporaryFile::~TemporaryFile() { unlink(path()); }

void TemporaryFile::write(const std::string &bytes) const {
  std::ofstream(name, std::ios::binary | std::ios::trunc) << bytes;
}

} // namespace dscc
