#include "tools/Identity.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/xxhash.h"

#include <link.h>
#include <sys/stat.h>

namespace dscc {

/// Libraries are too large to be read each time; a package that replaces one gives it another size or date.
static int addLibrary(dl_phdr_info *library, size_t, void *data) {
  llvm::StringRef path = library->dlpi_name;
  struct stat status;
  bool decides = path.contains("libLLVM") || path.contains("libMLIR");
  if (decides && !stat(path.str().c_str(), &status))
    *static_cast<std::string *>(data) += " " + std::to_string(status.st_size) + "@" +
                                         std::to_string(status.st_mtim.tv_sec) + "." +
                                         std::to_string(status.st_mtim.tv_nsec);
  return 0;
}

std::string identifyCompiler() {
  std::string identity = LLVM_VERSION_STRING;
  if (auto self = llvm::MemoryBuffer::getFile("/proc/self/exe", /*IsText=*/false, /*RequiresNullTerminator=*/false))
    identity += " " + llvm::utohexstr(llvm::xxh3_64bits((*self)->getBuffer()));
  dl_iterate_phdr(addLibrary, &identity);
  return identity;
}

} // namespace dscc
