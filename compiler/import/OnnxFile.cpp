#include "compiler/import/OnnxFile.h"

#include "llvm/Support/FileSystem.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

namespace dscc {

static bool parse(const std::string &bytes, onnx::ModelProto &model) {
  google::protobuf::io::ArrayInputStream stream(bytes.data(), int(bytes.size()));
  google::protobuf::io::CodedInputStream coded(&stream);
  coded.SetRecursionLimit(100);
  coded.SetTotalBytesLimit(std::numeric_limits<int>::max());
  return model.ParseFromCodedStream(&coded) && coded.ConsumedEntireMessage();
}

std::unique_ptr<OnnxFile> readOnnxFile(llvm::StringRef path, uint64_t modelBytes, Problems &problems) {
  llvm::sys::fs::file_status status;
  if (std::error_code error = llvm::sys::fs::status(path, status)) {
    (void)problems.reject("cannot read '" + path + "': " + error.message());
    return nullptr;
  }
  if (status.type() != llvm::sys::fs::file_type::regular_file) {
    (void)problems.reject("cannot read '" + path + "': it is not a regular file");
    return nullptr;
  }
  if (status.getSize() > modelBytes) {
    (void)problems.limit("'" + path + "' has " + llvm::Twine(status.getSize()) + " bytes, more than the limit of " +
                             llvm::Twine(modelBytes),
                         "", "", "raise it with --max-model-bytes");
    return nullptr;
  }
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer) {
    (void)problems.reject("cannot read '" + path + "': " + buffer.getError().message());
    return nullptr;
  }
  auto file = std::make_unique<OnnxFile>();
  file->bytes = std::move(*buffer);
  std::string rest;
  llvm::ArrayRef<char> all(file->bytes->getBufferStart(), file->bytes->getBufferSize());
  bool parsed = !all.empty() && succeeded(cutRawData(all, rest, file->mapped)) &&
                rest.size() <= size_t(std::numeric_limits<int>::max()) && parse(rest, file->model);
  if (!parsed || !file->model.has_graph()) {
    (void)problems.reject("'" + path + "' is not an ONNX model: it is damaged, truncated, nested too deeply, or of " +
                          "another format");
    return nullptr;
  }
  return file;
}

} // namespace dscc
