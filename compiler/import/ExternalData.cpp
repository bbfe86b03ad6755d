#include "compiler/import/ExternalData.h"

#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace dscc {

namespace path = llvm::sys::path;
namespace fs = llvm::sys::fs;

ExternalData::ExternalData(llvm::StringRef modelPath, uint64_t ownBytes, uint64_t modelBytes,
                           std::vector<std::string> &dependencies, Problems &problems)
    : folder(path::parent_path(modelPath)), bytesSoFar(ownBytes), modelBytes(modelBytes), dependencies(dependencies),
      problems(problems) {
  if (folder.empty())
    folder = ".";
}

/// Why this location must not be opened; empty if nothing speaks against it.
static llvm::StringRef checkLocation(llvm::StringRef location) {
  if (location.empty())
    return "it is empty";
  if (location.contains('\0'))
    return "it holds a null character";
  if (path::is_absolute(location))
    return "it is absolute";
  if (llvm::is_contained(llvm::make_range(path::begin(location), path::end(location)), ".."))
    return "it holds '..'";
  return "";
}

/// True if `file` lies below `folder`, once every symbolic link is followed.
static bool liesBelow(llvm::StringRef file, llvm::StringRef folder) {
  llvm::SmallString<256> realFile, realFolder;
  if (fs::real_path(file, realFile) || fs::real_path(folder, realFolder))
    return false;
  if (!realFolder.ends_with("/"))
    realFolder += "/";
  return realFile.starts_with(realFolder);
}

std::shared_ptr<llvm::MemoryBuffer> ExternalData::open(llvm::StringRef location, llvm::StringRef tensor) {
  if (auto known = files.find(location); known != files.end())
    return known->second;
  auto refuse = [&](const llvm::Twine &reason) -> std::shared_ptr<llvm::MemoryBuffer> {
    (void)problems.reject("tensor '" + tensor + "' is stored at '" + location + "', which is refused: " + reason);
    return nullptr;
  };
  if (llvm::StringRef reason = checkLocation(location); !reason.empty())
    return refuse(reason);
  llvm::SmallString<256> file(folder);
  path::append(file, location);
  if (!fs::exists(file))
    return refuse("there is no such file");
  if (!liesBelow(file, folder))
    return refuse("it leads out of the model's folder");
  // O_NONBLOCK: opening a pipe must not wait for a writer.
  int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0)
    return refuse(std::generic_category().message(errno));
  auto close = llvm::make_scope_exit([&] { ::close(descriptor); });
  struct stat status;
  if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode))
    return refuse("it is not a regular file");
  if (status.st_nlink > 1)
    return refuse("it is a hard link, so that the file may belong elsewhere");
  bytesSoFar += uint64_t(status.st_size);
  if (bytesSoFar > modelBytes) {
    (void)problems.limit("with '" + location + "' the model has " + llvm::Twine(bytesSoFar) +
                             " bytes, more than the limit of " + llvm::Twine(modelBytes),
                         "", "", "raise it with --max-model-bytes");
    return nullptr;
  }
  auto buffer = llvm::MemoryBuffer::getOpenFile(descriptor, file, status.st_size, /*RequiresNullTerminator=*/false);
  if (!buffer)
    return refuse(buffer.getError().message());
  dependencies.push_back(file.str().str());
  return files[location] = std::move(*buffer);
}

ExternalData::Range ExternalData::find(const onnx::TensorProto &tensor, uint64_t expectedBytes) {
  std::string location;
  uint64_t offset = 0, length = expectedBytes;
  for (const onnx::StringStringEntryProto &entry : tensor.external_data()) {
    llvm::StringRef key = entry.key(), value = entry.value();
    if (key == "location")
      location = value.str();
    bool isNumber = key == "offset" || key == "length";
    if (isNumber && !llvm::to_integer(value, key == "offset" ? offset : length, 10)) {
      (void)problems.reject("tensor '" + tensor.name() + "' has the external " + key + " '" + value +
                            "', which is not a number");
      return {};
    }
  }
  std::shared_ptr<llvm::MemoryBuffer> file = open(location, tensor.name());
  if (!file)
    return {};
  // Written so that offset + length cannot wrap around.
  if (offset > file->getBufferSize() || length > file->getBufferSize() - offset) {
    (void)problems.reject("tensor '" + tensor.name() + "' needs " + llvm::Twine(length) + " bytes at offset " +
                          llvm::Twine(offset) + " of '" + location + "', which has " +
                          llvm::Twine(file->getBufferSize()));
    return {};
  }
  return {file, llvm::ArrayRef(file->getBufferStart() + offset, length)};
}

} // namespace dscc
