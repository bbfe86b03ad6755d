// Elements of ops that only move: each turns the coordinates of its result into those of its input.

#include "passes/kernels/ElementCode.h"
#include "passes/kernels/LaneMath.h"
#include "passes/kernels/ScalarCode.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace dscc::kernels {

static Value emitTranspose(ElementCode &code, Operation *op, const Indices &at) {
  auto transpose = cast<dsc::TransposeOp>(op);
  SmallVector<int64_t> permutation = dsc::getIntegers(transpose.getPermutation());
  assert(permutation.size() == at.size() && "transpose (C1): each dim has its place");
  Indices input(at.size());
  for (size_t i = 0; i < at.size(); ++i)
    input[permutation[i]] = at[i];
  return code.element(transpose.getInput(), input);
}

static Value emitSlice(ElementCode &code, Operation *op, const Indices &at) {
  auto slice = cast<dsc::SliceOp>(op);
  KernelBuilder &k = code.k;
  dsc::Dims starts = slice.getStarts().getDims();
  SmallVector<int64_t> steps = dsc::getIntegers(slice.getSteps());
  Indices input;
  for (size_t i = 0; i < at.size(); ++i)
    input.push_back(k.addTo(k.scale(at[i], k.index(steps[i])), k.dim(starts[i])));
  return code.element(slice.getInput(), input);
}

bool isGatheredAlong(Value value, size_t dim) {
  dsc::Dims dims = dsc::getDims(value);
  if (dims[dim].isConstant(1))
    return false;
  Operation *op = value.getDefiningOp();
  if (!op)
    return llvm::any_of(llvm::drop_begin(dims, dim + 1), [](const DimExpr &inner) { return !inner.isConstant(1); });
  if (auto transpose = dyn_cast<dsc::TransposeOp>(op))
    return isGatheredAlong(transpose.getInput(), dsc::getIntegers(transpose.getPermutation())[dim]);
  if (auto slice = dyn_cast<dsc::SliceOp>(op))
    return dsc::getIntegers(slice.getSteps())[dim] != 1 || isGatheredAlong(slice.getInput(), dim);
  if (!dsc::isElementwise(op) && !isa<dsc::ExpandOp>(op))
    return false;
  return llvm::any_of(op->getOperands(), [&](Value operand) {
    size_t missing = dims.size() - dsc::getDims(operand).size();
    return dim >= missing && isGatheredAlong(operand, dim - missing);
  });
}

static Value emitExpand(ElementCode &code, Operation *op, const Indices &at) {
  auto expand = cast<dsc::ExpandOp>(op);
  dsc::Dims input = dsc::getDims(expand.getInput()), result = dsc::getDims(expand.getResult());
  return code.element(expand.getInput(), code.broadcastIndices(input, result, at));
}

/// Position in the repeated tensor modulo its size.
static Index wrapAround(KernelBuilder &k, const Index &i, Value size) {
  return k.fromValue(LaneMath{k}.rem(k.asValue(i), size));
}

static Value emitTile(ElementCode &code, Operation *op, const Indices &at) {
  auto tile = cast<dsc::TileOp>(op);
  dsc::Dims dims = dsc::getDims(tile.getInput()), repeats = tile.getRepeats().getDims();
  Indices input;
  for (size_t i = 0; i < at.size(); ++i)
    input.push_back(repeats[i].isConstant(1) ? at[i] : wrapAround(code.k, at[i], code.k.dim(dims[i])));
  return code.element(tile.getInput(), input);
}

/// Coordinates of the same element under other dims. Dims of size 1 come and go for free.
static Indices reshapeIndices(KernelBuilder &k, ArrayRef<DimExpr> from, ArrayRef<DimExpr> to, const Indices &at) {
  auto isNotOne = [](const DimExpr &dim) { return !dim.isConstant(1); };
  SmallVector<DimExpr> a = llvm::to_vector(llvm::make_filter_range(from, isNotOne)),
                       b = llvm::to_vector(llvm::make_filter_range(to, isNotOne));
  Indices result(to.size(), k.constantIndex(0));
  if (a == b) {
    size_t source = 0;
    for (size_t i = 0; i < to.size(); ++i) {
      if (!isNotOne(to[i]))
        continue;
      while (!isNotOne(from[source]))
        ++source;
      result[i] = at[source++];
    }
    return result;
  }
  LaneMath m{k};
  SmallVector<Value> strides = k.rowMajorStrides(from);
  Value rest = k.index(0);
  for (size_t i = 0; i < at.size(); ++i)
    rest = m.add(rest, k.asValue(k.scale(at[i], strides[i])));
  for (size_t i = to.size(); i-- > 0;) {
    if (i == 0) {
      result[0] = k.fromValue(rest);
      break;
    }
    Value size = k.dim(to[i]);
    result[i] = k.fromValue(m.rem(rest, size));
    rest = m.div(rest, size);
  }
  return result;
}

static Value emitReshape(ElementCode &code, Operation *op, const Indices &at) {
  auto reshape = cast<dsc::ReshapeOp>(op);
  return code.element(reshape.getInput(),
                      reshapeIndices(code.k, dsc::getDims(reshape.getResult()), dsc::getDims(reshape.getInput()), at));
}

static Value emitPad(ElementCode &code, Operation *op, const Indices &at) {
  auto pad = cast<dsc::PadOp>(op);
  KernelBuilder &k = code.k;
  dsc::Dims dims = dsc::getDims(pad.getInput()), lows = pad.getLows().getDims(), highs = pad.getHighs().getDims();
  Indices input;
  SmallVector<Value> limits;
  for (size_t i = 0; i < at.size(); ++i) {
    bool padded = !lows[i].isConstant(0) || !highs[i].isConstant(0);
    input.push_back(padded ? k.addTo(at[i], k.dim(DimExpr(0) - lows[i])) : at[i]);
    limits.push_back(padded ? k.dim(dims[i]) : Value());
  }
  Indices first(dsc::getDims(pad.getValue()).size(), k.constantIndex(0));
  Value outside = code.element(pad.getValue(), first);
  return code.elementOr(pad.getInput(), input, limits, outside);
}

using Remap = Index (*)(KernelBuilder &, const Index &, Value size);

template <typename Op, Remap remap> static Value emitRemappedPad(ElementCode &code, Operation *op, const Indices &at) {
  auto pad = cast<Op>(op);
  KernelBuilder &k = code.k;
  dsc::Dims dims = dsc::getDims(pad.getInput()), lows = pad.getLows().getDims(), highs = pad.getHighs().getDims();
  Indices input;
  for (size_t i = 0; i < at.size(); ++i) {
    bool padded = !lows[i].isConstant(0) || !highs[i].isConstant(0);
    Index moved = padded ? k.addTo(at[i], k.dim(DimExpr(0) - lows[i])) : at[i];
    input.push_back(padded ? remap(k, moved, k.dim(dims[i])) : moved);
  }
  return code.element(pad.getInput(), input);
}

static Index clampToEdge(KernelBuilder &k, const Index &i, Value size) {
  LaneMath m{k};
  return k.fromValue(m.max(m.min(k.asValue(i), m.sub(size, m.number(1))), m.number(0)));
}

/// ..2 1 0 1 2 .. n-1 n-2..: a triangle wave of period 2(n - 1); size 1 stays at 0.
static Index reflect(KernelBuilder &k, const Index &i, Value size) {
  LaneMath m{k};
  Value last = m.sub(size, m.number(1));
  Value period = m.max(m.add(last, last), m.number(1));
  Value positive = m.remSigned(m.add(m.remSigned(k.asValue(i), period), period), period);
  return k.fromValue(m.min(positive, m.sub(period, positive)));
}

static Index wrapSigned(KernelBuilder &k, const Index &i, Value size) {
  LaneMath m{k};
  return k.fromValue(m.remSigned(m.add(m.remSigned(k.asValue(i), size), size), size));
}

/// `inside ? first : second`, with a branch where the condition is the same for all lanes.
static Value branch(ElementCode &code, Value condition, Type element, function_ref<Value()> first,
                    function_ref<Value()> second) {
  KernelBuilder &k = code.k;
  assert(!k.isVector(condition) && "all lanes take the same branch");
  Type type = k.width > 1 ? k.laneType(getComputeType(element)) : getComputeType(element);
  auto arm = [&](function_ref<Value()> body) {
    return [&, body](OpBuilder &, Location) {
      ElementCode::Scope scope(code);
      Value value = body();
      scf::YieldOp::create(k.b, k.loc, k.lift(value));
    };
  };
  auto choice = scf::IfOp::create(k.b, k.loc, TypeRange{type}, condition, true, true);
  auto fill = [&](Region &region, function_ref<Value()> body) {
    OpBuilder::InsertionGuard guard(k.b);
    k.b.setInsertionPointToEnd(&region.front());
    arm(body)(k.b, k.loc);
  };
  fill(choice.getThenRegion(), first);
  fill(choice.getElseRegion(), second);
  return choice.getResult(0);
}

static Value emitConcat(ElementCode &code, Operation *op, const Indices &at) {
  auto concat = cast<dsc::ConcatOp>(op);
  KernelBuilder &k = code.k;
  size_t axis = concat.getAxis();
  Type element = dsc::getElementType(concat.getResult());
  // Lanes of a thread are of one operand: each begins with a whole vector.
  bool uniform = at[axis].kind == Index::Uniform || (k.wholeVectors && at[axis].kind == Index::Contiguous);
  DimExpr end;
  SmallVector<std::pair<DimExpr, DimExpr>> spans;
  for (Value input : concat.getInputs()) {
    DimExpr start = end;
    end = end + dsc::getDims(input)[axis];
    spans.push_back({start, end});
  }
  std::function<Value(size_t)> from = [&](size_t n) -> Value {
    Value input = concat.getInputs()[n];
    Indices own = at;
    own[axis] = k.addTo(at[axis], k.dim(DimExpr(0) - spans[n].first));
    if (uniform) {
      if (n + 1 == spans.size())
        return code.element(input, own);
      Value limit = k.dim(spans[n].second);
      Value isHere = arith::CmpIOp::create(k.b, k.loc, arith::CmpIPredicate::slt, at[axis].base, limit);
      return branch(code, isHere, element, [&] { return code.element(input, own); }, [&] { return from(n + 1); });
    }
    SmallVector<Value> limits(at.size());
    limits[axis] = k.dim(dsc::getDims(input)[axis]);
    Value rest = n + 1 == spans.size() ? zeroOf(k, element) : from(n + 1);
    return code.elementOr(input, own, limits, rest);
  };
  return from(0);
}

static Value emitConstant(ElementCode &code, Operation *op, const Indices &at) {
  auto constant = cast<dsc::ConstantOp>(op);
  auto elements = cast<DenseElementsAttr>(constant.getValue());
  assert(elements.isSplat() && "only constants of one value live inside groups");
  Type element = dsc::getElementType(constant.getResult()), compute = getComputeType(element);
  if (auto floating = dyn_cast<FloatType>(element)) {
    APFloat value = elements.getSplatValue<APFloat>();
    bool lossy;
    value.convert(cast<FloatType>(compute).getFloatSemantics(), APFloat::rmNearestTiesToEven, &lossy);
    return arith::ConstantOp::create(code.k.b, code.k.loc, FloatAttr::get(compute, value));
  }
  APInt value = elements.getSplatValue<APInt>();
  return arith::ConstantOp::create(code.k.b, code.k.loc, IntegerAttr::get(compute, value));
}

static Value emitDims(ElementCode &code, Operation *op, const Indices &at) {
  auto dims = cast<dsc::DimsOp>(op);
  KernelBuilder &k = code.k;
  dsc::Dims contents = dims.getDims().getDims();
  Type type = getComputeType(dsc::getElementType(dims.getResult()));
  auto asElement = [&](const DimExpr &dim) { return arith::IndexCastOp::create(k.b, k.loc, type, k.dim(dim)); };
  SmallVector<Value> choice = {contents.empty() ? k.constantInt(type, 0) : asElement(contents.back()).getResult()};
  for (size_t i = contents.size(); i-- > 1;) {
    Value position = k.asValue(at[0]);
    Value bound = k.isVector(position) ? k.splat(k.index(i)) : k.index(i);
    Value isBefore = arith::CmpIOp::create(k.b, k.loc, arith::CmpIPredicate::slt, position, bound);
    Value value = asElement(contents[i - 1]);
    if (k.isVector(isBefore)) {
      value = k.splat(value);
      choice[0] = k.splat(choice[0]);
    }
    choice[0] = arith::SelectOp::create(k.b, k.loc, isBefore, value, choice[0]);
  }
  return choice[0];
}

static Value emitIota(ElementCode &code, Operation *op, const Indices &at) {
  auto iota = cast<dsc::IotaOp>(op);
  KernelBuilder &k = code.k;
  Value position = k.asValue(at[iota.getAxis()]);
  Type i64 = k.b.getI64Type(), element = dsc::getElementType(iota.getResult());
  Value number = arith::IndexCastOp::create(k.b, k.loc, k.isVector(position) ? k.laneType(i64) : i64, position);
  return emitCast(k, number, i64, element, false);
}

/// Whether a panel is made of whole vectors of so many lanes.
static bool matchesWidth(dsc::UnpackOp unpack, int64_t lanes) {
  return dsc::getDims(unpack.getInput()).back().constant() % lanes == 0;
}

/// Lanes that begin at a multiple of their number lie in one panel, all of which may be read; any others are looked up
/// one by one.
static Value emitUnpack(ElementCode &code, Operation *op, const Indices &at) {
  auto unpack = cast<dsc::UnpackOp>(op);
  KernelBuilder &k = code.k;
  Value width = k.index(dsc::getDims(unpack.getInput()).back().constant()), mask = k.mask;
  const Index &row = at[at.size() - 2], &column = at.back();
  Indices input(at.begin(), at.end() - 2);
  if (column.kind == Index::Contiguous && column.whole && matchesWidth(unpack, k.width)) {
    input.append({k.uniform(k.divide(column.base, width)),
                  row,
                  {Index::Contiguous, k.remainder(column.base, width), {}, /*whole=*/true}});
    k.mask = {};
  } else {
    LaneMath m{k};
    Value position = k.asValue(column);
    input.append({k.fromValue(m.div(position, width)), row, k.fromValue(m.rem(position, width))});
  }
  Value element = code.element(unpack.getInput(), input);
  k.mask = mask;
  return element;
}

ArrayRef<ElementEntry> movementEntries() {
  static constexpr ElementEntry entries[] = {
      {"dsc.constant", emitConstant},
      {"dsc.dims", emitDims},
      {"dsc.iota", emitIota},
      {"dsc.transpose", emitTranspose},
      {"dsc.slice", emitSlice},
      {"dsc.expand", emitExpand},
      {"dsc.tile", emitTile},
      {"dsc.reshape", emitReshape},
      {"dsc.concat", emitConcat},
      {"dsc.pad", emitPad},
      {"dsc.pad_edge", emitRemappedPad<dsc::PadEdgeOp, clampToEdge>},
      {"dsc.pad_reflect", emitRemappedPad<dsc::PadReflectOp, reflect>},
      {"dsc.pad_wrap", emitRemappedPad<dsc::PadWrapOp, wrapSigned>},
      {"dsc.unpack", emitUnpack},
  };
  return entries;
}

} // namespace dscc::kernels
