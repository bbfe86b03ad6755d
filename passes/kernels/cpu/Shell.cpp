#include "passes/kernels/Shell.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace dscc::kernels {

Shell openCpuShell(OpBuilder &b, StringRef name, Arguments arguments, Block *home) {
  Location loc = b.getUnknownLoc();
  Type pointer = LLVM::LLVMPointerType::get(b.getContext()), i64 = b.getI64Type();
  Shell shell;
  b.setInsertionPointToEnd(home);
  auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(b.getContext()), {pointer, pointer});
  shell.function = LLVM::LLVMFuncOp::create(b, loc, name, type);
  Block *entry = shell.function.addEntryBlock(b);
  b.setInsertionPointToEnd(entry);
  Value context = entry->getArgument(0), slots = entry->getArgument(1);
  // dscc_block.index is its first field; each slot points to an argument's value.
  Value index = LLVM::LoadOp::create(b, loc, i64, context);
  shell.block = arith::IndexCastOp::create(b, loc, b.getIndexType(), index);
  // dscc_block.scratch is its third.
  Value scratch = LLVM::GEPOp::create(b, loc, pointer, pointer, context, ArrayRef<LLVM::GEPArg>{2});
  shell.scratch = LLVM::LoadOp::create(b, loc, pointer, scratch);
  unsigned slot = 0;
  auto argument = [&](Type type) -> Value {
    Value address = LLVM::GEPOp::create(b, loc, pointer, pointer, slots, ArrayRef<LLVM::GEPArg>{int32_t(slot++)});
    Value place = LLVM::LoadOp::create(b, loc, pointer, address);
    return LLVM::LoadOp::create(b, loc, type, place);
  };
  for (size_t i = 0; i < arguments.tensors; ++i)
    shell.pointers.push_back(argument(pointer));
  for (size_t i = 0; i < arguments.symbols; ++i)
    shell.symbolValues.push_back(argument(i64));
  Operation *end = LLVM::ReturnOp::create(b, loc, ValueRange{});
  b.setInsertionPoint(end);
  return shell;
}

} // namespace dscc::kernels
