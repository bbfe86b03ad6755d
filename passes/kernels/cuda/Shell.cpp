#include "passes/kernels/Shell.h"

#include "passes/kernels/Emitters.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;

namespace dscc::kernels {

Value declareShared(KernelBuilder &k, StringRef name, Type type, int64_t count, int64_t alignment) {
  auto function = k.entry->getParent()->getParentOfType<LLVM::LLVMFuncOp>();
  auto array = LLVM::LLVMArrayType::get(type, count);
  OpBuilder::InsertionGuard guard(k.b);
  k.b.setInsertionPoint(function);
  auto global = LLVM::GlobalOp::create(k.b, k.loc, array, /*isConstant=*/false, LLVM::Linkage::Internal,
                                       (function.getName() + "_" + name).str(), Attribute(), alignment,
                                       /*addrSpace=*/3);
  k.b.setInsertionPoint(k.entryPoint);
  return LLVM::AddressOfOp::create(k.b, k.loc, global);
}

Value askForShared(KernelBuilder &k) {
  constexpr int64_t alignment = 1024; // after so many bytes the pattern of a swizzle begins again
  auto function = k.entry->getParent()->getParentOfType<LLVM::LLVMFuncOp>();
  // Without a size, and external: LLVM takes it for memory of any length.
  auto array = LLVM::LLVMArrayType::get(k.b.getI8Type(), 0);
  std::string name = (function.getName() + "_dynamic").str();
  OpBuilder::InsertionGuard guard(k.b);
  k.b.setInsertionPoint(function);
  auto global = SymbolTable::lookupNearestSymbolFrom<LLVM::GlobalOp>(function, k.b.getStringAttr(name));
  if (!global)
    global = LLVM::GlobalOp::create(k.b, k.loc, array, /*isConstant=*/false, LLVM::Linkage::External, name, Attribute(),
                                    alignment, /*addrSpace=*/3);
  k.b.setInsertionPoint(k.entryPoint);
  return LLVM::AddressOfOp::create(k.b, k.loc, global);
}

Value Kernel::addTensorMap(TensorMap map) {
  if (makeTensorMap)
    return makeTensorMap(map);
  constexpr int64_t mapBytes = 128, mapAlignment = 64;
  auto function = k.entry->getParent()->getParentOfType<LLVM::LLVMFuncOp>();
  MLIRContext *context = function.getContext();
  Type pointer = LLVM::LLVMPointerType::get(context);
  Value parameter = k.entry->addArgument(pointer, k.loc);
  auto types = llvm::to_vector(function.getFunctionType().getParams());
  SmallVector<Attribute> attributes(types.size(), DictionaryAttr::get(context));
  if (ArrayAttr known = function.getArgAttrsAttr())
    llvm::copy(known, attributes.begin());
  types.push_back(pointer);
  // The hardware reads it where the driver has put it.
  auto bytes = LLVM::LLVMArrayType::get(IntegerType::get(context, 8), mapBytes);
  attributes.push_back(k.b.getDictionaryAttr(
      {k.b.getNamedAttr(LLVM::LLVMDialect::getByValAttrName(), TypeAttr::get(bytes)),
       k.b.getNamedAttr(LLVM::LLVMDialect::getAlignAttrName(), k.b.getI64IntegerAttr(mapAlignment)),
       k.b.getNamedAttr(NVVM::NVVMDialect::getGridConstantAttrName(), k.b.getUnitAttr())}));
  function.setFunctionType(LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(context), types));
  function.setArgAttrsAttr(k.b.getArrayAttr(attributes));
  tensorMaps.push_back(std::move(map));
  return parameter;
}

Value blockAlongY(KernelBuilder &k) {
  OpBuilder::InsertionGuard guard(k.b);
  k.b.setInsertionPoint(k.entryPoint);
  Value block = NVVM::BlockIdYOp::create(k.b, k.loc, k.b.getI32Type());
  return arith::IndexCastOp::create(k.b, k.loc, k.b.getIndexType(), block);
}

Shell openCudaShell(OpBuilder &b, StringRef name, Arguments arguments, Block *home, const Target &target) {
  Location loc = b.getUnknownLoc();
  MLIRContext *context = b.getContext();
  Type pointer = LLVM::LLVMPointerType::get(context, 1), i64 = b.getI64Type(), i32 = b.getI32Type();
  SmallVector<Type> types(arguments.tensors, pointer);
  types.append(arguments.symbols, i64);
  Shell shell;
  b.setInsertionPointToEnd(home);
  auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(context), types);
  shell.function = LLVM::LLVMFuncOp::create(b, loc, name, type);
  shell.function->setAttr(NVVM::NVVMDialect::getKernelFuncAttrName(), b.getUnitAttr());
  Block *entry = shell.function.addEntryBlock(b);
  b.setInsertionPointToEnd(entry);
  llvm::append_range(shell.pointers, entry->getArguments().take_front(arguments.tensors));
  llvm::append_range(shell.symbolValues, entry->getArguments().drop_front(arguments.tensors));
  Value block = NVVM::BlockIdXOp::create(b, loc, i32), thread = NVVM::ThreadIdXOp::create(b, loc, i32);
  shell.block = arith::IndexCastOp::create(b, loc, b.getIndexType(), block);
  shell.thread = arith::IndexCastOp::create(b, loc, b.getIndexType(), thread);
  shell.overlaps = target.gpu->hasProgrammaticLaunch;
  Operation *end = LLVM::ReturnOp::create(b, loc, ValueRange{});
  b.setInsertionPoint(end);
  return shell;
}

} // namespace dscc::kernels
