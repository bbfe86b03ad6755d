// The scalar meaning of every elementwise op, written once for all emitters and both targets.
//
// Values are of the compute type (KernelBuilder.h) and may be scalars or vectors; operands of one op have been unified.

#ifndef DSCC_PASSES_KERNELS_SCALARCODE_H
#define DSCC_PASSES_KERNELS_SCALARCODE_H

#include "passes/kernels/KernelBuilder.h"

namespace dscc::kernels {

/// True if emitScalar knows the op.
bool hasScalarCode(mlir::Operation *op);

/// What `op` computes from one element of each operand.
Value emitScalar(KernelBuilder &k, mlir::Operation *op, ValueRange operands);

/// ONNX's Cast, from one element type to another (ScalarCast.cpp).
Value emitCast(KernelBuilder &k, Value value, Type from, Type to, bool saturate);

/// Helpers that emitters of other families use for the same meaning.
Value emitMax(KernelBuilder &k, Value a, Value b, Type element);
Value emitMin(KernelBuilder &k, Value a, Value b, Type element);
Value emitAdd(KernelBuilder &k, Value a, Value b);
Value emitMul(KernelBuilder &k, Value a, Value b);
Value emitLess(KernelBuilder &k, Value a, Value b, Type element);
/// The start value of a reduction: 0, 1, lowest, highest.
Value lowestOf(KernelBuilder &k, Type element);
Value highestOf(KernelBuilder &k, Type element);
Value zeroOf(KernelBuilder &k, Type element);

} // namespace dscc::kernels

#endif // DSCC_PASSES_KERNELS_SCALARCODE_H
