// Ops that only move elements: transpose, reshape and what is made of them, concat, split, expand, tile.

#include "compiler/import/Converters.h"

using namespace mlir;

namespace dscc {

static LogicalResult convertIdentity(NodeImporter &node) { return node.finish(node.input(0)); }

/// Nothing is dropped where the model is not trained, or at a ratio of 0.
static LogicalResult convertDropout(NodeImporter &node) {
  Value x = node.input(0);
  if (node.input(2)) {
    std::optional<Integers> training = node.knownIntegers(node.input(2));
    std::optional<SmallVector<double>> ratio = node.knownFloats(node.input(1));
    bool trains = !training || training->size() != 1 || (*training)[0] != 0;
    bool drops = !ratio || ratio->size() != 1 || (*ratio)[0] != 0;
    if (trains && drops)
      return node.unsupported("drops elements at random, as in training", "export the model for inference");
  }
  if (node.usesOutput(1))
    node.setResult(1, node.splat(dimsOf(x), node.builder.getI1Type(), 1));
  return node.finish(x);
}

static LogicalResult convertTranspose(NodeImporter &node) {
  int64_t rank = rankOf(node.input(0));
  std::optional<Integers> permutation = node.integers("perm");
  if (!permutation)
    permutation = llvm::to_vector(llvm::reverse(llvm::seq<int64_t>(0, rank)));
  if (int64_t(permutation->size()) != rank)
    return node.reject("permutes " + Twine(permutation->size()) + " of " + Twine(rank) + " dims");
  return node.finish(node.transpose(node.input(0), *permutation));
}

static LogicalResult reshapeTo(NodeImporter &node, ArrayRef<DimExpr> shape, bool allowZero) {
  dsc::Dims input = dimsOf(node.input(0)), dims;
  std::optional<size_t> free;
  for (auto [i, dim] : llvm::enumerate(shape)) {
    bool isCopy = dim.isConstant(0) && !allowZero;
    if (isCopy && i >= input.size())
      return node.reject("copies dim " + Twine(i) + " of an input of rank " + Twine(input.size()));
    if (dim.isConstant() && dim.constant() < -1)
      return node.reject("has a dim of " + dim.str());
    if (dim.isConstant(-1) && free)
      return node.reject("has two dims of -1");
    if (dim.isConstant(-1))
      free = i;
    dims.push_back(dim.isConstant(-1) ? DimExpr(1) : isCopy ? input[i] : dim);
  }
  if (free) {
    DimExpr total = dsc::countElements(input), others = dsc::countElements(dims);
    if (others.isConstant(0))
      return node.reject("has a dim of -1 beside a dim of 0");
    std::optional<DimExpr> exact = DimExpr::exactDiv(total, others);
    if (!exact && total.isConstant() && others.isConstant())
      return node.reject("cannot bring " + dsc::describeDims(input) + " elements into rows of " + others.str());
    dims[*free] = exact ? *exact : DimExpr::floorDiv(total, others);
  }
  return node.finish(node.reshape(node.input(0), dims));
}

static LogicalResult convertReshape(NodeImporter &node) {
  if (mlir::failed(node.requireList(1)))
    return failure();
  std::optional<dsc::Dims> shape = node.known(node.input(1));
  if (!shape)
    return node.unsupported("has a shape that is computed at run time", "compute the shape from Shape of an input");
  return reshapeTo(node, *shape, node.integer("allowzero", 0));
}

static LogicalResult convertReshapeByAttribute(NodeImporter &node) {
  Integers shape = node.integers("shape").value_or(Integers());
  return reshapeTo(node, dsc::Dims(shape.begin(), shape.end()), /*allowZero=*/false);
}

static LogicalResult convertFlatten(NodeImporter &node) {
  dsc::Dims dims = dimsOf(node.input(0));
  int64_t axis = node.integer("axis", 1), rank = dims.size();
  if (axis < -rank || axis > rank)
    return node.reject("has axis " + Twine(axis) + " for an input of rank " + Twine(rank));
  size_t split = axis < 0 ? axis + rank : axis;
  return node.finish(node.reshape(node.input(0), {dsc::countElements(ArrayRef(dims).take_front(split)),
                                                  dsc::countElements(ArrayRef(dims).drop_front(split))}));
}

static LogicalResult convertSqueeze(NodeImporter &node) {
  dsc::Dims dims = dimsOf(node.input(0)), kept;
  std::optional<Integers> axes = node.attributeOrInput("axes", 1);
  if (node.hasFailed())
    return failure();
  if (axes && !(axes = node.normalizeAxes(*axes, dims.size())))
    return failure();
  for (auto [axis, dim] : llvm::enumerate(dims)) {
    bool dropped = axes ? llvm::is_contained(*axes, int64_t(axis)) : node.shared.facts.areEqual(dim, 1);
    if (!axes && !dropped && !dim.isConstant())
      return node.unsupported("drops the dims that are 1 at run time, and dim " + Twine(axis) + " is " + dim.str(),
                              "name the axes, or fix that dim with --dim");
    if (dropped && !dim.isConstant(1) && mlir::failed(node.requireEqual(dim, 1, "squeezed dims")))
      return failure();
    if (!dropped)
      kept.push_back(dim);
  }
  return node.finish(node.reshape(node.input(0), kept));
}

static LogicalResult convertUnsqueeze(NodeImporter &node) {
  dsc::Dims dims = dimsOf(node.input(0));
  std::optional<Integers> axes = node.attributeOrInput("axes", 1);
  if (!axes)
    return node.hasFailed() ? failure() : node.reject("names no axes");
  if (axes->size() > 64)
    return node.reject("inserts " + Twine(axes->size()) + " dims");
  if (!(axes = node.normalizeAxes(*axes, dims.size() + axes->size())))
    return failure();
  for (int64_t axis : *axes)
    dims.insert(dims.begin() + axis, DimExpr(1));
  return node.finish(node.reshape(node.input(0), dims));
}

static LogicalResult concatAlong(NodeImporter &node, int64_t axis) {
  SmallVector<Value> inputs;
  for (size_t i = 0; i < node.inputCount(); ++i) {
    if (!node.input(i))
      return node.reject("lacks its input " + Twine(i));
    inputs.push_back(node.input(i));
  }
  std::optional<int64_t> inRange = node.normalizeAxis(axis, rankOf(inputs[0]));
  if (!inRange)
    return failure();
  dsc::Dims first = dimsOf(inputs[0]);
  for (Value input : ArrayRef(inputs).drop_front()) {
    dsc::Dims next = dimsOf(input);
    for (size_t i = 0; i < std::min(first.size(), next.size()); ++i)
      if (int64_t(i) != *inRange && mlir::failed(node.requireEqual(first[i], next[i], "joined dims")))
        return failure();
  }
  return node.finish(inputs.size() == 1 ? inputs[0]
                                        : node.make<dsc::ConcatOp>(inputs, node.builder.getI64IntegerAttr(*inRange)));
}

static LogicalResult convertConcat(NodeImporter &node) { return concatAlong(node, node.integer("axis", 1)); }

/// The sizes of the parts, or nothing and a problem.
static std::optional<dsc::Dims> splitSizes(NodeImporter &node, const DimExpr &size) {
  if (std::optional<Integers> listed = node.integers("split"))
    return dsc::Dims(listed->begin(), listed->end());
  if (node.input(1)) {
    if (mlir::failed(node.requireList(1)))
      return std::nullopt;
    std::optional<dsc::Dims> known = node.known(node.input(1));
    if (!known)
      (void)node.unsupported("has sizes that are computed at run time", "make the sizes a constant");
    return known;
  }
  int64_t parts = node.outputCount();
  if (node.integer("num_outputs", parts) != parts) {
    (void)node.reject("has " + Twine(parts) + " outputs, but num_outputs is " + Twine(node.integer("num_outputs", 0)));
    return std::nullopt;
  }
  // Since opset 18 the last part may be smaller; before, the parts must be equal.
  bool mayDiffer = node.opset() >= 18;
  std::optional<DimExpr> exact = DimExpr::exactDiv(size, parts);
  if (!exact && size.isConstant() && !mayDiffer) {
    (void)node.reject("splits " + size.str() + " elements into " + Twine(parts) + " equal parts");
    return std::nullopt;
  }
  DimExpr part = exact ? *exact : mayDiffer ? DimExpr::ceilDiv(size, parts) : DimExpr::floorDiv(size, parts);
  dsc::Dims sizes(parts, part);
  if (!exact && mayDiffer)
    sizes.back() = size - part * (parts - 1);
  return sizes;
}

static LogicalResult convertSplit(NodeImporter &node) {
  Value x = node.input(0);
  dsc::Dims dims = dimsOf(x), starts(dims.size(), DimExpr(0));
  std::optional<int64_t> axis = node.normalizeAxis(node.integer("axis", 0), dims.size());
  if (!axis || node.outputCount() == 0)
    return axis ? node.reject("has no outputs") : failure();
  std::optional<dsc::Dims> sizes = splitSizes(node, dims[*axis]);
  if (!sizes)
    return failure();
  if (sizes->size() != node.outputCount())
    return node.reject("has " + Twine(node.outputCount()) + " outputs for " + Twine(sizes->size()) + " sizes");
  DimExpr sum = 0, whole = dims[*axis];
  for (auto [i, size] : llvm::enumerate(*sizes)) {
    dims[*axis] = size;
    starts[*axis] = sum;
    node.setResult(i, node.slice(x, starts, dims, Integers(dims.size(), 1)));
    sum = sum + size;
  }
  return node.requireEqual(sum, whole, "sizes of the parts and of the whole");
}

static LogicalResult convertExpand(NodeImporter &node) {
  if (mlir::failed(node.requireList(1)))
    return failure();
  Value x = node.input(0);
  std::optional<dsc::Dims> shape = node.known(node.input(1));
  if (!shape)
    return node.unsupported("has a shape that is computed at run time", "compute the shape from Shape of an input");
  dsc::Dims dims = dimsOf(x);
  std::optional<dsc::Dims> joined = dsc::broadcastDims(dims, *shape);
  if (!joined)
    return node.reject("cannot repeat " + dsc::describeDims(dims) + " to " + dsc::describeDims(*shape));
  for (size_t i = 1; i <= std::min(dims.size(), shape->size()); ++i) {
    const DimExpr &a = dims[dims.size() - i], &b = (*shape)[shape->size() - i];
    if (a != b && !a.isConstant(1) && !b.isConstant(1))
      node.relateDims(a, b);
  }
  return node.finish(node.expand(x, *joined));
}

static LogicalResult convertTile(NodeImporter &node) {
  if (mlir::failed(node.requireList(1)))
    return failure();
  std::optional<dsc::Dims> repeats = node.known(node.input(1));
  if (!repeats)
    return node.unsupported("has repeats that are computed at run time", "make the repeats a constant");
  for (const DimExpr &repeat : *repeats)
    if (repeat.isConstant() && repeat.constant() < 0)
      return node.reject("repeats " + repeat.str() + " times");
  return node.finish(node.make<dsc::TileOp>(node.input(0), node.dimsAttribute(*repeats)));
}

/// size / by, where by must divide it: now, or as a relation of the reshape around it.
static DimExpr divideSize(const DimExpr &size, int64_t by) {
  return DimExpr::exactDiv(size, by).value_or(DimExpr::floorDiv(size, by));
}

static LogicalResult checkBlocks(NodeImporter &node, int64_t block) {
  if (rankOf(node.input(0)) != 4)
    return node.reject("has an input of rank " + Twine(rankOf(node.input(0))) + ", which must be 4");
  return block >= 1 && block <= (1 << 15) ? success() : node.reject("has a block size of " + Twine(block));
}

static LogicalResult convertSpaceToDepth(NodeImporter &node) {
  int64_t block = node.integer("blocksize", 0);
  if (mlir::failed(checkBlocks(node, block)))
    return failure();
  dsc::Dims d = dimsOf(node.input(0));
  DimExpr rows = divideSize(d[2], block), columns = divideSize(d[3], block);
  Value x = node.reshape(node.input(0), {d[0], d[1], rows, block, columns, block});
  x = node.transpose(x, {0, 3, 5, 1, 2, 4});
  return node.finish(node.reshape(x, {d[0], d[1] * (block * block), rows, columns}));
}

static LogicalResult convertDepthToSpace(NodeImporter &node) {
  int64_t block = node.integer("blocksize", 0);
  if (mlir::failed(checkBlocks(node, block)))
    return failure();
  std::string mode = node.text("mode", "DCR");
  if (mode != "DCR" && mode != "CRD")
    return node.reject("has the unknown mode '" + mode + "'");
  dsc::Dims d = dimsOf(node.input(0));
  DimExpr depth = divideSize(d[1], block * block);
  Value x =
      mode == "DCR"
          ? node.transpose(node.reshape(node.input(0), {d[0], block, block, depth, d[2], d[3]}), {0, 3, 4, 1, 5, 2})
          : node.transpose(node.reshape(node.input(0), {d[0], depth, block, block, d[2], d[3]}), {0, 1, 4, 2, 5, 3});
  return node.finish(node.reshape(x, {d[0], depth, d[2] * block, d[3] * block}));
}

ArrayRef<Converter> movementConverters() {
  static constexpr Converter entries[] = {
      {"", "Identity", 1, 1, 1, convertIdentity, "all"},
      {"", "Dropout", 7, 1, 3, convertDropout, "floats+float8s, floats+float8s, bool"},
      {"", "Transpose", 1, 1, 1, convertTranspose, "all"},
      {"", "Reshape", 1, 1, 1, convertReshapeByAttribute, "ieee"},
      {"", "Reshape", 5, 2, 2, convertReshape, "all, int64"},
      {"", "Flatten", 1, 1, 1, convertFlatten, "all"},
      {"", "Squeeze", 1, 1, 2, convertSqueeze, "all, int64"},
      {"", "Unsqueeze", 1, 1, 2, convertUnsqueeze, "all, int64"},
      {"", "Concat", 1, 1, anyCount, convertConcat, "T=any..."},
      {"", "Split", 1, 1, 2, convertSplit, "any, int64"},
      {"", "Expand", 8, 2, 2, convertExpand, "any, int64"},
      {"", "Tile", 6, 2, 2, convertTile, "any, int64"},
      {"", "SpaceToDepth", 1, 1, 1, convertSpaceToDepth, "any"},
      {"", "DepthToSpace", 1, 1, 1, convertDepthToSpace, "any"},
  };
  return entries;
}

} // namespace dscc
