// What every emitter writes kernels with: coordinates, loads, stores and dims, the same for a CPU worker and for a GPU
// thread, each of which handles `width` neighbouring elements at once.
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
  /// Says which of the two values below are set.
  Kind kind = Uniform;
  /// An index, for Uniform and Contiguous.
  Value base;
  /// A vector of indices, for Gathered.
  Value lanes;
  /// Contiguous: `base` is known to be a multiple of the number of lanes.
  bool whole = false;
};
/// The coordinates of one element, outermost first.
using Indices = llvm::SmallVector<Index>;

/// The type that elements have while a kernel computes: narrow floats become f32, unsigned integers lose their sign.
Type getComputeType(Type element);
/// The type that one element has in memory.
Type getStorageType(Type element);

/// How a tensor lies that is a part of another one.
struct Strided {
  /// Its dims outside of the kernel, which may see it under others.
  dsc::Dims dims;
  /// How many elements lie between neighbours along each of them.
  dsc::Dims strides;
};

/// Writes code at its builder's place. Values go in and out as scalars or lanes, see above.
class KernelBuilder {
public:
  /// `width` is 1 for code without lanes.
  KernelBuilder(OpBuilder &builder, Location location, const Target &target, int64_t width)
      : b(builder), loc(location), target(target), width(width) {}

  /// Stands where the next op belongs.
  OpBuilder &b;
  /// Of every op that is made.
  Location loc;
  /// What the kernel is written for.
  const Target &target;
  int64_t width; // lanes of the code that is being written
  Value mask;    // lanes that exist, or null for all; vector<width x i1>
  /// Contiguous lanes begin at a multiple of `width` in every tensor, so that vectors are aligned as a whole. A GPU's
  /// always do (cuda/Lanes.h).
  bool wholeVectors = false;

  /// The kernel's arguments for the tensors of the group, and the named dims.
  llvm::DenseMap<Value, Value> pointers;
  /// Of inputs that do not lie in row-major order.
  llvm::DenseMap<Value, Strided> windows;
  /// The kernel's arguments for named dims, by name, index-typed.
  llvm::StringMap<Value> symbols;
  /// Before which op a dim's value is computed once: in the kernel's entry, after its arguments are there.
  mlir::Block *entry = nullptr;
  /// The op in `entry` before which new ones are put.
  mlir::Operation *entryPoint = nullptr;

  // Numbers.
  /// A constant index.
  Value index(int64_t value);
  /// The value of a dim, computed once a kernel, index-typed. Of what is invalid it is 0, and `lacksDim` is set.
  Value dim(const DimExpr &expr);
  /// True once a dim was wanted that has no value: the kernel is of no use.
  bool lacksDim = false;
  /// A constant of a float type, rounded to it.
  Value constant(Type type, double value);
  /// A constant of an integer or index type, in which `value` must fit.
  Value constantInt(Type type, int64_t value);
  /// a + b of indices or integers, both scalars or both lanes. Folds constants, as all of these do.
  Value add(Value a, Value b);
  /// a - b, in the same way.
  Value sub(Value a, Value b);
  /// a * b, in the same way.
  Value mul(Value a, Value b);
  Value divide(Value a, Value b);    // operands not negative
  Value remainder(Value a, Value b); // operands not negative
  /// The smaller one, as signed numbers.
  Value minimum(Value a, Value b);
  /// The larger one, as signed numbers.
  Value maximum(Value a, Value b);
  /// a / b rounded up; operands not negative.
  Value ceilDivide(Value a, Value b);

  // Lanes.
  /// True if the value has lanes.
  bool isVector(Value value) const;
  /// A vector of `width` such scalars.
  Type laneType(Type scalar) const;
  /// The same in every lane; a value that has lanes stays as it is.
  Value splat(Value value);
  /// The same value as a vector where the code has lanes: what loops carry must have one type from the start.
  Value lift(Value value);
  /// Makes all values vectors if one is.
  void unify(llvm::SmallVectorImpl<Value> &values);
  Value laneNumbers(); // <0, 1, ..> as vector<width x index>

  // Coordinates.
  /// A coordinate that is `base`, a scalar, in all lanes.
  Index uniform(Value base) { return {Index::Uniform, base, {}}; }
  /// A coordinate that is a number in all lanes.
  Index constantIndex(int64_t value) { return uniform(index(value)); }
  Value lanesOf(const Index &i);         // as a vector
  Index fromValue(Value scalarOrVector); // index-typed
  Value asValue(const Index &i);         // scalar if uniform, else vector
  /// The coordinate moved by a scalar; contiguous ones stay so.
  Index addTo(const Index &i, Value scalar);
  /// The coordinate times a scalar; unless that is 1, contiguous ones are gathered then.
  Index scale(const Index &i, Value scalar);
  /// `a` where the condition, a scalar or lanes, holds, else `b`.
  Index select(Value condition, const Index &a, const Index &b);
  /// Splits a row-major position into coordinates.
  llvm::SmallVector<Value> delinearize(Value linear, llvm::ArrayRef<Value> sizes);

  // Memory.
  /// The element of one of `pointers`, of the compute type. Lanes outside of `mask` read nothing and are 0; what all
  /// lanes read is read whatever the mask.
  Value loadElement(Value tensor, const Indices &at);
  /// Rounds `value` to `element` and stores it at these coordinates. Lanes outside of `mask` store nothing; a single
  /// element for all lanes is stored whatever the mask. `strides` count elements.
  void storeElement(Value pointer, Type element, llvm::ArrayRef<Value> strides, const Indices &at, Value value);
  /// How many elements lie between neighbours along each dim.
  llvm::SmallVector<Value> rowMajorStrides(llvm::ArrayRef<DimExpr> dims);
  /// The same for a tensor that lies as `window` says, or row-major if that is null, seen under `dims`.
  llvm::SmallVector<Value> stridesOf(llvm::ArrayRef<DimExpr> dims, const Strided *window);
  /// Loads `lanes` neighbouring storage elements, or one if 0, with no regard to masks.
  Value loadRaw(Value pointer, Type storage, Value offset, int64_t lanes);
  /// Loads `width` neighbouring storage elements where `mask` holds, and 0 elsewhere. In pieces of a register: LLVM 22
  /// splits what is wider into halves, and reads the whole of a half of which it sees that its mask is zero.
  Value loadMasked(Value pointer, Type storage, Value offset);
  /// Stores a scalar or neighbouring lanes of the storage type, with no regard to masks.
  void storeRaw(Value pointer, Type storage, Value offset, Value value);
  /// The address, or the lanes of addresses, of element `offset`.
  Value elementAddress(Value pointer, Type storage, Value offset);
  /// The address that is `number` times `count` elements of `storage` behind `pointer`, counted in 64 bits.
  Value advance(Value pointer, Type storage, Value number, Value count);
  /// The lanes that exist and for which the condition holds.
  Value andMask(Value condition);
  /// From the storage type of `element` to its compute type.
  Value toCompute(Value stored, Type element);
  /// From the compute type of `element` to its storage type; floats are rounded to nearest.
  Value toStorage(Value computed, Type element);

  /// scf.if with nothing but `body`.
  void doIf(Value condition, llvm::function_ref<void()> body);
  /// Writes `body` for so many neighbours, which begin at a multiple of their number in every tensor; 1 is one element.
  void withLanes(int64_t lanes, llvm::function_ref<void()> body);
  /// scf.for from `from` up to `to`, which is not reached, with values carried along.
  llvm::SmallVector<Value> loop(Value from, Value to, Value step, ValueRange init,
                                llvm::function_ref<llvm::SmallVector<Value>(Value, ValueRange)> body);
  /// The same with nothing carried along.
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
