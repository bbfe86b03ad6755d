// XXH64, the hash that an artifact's trailer holds of its sections.

#ifndef DSCC_RUNTIME_HASH_H
#define DSCC_RUNTIME_HASH_H

#include <cstddef>
#include <cstdint>

namespace dscc {

/// XXH64 with seed 0 of `bytes` bytes.
uint64_t xxh64(const void *data, size_t bytes);

} // namespace dscc

#endif // DSCC_RUNTIME_HASH_H
