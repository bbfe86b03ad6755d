// The dialect: its attributes, its types of tensors, and its ops.

#ifndef DSCC_DIALECTS_DSC_DSC_H
#define DSCC_DIALECTS_DSC_DSC_H

#include "dialects/dsc/DscAttributes.h"
#include "dialects/dsc/Facts.h"
#include "dialects/dsc/Images.h"
#include "dialects/dsc/TensorTypes.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/dsc/DscInterfaces.h.inc"
#define GET_OP_CLASSES
#include "dialects/dsc/DscOps.h.inc"

namespace dscc::dsc {
/// The groups that stand side by side in a group, in order; none in a group of other ops.
llvm::SmallVector<GroupOp> partsOf(GroupOp group);
} // namespace dscc::dsc

#endif // DSCC_DIALECTS_DSC_DSC_H
