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

/// Axes, sizes, permutations: numbers that a node tells.
using Integers = llvm::SmallVector<int64_t>;

/// One node, from its inputs to its results. Lives while its converter runs.
class NodeImporter {
public:
  /// `inputs` are the node's, in order; null for one that is left out.
  NodeImporter(ImportState &shared, const FlatNode &node, llvm::SmallVector<mlir::Value> inputs);

  // The node.
  /// The version of the operator set that the node was written for.
  int64_t opset() const { return node.opset(); }
  /// The operator's name.
  llvm::StringRef opType() const { return node.node->op_type(); }
  /// With those left out between others.
  size_t inputCount() const { return inputs.size(); }
  /// Null if it is left out.
  mlir::Value input(size_t i) const { return i < inputs.size() ? inputs[i] : mlir::Value(); }
  /// With those left out between others.
  size_t outputCount() const { return node.outputs.size(); }
  /// True if the node names its output `i`, so that someone may read it.
  bool usesOutput(size_t i) const { return i < node.outputs.size() && !node.outputs[i].empty(); }
  /// The node itself, for its subgraphs.
  const FlatNode &flat() const { return node; }

  // Its attributes. One of another type than asked for fails the node.
  /// True if the node has the attribute, of whatever type.
  bool hasAttribute(llvm::StringRef name) const { return find(name) != nullptr; }
  /// The attribute, or `otherwise` if the node lacks it or it is of another type.
  int64_t integer(llvm::StringRef name, int64_t otherwise);
  /// The same for a float.
  double number(llvm::StringRef name, double otherwise);
  /// The same for a string.
  std::string text(llvm::StringRef name, llvm::StringRef otherwise);
  /// A list of integers; nothing if the node lacks it or it is of another type.
  std::optional<Integers> integers(llvm::StringRef name);
  /// The same for floats.
  std::optional<llvm::SmallVector<double>> numbers(llvm::StringRef name);
  /// The same for strings.
  std::optional<llvm::SmallVector<std::string>> texts(llvm::StringRef name);
  /// The attribute, or null if the node lacks it.
  const onnx::AttributeProto *find(llvm::StringRef name) const;

  // Ways to fail.
  /// The model is wrong: exit code 1. Always fails, as the two below do.
  mlir::LogicalResult reject(const llvm::Twine &message);
  /// The model may be right, but dscc cannot do it: exit code 3.
  mlir::LogicalResult unsupported(const llvm::Twine &message, llvm::StringRef hint = "");
  /// The node would take more than a budget allows: exit code 4.
  mlir::LogicalResult limit(const llvm::Twine &message, llvm::StringRef hint = "");
  /// True once something went wrong: what is made from then on is null.
  bool hasFailed() const { return failed; }

  // Results. `finish` sets the first one; a null value fails.
  /// Sets output `i`; one that the node does not have is ignored.
  void setResult(size_t i, mlir::Value value);
  /// Sets output 0. Fails if the value is null or the node has failed before.
  mlir::LogicalResult finish(mlir::Value value);
  /// One an output; null where none was set.
  mlir::ArrayRef<mlir::Value> getResults() const { return results; }

  // Ops.
  /// An op whose result type is inferred.
  template <class Op, class... Arguments> mlir::Value make(Arguments &&...arguments) {
    mlir::OperationState state(location, Op::getOperationName());
    Op::build(builder, state, mlir::Type(), std::forward<Arguments>(arguments)...);
    return infer(state, Op::inferReturnTypes);
  }
  /// An op with two results, whose types are inferred; empty if something is wrong.
  template <class Op, class... Arguments> mlir::ValueRange makeBoth(Arguments &&...arguments) {
    mlir::OperationState state(location, Op::getOperationName());
    Op::build(builder, state, mlir::Type(), mlir::Type(), std::forward<Arguments>(arguments)...);
    mlir::Value first = infer(state, Op::inferReturnTypes);
    return first ? mlir::ValueRange(first.getDefiningOp()->getResults()) : mlir::ValueRange();
  }
  /// An op of a type that it cannot infer itself.
  template <class Op, class... Arguments> mlir::Value makeTyped(mlir::Type type, Arguments &&...arguments) {
    mlir::OperationState state(location, Op::getOperationName());
    Op::build(builder, state, type, std::forward<Arguments>(arguments)...);
    return create(state);
  }

  /// A constant; null for null.
  mlir::Value constant(mlir::ElementsAttr elements);
  /// A constant of the model; fails the node if it cannot be read.
  mlir::Value constant(const onnx::TensorProto &tensor);
  /// A scalar of `type`; the value is converted as a cast would.
  mlir::Value scalar(mlir::Type type, double value);
  /// A scalar of the element type of `like`.
  mlir::Value scalarLike(mlir::Value like, double value);
  /// A constant of rank 1 with i64 elements.
  mlir::Value integerList(llvm::ArrayRef<int64_t> values);
  /// An integer tensor of rank 1, or a scalar, with these contents.
  mlir::Value dims(llvm::ArrayRef<DimExpr> dims, mlir::Type element, bool isScalar = false);
  /// The same elements under other dims. States that there are as many, where only a run can tell.
  mlir::Value reshape(mlir::Value value, llvm::ArrayRef<DimExpr> dims);
  /// Broadcast to `dims`; the value itself if it has them.
  mlir::Value expand(mlir::Value value, llvm::ArrayRef<DimExpr> dims);
  /// ONNX's Cast; the value itself if it has that type. `saturate` counts for floats of 8 bits and less.
  mlir::Value cast(mlir::Value value, mlir::Type element, bool saturate = true);
  /// Dim i of the result is dim permutation[i]; the value itself if that moves nothing.
  mlir::Value transpose(mlir::Value value, llvm::ArrayRef<int64_t> permutation);
  /// `sizes` elements along each dim, `steps` apart from `starts` on, all of which must lie inside; the value itself if
  /// those are all of it.
  mlir::Value slice(mlir::Value value, llvm::ArrayRef<DimExpr> starts, llvm::ArrayRef<DimExpr> sizes,
                    llvm::ArrayRef<int64_t> steps);
  /// A scalar repeated, without elements in memory.
  mlir::Value splat(llvm::ArrayRef<DimExpr> dims, mlir::Type element, double value);
  /// a + b, broadcast.
  mlir::Value add(mlir::Value a, mlir::Value b) { return make<dsc::AddOp>(a, b); }
  /// a - b, broadcast.
  mlir::Value sub(mlir::Value a, mlir::Value b) { return make<dsc::SubOp>(a, b); }
  /// a * b, broadcast.
  mlir::Value mul(mlir::Value a, mlir::Value b) { return make<dsc::MulOp>(a, b); }
  /// a / b, broadcast; integers are rounded towards 0.
  mlir::Value div(mlir::Value a, mlir::Value b) { return make<dsc::DivOp>(a, b); }

  // What is known about values.
  /// The elements of a small integer tensor, if they follow from numbers and named dims; nothing for null.
  std::optional<dsc::Dims> known(mlir::Value value) const;
  /// The contents, if all are numbers.
  std::optional<Integers> knownIntegers(mlir::Value value) const;
  /// The contents, of integers or floats, if all are numbers.
  std::optional<llvm::SmallVector<double>> knownFloats(mlir::Value value) const;
  /// A list of numbers that older opsets keep in an attribute and newer ones in an input; nothing and no problem if
  /// there is neither, nothing and a problem if it is not known at compile time.
  std::optional<Integers> attributeOrInput(llvm::StringRef name, size_t input);
  /// Brings `axis` into [0, rank); a problem if that is not possible.
  std::optional<int64_t> normalizeAxis(int64_t axis, int64_t rank);
  /// The same for several, then sorted; one that occurs twice is a problem.
  std::optional<Integers> normalizeAxes(Integers axes, int64_t rank);

  /// True if 64 bits hold all of these; else a problem about `what` they are.
  bool areValid(llvm::ArrayRef<DimExpr> dims, llvm::StringRef what);
  /// The type that makeTensor makes; null and a problem if no tensor can have these dims.
  mlir::RankedTensorType tensorType(llvm::ArrayRef<DimExpr> dims, mlir::Type element);

  /// True if a tensor of this type may be made; else a problem about its size or its formula.
  bool checkType(mlir::Type type);

  /// States that two dims broadcast, where only a run can tell.
  void relateDims(const DimExpr &a, const DimExpr &b) { relate("broadcast", a, b); }
  /// States that two dims must agree, so that it is checked now or at each run.
  mlir::LogicalResult requireEqual(const DimExpr &a, const DimExpr &b, llvm::StringRef what);
  /// A problem if an input is there that should be a list but is no tensor of rank 1.
  mlir::LogicalResult requireList(size_t input);
  /// States that `b` divides `a`, in the same way.
  mlir::LogicalResult requireMultiple(const DimExpr &a, const DimExpr &b, llvm::StringRef what);

  /// Numbers as an op's attribute.
  mlir::ArrayAttr attribute(llvm::ArrayRef<int64_t> values) { return builder.getI64ArrayAttr(values); }
  /// Null and a problem if one of them is invalid.
  dsc::DimsAttr dimsAttribute(llvm::ArrayRef<DimExpr> values);

  /// What this node has in common with the others.
  ImportState &shared;
  /// Stands where the next op belongs.
  mlir::OpBuilder &builder;
  /// The node's name: of every op that is made.
  mlir::Location location;

private:
  using Infer = mlir::LogicalResult (*)(mlir::MLIRContext *, std::optional<mlir::Location>, mlir::ValueRange,
                                        mlir::DictionaryAttr, mlir::OpaqueProperties, mlir::RegionRange,
                                        llvm::SmallVectorImpl<mlir::Type> &);
  mlir::Value infer(mlir::OperationState &state, Infer inferTypes);
  mlir::Value create(mlir::OperationState &state);
  void relate(llvm::StringRef kind, const DimExpr &a, const DimExpr &b);
  void relateBroadcast(mlir::ValueRange operands);
  template <class T> T typeProblem(llvm::StringRef name, llvm::StringRef wanted, T otherwise);

  const FlatNode &node;
  llvm::SmallVector<mlir::Value> inputs;
  llvm::SmallVector<mlir::Value> results;
  bool failed = false;
};

/// The dims of a tensor.
inline dsc::Dims dimsOf(mlir::Value value) { return dsc::getDims(value); }
/// The number of its dims.
inline int64_t rankOf(mlir::Value value) { return mlir::cast<mlir::RankedTensorType>(value.getType()).getRank(); }
/// The type of its elements.
inline mlir::Type elementOf(mlir::Value value) { return dsc::getElementType(value); }

} // namespace dscc

#endif // DSCC_COMPILER_IMPORT_NODEIMPORTER_H
