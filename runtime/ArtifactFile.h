// An artifact as a file: what must be true of its bytes before the loader may see it.

#ifndef DSCC_RUNTIME_ARTIFACTFILE_H
#define DSCC_RUNTIME_ARTIFACTFILE_H

#include <dscc/dscc.h>

namespace dscc {

/// Reads the trailer with pread and checks it: magic, ABI, size, and unless `skipHashes` the hash of every section.
dscc_status checkArtifact(const char *path, bool skipHashes);

/// A read-only mapping of the file `name` in the folder of `artifact`.
struct MappedFile {
  void *data = nullptr;
  size_t bytes = 0;
};
dscc_status mapBeside(const char *artifact, const char *name, MappedFile &file);
void unmap(MappedFile &file);

} // namespace dscc

#endif // DSCC_RUNTIME_ARTIFACTFILE_H
