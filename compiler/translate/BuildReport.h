// What a build was made of and with, as JSON.

#ifndef DSCC_COMPILER_TRANSLATE_BUILDREPORT_H
#define DSCC_COMPILER_TRANSLATE_BUILDREPORT_H

#include "compiler/CompileOptions.h"
#include "compiler/translate/ModelTable.h"

namespace dscc {

/// For the artifact: versions and the flags that matter. No paths, no dates: the same build has the same bytes.
std::string describeBuild(const CompileOptions &options, llvm::StringRef ptxasVersion);

/// For people and tests: programs, their arenas, kernels, and what ptxas said about them.
std::string describePrograms(const ModelEntry &model);

} // namespace dscc

#endif // DSCC_COMPILER_TRANSLATE_BUILDREPORT_H
