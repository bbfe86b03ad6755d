// Elements of the scatters. Each looks through the updates for those that mean it, in their order, so that no two
// threads write the same place and every run gives the same sum.

#include "passes/kernels/LaneMath.h"
#include "passes/kernels/Reduce.h"
#include "passes/kernels/ScalarCode.h"

using namespace mlir;

namespace dscc::kernels {

/// The coordinate that an element of the indices names, or one that does not exist.
static Value toCoordinate(KernelBuilder &k, Value number, Value size) {
  LaneMath m{k};
  Type index = k.b.getIndexType();
  Value raw = arith::IndexCastOp::create(k.b, k.loc, k.isVector(number) ? k.laneType(index) : index, number);
  return m.select(m.compare(arith::CmpIPredicate::slt, raw, m.number(0)), m.add(raw, size), raw);
}

static Value join(KernelBuilder &k, StringRef reduction, Value old, Value update, Type element) {
  if (reduction == "add")
    return emitAdd(k, old, update);
  if (reduction == "mul")
    return emitMul(k, old, update);
  if (reduction == "max")
    return emitMax(k, old, update, element);
  return reduction == "min" ? emitMin(k, old, update, element) : update;
}

static Value emitScatterElements(ElementCode &code, Operation *op, const Indices &at) {
  auto scatter = cast<dsc::ScatterElementsOp>(op);
  KernelBuilder &k = code.k;
  LaneMath m{k};
  size_t axis = scatter.getAxis();
  dsc::Dims data = dsc::getDims(scatter.getData()), indices = dsc::getDims(scatter.getIndices());
  Type element = dsc::getElementType(scatter.getData()), number = dsc::getElementType(scatter.getIndices());
  // The updates may cover a part of the data only; what they do not cover is meant by none.
  SmallVector<Value> limits(data.size());
  for (size_t i = 0; i < data.size(); ++i)
    if (i != axis && indices[i] != data[i])
      limits[i] = k.dim(indices[i]);
  Value size = k.dim(data[axis]), own = k.asValue(at[axis]);
  Value nowhere = arith::IndexCastOp::create(k.b, k.loc, number, size);
  Value start = k.lift(code.element(scatter.getData(), at));
  return loopOver(code, {indices[axis]}, {start}, [&](ArrayRef<Value> position, ValueRange carried) {
    Indices from = at;
    from[axis] = k.uniform(position[0]);
    Value target = toCoordinate(k, code.elementOr(scatter.getIndices(), from, limits, nowhere), size);
    Value update = k.lift(code.elementOr(scatter.getUpdates(), from, limits, zeroOf(k, element)));
    Value joined = join(k, scatter.getReduction(), carried[0], update, element);
    return SmallVector<Value>{m.select(m.compare(arith::CmpIPredicate::eq, target, own), joined, carried[0])};
  })[0];
}

static Value emitScatterNd(ElementCode &code, Operation *op, const Indices &at) {
  auto scatter = cast<dsc::ScatterNdOp>(op);
  KernelBuilder &k = code.k;
  LaneMath m{k};
  dsc::Dims data = dsc::getDims(scatter.getData()), indices = dsc::getDims(scatter.getIndices());
  Type element = dsc::getElementType(scatter.getData());
  size_t tuple = indices.back().constant();
  Value start = k.lift(code.element(scatter.getData(), at));
  return loopOver(code, ArrayRef(indices).drop_back(), {start}, [&](ArrayRef<Value> position, ValueRange carried) {
    Indices from;
    for (Value coordinate : position)
      from.push_back(k.uniform(coordinate));
    Value joined = carried[0], matches;
    for (size_t i = 0; i < tuple; ++i) {
      Indices where = from;
      where.push_back(k.constantIndex(i));
      Value target = toCoordinate(k, code.element(scatter.getIndices(), where), k.dim(data[i]));
      Value same = m.compare(arith::CmpIPredicate::eq, target, k.asValue(at[i]));
      matches = matches ? m.make<arith::AndIOp>(matches, same) : same;
    }
    from.append(at.begin() + tuple, at.end());
    joined = join(k, scatter.getReduction(), joined, k.lift(code.element(scatter.getUpdates(), from)), element);
    return SmallVector<Value>{matches ? m.select(matches, joined, carried[0]) : joined};
  })[0];
}

ArrayRef<ElementEntry> scatterEntries() {
  static constexpr ElementEntry entries[] = {
      {"dsc.scatter_elements", emitScatterElements},
      {"dsc.scatter_nd", emitScatterNd},
  };
  return entries;
}

} // namespace dscc::kernels
