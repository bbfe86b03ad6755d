// From objects and weights to the artifact, a file that is there whole or not at all.

#ifndef DSCC_COMPILER_TRANSLATE_LINK_H
#define DSCC_COMPILER_TRANSLATE_LINK_H

#include "compiler/translate/JobLog.h"
#include "compiler/translate/Weights.h"

namespace dscc {

/// Links `objects` (contents, not names) into the shared object `output`, with the weights at weightDataName and the
/// trailer of <dscc/abi.h> at its end. Returns its size in bytes.
uint64_t linkArtifact(llvm::ArrayRef<std::string> objects, const Weights &weights, llvm::StringRef output, JobLog &log);

/// Joins `objects` and the math library into the relocatable object `output`. Returns its size.
uint64_t linkObject(llvm::ArrayRef<std::string> objects, llvm::StringRef output, JobLog &log);

/// Writes `bytes` to a file beside `output`, then renames it.
void writeFile(llvm::StringRef output, llvm::StringRef bytes, JobLog &log);

} // namespace dscc

#endif // DSCC_COMPILER_TRANSLATE_LINK_H
