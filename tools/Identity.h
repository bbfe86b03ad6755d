// Which build of the compiler this is.

#ifndef DSCC_TOOLS_IDENTITY_H
#define DSCC_TOOLS_IDENTITY_H

#include <string>

namespace dscc {

/// The same for two processes only if they run the same code: our program byte for byte, and the same files of LLVM's
/// and MLIR's libraries. For the keys of caches.
std::string identifyCompiler();

} // namespace dscc

#endif // DSCC_TOOLS_IDENTITY_H
