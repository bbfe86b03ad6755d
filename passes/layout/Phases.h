// Transposed convolutions as convolutions. Along a dim with stride s the pixels of the result are of s phases: those of
// one phase are a convolution with every s-th element of the filter.
//
//     stride 2, window 3:   a  b  c                 pixel q makes     phase 0: a * x[q] + c * x[q - 1]
//     image                 0  1  2                                   phase 1: b * x[q]
//
//     conv_transpose [N, H, W, C] -> [N, 2H, 2W, M]   ==>   conv -> [N, H, W, 2 * 2 * M], then its phases are woven:
//                                                           reshape, transpose, reshape, and a slice without the pads
//
// All with channels last, so that what is woven are rows of M neighbours.

#ifndef DSCC_PASSES_LAYOUT_PHASES_H
#define DSCC_PASSES_LAYOUT_PHASES_H

#include "dialects/dsc/Dsc.h"
#include "passes/Journal.h"

#include "mlir/IR/Builders.h"

namespace dscc {

/// Whether a transposed convolution is one convolution that makes all phases.
Verdict hasPhases(dsc::ConvTransposeOp op);
/// How many phases there are, of all dims together.
int64_t countPhases(dsc::ConvTransposeOp op);
/// The filter of that convolution: [window..., C, phases * M], the phase of the first dim outermost.
mlir::ElementsAttr makePhaseFilter(dsc::ConvTransposeOp op);
/// That convolution, of an image with channels last.
mlir::Value convolvePhases(mlir::OpBuilder &b, dsc::ConvTransposeOp op, mlir::Value image, mlir::Value filter);
/// Numbers for each channel of the result, or one for all, as those for each channel of each phase; null if the
/// constant is neither, in dims that broadcast to an image with channels last.
mlir::ElementsAttr repeatForPhases(mlir::ElementsAttr constant, dsc::ConvTransposeOp op);
/// The result, with channels last, of its phases.
mlir::Value weavePhases(mlir::OpBuilder &b, dsc::ConvTransposeOp op, mlir::Value phases);

} // namespace dscc

#endif // DSCC_PASSES_LAYOUT_PHASES_H
