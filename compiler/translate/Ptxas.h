// NVIDIA's assembler, a program of its own.

#ifndef DSCC_COMPILER_TRANSLATE_PTXAS_H
#define DSCC_COMPILER_TRANSLATE_PTXAS_H

#include "compiler/translate/JobLog.h"
#include "compiler/translate/ModelTable.h"

#include <map>

namespace dscc {

/// What ptxas made and said.
struct Assembly {
  /// Empty after a failure.
  std::string cubin;
  /// By name.
  std::map<std::string, KernelEntry::Resources> kernels;
  std::vector<std::string> warnings; // its C75xx messages
};

/// Assembles for one chip; once more with fewer optimisations if a kernel spills. On failure the log has its first
/// complaint.
Assembly assemble(llvm::StringRef ptxas, llvm::StringRef ptx, const Chip &chip, JobLog &log);

/// `cubin` with the text that it was made from behind it, compressed, which drivers ignore and the simulator runs:
/// padding to 8, "DSCCPTX1", bytes when compressed, bytes, zlib stream. Without zlib in LLVM the cubin alone.
std::string attachPtx(std::string cubin, llvm::StringRef ptx);

/// An assembly as bytes.
std::string pack(const Assembly &assembly);
/// The assembly that was packed into bytes; false if they are none.
bool unpack(llvm::StringRef bytes, Assembly &assembly);

/// "12.9.86", or empty if `ptxas` cannot be run.
std::string versionOfPtxas(llvm::StringRef ptxas);

/// Reads `ptxas -v`: registers, spills and static shared memory of each kernel.
void readResources(llvm::StringRef text, Assembly &assembly);

} // namespace dscc

#endif // DSCC_COMPILER_TRANSLATE_PTXAS_H
