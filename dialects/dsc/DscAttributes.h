// The dialect's own attributes: what types of tensors are made of, and how groups become kernels.

#ifndef DSCC_DIALECTS_DSC_DSCATTRIBUTES_H
#define DSCC_DIALECTS_DSC_DSCATTRIBUTES_H

#include "dialects/dsc/DimExpr.h"

#include "mlir/IR/BuiltinAttributeInterfaces.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/TensorEncoding.h"

#include "dialects/dsc/DscDialect.h.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/dsc/DscAttributes.h.inc"

#endif // DSCC_DIALECTS_DSC_DSCATTRIBUTES_H
