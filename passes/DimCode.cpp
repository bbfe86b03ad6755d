#include "passes/DimCode.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace dscc {

namespace {
class DimEmitter {
public:
  DimEmitter(OpBuilder &builder, Location location, function_ref<Value(StringRef)> symbol, Type type)
      : b(builder), loc(location), symbol(symbol), type(type) {}

  Value emit(const DimExpr &expr) {
    assert(expr.isValid() && "what has no value has no code");
    Value sum;
    for (const DimExpr::Term &term : expr.getTerms()) {
      Value product = emitTerm(term);
      sum = sum ? b.createOrFold<arith::AddIOp>(loc, sum, product) : product;
    }
    return sum ? sum : number(0);
  }

private:
  Value number(int64_t value) { return arith::ConstantOp::create(b, loc, b.getIntegerAttr(type, value)); }

  Value emitTerm(const DimExpr::Term &term) {
    Value product;
    for (auto &factor : term.factors) {
      Value value = emitAtom(*factor);
      product = product ? b.createOrFold<arith::MulIOp>(loc, product, value) : value;
    }
    if (!product)
      return number(term.coefficient);
    if (term.coefficient == 1)
      return product;
    return b.createOrFold<arith::MulIOp>(loc, product, number(term.coefficient));
  }

  Value emitAtom(const DimAtom &atom) {
    if (atom.kind == DimAtom::Kind::Symbol) {
      Value value = symbol(atom.name);
      assert(value && value.getType() == type && "whoever asks for a formula has the values of its names");
      return value;
    }
    Value value = emit(atom.operands[0]);
    for (const DimExpr &operand : llvm::drop_begin(atom.operands)) {
      Value other = emit(operand);
      if (atom.kind == DimAtom::Kind::Min)
        value = b.createOrFold<arith::MinSIOp>(loc, value, other);
      else if (atom.kind == DimAtom::Kind::Max)
        value = b.createOrFold<arith::MaxSIOp>(loc, value, other);
      else
        value = emitFloorDiv(value, other, operand, atom.operands[0]);
    }
    return value;
  }

  Value emitFloorDiv(Value a, Value d, const DimExpr &divisor, const DimExpr &dividend) {
    bool positive = divisor.isConstant() && divisor.constant() > 0;
    if (positive && dividend.isNonNegative())
      return b.createOrFold<arith::DivUIOp>(loc, a, d);
    if (positive)
      return floorDivSigned(a, d);
    Value isZero = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, d, number(0));
    Value safe = arith::SelectOp::create(b, loc, isZero, number(1), d);
    return arith::SelectOp::create(b, loc, isZero, number(0), floorDivSigned(a, safe));
  }

  /// Spelled out, because index's floordivsi is not lowered without a pass of its own.
  Value floorDivSigned(Value a, Value d) {
    Value quotient = arith::DivSIOp::create(b, loc, a, d);
    Value rest = arith::RemSIOp::create(b, loc, a, d);
    Value inexact = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, rest, number(0));
    Value negativeRest = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, rest, number(0));
    Value negativeDivisor = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, d, number(0));
    Value differ = arith::XOrIOp::create(b, loc, negativeRest, negativeDivisor);
    Value lower = arith::AndIOp::create(b, loc, inexact, differ);
    Value minusOne = arith::SubIOp::create(b, loc, quotient, number(1));
    return arith::SelectOp::create(b, loc, lower, minusOne, quotient);
  }

  OpBuilder &b;
  Location loc;
  function_ref<Value(StringRef)> symbol;
  Type type;
};
} // namespace

Value emitDim(OpBuilder &builder, Location location, const DimExpr &expr, function_ref<Value(StringRef)> symbol,
              Type type) {
  return DimEmitter(builder, location, symbol, type).emit(expr);
}

} // namespace dscc
