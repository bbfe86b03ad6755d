// How large the arena is, for people: one expression over the named dims.

#ifndef DSCC_PASSES_MEMORY_ARENAFORMULA_H
#define DSCC_PASSES_MEMORY_ARENAFORMULA_H

#include "passes/memory/Places.h"

namespace dscc {

/// The bytes that the places take, such as "64*n + 128" or "max(64*n, 128)". Empty if that is too long to be read; the
/// program computes it all the same.
std::string describeArena(llvm::ArrayRef<Place> places);

} // namespace dscc

#endif // DSCC_PASSES_MEMORY_ARENAFORMULA_H
