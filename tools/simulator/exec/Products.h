// Products of a warp's fragments with sums of 32 bits: mma.sync but for f64.

#ifndef DSCC_TOOLS_SIMULATOR_EXEC_PRODUCTS_H
#define DSCC_TOOLS_SIMULATOR_EXEC_PRODUCTS_H

#include <cstdint>

namespace dscc::sim {

/// Element types as the translation numbers them (Collectives.cpp).
enum ElementCode { F16, Bf16, Tf32, F64, F32, S8, U8, S32, E4m3, E5m2 };

/// One lane's part of an mma.sync, as compiled code lays it out.
struct ProductRegisters {
  uint32_t a[4], b[2], unused[2], c[4], d[4]; // D = A * B + C; of smaller fragments the first ones
};

/// The same of f64, whose fragments are larger.
struct DoubleRegisters {
  double a[8], b[4], c[4], d[4]; // likewise, up to m16n8k16
};

/// One lane's part of an ldmatrix, likewise: lane 8q + r has the address of row r of matrix q.
struct MatrixRow {
  char *row;                   // 16 bytes of shared memory; only the first 8 lanes of each matrix have one
  uint32_t countAndTransposed; // the number of matrices; 256 is added if they are transposed
  int32_t site;                // PTX line
  uint32_t words[4];           // the result: one a matrix
};

/// D = A * B + C of 16 x 8 x k, where a row of A has 4 or 8 registers; sums in f32 or s32, in order of k, each product
/// fused with its sum. Those in s32 wrap, or saturate when C is added.
void multiplyFragments(ProductRegisters *const *lanes, int registersPerRow, int dType, int aType, int bType, int cType,
                       bool isSaturating);

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_EXEC_PRODUCTS_H
