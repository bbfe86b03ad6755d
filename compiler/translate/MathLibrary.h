// Functions that generated host code may call: memcpy and its kin, double-precision math (math/Math.c), as an object.

#ifndef DSCC_COMPILER_TRANSLATE_MATHLIBRARY_H
#define DSCC_COMPILER_TRANSLATE_MATHLIBRARY_H

#include "llvm/ADT/StringRef.h"

namespace dscc {

/// An x86-64 ELF object. All its symbols are hidden.
llvm::StringRef mathLibraryObject();

} // namespace dscc

#endif // DSCC_COMPILER_TRANSLATE_MATHLIBRARY_H
