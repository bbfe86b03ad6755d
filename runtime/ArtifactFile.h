// An artifact as a file: what must be true of its bytes before the loader may see it.

#ifndef DSCC_RUNTIME_ARTIFACTFILE_H
#define DSCC_RUNTIME_ARTIFACTFILE_H

#include <dscc/dscc.h>

namespace dscc {

/// Reads the trailer with pread and checks it: magic, its own hash, ABI, size, and unless `skipHashes` the hash of
/// every section, one mapped at a time. DSCC_BAD_FILE with a sentence if one does not hold or the file cannot be read.
dscc_status checkArtifact(const char *path, bool skipHashes);

/// A file in memory, read-only; the owner unmaps it.
struct MappedFile {
  void *data = nullptr; // null: nothing is mapped
  size_t bytes = 0;     // of the whole file
};
/// Maps the file `name` in the folder of `artifact` into `file`, which must be empty. A name with a slash in it is
/// refused. On failure DSCC_BAD_FILE, and `file` has nothing to unmap.
dscc_status mapBeside(const char *artifact, const char *name, MappedFile &file);
/// Gives the mapping back and empties `file`; allowed for an empty one.
void unmap(MappedFile &file);

} // namespace dscc

#endif // DSCC_RUNTIME_ARTIFACTFILE_H
