// Files beside the model that hold its weights.

#ifndef DSCC_COMPILER_IMPORT_EXTERNALDATA_H
#define DSCC_COMPILER_IMPORT_EXTERNALDATA_H

#include "compiler/import/Problems.h"
#include "compiler/import/onnx-ml.pb.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MemoryBuffer.h"

#include <memory>
#include <vector>

namespace dscc {

/// Maps each file once. Only files below the model's folder are read, whatever the model says: no absolute path, no
/// "..", and no link, symbolic or hard, to a file elsewhere.
class ExternalData {
public:
  /// `modelPath` tells the folder; every file that is read is added to `dependencies`.
  /// All files together may have `modelBytes` less those of the model itself.
  ExternalData(llvm::StringRef modelPath, uint64_t ownBytes, uint64_t modelBytes,
               std::vector<std::string> &dependencies, Problems &problems);

  /// Where a tensor's bytes are; valid while `file` is held.
  struct Range {
    std::shared_ptr<llvm::MemoryBuffer> file; // null: there was a problem
    /// Of the one tensor.
    llvm::ArrayRef<char> bytes;
  };
  /// Where the data of `tensor` lies. Without a length it goes on for `expectedBytes`.
  Range find(const onnx::TensorProto &tensor, uint64_t expectedBytes);

private:
  std::shared_ptr<llvm::MemoryBuffer> open(llvm::StringRef location, llvm::StringRef tensor);

  std::string folder;
  uint64_t bytesSoFar, modelBytes;
  std::vector<std::string> &dependencies;
  Problems &problems;
  llvm::StringMap<std::shared_ptr<llvm::MemoryBuffer>> files;
};

} // namespace dscc

#endif // DSCC_COMPILER_IMPORT_EXTERNALDATA_H
