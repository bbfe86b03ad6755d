// Computes one element (or `width` neighbours) of a value inside a group by pulling on its operands.
//
//   element(relu, [i, j])  ->  element(add, [i, j])  ->  load(a, [i, j]) + load(b, [0, j])
//
// Movement ops turn the coordinates; reductions, products and windows become loops. Every op has an entry here, so that
// any group can be emitted; the faster emitters preset the hero's value with `bind` and pull the rest.

#ifndef DSCC_PASSES_KERNELS_ELEMENTCODE_H
#define DSCC_PASSES_KERNELS_ELEMENTCODE_H

#include "passes/kernels/KernelBuilder.h"

#include <map>

namespace dscc::kernels {

/// The elements of one group's values. What was computed once in a scope is used again there.
class ElementCode {
public:
  /// Writes with `k`, whose pointers cover the group's inputs.
  explicit ElementCode(KernelBuilder &k) : k(k) { scopes.emplace_back(); }

  /// The element of `value` at these coordinates, of the compute type.
  Value element(Value value, const Indices &at);

  /// Says what `value` is from now on in this scope, whatever the coordinates (a row's sum, a tile's product).
  void bind(Value value, Value computed) { scopes.back().bound[value] = computed; }

  /// Says what `value` is at these coordinates: for the results of an op behind its first one.
  void remember(Value value, const Indices &at, Value computed) { scopes.back().memo[memoKey(value, at)] = computed; }

  /// What is computed inside a region must not be reused outside.
  struct Scope {
    /// Opens it; the end of the object closes it.
    explicit Scope(ElementCode &code) : code(code) { code.scopes.emplace_back(); }
    ~Scope() { code.scopes.pop_back(); }
    /// Whose scope it is.
    ElementCode &code;
  };

  /// scf.if with nothing but `body`, in a scope of its own.
  void doIf(Value condition, llvm::function_ref<void()> body) {
    k.doIf(condition, [&] {
      Scope scope(*this);
      body();
    });
  }

  /// The coordinates of an operand that broadcasts to `result` dims.
  Indices broadcastIndices(llvm::ArrayRef<DimExpr> operand, llvm::ArrayRef<DimExpr> result, const Indices &at);

  /// `inside ? element(value, at) : outside`, never touching memory out of bounds: coordinate i is checked against
  /// [0, limits[i]) where limits[i] is set.
  Value elementOr(Value value, const Indices &at, llvm::ArrayRef<Value> limits, Value outside);

  /// What all code is written with.
  KernelBuilder &k;

private:
  struct ScopeData {
    llvm::DenseMap<Value, Value> bound;
    std::map<std::vector<const void *>, Value> memo;
  };
  std::vector<const void *> memoKey(Value value, const Indices &at) const;
  Value compute(mlir::Operation *op, const Indices &at);

  std::vector<ScopeData> scopes;
};

/// One entry a kind of op that is not elementwise.
struct ElementEntry {
  /// The op's full name, "dsc.transpose".
  llvm::StringLiteral op;
  /// The element of `op` at these coordinates, of the compute type. Of several results this is the first one's; the
  /// code remembers those of the others.
  Value (*emit)(ElementCode &code, mlir::Operation *op, const Indices &at);
};
llvm::ArrayRef<ElementEntry> movementEntries(); // Movement.cpp
llvm::ArrayRef<ElementEntry> gatherEntries();   // Gather.cpp
llvm::ArrayRef<ElementEntry> reduceEntries();   // Reduce.cpp
llvm::ArrayRef<ElementEntry> matmulEntries();   // Matmul.cpp
llvm::ArrayRef<ElementEntry> convEntries();     // Conv.cpp
llvm::ArrayRef<ElementEntry> poolEntries();     // Pool.cpp
llvm::ArrayRef<ElementEntry> resizeEntries();   // Resize.cpp
llvm::ArrayRef<ElementEntry> scatterEntries();  // Scatter.cpp

/// Whether neighbours of `value` along a dim come of elements that are apart in memory, so that lanes are gathered.
/// Knows what is inside a group, and of that what turns coordinates in a simple way; of all else it says no.
bool isGatheredAlong(Value value, size_t dim); // Movement.cpp
/// True if an entry or scalar code knows the op.
bool hasElementCode(mlir::Operation *op);
/// True if every op of the group can be emitted; else `reason` names the op and what is missing.
bool hasElementCode(dsc::GroupOp group, std::string *reason);

} // namespace dscc::kernels

#endif // DSCC_PASSES_KERNELS_ELEMENTCODE_H
