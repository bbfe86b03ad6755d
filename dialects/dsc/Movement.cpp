#include "dialects/dsc/Dsc.h"

using namespace mlir;
using namespace dscc;
using namespace dscc::dsc;

LogicalResult ReshapeOp::verify() {
  // reshape (C1): numbers must agree now, expressions at run time.
  if (getElementType(getInput()) != getElementType(getResult()))
    return emitOpError("changes the element type");
  DimExpr before = countElements(dsc::getDims(getInput())), after = countElements(dsc::getDims(getResult()));
  if (before.isConstant() && after.isConstant() && before != after)
    return emitOpError("turns ") << describeDims(dsc::getDims(getInput())) << " (" << before.str() << " elements) into "
                                 << describeDims(dsc::getDims(getResult())) << " (" << after.str() << " elements)";
  return success();
}

/// A reshape to the same type is its input; of two in a row only the second counts.
OpFoldResult ReshapeOp::fold(FoldAdaptor) {
  if (getInput().getType() == getResult().getType())
    return getInput();
  if (auto first = getInput().getDefiningOp<ReshapeOp>()) {
    getInputMutable().assign(first.getInput());
    return getResult();
  }
  return {};
}

LogicalResult TransposeOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor adaptor,
                                            Types &types) {
  Dims input = dsc::getDims(adaptor.getInput()), dims;
  SmallVector<int64_t> permutation = getIntegers(adaptor.getPermutation());
  // transpose (C1)
  SmallVector<bool> seen(input.size());
  for (int64_t axis : permutation) {
    if (axis < 0 || axis >= int64_t(input.size()) || seen[axis])
      return emitOptionalError(location, "has a permutation that is not one of ", input.size(), " dims");
    seen[axis] = true;
    dims.push_back(input[axis]);
  }
  if (permutation.size() != input.size())
    return emitOptionalError(location, "permutes ", permutation.size(), " of ", input.size(), " dims");
  return inferTensor(location, dims, getElementType(adaptor.getInput()), types);
}

/// A transpose that moves nothing is its input.
OpFoldResult TransposeOp::fold(FoldAdaptor) {
  SmallVector<int64_t> permutation = getIntegers(getPermutation());
  bool identity = llvm::equal(permutation, llvm::seq<int64_t>(0, permutation.size()));
  return identity ? getInput() : Value();
}

LogicalResult SliceOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor adaptor,
                                        Types &types) {
  size_t rank = dsc::getDims(adaptor.getInput()).size();
  // slice (C1)
  if (adaptor.getStarts().size() != rank || adaptor.getSizes().size() != rank || adaptor.getSteps().size() != rank)
    return emitOptionalError(location, "has ", adaptor.getStarts().size(), " starts, ", adaptor.getSizes().size(),
                             " sizes and ", adaptor.getSteps().size(), " steps for ", rank, " dims");
  SmallVector<int64_t> steps = getIntegers(adaptor.getSteps());
  if (llvm::is_contained(steps, 0))
    return emitOptionalError(location, "has a step of 0");
  // slice (C2)
  Dims dims = dsc::getDims(adaptor.getInput()), starts = adaptor.getStarts().getDims(),
       sizes = adaptor.getSizes().getDims();
  for (size_t i = 0; i < rank; ++i) {
    DimExpr last = starts[i] + (sizes[i] - 1) * steps[i];
    if (!dims[i].isConstant() || !starts[i].isConstant() || !DimExpr::isAtLeast(sizes[i], 1) || !last.isConstant())
      continue;
    auto isInside = [&](const DimExpr &place) {
      return place.constant() >= 0 && place.constant() < dims[i].constant();
    };
    if (!isInside(starts[i]) || !isInside(last))
      return emitOptionalError(location, "takes ", sizes[i].str(), " elements from ", starts[i].str(),
                               " on in steps of ", steps[i], " of dim ", i, ", which has ", dims[i].str());
  }
  return inferTensor(location, adaptor.getSizes().getDims(), getElementType(adaptor.getInput()), types);
}

/// A slice of everything is its input.
OpFoldResult SliceOp::fold(FoldAdaptor) {
  auto isOne = [](int64_t step) { return step == 1; };
  auto isZero = [](const DimExpr &start) { return start.isConstant(0); };
  bool everything = getInput().getType() == getResult().getType() && llvm::all_of(getIntegers(getSteps()), isOne) &&
                    llvm::all_of(getStarts().getDims(), isZero);
  return everything ? getInput() : Value();
}

LogicalResult ConcatOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor adaptor,
                                         Types &types) {
  // concat (C1)
  if (adaptor.getInputs().empty())
    return emitOptionalError(location, "joins nothing");
  Dims dims = dsc::getDims(adaptor.getInputs()[0]);
  // concat (C3)
  size_t axis = adaptor.getAxis();
  if (axis >= dims.size())
    return emitOptionalError(location, "has axis ", int64_t(axis), " for tensors of rank ", dims.size());
  for (Value input : adaptor.getInputs().drop_front()) {
    Dims next = dsc::getDims(input);
    if (next.size() != dims.size() || getElementType(input) != getElementType(adaptor.getInputs()[0]))
      return emitOptionalError(location, "joins tensors of different rank or element type");
    // concat (C2)
    for (size_t i = 0; i < dims.size(); ++i) {
      if (i != axis && dims[i] != next[i] && dims[i].isConstant() && next[i].isConstant())
        return emitOptionalError(location, "joins ", describeDims(dims), " and ", describeDims(next), " along axis ",
                                 axis, ", but dim ", i, " differs");
      if (i != axis && !dims[i].isConstant())
        dims[i] = next[i].isConstant() ? next[i] : dims[i];
    }
    dims[axis] = dims[axis] + next[axis];
  }
  return inferTensor(location, dims, getElementType(adaptor.getInputs()[0]), types);
}

/// Joining one tensor is that tensor.
OpFoldResult ConcatOp::fold(FoldAdaptor) { return getInputs().size() == 1 ? getInputs()[0] : Value(); }

LogicalResult PadOp::verify() {
  // pad (C2)
  if (getElementType(getValue()) != getElementType(getInput()) ||
      !countElements(dsc::getDims(getValue())).isConstant(1))
    return emitOpError("fills up with ") << getValue().getType() << ", which is not one element of "
                                         << getElementType(getInput());
  return success();
}

LogicalResult ExpandOp::verify() {
  // expand (C1)
  std::optional<Dims> joined = broadcastDims(dsc::getDims(getInput()), dsc::getDims(getResult()));
  if (!joined || joined->size() != dsc::getDims(getResult()).size() ||
      getElementType(getInput()) != getElementType(getResult()))
    return emitOpError("cannot repeat ") << describeDims(dsc::getDims(getInput())) << " to "
                                         << describeDims(dsc::getDims(getResult()));
  return success();
}

/// An expansion to the same type is its input.
OpFoldResult ExpandOp::fold(FoldAdaptor) {
  return getInput().getType() == getResult().getType() ? getInput() : Value();
}

LogicalResult TileOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor adaptor, Types &types) {
  Dims dims = dsc::getDims(adaptor.getInput()), repeats = adaptor.getRepeats().getDims();
  // tile (C1)
  if (repeats.size() != dims.size())
    return emitOptionalError(location, "has ", repeats.size(), " counts for ", dims.size(), " dims");
  for (size_t i = 0; i < dims.size(); ++i)
    dims[i] = dims[i] * repeats[i];
  return inferTensor(location, dims, getElementType(adaptor.getInput()), types);
}
