// The place of the weights in an artifact.
//
// The linker only reserves addresses for the weights, as a last segment of zeros that takes no room in the file. Then
// the segment is made to point at bytes that are appended to the file:
//
//     | ELF as linked | .. page .. | weights |          instead of three copies: object, linker's memory, output.

#ifndef DSCC_COMPILER_TRANSLATE_WEIGHTSEGMENT_H
#define DSCC_COMPILER_TRANSLATE_WEIGHTSEGMENT_H

#include <cstdint>
#include <optional>

namespace dscc {

/// Turns the reserved segment of `bytes` bytes of the ELF file behind `file` into one of the file, read-only. Returns
/// the offset where its bytes must be written; nothing if the file has no such segment or cannot be written.
std::optional<uint64_t> placeWeightSegment(int file, uint64_t bytes);

} // namespace dscc

#endif // DSCC_COMPILER_TRANSLATE_WEIGHTSEGMENT_H
