// An ONNX file, mapped and parsed. The bytes of its large tensors stay where they are: in the mapping.

#ifndef DSCC_COMPILER_IMPORT_ONNXFILE_H
#define DSCC_COMPILER_IMPORT_ONNXFILE_H

#include "compiler/import/Problems.h"
#include "compiler/import/onnx-ml.pb.h"

#include "llvm/Support/MemoryBuffer.h"

#include <memory>
#include <vector>

namespace dscc {

/// A model, and the mapping that its large tensors still lie in.
struct OnnxFile {
  /// The whole file. Constants that point into it share it.
  std::shared_ptr<llvm::MemoryBuffer> bytes;
  /// Without the bytes of its large tensors.
  onnx::ModelProto model;
  /// Tensors whose raw_data was left in `bytes`: external_data entry {mappedKey, index into this list}.
  std::vector<llvm::ArrayRef<char>> mapped;

  /// The key of the external_data entry that stands for such bytes.
  static constexpr llvm::StringLiteral mappedKey = "mapped";
};

/// Maps and parses the file at `path`; null and a problem if that fails.
std::unique_ptr<OnnxFile> readOnnxFile(llvm::StringRef path, uint64_t modelBytes, Problems &problems);

/// Copies the encoded ModelProto in `model` to `rest`, but for raw_data fields of more than 1 KiB, which are listed in
/// `mapped`. Fails if the bytes are not a protobuf message. See OnnxWire.cpp.
mlir::LogicalResult cutRawData(llvm::ArrayRef<char> model, std::string &rest,
                               std::vector<llvm::ArrayRef<char>> &mapped);

} // namespace dscc

#endif // DSCC_COMPILER_IMPORT_ONNXFILE_H
