// The model's inputs as tensor types, and its named dims.

#ifndef DSCC_COMPILER_IMPORT_SIGNATURE_H
#define DSCC_COMPILER_IMPORT_SIGNATURE_H

#include "compiler/import/Problems.h"
#include "compiler/import/onnx-ml.pb.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"

#include <optional>
#include <vector>

namespace dscc {

/// What @main takes.
struct Signature {
  /// One argument.
  struct Input {
    /// As the model has it.
    std::string name;
    /// With named dims where the model leaves the size open.
    mlir::RankedTensorType type;
  };
  /// In the model's order, without those that an initialiser gives a value.
  std::vector<Input> inputs;
  mlir::ArrayAttr symbols; // dsc.symbols
};

/// Reads the inputs that no initialiser gives a value. Dims without a usable name are called `<input>_<axis>`;
/// --dim and --shape are applied. Nothing and a problem if an input is not a tensor.
std::optional<Signature> readSignature(const onnx::GraphProto &graph, mlir::MLIRContext &context,
                                       const CompileOptions &options, Problems &problems);

} // namespace dscc

#endif // DSCC_COMPILER_IMPORT_SIGNATURE_H
