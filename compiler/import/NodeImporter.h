// One ONNX node while it is turned into dsc ops: its inputs and attributes, the ops made for it, its results, and the
// ways to say no.
//
// A converter is written as if nothing could go wrong: an op whose types do not fit is a null value and a problem, an
// op on a null value is a null value, and a null result fails.

#ifndef DSCC_COMPILER_IMPORT_NODEIMPORTER_H
#define DSCC_COMPILER_IMPORT_NODEIMPORTER_H

#include "compiler/import/ImportState.h"
#include "dialects/dsc/Dsc.h"

namespace dscc {

using Integers = llvm::SmallVector<int64_t>;

class NodeImporter {
public:
  NodeImporter(ImportState &shared, const FlatNode &node, llvm::SmallVector<mlir::Value> inputs);

  // The node.
  int64_t opset() const { return node.opset(); }
  llvm::StringRef opType() const { return node.node->op_type(); }
  size_t inputCount() const { return inputs.size(); }
  /// Null if it is left out.
  mlir::Value input(size_t i) const { return i < inputs.size() ? inputs[i] : mlir::Value(); }
  size_t outputCount() const { return node.outputs.size(); }
  bool usesOutput(size_t i) const { return i < node.outputs.size() && !node.outputs[i].empty(); }
  const FlatNode &flat() const { return node; }

  // Its attributes. One of another type than asked for fails the node.
  bool hasAttribute(llvm::StringRef name) const { return find(name) != nullptr; }
  int64_t integer(llvm::StringRef name, int64_t otherwise);
  double number(llvm::StringRef name, double otherwise);
  std::string text(llvm::StringRef name, llvm::StringRef otherwise);
  std::optional<Integers> integers(llvm::StringRef name);
  std::optional<llvm::SmallVector<double>> numbers(llvm::StringRef name);
  const onnx::AttributeProto *find(llvm::StringRef name) const;

  // Ways to fail.
  mlir::LogicalResult reject(const llvm::Twine &message);
  mlir::LogicalResult unsupported(const llvm::Twine &message, llvm::StringRef hint = "");
  mlir::LogicalResult limit(const llvm::Twine &message, llvm::StringRef hint = "");
  bool hasFailed() const { return failed; }

  // Results. `finish` sets the first one; a null value fails.
  void setResult(size_t i, mlir::Value value);
  mlir::LogicalResult finish(mlir::Value value);
  mlir::ArrayRef<mlir::Value> getResults() const { return results; }

  // Ops.
  /// An op whose result type is inferred.
  template <class Op, class... Arguments> mlir::Value make(Arguments &&...arguments) {
    mlir::OperationState state(location, Op::getOperationName());
    Op::build(builder, state, mlir::Type(), std::forward<Arguments>(arguments)...);
    return infer(state, Op::inferReturnTypes);
  }
  /// An op of a type that it cannot infer itself.
  template <class Op, class... Arguments> mlir::Value makeTyped(mlir::Type type, Arguments &&...arguments) {
    mlir::OperationState state(location, Op::getOperationName());
    Op::build(builder, state, type, std::forward<Arguments>(arguments)...);
    return create(state);
  }

  mlir::Value constant(mlir::ElementsAttr elements);
  mlir::Value constant(const onnx::TensorProto &tensor);
  /// A scalar of `type`; the value is converted as a cast would.
  mlir::Value scalar(mlir::Type type, double value);
  /// A scalar of the element type of `like`.
  mlir::Value scalarLike(mlir::Value like, double value);
  mlir::Value integerList(llvm::ArrayRef<int64_t> values);
  /// An integer tensor of rank 1, or a scalar, with these contents.
  mlir::Value dims(llvm::ArrayRef<DimExpr> dims, mlir::Type element, bool isScalar = false);
  mlir::Value reshape(mlir::Value value, llvm::ArrayRef<DimExpr> dims);
  mlir::Value expand(mlir::Value value, llvm::ArrayRef<DimExpr> dims);
  mlir::Value cast(mlir::Value value, mlir::Type element, bool saturate = true);
  mlir::Value transpose(mlir::Value value, llvm::ArrayRef<int64_t> permutation);
  mlir::Value slice(mlir::Value value, llvm::ArrayRef<DimExpr> starts, llvm::ArrayRef<DimExpr> sizes,
                    llvm::ArrayRef<int64_t> steps);
  /// A scalar repeated, without elements in memory.
  mlir::Value splat(llvm::ArrayRef<DimExpr> dims, mlir::Type element, double value);
  mlir::Value add(mlir::Value a, mlir::Value b) { return make<dsc::AddOp>(a, b); }
  mlir::Value sub(mlir::Value a, mlir::Value b) { return make<dsc::SubOp>(a, b); }
  mlir::Value mul(mlir::Value a, mlir::Value b) { return make<dsc::MulOp>(a, b); }
  mlir::Value div(mlir::Value a, mlir::Value b) { return make<dsc::DivOp>(a, b); }

  // What is known about values.
  std::optional<dsc::Dims> known(mlir::Value value) const;
  /// The contents, if all are numbers.
  std::optional<Integers> knownIntegers(mlir::Value value) const;
  /// A list of numbers that older opsets keep in an attribute and newer ones in an input; nothing and no problem if
  /// there is neither, nothing and a problem if it is not known at compile time.
  std::optional<Integers> attributeOrInput(llvm::StringRef name, size_t input);
  /// Brings `axis` into [0, rank); a problem if that is not possible.
  std::optional<int64_t> normalizeAxis(int64_t axis, int64_t rank);
  /// The same for several, then sorted; one that occurs twice is a problem.
  std::optional<Integers> normalizeAxes(Integers axes, int64_t rank);

  /// States that two dims broadcast, where only a run can tell.
  void relateDims(const DimExpr &a, const DimExpr &b);
  /// States that two dims must agree, so that it is checked now or at each run.
  mlir::LogicalResult requireEqual(const DimExpr &a, const DimExpr &b, llvm::StringRef what);
  /// States that `b` divides `a`, in the same way.
  mlir::LogicalResult requireMultiple(const DimExpr &a, const DimExpr &b, llvm::StringRef what);

  mlir::ArrayAttr attribute(llvm::ArrayRef<int64_t> values) { return builder.getI64ArrayAttr(values); }
  dsc::DimsAttr dimsAttribute(llvm::ArrayRef<DimExpr> values) {
    return dsc::DimsAttr::get(builder.getContext(), values);
  }

  ImportState &shared;
  mlir::OpBuilder &builder;
  mlir::Location location;

private:
  using Infer = mlir::LogicalResult (*)(mlir::MLIRContext *, std::optional<mlir::Location>, mlir::ValueRange,
                                        mlir::DictionaryAttr, mlir::OpaqueProperties, mlir::RegionRange,
                                        llvm::SmallVectorImpl<mlir::Type> &);
  mlir::Value infer(mlir::OperationState &state, Infer inferTypes);
  mlir::Value create(mlir::OperationState &state);
  bool checkType(mlir::Type type);
  void relateBroadcast(mlir::ValueRange operands);
  template <class T> T typeProblem(llvm::StringRef name, llvm::StringRef wanted, T otherwise);

  const FlatNode &node;
  llvm::SmallVector<mlir::Value> inputs;
  llvm::SmallVector<mlir::Value> results;
  bool failed = false;
};

inline dsc::Dims dimsOf(mlir::Value value) { return dsc::getDims(value); }
inline int64_t rankOf(mlir::Value value) { return mlir::cast<mlir::RankedTensorType>(value.getType()).getRank(); }
inline mlir::Type elementOf(mlir::Value value) { return dsc::getElementType(value); }

} // namespace dscc

#endif // DSCC_COMPILER_IMPORT_NODEIMPORTER_H
