// Integer arithmetic on coordinates that may be scalars or lanes.

#ifndef DSCC_PASSES_KERNELS_LANEMATH_H
#define DSCC_PASSES_KERNELS_LANEMATH_H

#include "passes/kernels/KernelBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace dscc::kernels {

/// Ops on index-typed values; an operand that is a scalar is splatted if the other has lanes.
struct LaneMath {
  KernelBuilder &k;

  template <typename Op> Value make(Value a, Value b) const {
    llvm::SmallVector<Value> v = {a, b};
    k.unify(v);
    return k.b.createOrFold<Op>(k.loc, v[0], v[1]);
  }
  Value number(int64_t value) const { return k.index(value); }
  Value add(Value a, Value b) const { return make<mlir::arith::AddIOp>(a, b); }
  Value sub(Value a, Value b) const { return make<mlir::arith::SubIOp>(a, b); }
  Value mul(Value a, Value b) const { return make<mlir::arith::MulIOp>(a, b); }
  Value min(Value a, Value b) const { return make<mlir::arith::MinSIOp>(a, b); }
  Value max(Value a, Value b) const { return make<mlir::arith::MaxSIOp>(a, b); }
  Value div(Value a, Value b) const { return make<mlir::arith::DivUIOp>(a, b); } // not negative
  Value divSigned(Value a, Value b) const { return make<mlir::arith::DivSIOp>(a, b); }
  Value rem(Value a, Value b) const { return make<mlir::arith::RemUIOp>(a, b); } // not negative
  Value remSigned(Value a, Value b) const { return make<mlir::arith::RemSIOp>(a, b); }
  Value compare(mlir::arith::CmpIPredicate p, Value a, Value b) const {
    llvm::SmallVector<Value> v = {a, b};
    k.unify(v);
    return mlir::arith::CmpIOp::create(k.b, k.loc, p, v[0], v[1]);
  }
  Value select(Value c, Value a, Value b) const {
    llvm::SmallVector<Value> v = {a, b};
    k.unify(v);
    if (k.isVector(c))
      v = {k.splat(v[0]), k.splat(v[1])};
    return mlir::arith::SelectOp::create(k.b, k.loc, c, v[0], v[1]);
  }
};

} // namespace dscc::kernels

#endif // DSCC_PASSES_KERNELS_LANEMATH_H
