// TensorProto to constant: small ones become dense attributes, large ones resources that point into the mapped file.

#ifndef DSCC_COMPILER_IMPORT_TENSORDATA_H
#define DSCC_COMPILER_IMPORT_TENSORDATA_H

#include "compiler/import/ExternalData.h"
#include "compiler/import/OnnxFile.h"

#include "mlir/IR/BuiltinAttributes.h"

namespace dscc {

/// Makes the constants of one model.
class TensorData {
public:
  /// All of them must outlive it.
  TensorData(mlir::MLIRContext &context, const OnnxFile &file, ExternalData &external, const Budgets &budgets,
             Problems &problems)
      : context(context), file(file), external(external), budgets(budgets), problems(problems) {}

  /// The value of `tensor`, called `name` in messages and as a resource; null and a problem if it has none. In memory
  /// an element takes whole bytes: booleans and 4-bit and 2-bit numbers one each.
  mlir::ElementsAttr read(const onnx::TensorProto &tensor, llvm::StringRef name);

private:
  struct Bytes {
    std::shared_ptr<const void> owner;
    llvm::ArrayRef<char> bytes;
  };
  std::optional<Bytes> findBytes(const onnx::TensorProto &tensor, llvm::StringRef name, mlir::Type element,
                                 int64_t count);
  mlir::ElementsAttr makeConstant(mlir::RankedTensorType type, Bytes bytes, llvm::StringRef name);

  mlir::MLIRContext &context;
  const OnnxFile &file;
  ExternalData &external;
  const Budgets &budgets;
  Problems &problems;
};

} // namespace dscc

#endif // DSCC_COMPILER_IMPORT_TENSORDATA_H
