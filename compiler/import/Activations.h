// Activation functions that several operators know, as elementwise ops.

#ifndef DSCC_COMPILER_IMPORT_ACTIVATIONS_H
#define DSCC_COMPILER_IMPORT_ACTIVATIONS_H

#include "compiler/import/NodeImporter.h"

namespace dscc {

/// x where it is not below zero, else alpha * x.
mlir::Value leakyRelu(NodeImporter &node, mlir::Value x, double alpha);
/// x where it is not below zero, else alpha * (exp(x) - 1).
mlir::Value elu(NodeImporter &node, mlir::Value x, double alpha);
/// max(0, min(1, x * slope + offset))
mlir::Value hardSigmoid(NodeImporter &node, mlir::Value x, double slope, double offset);
/// x / (1 + |x|)
mlir::Value softsign(NodeImporter &node, mlir::Value x);
/// x where it is above alpha, else 0.
mlir::Value thresholdedRelu(NodeImporter &node, mlir::Value x, double alpha);

} // namespace dscc

#endif // DSCC_COMPILER_IMPORT_ACTIVATIONS_H
