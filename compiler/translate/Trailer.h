// The end of an artifact, by which a runtime checks a file before it loads it.

#ifndef DSCC_COMPILER_TRANSLATE_TRAILER_H
#define DSCC_COMPILER_TRANSLATE_TRAILER_H

#include <cstdint>
#include <optional>

namespace dscc {

/// Appends padding and the trailer of <dscc/abi.h>. Returns the size of the whole file; nothing, with errno set, if
/// the file cannot be read or written.
std::optional<uint64_t> appendTrailer(int file);

} // namespace dscc

#endif // DSCC_COMPILER_TRANSLATE_TRAILER_H
