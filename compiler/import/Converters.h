// Which ONNX operators there are, and who converts them: one file a family, one entry an operator.

#ifndef DSCC_COMPILER_IMPORT_CONVERTERS_H
#define DSCC_COMPILER_IMPORT_CONVERTERS_H

#include "compiler/import/NodeImporter.h"

namespace dscc {

/// One entry: how nodes of an operator are converted from an opset on.
struct Converter {
  /// As the node has them; the standard's domain is "".
  llvm::StringLiteral domain, opType;
  int64_t since;                 // the oldest opset that this entry understands
  unsigned minInputs, maxInputs; // the first minInputs are never null
  /// Sets the node's results, or says why not. The inputs have been counted.
  mlir::LogicalResult (*convert)(NodeImporter &node);
  llvm::StringLiteral types; // of the inputs, as OperandTypes.h reads them
};

/// For operators that take any number of inputs.
constexpr unsigned anyCount = ~0u;

/// The entry for this operator at this opset: the one with the highest `since` that is not above it.
const Converter *findConverter(llvm::StringRef domain, llvm::StringRef opType, int64_t opset);
/// True if some opset has the operator.
bool isKnownOperator(llvm::StringRef domain, llvm::StringRef opType);
/// A sentence about the supported operator that comes nearest to `opType`, or nothing.
std::string nearestOperator(llvm::StringRef opType);

// The families.
/// Attention.cpp: attention, and rotary embedding.
llvm::ArrayRef<Converter> attentionConverters();
/// Constant.cpp: constants, ranges, windows, and what comes of comparing places, such as Trilu and OneHot.
llvm::ArrayRef<Converter> constantConverters();
/// Control.cpp: If.
llvm::ArrayRef<Converter> controlConverters();
/// Conv.cpp: convolutions, transposed and integer ones included.
llvm::ArrayRef<Converter> convConverters();
/// Activations.cpp: activations that a few elementwise ops express.
llvm::ArrayRef<Converter> activationConverters();
/// Einsum.cpp: Einsum.
llvm::ArrayRef<Converter> einsumConverters();
/// Elementwise.cpp: operators that are one elementwise op, or a few.
llvm::ArrayRef<Converter> elementwiseConverters();
/// Gather.cpp: reading at indices.
llvm::ArrayRef<Converter> gatherConverters();
/// GridSample.cpp: GridSample.
llvm::ArrayRef<Converter> gridSampleConverters();
/// Losses.cpp: losses of classifiers.
llvm::ArrayRef<Converter> lossConverters();
/// Matmul.cpp: matrix products, integer ones included.
llvm::ArrayRef<Converter> matmulConverters();
/// Movement.cpp: reshapes, transposes, concatenation and the like.
llvm::ArrayRef<Converter> movementConverters();
/// Normalize.cpp: norms and softmax.
llvm::ArrayRef<Converter> normalizeConverters();
/// Pad.cpp: Pad.
llvm::ArrayRef<Converter> padConverters();
/// Pool.cpp: pools, global ones included, and what is normalized by them, such as LRN.
llvm::ArrayRef<Converter> poolConverters();
/// Quantize.cpp: quantizing and back, and products of quantized tensors.
llvm::ArrayRef<Converter> quantizeConverters();
/// Recurrent.cpp: RNN, GRU, LSTM.
llvm::ArrayRef<Converter> recurrentConverters();
/// Reduce.cpp: reductions, cumulative ones, ArgMax and ArgMin.
llvm::ArrayRef<Converter> reduceConverters();
/// Resize.cpp: Resize and Upsample.
llvm::ArrayRef<Converter> resizeConverters();
/// Scatter.cpp: writing at indices.
llvm::ArrayRef<Converter> scatterConverters();
/// Shapes.cpp: Shape and Size.
llvm::ArrayRef<Converter> shapeConverters();
/// Slice.cpp: Slice and CenterCropPad.
llvm::ArrayRef<Converter> sliceConverters();
/// TopK.cpp: TopK.
llvm::ArrayRef<Converter> topKConverters();

} // namespace dscc

#endif // DSCC_COMPILER_IMPORT_CONVERTERS_H
