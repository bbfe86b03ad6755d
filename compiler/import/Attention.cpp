// Attention and RotaryEmbedding of opset 23, written out.
//
//     q ─► scale ─┐
//     k ──────────┴ matmul ─► softcap ─► masks ─► softmax ─┐
//     v ───────────────────────────────────────────────────┴ matmul ─► y

#include "compiler/import/Converters.h"
#include "compiler/import/Counting.h"
#include "compiler/import/ElementTypes.h"
#include "compiler/import/Matmul.h"

#include <cmath>

using namespace mlir;

namespace dscc {

namespace {

class AttentionImporter {
public:
  explicit AttentionImporter(NodeImporter &node) : node(node) {}
  LogicalResult convert();

private:
  Value splitHeads(Value x, StringRef attribute);
  Value repeatHeads(Value x, const DimExpr &heads);
  Value append(Value past, Value present);
  Value scaled(Value q);
  Value keepWhere(Value condition, Value scores);
  Value applyMask(Value scores, Value mask);
  Value applyCausal(Value scores);
  Value applyLengths(Value scores, Value lengths);
  Value countScores(Value scores, size_t axis);

  NodeImporter &node;
};

} // namespace

/// [batch, sequence, heads * size] as [batch, heads, sequence, size].
Value AttentionImporter::splitHeads(Value x, StringRef attribute) {
  if (rankOf(x) == 4)
    return x;
  int64_t heads = node.integer(attribute, 0);
  if (rankOf(x) != 3 || heads < 1) {
    (void)node.reject("has an operand " + dsc::describeDims(dimsOf(x)) + " and " + Twine(heads) + " heads");
    return {};
  }
  dsc::Dims dims = dimsOf(x);
  return node.transpose(node.reshape(x, {dims[0], dims[1], heads, DimExpr::floorDiv(dims[2], heads)}), {0, 2, 1, 3});
}

/// Each head as often as there are query heads for it, side by side.
Value AttentionImporter::repeatHeads(Value x, const DimExpr &heads) {
  dsc::Dims dims = dimsOf(x);
  if (dims[1] == heads)
    return x;
  if (mlir::failed(node.requireMultiple(heads, dims[1], "query heads for key heads")))
    return {};
  DimExpr times = DimExpr::floorDiv(heads, dims[1]);
  x = node.expand(node.reshape(x, {dims[0], dims[1], 1, dims[2], dims[3]}),
                  {dims[0], dims[1], times, dims[2], dims[3]});
  return node.reshape(x, {dims[0], heads, dims[2], dims[3]});
}

Value AttentionImporter::append(Value past, Value present) {
  return past && present ? node.make<dsc::ConcatOp>(ValueRange{past, present}, node.builder.getI64IntegerAttr(2))
                         : present;
}

Value AttentionImporter::scaled(Value q) {
  if (node.hasAttribute("scale"))
    return node.mul(q, node.scalarLike(q, node.number("scale", 1)));
  DimExpr size = dimsOf(q)[3];
  if (size.isConstant())
    return node.mul(q, node.scalarLike(q, 1 / std::sqrt(double(std::max<int64_t>(size.constant(), 1)))));
  Value count = node.cast(node.dims({size}, node.builder.getI64Type(), /*isScalar=*/true), node.builder.getF32Type());
  return node.mul(q, node.cast(node.make<dsc::RsqrtOp>(count), elementOf(q)));
}

Value AttentionImporter::keepWhere(Value condition, Value scores) {
  return node.make<dsc::WhereOp>(condition, scores, node.scalarLike(scores, -HUGE_VAL));
}

/// A mask shorter than the keys hides those that it does not name.
Value AttentionImporter::applyMask(Value scores, Value mask) {
  if (!scores)
    return {};
  if (rankOf(mask) < 2) {
    (void)node.reject("has a mask of rank " + Twine(rankOf(mask)) + ", which must be 2 or more");
    return {};
  }
  DimExpr keys = dimsOf(scores)[3], length = dimsOf(mask).back(), missing = keys - length;
  bool isBoolean = elementOf(mask).isInteger(1);
  // A mask whose length only a run can tell may be as short as it likes, but no longer than the keys.
  if (!missing.isConstant() && mlir::failed(node.requireEqual(DimExpr::max(length, keys), keys, "keys under a mask")))
    return {};
  if (!missing.isConstant() || missing.constant() > 0) {
    dsc::Dims lows(rankOf(mask), DimExpr(0)), highs = lows;
    highs.back() = missing;
    Value hidden = node.scalarLike(mask, isBoolean ? 0 : -HUGE_VAL);
    mask = node.make<dsc::PadOp>(mask, hidden, node.dimsAttribute(lows), node.dimsAttribute(highs));
  }
  return isBoolean ? keepWhere(mask, scores) : node.add(scores, node.cast(mask, elementOf(scores)));
}

Value AttentionImporter::countScores(Value scores, size_t axis) {
  return countAlong(node, dimsOf(scores)[axis], axis, 4, node.builder.getI64Type());
}

/// A query sees the keys up to its own place, which comes after those of the past.
Value AttentionImporter::applyCausal(Value scores) {
  if (!scores)
    return {};
  Value row = countScores(scores, 2);
  if (node.input(4) && rankOf(node.input(4)) == 4)
    row = node.add(row, node.dims({dimsOf(node.input(4))[2]}, node.builder.getI64Type(), /*isScalar=*/true));
  return keepWhere(node.make<dsc::LessEqualOp>(countScores(scores, 3), row), scores);
}

Value AttentionImporter::applyLengths(Value scores, Value lengths) {
  if (!scores)
    return {};
  Value limit = node.reshape(node.cast(lengths, node.builder.getI64Type()), {dimsOf(scores)[0], 1, 1, 1});
  return keepWhere(node.make<dsc::LessOp>(countScores(scores, 3), limit), scores);
}

LogicalResult AttentionImporter::convert() {
  bool isFlat = rankOf(node.input(0)) == 3;
  Value q = splitHeads(node.input(0), "q_num_heads");
  Value k = append(node.input(4), splitHeads(node.input(1), "kv_num_heads"));
  Value v = append(node.input(5), splitHeads(node.input(2), "kv_num_heads"));
  if (!q || !k || !v)
    return failure();
  if (rankOf(q) != 4 || rankOf(k) != 4 || rankOf(v) != 4)
    return node.reject("has operands of different ranks");
  Type type = elementOf(q);
  node.setResult(1, k);
  node.setResult(2, v);
  DimExpr heads = dimsOf(q)[1];
  k = repeatHeads(k, heads);
  v = repeatHeads(v, heads);
  Value scores = makeMatmul(node, scaled(q), k, /*transposeA=*/false, /*transposeB=*/true);
  if (double cap = node.number("softcap", 0); cap > 0) {
    Value limit = node.scalarLike(scores, cap);
    scores = node.mul(node.make<dsc::TanhOp>(node.div(scores, limit)), limit);
  }
  int64_t mode = node.integer("qk_matmul_output_mode", 0);
  if (mode == 0 || mode == 1)
    node.setResult(3, scores);
  if (node.input(3))
    scores = applyMask(scores, node.input(3));
  if (node.integer("is_causal", 0))
    scores = applyCausal(scores);
  if (node.input(6))
    scores = applyLengths(scores, node.input(6));
  if (mode == 2)
    node.setResult(3, scores);
  Type precision = type;
  if (node.hasAttribute("softmax_precision"))
    precision = elementType(node.builder.getContext(), node.integer("softmax_precision", 1));
  if (!isa_and_nonnull<FloatType>(precision))
    return node.reject("has a softmax_precision that is not a float");
  Value weights = node.make<dsc::SoftmaxOp>(node.cast(scores, precision), node.builder.getI64IntegerAttr(3));
  weights = node.cast(weights, type);
  if (mode == 3)
    node.setResult(3, weights);
  Value y = makeMatmul(node, weights, node.cast(v, type));
  if (!isFlat || !y)
    return node.finish(y);
  dsc::Dims dims = dimsOf(y);
  return node.finish(node.reshape(node.transpose(y, {0, 2, 1, 3}), {dims[0], dims[2], dims[1] * dims[3]}));
}

static LogicalResult convertAttention(NodeImporter &node) { return AttentionImporter(node).convert(); }

static Value partOfLast(NodeImporter &node, Value x, const DimExpr &start, const DimExpr &size, int64_t step) {
  if (!x)
    return {};
  dsc::Dims sizes = dimsOf(x), starts(sizes.size(), DimExpr(0));
  Integers steps(sizes.size(), 1);
  starts.back() = start;
  sizes.back() = size;
  steps.back() = step;
  return node.slice(x, starts, sizes, steps);
}

static Value joinLast(NodeImporter &node, Value a, Value b) {
  return a && b ? node.make<dsc::ConcatOp>(ValueRange{a, b}, node.builder.getI64IntegerAttr(rankOf(a) - 1)) : Value();
}

/// The cosines or sines for each place, with a dim of 1 for the heads.
static Value readCache(NodeImporter &node, Value cache, Value positions, bool headsFirst) {
  if (positions)
    cache = node.make<dsc::GatherOp>(cache, positions, node.builder.getI64IntegerAttr(0));
  if (!cache || rankOf(cache) != 3) {
    (void)node.reject("has a cache that does not give each place its angles");
    return {};
  }
  dsc::Dims dims = dimsOf(cache);
  dims.insert(dims.begin() + (headsFirst ? 1 : 2), DimExpr(1));
  return node.reshape(cache, dims);
}

static LogicalResult convertRotaryEmbedding(NodeImporter &node) {
  Value x = node.input(0);
  dsc::Dims original = dimsOf(x);
  bool headsFirst = original.size() == 4;
  int64_t heads = node.integer("num_heads", 0), rotated = node.integer("rotary_embedding_dim", 0);
  if (!headsFirst && (original.size() != 3 || heads < 1))
    return node.reject("has an input of rank " + Twine(original.size()) + " and " + Twine(heads) + " heads");
  if (!headsFirst)
    x = node.reshape(x, {original[0], original[1], heads, DimExpr::floorDiv(original[2], heads)});
  Value cosines = readCache(node, node.input(1), node.input(3), headsFirst);
  Value sines = readCache(node, node.input(2), node.input(3), headsFirst);
  if (!x || !cosines || !sines)
    return failure();
  DimExpr size = dimsOf(x)[3], part = rotated > 0 ? DimExpr(rotated) : size, half = DimExpr::floorDiv(part, 2);
  bool interleaved = node.integer("interleaved", 0);
  Value a = interleaved ? partOfLast(node, x, 0, half, 2) : partOfLast(node, x, 0, half, 1);
  Value b = interleaved ? partOfLast(node, x, 1, half, 2) : partOfLast(node, x, half, half, 1);
  Value real = node.sub(node.mul(cosines, a), node.mul(sines, b));
  Value imaginary = node.add(node.mul(sines, a), node.mul(cosines, b));
  Value turned;
  if (interleaved && real) {
    dsc::Dims pairs = dimsOf(real), whole = pairs;
    pairs.push_back(1);
    whole.back() = half * 2;
    turned = node.reshape(joinLast(node, node.reshape(real, pairs), node.reshape(imaginary, pairs)), whole);
  } else {
    turned = joinLast(node, real, imaginary);
  }
  if (part != size)
    turned = joinLast(node, turned, partOfLast(node, x, part, size - part, 1));
  return node.finish(node.reshape(turned, original));
}

ArrayRef<Converter> attentionConverters() {
  static constexpr Converter entries[] = {
      {"", "Attention", 23, 3, 7, onFloats<convertAttention>},
      {"", "RotaryEmbedding", 23, 3, 4, onFloats<convertRotaryEmbedding>},
  };
  return entries;
}

} // namespace dscc
