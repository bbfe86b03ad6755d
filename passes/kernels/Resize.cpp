// Elements of resize: where a result's element comes from, and which neighbours it is mixed from.

#include "dialects/dsc/CubicWeights.h"
#include "passes/kernels/ElementCode.h"
#include "passes/kernels/LaneMath.h"
#include "passes/kernels/ScalarCode.h"

#include "mlir/Dialect/Math/IR/Math.h"

#include <cmath>

using namespace mlir;

namespace dscc::kernels {

namespace {
/// f32 arithmetic on scalars or lanes.
struct Real {
  KernelBuilder &k;

  Value number(double value) const { return k.constant(k.b.getF32Type(), value); }
  template <typename Op> Value make(Value a, Value b) const {
    SmallVector<Value> v = {a, b};
    k.unify(v);
    return Op::create(k.b, k.loc, v[0], v[1]);
  }
  Value add(Value a, Value b) const { return make<arith::AddFOp>(a, b); }
  Value sub(Value a, Value b) const { return make<arith::SubFOp>(a, b); }
  Value mul(Value a, Value b) const { return make<arith::MulFOp>(a, b); }
  Value div(Value a, Value b) const { return make<arith::DivFOp>(a, b); }
  Value floor(Value a) const { return math::FloorOp::create(k.b, k.loc, a); }
  Value ceil(Value a) const { return math::CeilOp::create(k.b, k.loc, a); }
  Value fromIndex(Value i) const {
    Type i32 = k.b.getI32Type(), f32 = k.b.getF32Type();
    bool lanes = k.isVector(i);
    Value integer = arith::IndexCastOp::create(k.b, k.loc, lanes ? k.laneType(i32) : i32, i);
    return arith::SIToFPOp::create(k.b, k.loc, lanes ? k.laneType(f32) : f32, integer);
  }
  Value toIndex(Value x) const {
    Type i32 = k.b.getI32Type(), index = k.b.getIndexType();
    bool lanes = k.isVector(x);
    Value integer = arith::FPToSIOp::create(k.b, k.loc, lanes ? k.laneType(i32) : i32, x);
    return arith::IndexCastOp::create(k.b, k.loc, lanes ? k.laneType(index) : index, integer);
  }
};

/// One dim of the op.
struct Axis {
  Value inputSize, resultSize; // index
  Value scale;                 // f32; null: the ratio of the sizes, which need not be a float
};

/// x / scale: where sizes give the scale, of whole numbers with one rounding, so that 3.5 is not 3.4999998.
Value divideByScale(const Real &r, const Axis &axis, Value x) {
  return axis.scale ? r.div(x, axis.scale) : r.div(r.mul(x, r.fromIndex(axis.inputSize)), r.fromIndex(axis.resultSize));
}
/// The length before it is rounded to the result's size: a scale need not give a whole one.
Value scaledSize(const Real &r, const Axis &axis) {
  return axis.scale ? r.mul(axis.scale, r.fromIndex(axis.inputSize)) : r.fromIndex(axis.resultSize);
}

/// What a result's element is mixed from along one dim.
struct Tap {
  Index place;
  Value weight; // null: 1
};
} // namespace

static Value sourceOf(KernelBuilder &k, StringRef coordinates, const Axis &axis, Value position) {
  Real r{k};
  Value x = r.fromIndex(position), half = r.number(0.5);
  if (coordinates == "asymmetric")
    return divideByScale(r, axis, x);
  if (coordinates == "tf_half_pixel_for_nn")
    return divideByScale(r, axis, r.add(x, half));
  LaneMath m{k};
  Value isSingle = m.compare(arith::CmpIPredicate::sle, axis.resultSize, k.index(1));
  Value centred = r.sub(divideByScale(r, axis, r.add(x, half)), half);
  if (coordinates == "pytorch_half_pixel")
    return m.select(isSingle, r.number(0), centred);
  if (coordinates == "align_corners") {
    Value span = r.fromIndex(k.sub(axis.inputSize, k.index(1)));
    Value places = r.sub(scaledSize(r, axis), r.number(1));
    return m.select(isSingle, r.number(0), r.div(r.mul(x, span), places));
  }
  if (coordinates == "half_pixel_symmetric") {
    Value adjustment = r.div(r.fromIndex(axis.resultSize), scaledSize(r, axis));
    Value offset = r.mul(r.mul(r.fromIndex(axis.inputSize), half), r.sub(r.number(1), adjustment));
    return r.add(offset, centred);
  }
  return centred; // half_pixel
}

static Value roundNearest(KernelBuilder &k, StringRef rounding, Value x) {
  Real r{k};
  if (rounding == "round_prefer_floor")
    return r.ceil(r.sub(x, r.number(0.5)));
  if (rounding == "round_prefer_ceil")
    return r.floor(r.add(x, r.number(0.5)));
  return rounding == "floor" ? r.floor(x) : r.ceil(x);
}

static Index clampPlace(KernelBuilder &k, Value place, Value size) {
  LaneMath m{k};
  return k.fromValue(m.max(m.min(place, k.sub(size, k.index(1))), k.index(0)));
}

static SmallVector<Tap> tapsOf(KernelBuilder &k, dsc::ResizeOp resize, const Axis &axis, const Index &at) {
  Real r{k};
  LaneMath m{k};
  Value x = sourceOf(k, resize.getCoordinates(), axis, k.asValue(at));
  if (resize.getMode() == "nearest")
    return {{clampPlace(k, r.toIndex(roundNearest(k, resize.getRounding(), x)), axis.inputSize), {}}};
  if (resize.getMode() == "linear") {
    Value last = r.fromIndex(k.sub(axis.inputSize, k.index(1)));
    SmallVector<Value> v = {x, r.number(0), last};
    k.unify(v);
    x = arith::MinimumFOp::create(k.b, k.loc, arith::MaximumFOp::create(k.b, k.loc, v[0], v[1]), v[2]);
    Value base = r.floor(x), fraction = r.sub(x, base), low = r.toIndex(base);
    return {{clampPlace(k, low, axis.inputSize), r.sub(r.number(1), fraction)},
            {clampPlace(k, m.add(low, k.index(1)), axis.inputSize), fraction}};
  }
  Value base = r.floor(x), low = r.toIndex(base);
  SmallVector<Value> weights = cubicWeights(r, resize.getCubicA().convertToDouble(), r.sub(x, base));
  SmallVector<Value> places;
  for (int64_t i = 0; i < 4; ++i)
    places.push_back(m.add(low, k.index(i - 1)));
  if (resize.getExcludeOutside()) {
    Value total;
    for (size_t i = 0; i < 4; ++i) {
      Value inside = m.compare(arith::CmpIPredicate::ult, places[i], axis.inputSize);
      weights[i] = m.select(inside, weights[i], r.number(0));
      total = total ? r.add(total, weights[i]) : weights[i];
    }
    for (Value &weight : weights)
      weight = r.div(weight, total);
  }
  SmallVector<Tap> taps;
  for (size_t i = 0; i < 4; ++i)
    taps.push_back({clampPlace(k, places[i], axis.inputSize), weights[i]});
  return taps;
}

static Value emitResize(ElementCode &code, Operation *op, const Indices &at) {
  auto resize = cast<dsc::ResizeOp>(op);
  KernelBuilder &k = code.k;
  Real r{k};
  dsc::Dims input = dsc::getDims(resize.getInput()), result = dsc::getDims(resize.getResult());
  assert(resize.getScales().size() == at.size() && "resize (C1): one scale a dim");
  SmallVector<SmallVector<Tap>> taps;
  for (size_t i = 0; i < at.size(); ++i) {
    double scale = cast<FloatAttr>(resize.getScales()[i]).getValueAsDouble();
    if (input[i] == result[i] && (std::isnan(scale) || scale == 1.0)) {
      taps.push_back({{at[i], {}}});
      continue;
    }
    Axis axis{k.dim(input[i]), k.dim(result[i]), {}};
    if (!std::isnan(scale))
      axis.scale = r.number(scale);
    taps.push_back(tapsOf(k, resize, axis, at[i]));
  }
  Type element = dsc::getElementType(resize.getInput()), compute = getComputeType(element);
  Indices place(at.size());
  // An element, or what is mixed of elements already.
  auto asFloat = [&](Value part) {
    Type type = getElementTypeOrSelf(part);
    return emitCast(k, part, isa<FloatType>(type) ? type : element, k.b.getF32Type(), false);
  };
  // Mixes along dim i, then along those after it.
  std::function<Value(size_t)> mix = [&](size_t i) -> Value {
    if (i == at.size())
      return code.element(resize.getInput(), place);
    Value sum;
    for (Tap &tap : taps[i]) {
      place[i] = tap.place;
      Value part = mix(i + 1);
      if (tap.weight && sum)
        sum = emitMulAdd(k, asFloat(part), tap.weight, sum);
      else
        sum = tap.weight ? emitMul(k, asFloat(part), tap.weight) : part;
    }
    return sum;
  };
  Value value = mix(0);
  Type now = getElementTypeOrSelf(value);
  bool isWideUnsigned = element.isUnsignedInteger(32) || element.isUnsignedInteger(64);
  return now == compute ? value : emitCast(k, value, now, isWideUnsigned ? element : compute, false);
}

ArrayRef<ElementEntry> resizeEntries() {
  static constexpr ElementEntry entries[] = {{"dsc.resize", emitResize}};
  return entries;
}

} // namespace dscc::kernels
