// What every emitter writes kernels with: coordinates, loads, stores and dims, the same for a CPU worker that handles
// `width` neighbouring elements at once and for a GPU thread that handles one.
//
// A value inside a kernel is a scalar, or a vector of `width` lanes. Scalars are the same for all lanes and are
// splatted where they meet a vector. Lanes always run along one coordinate of the result.

#ifndef DSCC_PASSES_KERNELS_KERNELBUILDER_H
#define DSCC_PASSES_KERNELS_KERNELBUILDER_H

#include "dialects/dsc/Dsc.h"
#include "dialects/dsc/Targets.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringMap.h"

namespace dscc::kernels {

using mlir::Location;
using mlir::OpBuilder;
using mlir::Type;
using mlir::Value;
using mlir::ValueRange;

/// One coordinate of an element, for all lanes.
struct Index {
  enum Kind {
    Uniform,    // the same in all lanes
    Contiguous, // `base` in lane 0, one more in each next lane
    Gathered    // `lanes` holds one index a lane
  };
  Kind kind = Uniform;
  Value base;
  Value lanes;
};
using Indices = llvm::SmallVector<Index>;

/// The type that elements have while a kernel computes: narrow floats become f32, unsigned integers lose their sign.
Type getComputeType(Type element);
/// The type that one element has in memory.
Type getStorageType(Type element);

class KernelBuilder {
public:
  KernelBuilder(OpBuilder &builder, Location location, const Target &target, int64_t width)
      : b(builder), loc(location), target(target), width(width) {}

  OpBuilder &b;
  Location loc;
  const Target &target;
  int64_t width; // lanes of the code that is being written
  Value mask;    // lanes that exist, or null for all; vector<width x i1>
  /// Contiguous lanes begin at a multiple of `width` in every tensor, so that vectors are aligned as a whole.
  bool wholeVectors = false;

  /// The kernel's arguments for the tensors of the group, and the named dims.
  llvm::DenseMap<Value, Value> pointers;
  llvm::StringMap<Value> symbols;
  /// Before which op a dim's value is computed once: in the kernel's entry, after its arguments are there.
  mlir::Block *entry = nullptr;
  mlir::Operation *entryPoint = nullptr;

  // Numbers.
  Value index(int64_t value);
  Value dim(const DimExpr &expr);
  Value constant(Type type, double value);
  Value constantInt(Type type, int64_t value);
  Value add(Value a, Value b);
  Value sub(Value a, Value b);
  Value mul(Value a, Value b);
  Value divide(Value a, Value b);    // operands not negative
  Value remainder(Value a, Value b); // operands not negative
  Value minimum(Value a, Value b);
  Value maximum(Value a, Value b);
  Value ceilDivide(Value a, Value b);

  // Lanes.
  bool isVector(Value value) const;
  Type laneType(Type scalar) const;
  Value splat(Value value);
  /// The same value as a vector where the code has lanes: what loops carry must have one type from the start.
  Value lift(Value value);
  /// Makes all values vectors if one is.
  void unify(llvm::SmallVectorImpl<Value> &values);
  Value laneNumbers(); // <0, 1, ..> as vector<width x index>

  // Coordinates.
  Index uniform(Value base) { return {Index::Uniform, base, {}}; }
  Index constantIndex(int64_t value) { return uniform(index(value)); }
  Value lanesOf(const Index &i);         // as a vector
  Index fromValue(Value scalarOrVector); // index-typed
  Value asValue(const Index &i);         // scalar if uniform, else vector
  Index addTo(const Index &i, Value scalar);
  Index scale(const Index &i, Value scalar);
  Index select(Value condition, const Index &a, const Index &b);
  /// Splits a row-major position into coordinates.
  llvm::SmallVector<Value> delinearize(Value linear, llvm::ArrayRef<Value> sizes);

  // Memory.
  Value loadElement(Value tensor, const Indices &at);
  void storeElement(Value pointer, Type element, llvm::ArrayRef<Value> strides, const Indices &at, Value value);
  llvm::SmallVector<Value> rowMajorStrides(llvm::ArrayRef<DimExpr> dims);
  /// Loads `lanes` neighbouring storage elements, or one if 0, with no regard to masks.
  Value loadRaw(Value pointer, Type storage, Value offset, int64_t lanes);
  void storeRaw(Value pointer, Type storage, Value offset, Value value);
  Value elementAddress(Value pointer, Type storage, Value offset);
  /// Runs `body` with more lanes masked off.
  Value andMask(Value condition);
  Value toCompute(Value stored, Type element);
  Value toStorage(Value computed, Type element);

  /// scf.for over [0, count) with values carried along.
  llvm::SmallVector<Value> loop(Value from, Value to, Value step, ValueRange init,
                                llvm::function_ref<llvm::SmallVector<Value>(Value, ValueRange)> body);
  void loopDo(Value from, Value to, Value step, llvm::function_ref<void(Value)> body);

private:
  /// The offset in elements: a scalar, or lanes if the coordinates are not simply contiguous in the last dim.
  struct Offset {
    Value scalar;
    Value lanes;
    bool contiguous = false;
  };
  Offset computeOffset(llvm::ArrayRef<Value> strides, const Indices &at);
  llvm::StringMap<Value> dimCache;
};

} // namespace dscc::kernels

#endif // DSCC_PASSES_KERNELS_KERNELBUILDER_H
