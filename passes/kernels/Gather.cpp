// Elements of the gathers: an index is loaded, made non-negative, and kept inside the data whatever it says.

#include "passes/kernels/ElementCode.h"
#include "passes/kernels/LaneMath.h"
#include "passes/kernels/ScalarCode.h"

using namespace mlir;

namespace dscc::kernels {

/// The coordinate that an element of the indices names.
static Index toCoordinate(ElementCode &code, Value number, Value size) {
  KernelBuilder &k = code.k;
  LaneMath m{k};
  Type index = k.b.getIndexType();
  Value raw = arith::IndexCastOp::create(k.b, k.loc, k.isVector(number) ? k.laneType(index) : index, number);
  Value isNegative = m.compare(arith::CmpIPredicate::slt, raw, m.number(0));
  Value wrapped = m.select(isNegative, m.add(raw, size), raw);
  return k.fromValue(m.max(m.min(wrapped, m.sub(size, m.number(1))), m.number(0)));
}

static Value emitGather(ElementCode &code, Operation *op, const Indices &at) {
  auto gather = cast<dsc::GatherOp>(op);
  size_t axis = gather.getAxis(), rank = dsc::getDims(gather.getIndices()).size();
  Indices where(at.begin() + axis, at.begin() + axis + rank);
  Value number = code.element(gather.getIndices(), where);
  Indices input(at.begin(), at.begin() + axis);
  input.push_back(toCoordinate(code, number, code.k.dim(dsc::getDims(gather.getData())[axis])));
  input.append(at.begin() + axis + rank, at.end());
  return code.element(gather.getData(), input);
}

static Value emitGatherElements(ElementCode &code, Operation *op, const Indices &at) {
  auto gather = cast<dsc::GatherElementsOp>(op);
  Value number = code.element(gather.getIndices(), at);
  Indices input = at;
  input[gather.getAxis()] = toCoordinate(code, number, code.k.dim(dsc::getDims(gather.getData())[gather.getAxis()]));
  return code.element(gather.getData(), input);
}

static Value emitGatherNd(ElementCode &code, Operation *op, const Indices &at) {
  auto gather = cast<dsc::GatherNdOp>(op);
  KernelBuilder &k = code.k;
  dsc::Dims data = dsc::getDims(gather.getData()), indices = dsc::getDims(gather.getIndices());
  size_t batch = gather.getBatchDims(), tuple = indices.back().constant(), outer = indices.size() - 1;
  Indices input(at.begin(), at.begin() + batch);
  for (size_t i = 0; i < tuple; ++i) {
    Indices where(at.begin(), at.begin() + outer);
    where.push_back(k.constantIndex(i));
    input.push_back(toCoordinate(code, code.element(gather.getIndices(), where), k.dim(data[batch + i])));
  }
  input.append(at.begin() + outer, at.end());
  return code.element(gather.getData(), input);
}

ArrayRef<ElementEntry> gatherEntries() {
  static constexpr ElementEntry entries[] = {
      {"dsc.gather", emitGather},
      {"dsc.gather_elements", emitGatherElements},
      {"dsc.gather_nd", emitGatherNd},
  };
  return entries;
}

} // namespace dscc::kernels
