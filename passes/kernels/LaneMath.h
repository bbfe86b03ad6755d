// Integer arithmetic on coordinates that may be scalars or lanes.

#ifndef DSCC_PASSES_KERNELS_LANEMATH_H
#define DSCC_PASSES_KERNELS_LANEMATH_H

#include "passes/kernels/KernelBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace dscc::kernels {

/// Ops on index-typed values; an operand that is a scalar is splatted if the other has lanes.
struct LaneMath {
  /// What all code is written with.
  KernelBuilder &k;

  /// `Op` on two values, folded if both are constants.
  template <typename Op> Value make(Value a, Value b) const {
    llvm::SmallVector<Value> v = {a, b};
    k.unify(v);
    return k.b.createOrFold<Op>(k.loc, v[0], v[1]);
  }
  /// A constant index.
  Value number(int64_t value) const { return k.index(value); }
  /// a + b
  Value add(Value a, Value b) const { return make<mlir::arith::AddIOp>(a, b); }
  /// a - b
  Value sub(Value a, Value b) const { return make<mlir::arith::SubIOp>(a, b); }
  /// a * b
  Value mul(Value a, Value b) const { return make<mlir::arith::MulIOp>(a, b); }
  /// The smaller one, as signed numbers.
  Value min(Value a, Value b) const { return make<mlir::arith::MinSIOp>(a, b); }
  /// The larger one, as signed numbers.
  Value max(Value a, Value b) const { return make<mlir::arith::MaxSIOp>(a, b); }
  /// a / b rounded down.
  Value div(Value a, Value b) const { return make<mlir::arith::DivUIOp>(a, b); } // not negative
  /// a / b rounded towards 0.
  Value divSigned(Value a, Value b) const { return make<mlir::arith::DivSIOp>(a, b); }
  /// What `div` leaves.
  Value rem(Value a, Value b) const { return make<mlir::arith::RemUIOp>(a, b); } // not negative
  /// What `divSigned` leaves: of a's sign.
  Value remSigned(Value a, Value b) const { return make<mlir::arith::RemSIOp>(a, b); }
  /// i1 where `p` holds, a scalar or lanes.
  Value compare(mlir::arith::CmpIPredicate p, Value a, Value b) const {
    llvm::SmallVector<Value> v = {a, b};
    k.unify(v);
    return mlir::arith::CmpIOp::create(k.b, k.loc, p, v[0], v[1]);
  }
  /// a where c holds, else b. A condition with lanes gives lanes.
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
