// Functions that generated code may call: double-precision math and, on the host, memcpy and its kin
// (passes/math/Math.c).

#ifndef DSCC_COMPILER_TRANSLATE_MATHLIBRARY_H
#define DSCC_COMPILER_TRANSLATE_MATHLIBRARY_H

#include "llvm/ADT/StringRef.h"

namespace dscc {

/// An x86-64 ELF object. All its names are hidden.
llvm::StringRef hostMathLibrary();

/// LLVM bitcode for NVPTX.
llvm::StringRef deviceMathLibrary();

} // namespace dscc

#endif // DSCC_COMPILER_TRANSLATE_MATHLIBRARY_H
