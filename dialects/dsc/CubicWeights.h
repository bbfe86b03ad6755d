// Keys' cubic convolution: four neighbours and their weights ("Cubic convolution interpolation for digital image
// processing", 1981). `dsc.resize` and what the importer makes of GridSample mix elements this way.

#ifndef DSCC_DIALECTS_DSC_CUBICWEIGHTS_H
#define DSCC_DIALECTS_DSC_CUBICWEIGHTS_H

#include "llvm/ADT/SmallVector.h"

namespace dscc {

/// The weights of the neighbours at -1, 0, 1 and 2 for a place at the fraction `t` past neighbour 0, with Keys' `a`.
/// `math` computes on values, be they ops of a graph or of a kernel: number(double), add, sub, mul.
template <typename Math, typename Value> llvm::SmallVector<Value> cubicWeights(const Math &math, double a, Value t) {
  auto near = [&](Value d) { // |d| <= 1: ((a + 2) d - (a + 3)) d^2 + 1
    Value inner = math.sub(math.mul(math.number(a + 2), d), math.number(a + 3));
    return math.add(math.mul(math.mul(inner, d), d), math.number(1));
  };
  auto far = [&](Value d) { // 1 < |d| < 2: ((a d - 5a) d + 8a) d - 4a
    Value inner = math.sub(math.mul(math.number(a), d), math.number(5 * a));
    inner = math.add(math.mul(inner, d), math.number(8 * a));
    return math.sub(math.mul(inner, d), math.number(4 * a));
  };
  Value one = math.number(1);
  return {far(math.add(t, one)), near(t), near(math.sub(one, t)), far(math.sub(math.number(2), t))};
}

} // namespace dscc

#endif // DSCC_DIALECTS_DSC_CUBICWEIGHTS_H
