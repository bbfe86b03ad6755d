#include "passes/stream/HostProgram.h"

#include "passes/DimCode.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace dscc {

HostFunction::HostFunction(OpBuilder &builder, Location location, StringRef name, ArrayRef<Type> arguments, Type result,
                           ArrayAttr symbols)
    : b(builder), loc(location), symbols(symbols) {
  auto type = LLVM::LLVMFunctionType::get(result, arguments);
  function = LLVM::LLVMFuncOp::create(b, loc, name, type);
  entry = function.addEntryBlock(b);
  b.setInsertionPointToEnd(entry);
}

Value HostFunction::argument(unsigned index) { return function.getArgument(index); }
Type HostFunction::pointerType() { return LLVM::LLVMPointerType::get(b.getContext()); }
Type HostFunction::i64() { return b.getI64Type(); }
Type HostFunction::i32() { return b.getI32Type(); }

Value HostFunction::number(int64_t value) { return LLVM::ConstantOp::create(b, loc, i64(), value); }
Value HostFunction::status(int32_t value) { return LLVM::ConstantOp::create(b, loc, i32(), int64_t(value)); }

Value HostFunction::address(Value base, int64_t index) {
  if (index == 0)
    return base;
  return LLVM::GEPOp::create(b, loc, pointerType(), i64(), base, ArrayRef<LLVM::GEPArg>{int32_t(index)});
}

Value HostFunction::load(Value base, int64_t index, Type type) {
  return LLVM::LoadOp::create(b, loc, type, address(base, index));
}

void HostFunction::store(Value value, Value base, int64_t index) {
  LLVM::StoreOp::create(b, loc, value, address(base, index));
}

Value HostFunction::advance(Value base, Value bytes) {
  return LLVM::GEPOp::create(b, loc, pointerType(), b.getI8Type(), base, ArrayRef<LLVM::GEPArg>{bytes});
}

Value HostFunction::inEntry(function_ref<Value()> make) {
  OpBuilder::InsertionGuard guard(b);
  if (entryEnd)
    b.setInsertionPoint(entryEnd);
  return make();
}

Value HostFunction::slots(int64_t count) {
  return inEntry([&] { return LLVM::AllocaOp::create(b, loc, pointerType(), i64(), number(count)).getResult(); });
}

Value HostFunction::symbol(StringRef name) {
  Value &value = symbolValues[name];
  if (value)
    return value;
  assert(symbols && symbolPointer && "setSymbols comes before the first dim with a name");
  for (auto [index, entry] : llvm::enumerate(symbols.getAsRange<DictionaryAttr>()))
    if (entry.getAs<StringAttr>("name").getValue() == name)
      value = load(symbolPointer, index, i64());
  assert(value && "every name in a dim is one of dsc.symbols");
  return value;
}

Value HostFunction::dim(const DimExpr &expr) {
  Value &value = dimValues[expr.str()];
  if (!value)
    value = inEntry([&] { return emitDim(b, loc, expr, [&](StringRef name) { return symbol(name); }, i64()); });
  return value;
}

Block *HostFunction::newBlock() {
  OpBuilder::InsertionGuard guard(b);
  return b.createBlock(&function.getBody(), function.getBody().end());
}

void HostFunction::returnUnless(Value condition, Value value) {
  Block *leave = newBlock(), *next = newBlock();
  Operation *branch = LLVM::CondBrOp::create(b, loc, condition, next, leave);
  if (branch->getBlock() == entry)
    entryEnd = branch;
  b.setInsertionPointToEnd(leave);
  LLVM::ReturnOp::create(b, loc, value);
  b.setInsertionPointToEnd(next);
}

void HostFunction::onlyIf(Value condition, function_ref<void()> body) {
  Block *then = newBlock(), *next = newBlock();
  Operation *branch = LLVM::CondBrOp::create(b, loc, condition, then, next);
  if (branch->getBlock() == entry)
    entryEnd = branch;
  b.setInsertionPointToEnd(then);
  body();
  LLVM::BrOp::create(b, loc, next);
  b.setInsertionPointToEnd(next);
}

void HostFunction::finish(Value value) { LLVM::ReturnOp::create(b, loc, value ? ValueRange(value) : ValueRange()); }

} // namespace dscc
