// Artifacts made for a test: any bytes, and the trailer that belongs to them.

#ifndef DSCC_TEST_UNIT_RUNTIME_ARTIFACTS_H
#define DSCC_TEST_UNIT_RUNTIME_ARTIFACTS_H

#include <dscc/dscc.h>

#include <string>

namespace dscc {

/// `body`, padded, with its trailer.
std::string withTrailer(std::string body, uint32_t abiVersion = DSCC_ABI_VERSION);

/// All bytes of a file.
std::string readFile(const std::string &path);

/// A file with these bytes that is gone when the test ends.
class TemporaryFile {
public:
  explicit TemporaryFile(const std::string &bytes);
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile &) = delete;
  TemporaryFile &operator=(const TemporaryFile &) = delete;

  const char *path() const { return name.c_str(); }
  void write(const std::string &bytes) const;

private:
  std::string name;
};

} // namespace dscc

#endif // DSCC_TEST_UNIT_RUNTIME_ARTIFACTS_H
