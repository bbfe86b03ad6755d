#ifndef DSCC_DIALECTS_DSC_DSC_H
#define DSCC_DIALECTS_DSC_DSC_H

#include "dialects/dsc/DimExpr.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributeInterfaces.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/TensorEncoding.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/dsc/DscDialect.h.inc"
#include "dialects/dsc/DscInterfaces.h.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/dsc/DscAttributes.h.inc"

#include "dialects/dsc/TensorTypes.h"

#define GET_OP_CLASSES
#include "dialects/dsc/DscOps.h.inc"

#endif // DSCC_DIALECTS_DSC_DSC_H
