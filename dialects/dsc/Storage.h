// How many bytes tensors take.

#ifndef DSCC_DIALECTS_DSC_STORAGE_H
#define DSCC_DIALECTS_DSC_STORAGE_H

#include "dialects/dsc/Dsc.h"

namespace dscc {

/// Every buffer begins at a multiple of this many bytes: a cache line, and the widest vector.
constexpr int64_t bufferAlignment = 64;

/// Bytes of one element in memory; what is narrower than a byte takes one.
int64_t getElementBytes(mlir::Type elementType);
/// Bytes of a tensor.
DimExpr countBytes(mlir::Type type);
/// `bytes` rounded up to the alignment.
DimExpr alignBytes(const DimExpr &bytes);

/// Looks through views: the block argument or the result, of a constant, a group, a launch or a home, whose bytes
/// `value` shows.
mlir::Value getStorage(mlir::Value value);

} // namespace dscc

#endif // DSCC_DIALECTS_DSC_STORAGE_H
