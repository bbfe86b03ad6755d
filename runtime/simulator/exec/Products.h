// Products of a warp's fragments with sums of 32 bits: mma.sync but for f64.

#ifndef DSCC_RUNTIME_SIMULATOR_EXEC_PRODUCTS_H
#define DSCC_RUNTIME_SIMULATOR_EXEC_PRODUCTS_H

#include <cstdint>

namespace dscc::sim {

/// Element types as the translation numbers them (Collectives.cpp).
enum ElementCode { F16, Bf16, Tf32, F64, F32, S8, U8, S32, E4m3, E5m2 };

/// One lane's registers. Those of D are not written before those of A, B and C of all lanes have been read.
struct Fragments {
  const uint32_t *a, *b, *c;
  uint32_t *d;
};

/// D = A * B + C of 16 x 8 x k, where a row of A has 4 or 8 registers; sums in f32 or s32, in order of k, each product
/// fused with its sum.
void multiplyFragments(const Fragments *const *lanes, int registersPerRow, int dType, int aType, int bType, int cType);

} // namespace dscc::sim

#endif // DSCC_RUNTIME_SIMULATOR_EXEC_PRODUCTS_H
