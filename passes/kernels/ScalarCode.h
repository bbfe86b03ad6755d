// The scalar meaning of every elementwise op, written once for all emitters and both targets, and for the folding of
// constants, which interprets it (passes/canonical/ScalarProgram.h).
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

// What emitters of other families compute with the same meaning. `element` says whether integers have signs. Of floats,
// a NaN wins every maximum and minimum, and -0 is less than 0; compared, a NaN is neither less nor equal, and -0 equals
// 0.
/// The larger one; NaN if either is NaN.
Value emitMax(KernelBuilder &k, Value a, Value b, Type element);
/// The smaller one; NaN if either is NaN.
Value emitMin(KernelBuilder &k, Value a, Value b, Type element);
/// a + b of floats or integers.
Value emitAdd(KernelBuilder &k, Value a, Value b);
/// a * b of floats or integers.
Value emitMul(KernelBuilder &k, Value a, Value b);
/// a * b + c, of floats with one rounding: the same wherever an element is computed, be it twice.
Value emitMulAdd(KernelBuilder &k, Value a, Value b, Value c);
/// a < b as ONNX's Less has it; `element` says whether integers have signs.
Value emitLess(KernelBuilder &k, Value a, Value b, Type element);
/// a <= b, in the same way.
Value emitLessEqual(KernelBuilder &k, Value a, Value b, Type element);
/// What a maximum starts from: minus infinity, or the lowest number of the type.
Value lowestOf(KernelBuilder &k, Type element);
/// The same for a minimum: infinity, or the highest number.
Value highestOf(KernelBuilder &k, Type element);
/// The number 0 of the compute type.
Value zeroOf(KernelBuilder &k, Type element);

} // namespace dscc::kernels

#endif // DSCC_PASSES_KERNELS_SCALARCODE_H
