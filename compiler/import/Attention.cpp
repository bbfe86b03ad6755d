// Attention and RotaryEmbedding of opset 23, written out.
//
//     q ─► scale ─┐
//     k ──────────┴ matmul ─► softcap ─► masks ─► softmax ─► 0 where masked ─┐
//     v ─────────────────────────────────────────────────────────────────────┴ matmul ─► y
//
// A query's place is its number in the block plus an offset: the length of the past, or where the cache is kept
// outside, nonpad_kv_seqlen less the block's length. The causal mask and the windows compare it with the key's place.
// That, and that a query which may see no key gets a row of zeros, is an erratum of the standard (after ONNX 1.22), for
// both opsets.

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
  LogicalResult checkCache();
  Value splitHeads(Value x, StringRef attribute);
  Value repeatHeads(Value x, const DimExpr &heads);
  Value append(Value past, Value present);
  Value scaled(Value q);
  Value keepWhere(Value condition, Value scores);
  Value applyMask(Value scores, Value mask);
  Value applyPlaces(Value scores);
  Value applyLengths(Value scores);
  Value queryPlaces(Value scores);
  Value lengthsOf(Value scores);
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
  int64_t rank = rankOf(mask);
  if (rank < 1 || rank > 4) {
    (void)node.reject("has a mask of rank " + Twine(rank) + ", which must be 1 to 4");
    return {};
  }
  dsc::Dims dims = dimsOf(mask), all = dimsOf(scores);
  for (int64_t i = 1; i < rank; ++i)
    if (const DimExpr &own = dims[rank - 1 - i], &wanted = all[3 - i];
        own.isConstant() && wanted.isConstant() && !own.isConstant(1) && own != wanted) {
      (void)node.reject("has a mask of the dims " + dsc::describeDims(dims) +
                        ", which do not broadcast to the scores' " + dsc::describeDims(all));
      return {};
    }
  DimExpr keys = all[3], length = dims.back(), missing = keys - length;
  bool isBoolean = elementOf(mask).isInteger(1);
  // A mask whose length only a run can tell may be as short as it likes, but no longer than the keys.
  if (mlir::failed(node.requireEqual(DimExpr::max(length, keys), keys, "keys under a mask")))
    return {};
  if (!missing.isConstant() || missing.constant() > 0) {
    dsc::Dims lows(rank, DimExpr(0)), highs = lows;
    highs.back() = missing;
    Value hidden = node.scalarLike(mask, isBoolean ? 0 : -HUGE_VAL);
    mask = node.make<dsc::PadOp>(mask, hidden, node.dimsAttribute(lows), node.dimsAttribute(highs));
  }
  return isBoolean ? keepWhere(mask, scores) : node.add(scores, node.cast(mask, elementOf(scores)));
}

Value AttentionImporter::countScores(Value scores, size_t axis) {
  return countAlong(node, dimsOf(scores)[axis], axis, 4, node.builder.getI64Type());
}

/// nonpad_kv_seqlen, with a dim of 1 for each but the batch.
Value AttentionImporter::lengthsOf(Value scores) {
  return node.reshape(node.cast(node.input(6), node.builder.getI64Type()), {dimsOf(scores)[0], 1, 1, 1});
}

/// Where each query is among the keys.
Value AttentionImporter::queryPlaces(Value scores) {
  Value row = countScores(scores, 2);
  auto number = [&](const DimExpr &dim) { return node.dims({dim}, node.builder.getI64Type(), /*isScalar=*/true); };
  if (Value past = node.input(4))
    return node.add(row, number(dimsOf(past)[2]));
  return node.input(6) ? node.add(row, node.sub(lengthsOf(scores), number(dimsOf(scores)[2]))) : row;
}

/// A query sees the keys up to its own place, or those in a window around it.
Value AttentionImporter::applyPlaces(Value scores) {
  int64_t left = node.integer("left_window_size", -1), right = node.integer("right_window_size", -1);
  if (left < -1 || right < -1) {
    (void)node.reject("has windows of " + Twine(left) + " and " + Twine(right) + " keys, which must be -1 or more");
    return {};
  }
  if (node.integer("is_causal", 0))
    right = 0;
  if (!scores || (left < 0 && right < 0))
    return scores;
  Value query = queryPlaces(scores), key = countScores(scores, 3);
  Type i64 = node.builder.getI64Type();
  // No place is past 2^62, so that a window is never too wide to be added to one.
  auto width = [&](int64_t size) { return node.scalar(i64, std::min(size, int64_t(1) << 62)); };
  if (right >= 0)
    scores = keepWhere(node.make<dsc::LessEqualOp>(key, right ? node.add(query, width(right)) : query), scores);
  if (left >= 0 && scores)
    scores = keepWhere(node.make<dsc::LessEqualOp>(node.sub(query, width(left)), key), scores);
  return scores;
}

/// Hides what lies behind the keys that the cache holds.
Value AttentionImporter::applyLengths(Value scores) {
  return scores ? keepWhere(node.make<dsc::LessOp>(countScores(scores, 3), lengthsOf(scores)), scores) : Value();
}

/// A cache is kept by the node or outside of it, and is of keys and values.
LogicalResult AttentionImporter::checkCache() {
  Value key = node.input(4), value = node.input(5);
  if (!key != !value)
    return node.reject("has only one of past_key and past_value, which belong together");
  if (key && node.input(6))
    return node.reject("has both past_key and nonpad_kv_seqlen; a cache is kept by the node or outside of it");
  if (key && (rankOf(key) != 4 || rankOf(value) != 4))
    return node.reject("has a past of rank " + Twine(rankOf(key)) + " and " + Twine(rankOf(value)) +
                       ", which must be 4");
  return success();
}

LogicalResult AttentionImporter::convert() {
  if (failed(checkCache()))
    return failure();
  bool isFlat = rankOf(node.input(0)) == 3;
  Value q = splitHeads(node.input(0), "q_num_heads");
  Value k = append(node.input(4), splitHeads(node.input(1), "kv_num_heads"));
  Value v = append(node.input(5), splitHeads(node.input(2), "kv_num_heads"));
  if (!q || !k || !v)
    return failure();
  assert(rankOf(q) == 4 && rankOf(k) == 4 && rankOf(v) == 4 && "splitHeads gives heads a dim of their own");
  Type type = elementOf(q);
  node.setResult(1, k);
  node.setResult(2, v);
  DimExpr heads = dimsOf(q)[1];
  k = repeatHeads(k, heads);
  v = repeatHeads(v, heads);
  Value scores = makeMatmul(node, scaled(q), k, /*transposeA=*/false, /*transposeB=*/true);
  int64_t mode = node.integer("qk_matmul_output_mode", 0);
  if (mode == 0)
    node.setResult(3, scores);
  if (double cap = node.number("softcap", 0); cap > 0) {
    Value limit = node.scalarLike(scores, cap);
    scores = node.mul(node.make<dsc::TanhOp>(node.div(scores, limit)), limit);
  }
  if (mode == 1)
    node.setResult(3, scores);
  Value unmasked = scores;
  if (node.input(3))
    scores = applyMask(scores, node.input(3));
  scores = applyPlaces(scores);
  // The causal mask of a cache that is kept outside ends where its keys end.
  if (node.input(6) && !node.integer("is_causal", 0))
    scores = applyLengths(scores);
  if (mode == 2)
    node.setResult(3, scores);
  Type precision = type;
  if (node.hasAttribute("softmax_precision"))
    precision = elementType(node.builder.getContext(), node.integer("softmax_precision", 1));
  if (!isa_and_nonnull<FloatType>(precision))
    return node.reject("has a softmax_precision that is not a float");
  Value weights = node.make<dsc::SoftmaxOp>(node.cast(scores, precision), node.builder.getI64IntegerAttr(3));
  weights = node.cast(weights, type);
  // Without a key to see, the softmax is NaN. Elsewhere a masked key's weight is 0 already.
  if (scores != unmasked && weights)
    weights = node.make<dsc::WhereOp>(node.make<dsc::EqualOp>(scores, node.scalarLike(scores, -HUGE_VAL)),
                                      node.scalarLike(weights, 0), weights);
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
      {"", "Attention", 23, 3, 7, convertAttention, "T1=floats, T1, T2=floats, any, T1, T2, int64"},
      {"", "RotaryEmbedding", 23, 3, 4, convertRotaryEmbedding, "T=float16+bfloat16+float, T, T, int64"},
  };
  return entries;
}

} // namespace dscc
