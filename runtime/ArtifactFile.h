// An artifact as a file: what must be true of its bytes before the loader may see it.

#ifndef DSCC_RUNTIME_ARTIFACTFILE_H
#define DSCC_RUNTIME_ARTIFACTFILE_H

#include <dscc/dscc.h>

namespace dscc {

/// Reads the trailer with pread and checks it: magic, ABI, size, and unless `skipHashes` the hash of every section.
dscc_status checkArtifact(const char *path, bool skipHashes);

/// A file in memory, read-only; the owner unmaps it.
struct MappedFile {
  void *data = nullptr;
  size_t bytes = 0;
};
/// Maps the file `name` in the folder of `artifact`. A name with a slash in it is refused.
dscc_status mapBeside(const char *artifact, const char *name, MappedFile &file);
/// Gives the mapping back; allowed for an empty one.
void unmap(MappedFile &file);

} // namespace dscc

#endif // DSCC_RUNTIME_ARTIFACTFILE_H
