// Which ONNX operators there are, and who converts them: one file a family, one row an operator.

#ifndef DSCC_COMPILER_IMPORT_CONVERTERS_H
#define DSCC_COMPILER_IMPORT_CONVERTERS_H

#include "compiler/import/NodeImporter.h"

namespace dscc {

struct Converter {
  llvm::StringLiteral domain, opType;
  int64_t since;                 // the oldest opset that this row understands
  unsigned minInputs, maxInputs; // the first minInputs are never null
  mlir::LogicalResult (*convert)(NodeImporter &node);
};

constexpr unsigned anyCount = ~0u;

/// `convert`, for what ONNX defines on floats only.
template <mlir::LogicalResult convert(NodeImporter &)> mlir::LogicalResult onFloats(NodeImporter &node) {
  if (!mlir::isa<mlir::FloatType>(elementOf(node.input(0))))
    return node.reject("has an input that is not of a floating-point type");
  return convert(node);
}

/// The row for this operator at this opset: the one with the highest `since` that is not above it.
const Converter *findConverter(llvm::StringRef domain, llvm::StringRef opType, int64_t opset);
/// True if some opset has the operator.
bool isKnownOperator(llvm::StringRef domain, llvm::StringRef opType);
/// A sentence about the supported operator that comes nearest to `opType`, or nothing.
std::string nearestOperator(llvm::StringRef opType);

// The families.
llvm::ArrayRef<Converter> attentionConverters();
llvm::ArrayRef<Converter> constantConverters();
llvm::ArrayRef<Converter> controlConverters();
llvm::ArrayRef<Converter> convConverters();
llvm::ArrayRef<Converter> activationConverters();
llvm::ArrayRef<Converter> einsumConverters();
llvm::ArrayRef<Converter> elementwiseConverters();
llvm::ArrayRef<Converter> gatherConverters();
llvm::ArrayRef<Converter> gridSampleConverters();
llvm::ArrayRef<Converter> lossConverters();
llvm::ArrayRef<Converter> matmulConverters();
llvm::ArrayRef<Converter> movementConverters();
llvm::ArrayRef<Converter> normalizeConverters();
llvm::ArrayRef<Converter> padConverters();
llvm::ArrayRef<Converter> poolConverters();
llvm::ArrayRef<Converter> quantizeConverters();
llvm::ArrayRef<Converter> reduceConverters();
llvm::ArrayRef<Converter> resizeConverters();
llvm::ArrayRef<Converter> scatterConverters();
llvm::ArrayRef<Converter> shapeConverters();
llvm::ArrayRef<Converter> sliceConverters();

} // namespace dscc

#endif // DSCC_COMPILER_IMPORT_CONVERTERS_H
