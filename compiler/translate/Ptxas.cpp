#include "compiler/translate/Ptxas.h"

#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Compression.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"

namespace dscc {

namespace {
/// A folder for the files that ptxas reads and writes.
struct WorkFolder {
  WorkFolder() { error = llvm::sys::fs::createUniqueDirectory("dscc", path); }
  ~WorkFolder() {
    if (!error)
      llvm::sys::fs::remove_directories(path);
  }
  std::string file(llvm::StringRef name) const { return (path + "/" + name).str(); }

  llvm::SmallString<128> path;
  std::error_code error;
};
} // namespace

static std::string readText(llvm::StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path);
  return buffer ? (*buffer)->getBuffer().str() : std::string();
}

static bool writeText(llvm::StringRef path, llvm::StringRef text) {
  std::error_code error;
  llvm::raw_fd_ostream stream(path, error);
  stream << text;
  stream.close();
  bool ok = !stream.has_error();
  stream.clear_error();
  return ok;
}

/// The number before `unit`, as in "Used 32 registers".
static unsigned numberBefore(llvm::StringRef line, llvm::StringRef unit) {
  size_t at = line.find(unit);
  if (at == llvm::StringRef::npos)
    return 0;
  llvm::StringRef before = line.take_front(at).rtrim();
  size_t start = before.find_last_not_of("0123456789");
  unsigned number = 0;
  before.drop_front(start == llvm::StringRef::npos ? 0 : start + 1).getAsInteger(10, number);
  return number;
}

void readResources(llvm::StringRef text, Assembly &assembly) {
  std::string kernel;
  for (llvm::StringRef line : llvm::split(text, '\n')) {
    // Kernels come in no certain order: everything is keyed on the last name seen.
    for (llvm::StringRef intro : {"Compiling entry function '", "Function properties for "}) {
      size_t at = line.find(intro);
      if (at != llvm::StringRef::npos)
        kernel = line.drop_front(at + intro.size()).take_until([](char c) { return c == '\'' || c == ' '; }).str();
    }
    if (line.contains("(C75"))
      assembly.warnings.push_back(line.trim().str());
    if (kernel.empty())
      continue;
    KernelEntry::Resources &resources = assembly.kernels[kernel];
    if (line.contains("bytes spill stores"))
      resources.spillBytes = numberBefore(line, " bytes spill stores") + numberBefore(line, " bytes spill loads");
    if (line.contains(" registers")) {
      resources.registers = numberBefore(line, " registers");
      resources.sharedBytes = numberBefore(line, " bytes smem");
    }
  }
}

std::string attachPtx(std::string cubin, llvm::StringRef ptx) {
  if (!llvm::compression::zlib::isAvailable())
    return cubin;
  llvm::SmallVector<uint8_t, 0> packed;
  llvm::compression::zlib::compress(llvm::arrayRefFromStringRef(ptx), packed);
  cubin.resize(llvm::alignTo(cubin.size(), 8));
  cubin += "DSCCPTX1";
  for (uint64_t size : {uint64_t(packed.size()), uint64_t(ptx.size())})
    for (unsigned byte = 0; byte < sizeof(size); ++byte)
      cubin += static_cast<char>(size >> (8 * byte));
  cubin.append(packed.begin(), packed.end());
  return cubin;
}

static Assembly assembleAt(llvm::StringRef level, llvm::StringRef ptxas, llvm::StringRef ptx, const Chip &chip,
                           JobLog &log) {
  WorkFolder folder;
  Assembly assembly;
  std::string input = folder.file("kernels.ptx"), output = folder.file("kernels.cubin"), said = folder.file("log");
  if (folder.error || !writeText(input, ptx)) {
    log.fail(ExitCode::Environment, "cannot write into a temporary folder for ptxas");
    return assembly;
  }
  std::string arch = ("-arch=" + chip.name).str();
  std::optional<llvm::StringRef> redirects[] = {llvm::StringRef(), llvm::StringRef(said), llvm::StringRef(said)};
  std::string trouble;
  int status = llvm::sys::ExecuteAndWait(ptxas, {ptxas, arch, "-v", level, input, "-o", output}, std::nullopt,
                                         redirects, 0, 0, &trouble);
  std::string text = readText(said);
  if (status < 0) {
    log.fail(ExitCode::Environment, "cannot run " + ptxas + ": " + trouble);
    return assembly;
  }
  if (status != 0) {
    llvm::StringRef first = llvm::StringRef(text).split('\n').first;
    log.fail(ExitCode::Internal, "ptxas refuses the PTX for " + chip.name + ": " + first);
    return assembly;
  }
  readResources(text, assembly);
  for (auto &[name, resources] : assembly.kernels)
    resources.chip = chip.name.str();
  assembly.cubin = readText(output);
  if (assembly.cubin.empty())
    log.fail(ExitCode::Environment, "ptxas wrote no cubin for " + chip.name);
  return assembly;
}

static uint64_t countSpills(const Assembly &assembly) {
  uint64_t bytes = 0;
  for (auto &[name, resources] : assembly.kernels)
    bytes += resources.spillBytes;
  return bytes;
}

Assembly assemble(llvm::StringRef ptxas, llvm::StringRef ptx, const Chip &chip, JobLog &log) {
  Assembly best = assembleAt("-O3", ptxas, ptx, chip, log);
  if (log.failed() || !countSpills(best))
    return best;
  // -O3 now and then spills far below the limit of registers, for occupancy's sake. -O1 does not.
  Assembly plain = assembleAt("-O1", ptxas, ptx, chip, log);
  return log.failed() || countSpills(plain) < countSpills(best) ? plain : best;
}

// One line a kernel: name chip registers spills shared. One line a warning, "! " before it. An empty line; the cubin.
std::string pack(const Assembly &assembly) {
  std::string bytes;
  llvm::raw_string_ostream stream(bytes);
  for (auto &[name, resources] : assembly.kernels)
    stream << name << ' ' << resources.chip << ' ' << resources.registers << ' ' << resources.spillBytes << ' '
           << resources.sharedBytes << '\n';
  for (const std::string &warning : assembly.warnings)
    stream << "! " << warning << '\n';
  stream << '\n' << assembly.cubin;
  return bytes;
}

bool unpack(llvm::StringRef bytes, Assembly &assembly) {
  Assembly read;
  for (;;) {
    auto [line, rest] = bytes.split('\n');
    bytes = rest;
    if (line.empty())
      break;
    if (line.consume_front("! ")) {
      read.warnings.push_back(line.str());
      continue;
    }
    llvm::SmallVector<llvm::StringRef, 5> words;
    line.split(words, ' ');
    if (words.size() != 5)
      return false;
    KernelEntry::Resources &resources = read.kernels[words[0].str()];
    resources.chip = words[1].str();
    if (words[2].getAsInteger(10, resources.registers) || words[3].getAsInteger(10, resources.spillBytes) ||
        words[4].getAsInteger(10, resources.sharedBytes))
      return false;
  }
  read.cubin = bytes.str();
  assembly = std::move(read);
  return !assembly.cubin.empty();
}

std::string versionOfPtxas(llvm::StringRef ptxas) {
  WorkFolder folder;
  if (folder.error)
    return "";
  std::string said = folder.file("log");
  std::optional<llvm::StringRef> redirects[] = {llvm::StringRef(), llvm::StringRef(said), llvm::StringRef(said)};
  if (llvm::sys::ExecuteAndWait(ptxas, {ptxas, "--version"}, std::nullopt, redirects) != 0)
    return "";
  // "Cuda compilation tools, release 12.9, V12.9.86"
  std::string text = readText(said);
  llvm::StringRef after = llvm::StringRef(text).split(", V").second;
  return after.take_while([](char c) { return llvm::isDigit(c) || c == '.'; }).str();
}

} // namespace dscc
