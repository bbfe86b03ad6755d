#include "compiler/translate/Link.h"

#include "compiler/translate/MathLibrary.h"
#include "compiler/translate/Trailer.h"
#include "compiler/translate/WeightSegment.h"

#include "lld/Common/Driver.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Signals.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

LLD_HAS_DRIVER(elf)

namespace dscc {

namespace {
/// A file of the kernel's memory: the linker reads names of files only.
class MemoryFile {
public:
  explicit MemoryFile(llvm::StringRef bytes) : file(memfd_create("dscc-object", MFD_CLOEXEC)) {
    ok = file >= 0;
    while (ok && !bytes.empty()) {
      ssize_t written = ::write(file, bytes.data(), bytes.size());
      ok = written > 0;
      bytes = bytes.drop_front(ok ? written : 0);
    }
    path = "/proc/self/fd/" + std::to_string(file);
  }
  MemoryFile(MemoryFile &&other) : file(std::exchange(other.file, -1)), ok(other.ok), path(other.path) {}
  ~MemoryFile() {
    if (file >= 0)
      close(file);
  }

  int file;
  bool ok;
  std::string path;
};

/// A name beside the output. The file is gone at the end unless it was kept by renaming it. What is not a plain file
/// (a device, a pipe) is written to, never replaced.
class TemporaryFile {
public:
  TemporaryFile(llvm::StringRef output, JobLog &log) : output(output) {
    llvm::sys::fs::file_status status;
    isSpecial = !llvm::sys::fs::status(output, status) && status.type() != llvm::sys::fs::file_type::regular_file;
    llvm::SmallString<128> unique;
    std::error_code error = isSpecial ? llvm::sys::fs::createTemporaryFile("dscc", "tmp", unique)
                                      : llvm::sys::fs::createUniqueFile(output + ".%%%%%%%%.tmp", unique);
    if (error) {
      log.fail(ExitCode::Environment, "cannot write " + output + ": " + error.message());
      return;
    }
    path = unique.str().str();
    llvm::sys::RemoveFileOnSignal(path);
  }
  ~TemporaryFile() {
    if (path.empty())
      return;
    llvm::sys::fs::remove(path);
    llvm::sys::DontRemoveFileOnSignal(path);
  }
  void keep(JobLog &log) {
    std::error_code error = isSpecial ? copy() : llvm::sys::fs::rename(path, output);
    if (error)
      return log.fail(ExitCode::Environment, "cannot write " + output + ": " + error.message());
    if (isSpecial)
      return;
    llvm::sys::DontRemoveFileOnSignal(path);
    path.clear();
  }

  std::string output, path;

private:
  std::error_code copy() {
    auto content = llvm::MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
    if (!content)
      return content.getError();
    std::error_code error;
    llvm::raw_fd_ostream stream(output, error, llvm::sys::fs::CD_OpenExisting, llvm::sys::fs::FA_Write,
                                llvm::sys::fs::OF_None);
    if (error)
      return error;
    stream << (*content)->getBuffer();
    stream.close();
    error = stream.error();
    stream.clear_error();
    return error;
  }

  bool isSpecial = false;
};
} // namespace

/// lld's complaint in our words.
static void reportLinker(llvm::StringRef complaint, JobLog &log) {
  auto [before, after] = complaint.split("undefined symbol: ");
  if (!after.empty())
    return log.fail(ExitCode::Internal, "the generated code refers to `" + after.split('\n').first.trim() +
                                            "`, which an artifact does not contain");
  bool full = complaint.contains_insensitive("no space left");
  log.fail(full ? ExitCode::Environment : ExitCode::Internal, "cannot link: " + complaint.split('\n').first);
}

// Nothing may be missing, and nothing depends on where or when we link.
static constexpr const char *sharedOptions[] = {
    "-shared", "-z",  "defs", "--hash-style=gnu",  "--gc-sections", "-z", "noexecstack", "-z", "relro",
    "-z",      "now", "-z",   "max-page-size=4096"};
static constexpr const char *objectOptions[] = {"-r"};

static void runLinker(llvm::ArrayRef<const char *> options, llvm::ArrayRef<std::string> objects, llvm::StringRef output,
                      JobLog &log) {
  std::vector<MemoryFile> files;
  for (const std::string &object : objects)
    files.emplace_back(object);
  MemoryFile library(hostMathLibrary());
  if (!library.ok || !llvm::all_of(files, [](const MemoryFile &file) { return file.ok; }))
    return log.fail(ExitCode::Environment, llvm::Twine("cannot hold the objects in memory: ") + std::strerror(errno));

  std::string target = output.str();
  std::vector<const char *> arguments = {"ld.lld", "-o", target.c_str(), "--build-id=none", "--threads=1"};
  arguments.insert(arguments.end(), options.begin(), options.end());
  for (const MemoryFile &file : files)
    arguments.push_back(file.path.c_str());
  // Linked only if something refers to it.
  arguments.insert(arguments.end(), {"--start-lib", library.path.c_str(), "--end-lib"});
  std::string complaint;
  llvm::raw_string_ostream stream(complaint);
  lld::Result result = lld::lldMain(arguments, stream, stream, {{lld::Gnu, &lld::elf::link}});
  if (result.retCode != 0)
    reportLinker(complaint, log);
}

/// Everything that lld does not do: weights and trailer.
static uint64_t finishFile(llvm::StringRef path, const Weights &weights, JobLog &log) {
  auto failWith = [&](const char *what) {
    log.fail(ExitCode::Environment, llvm::Twine("cannot write the ") + what + ": " + std::strerror(errno));
    return 0;
  };
  int file = open(path.str().c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0)
    return failWith("artifact");
  auto closing = llvm::make_scope_exit([&] { close(file); });
  if (weights.bytes()) {
    std::optional<uint64_t> offset = placeWeightSegment(file, weights.bytes());
    assert(offset && "the table has an array for the weights, and the linker keeps what the table refers to");
    if (ftruncate(file, *offset + weights.bytes()) || !weights.write(file, *offset))
      return failWith("weights");
  }
  std::optional<uint64_t> bytes = appendTrailer(file);
  return bytes ? *bytes : failWith("trailer");
}

uint64_t linkArtifact(llvm::ArrayRef<std::string> objects, const Weights &weights, llvm::StringRef output,
                      JobLog &log) {
  TemporaryFile temporary(output, log);
  if (!log.failed())
    runLinker(sharedOptions, objects, temporary.path, log);
  if (log.failed())
    return 0;
  uint64_t bytes = finishFile(temporary.path, weights, log);
  if (!log.failed())
    temporary.keep(log);
  return log.failed() ? 0 : bytes;
}

uint64_t linkObject(llvm::ArrayRef<std::string> objects, llvm::StringRef output, JobLog &log) {
  TemporaryFile temporary(output, log);
  if (!log.failed())
    runLinker(objectOptions, objects, temporary.path, log);
  uint64_t bytes = 0;
  if (!log.failed())
    (void)llvm::sys::fs::file_size(temporary.path, bytes);
  if (!log.failed())
    temporary.keep(log);
  return bytes;
}

void writeFile(llvm::StringRef output, llvm::StringRef bytes, JobLog &log) {
  TemporaryFile temporary(output, log);
  if (log.failed())
    return;
  std::error_code error;
  llvm::raw_fd_ostream stream(temporary.path, error);
  stream << bytes;
  stream.close();
  if (stream.has_error()) {
    log.fail(ExitCode::Environment, "cannot write " + output + ": " + stream.error().message());
    stream.clear_error();
    return;
  }
  // Unlike a temporary file, this one is for others too, as the umask says.
  mode_t mask = umask(0);
  umask(mask);
  chmod(temporary.path.c_str(), 0666 & ~mask);
  temporary.keep(log);
}

} // namespace dscc
