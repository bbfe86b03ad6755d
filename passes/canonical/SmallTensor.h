// A small tensor held by value, and what can be done to it without looking at its elements.

#ifndef DSCC_PASSES_CANONICAL_SMALLTENSOR_H
#define DSCC_PASSES_CANONICAL_SMALLTENSOR_H

#include "dialects/dsc/Dsc.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"

namespace dscc {

/// Elements in row-major order.
template <class T> struct SmallTensor {
  /// Outermost dim first; none for a scalar.
  llvm::SmallVector<int64_t> shape;
  /// As many as `shape` says.
  llvm::SmallVector<T> values;
};

/// Calls `visit` with each index of `shape`, in row-major order.
inline void forEachIndex(llvm::ArrayRef<int64_t> shape, llvm::function_ref<void(llvm::ArrayRef<int64_t>)> visit) {
  if (llvm::is_contained(shape, 0))
    return;
  llvm::SmallVector<int64_t> index(shape.size());
  while (true) {
    visit(index);
    size_t axis = shape.size();
    while (axis > 0 && ++index[axis - 1] == shape[axis - 1])
      index[--axis] = 0;
    if (axis == 0)
      return;
  }
}

/// The place of the element that broadcasting shows at `index` of the larger tensor.
inline size_t broadcastPlace(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<int64_t> index) {
  assert(shape.size() <= index.size() && "a tensor is broadcast to no fewer dims than it has");
  size_t place = 0, skipped = index.size() - shape.size();
  for (size_t axis = 0; axis < shape.size(); ++axis)
    place = place * shape[axis] + (shape[axis] == 1 ? 0 : index[axis + skipped]);
  return place;
}

/// `input` broadcast to `shape`, to which it must fit.
template <class T> SmallTensor<T> expandTensor(const SmallTensor<T> &input, llvm::ArrayRef<int64_t> shape) {
  SmallTensor<T> result{llvm::to_vector(shape), {}};
  forEachIndex(shape, [&](llvm::ArrayRef<int64_t> index) {
    result.values.push_back(input.values[broadcastPlace(input.shape, index)]);
  });
  return result;
}

/// The elements at starts + index * steps; all of them must lie inside.
template <class T>
SmallTensor<T> sliceTensor(const SmallTensor<T> &input, llvm::ArrayRef<int64_t> starts, llvm::ArrayRef<int64_t> steps,
                           llvm::ArrayRef<int64_t> shape) {
  SmallTensor<T> result{llvm::to_vector(shape), {}};
  forEachIndex(shape, [&](llvm::ArrayRef<int64_t> index) {
    llvm::SmallVector<int64_t> from;
    for (size_t axis = 0; axis < shape.size(); ++axis) {
      from.push_back(starts[axis] + index[axis] * steps[axis]);
      assert(from[axis] >= 0 && from[axis] < input.shape[axis] && "slice (C2): every element lies inside");
    }
    result.values.push_back(input.values[broadcastPlace(input.shape, from)]);
  });
  return result;
}

/// Dim `axis` of the result, whose dims are `shape`, is dim permutation[axis] of the input.
template <class T>
SmallTensor<T> transposeTensor(const SmallTensor<T> &input, llvm::ArrayRef<int64_t> permutation,
                               llvm::ArrayRef<int64_t> shape) {
  assert(permutation.size() == shape.size() && "transpose (C1): each dim has its place");
  SmallTensor<T> result{llvm::to_vector(shape), {}};
  forEachIndex(shape, [&](llvm::ArrayRef<int64_t> index) {
    llvm::SmallVector<int64_t> from(shape.size());
    for (size_t axis = 0; axis < shape.size(); ++axis)
      from[permutation[axis]] = index[axis];
    result.values.push_back(input.values[broadcastPlace(input.shape, from)]);
  });
  return result;
}

/// The inputs one after the other along `axis`; `shape` is the result's.
template <class T>
SmallTensor<T> concatTensors(llvm::ArrayRef<SmallTensor<T>> inputs, size_t axis, llvm::ArrayRef<int64_t> shape) {
  SmallTensor<T> result{llvm::to_vector(shape), {}};
  forEachIndex(shape, [&](llvm::ArrayRef<int64_t> index) {
    llvm::SmallVector<int64_t> from(index);
    const SmallTensor<T> *input = inputs.begin();
    for (; from[axis] >= input->shape[axis]; ++input) {
      assert(input + 1 != inputs.end() && "the result is as long as its inputs together");
      from[axis] -= input->shape[axis];
    }
    size_t place = 0;
    for (size_t i = 0; i < from.size(); ++i)
      place = place * input->shape[i] + from[i];
    result.values.push_back(input->values[place]);
  });
  return result;
}

/// Nothing if an index is out of range.
template <class T>
std::optional<SmallTensor<T>> gatherTensor(const SmallTensor<T> &data, const SmallTensor<int64_t> &indices, size_t axis,
                                           llvm::ArrayRef<int64_t> shape) {
  SmallTensor<T> result{llvm::to_vector(shape), {}};
  bool inRange = true;
  forEachIndex(shape, [&](llvm::ArrayRef<int64_t> index) {
    llvm::ArrayRef<int64_t> middle = index.slice(axis, indices.shape.size());
    int64_t at = indices.values[broadcastPlace(indices.shape, middle)];
    at += at < 0 ? data.shape[axis] : 0;
    inRange &= at >= 0 && at < data.shape[axis];
    llvm::SmallVector<int64_t> from(index.take_front(axis));
    from.push_back(at);
    from.append(index.begin() + axis + indices.shape.size(), index.end());
    if (inRange)
      result.values.push_back(data.values[broadcastPlace(data.shape, from)]);
  });
  return inRange ? std::optional(result) : std::nullopt;
}

/// What reshape, expand, slice, transpose and concat do; nothing for any other op.
template <class T>
std::optional<SmallTensor<T>> moveTensor(mlir::Operation *op, llvm::ArrayRef<SmallTensor<T>> operands,
                                         llvm::ArrayRef<int64_t> shape) {
  if (mlir::isa<dsc::ReshapeOp>(op))
    return SmallTensor<T>{llvm::to_vector(shape), operands[0].values};
  if (mlir::isa<dsc::ExpandOp>(op))
    return expandTensor(operands[0], shape);
  if (auto transpose = mlir::dyn_cast<dsc::TransposeOp>(op))
    return transposeTensor(operands[0], dsc::getIntegers(transpose.getPermutation()), shape);
  if (auto concat = mlir::dyn_cast<dsc::ConcatOp>(op))
    return concatTensors(operands, concat.getAxis(), shape);
  auto slice = mlir::dyn_cast<dsc::SliceOp>(op);
  if (!slice)
    return std::nullopt;
  llvm::SmallVector<int64_t> starts;
  for (const DimExpr &start : slice.getStarts().getDims()) {
    if (!start.isConstant())
      return std::nullopt;
    starts.push_back(start.constant());
  }
  return sliceTensor(operands[0], starts, dsc::getIntegers(slice.getSteps()), shape);
}

} // namespace dscc

#endif // DSCC_PASSES_CANONICAL_SMALLTENSOR_H
