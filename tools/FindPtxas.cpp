#include "tools/FindPtxas.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"

#include <cstdlib>

namespace dscc {

static bool isProgram(llvm::StringRef path) { return llvm::sys::fs::can_execute(path); }

/// PROGRAM/../../venv/lib/python3*/site-packages/nvidia/cuda_nvcc/bin/ptxas
static std::string findInSetup(llvm::StringRef program) {
  llvm::SmallString<256> real;
  if (llvm::sys::fs::real_path(program, real))
    return "";
  llvm::SmallString<256> libraries = llvm::sys::path::parent_path(llvm::sys::path::parent_path(real));
  llvm::sys::path::append(libraries, "venv", "lib");
  std::error_code error;
  for (llvm::sys::fs::directory_iterator it(libraries, error), end; it != end && !error; it.increment(error)) {
    if (!llvm::sys::path::filename(it->path()).starts_with("python3"))
      continue;
    llvm::SmallString<256> path(it->path());
    llvm::sys::path::append(path, "site-packages", "nvidia");
    llvm::sys::path::append(path, "cuda_nvcc", "bin", "ptxas");
    if (isProgram(path))
      return path.str().str();
  }
  return "";
}

std::string findPtxas(const std::string &cudaPath, const std::string &program, std::string &error) {
  if (!cudaPath.empty()) {
    for (std::string path : {cudaPath + "/bin/ptxas", cudaPath + "/ptxas"})
      if (isProgram(path))
        return path;
    error = "there is no bin/ptxas in " + cudaPath;
    return "";
  }
  if (const char *home = std::getenv("CUDA_HOME"))
    if (std::string path = std::string(home) + "/bin/ptxas"; isProgram(path))
      return path;
  if (auto path = llvm::sys::findProgramByName("ptxas"))
    return *path;
  return findInSetup(program);
}

} // namespace dscc
