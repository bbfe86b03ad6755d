#include "passes/kernels/cuda/Wgmma.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace dscc::kernels {

const WgmmaForm *findWgmmaForm(Type element) {
  static constexpr WgmmaForm forms[] = {
      {[](Type element) { return element.isF16(); }, "f16", 2, 16},
      {[](Type element) { return element.isBF16(); }, "bf16", 2, 16},
  };
  for (const WgmmaForm &form : forms)
    if (form.takes(element))
      return &form;
  return nullptr;
}

// A descriptor counts in units of 16 bytes: bits 0 to 13 the address, 16 to 29 the leading offset, 32 to 45 the stride
// offset, 62 and 63 the swizzle. Where lines run along the inner dim the stride is that between groups of eight of
// them; else the leading offset leads to the next places and the stride to the next eight steps.
static constexpr int64_t unit = 16, addressBits = 0x3fff;

static int64_t descriptorFacts(const OperandMap &map, int64_t slice) {
  uint64_t swizzle = map.lineBytes == 128 ? 1 : map.lineBytes == 64 ? 2 : 3;
  uint64_t leading = map.alongInner ? 1 : map.groupBytes(slice) / unit;
  uint64_t stride = (map.alongInner ? map.groupBytes(slice) : 8 * map.lineBytes) / unit;
  return int64_t(swizzle << 62 | stride << 32 | leading << 16);
}

Value describeOperand(KernelBuilder &k, const OperandMap &map, int64_t slice, Value address) {
  Type i32 = k.b.getI32Type(), i64 = k.b.getI64Type();
  Value word = LLVM::PtrToIntOp::create(k.b, k.loc, i32, address);
  Value place = arith::ShRUIOp::create(k.b, k.loc, word, k.constantInt(i32, 4));
  place = arith::AndIOp::create(k.b, k.loc, place, k.constantInt(i32, addressBits));
  Value wide = arith::ExtUIOp::create(k.b, k.loc, i64, place);
  return arith::OrIOp::create(k.b, k.loc, wide, k.constantInt(i64, descriptorFacts(map, slice)));
}

Value advanceDescriptor(KernelBuilder &k, Value descriptor, Value bytes) {
  Value units = k.divide(bytes, k.index(unit));
  return arith::AddIOp::create(k.b, k.loc, descriptor,
                               arith::IndexCastUIOp::create(k.b, k.loc, k.b.getI64Type(), units));
}

/// Assembly whose results take the places of `sums`, which it reads: what uses them comes behind it.
static void runOnSums(KernelBuilder &k, StringRef text, ValueRange others, MutableArrayRef<Value> sums) {
  std::string constraints;
  for (size_t i = 0; i < sums.size(); ++i)
    constraints += "=f,";
  for (size_t i = 0; i < sums.size(); ++i)
    constraints += std::to_string(i) + ",";
  for (Value other : others)
    constraints += other.getType().isInteger(64) ? "l," : "r,";
  constraints += "~{memory}";
  SmallVector<Value> operands(sums.begin(), sums.end());
  llvm::append_range(operands, others);
  auto type = LLVM::LLVMStructType::getLiteral(k.b.getContext(), SmallVector<Type>(sums.size(), k.b.getF32Type()));
  auto code = LLVM::InlineAsmOp::create(k.b, k.loc, type, operands, text, constraints, /*has_side_effects=*/true,
                                        /*is_align_stack=*/false, LLVM::tailcallkind::TailCallKind::None,
                                        LLVM::AsmDialectAttr(), ArrayAttr());
  for (auto [i, sum] : llvm::enumerate(sums))
    sum = LLVM::ExtractValueOp::create(k.b, k.loc, code.getResult(0), i);
}

void multiplySlice(KernelBuilder &k, const WgmmaForm &form, const WgmmaOperands &operands, int64_t columns,
                   int64_t pending, MutableArrayRef<Value> sums) {
  int64_t slice = form.slice(), perBlock = columns / 2, blocks = int64_t(sums.size()) / perBlock;
  std::string lhs = "$" + std::to_string(2 * sums.size()), rhs = "$" + std::to_string(2 * sums.size() + 1);
  std::string text = "{\n.reg .b64 a, b;\n.reg .pred p;\nsetp.ne.b32 p, 1, 0;\nwgmma.fence.sync.aligned;\n";
  llvm::raw_string_ostream out(text);
  for (int64_t step = 0; step < slice; step += form.inner)
    for (int64_t block = 0; block < blocks; ++block) {
      int64_t ofLhs = block * operands.lhs.blockBytes(slice) + operands.lhs.stepsBytes(step, form.bytes);
      out << "add.s64 a, " << lhs << ", " << ofLhs / unit << ";\n";
      out << "add.s64 b, " << rhs << ", " << operands.rhs.stepsBytes(step, form.bytes) / unit << ";\n";
      out << "wgmma.mma_async.sync.aligned.m64n" << columns << "k" << form.inner << ".f32." << form.name << "."
          << form.name << " {";
      llvm::interleaveComma(llvm::seq(block * perBlock, (block + 1) * perBlock), out,
                            [&](int64_t i) { out << "$" << i; });
      out << "}, a, b, p, 1, 1, " << int(!operands.lhs.alongInner) << ", " << int(!operands.rhs.alongInner) << ";\n";
    }
  out << "wgmma.commit_group.sync.aligned;\nwgmma.wait_group.sync.aligned " << pending << ";\n}";
  runOnSums(k, text, {operands.lhsDescriptor, operands.rhsDescriptor}, sums);
}

void waitForProducts(KernelBuilder &k, MutableArrayRef<Value> sums) {
  runOnSums(k, "wgmma.wait_group.sync.aligned 0;", {}, sums);
}

} // namespace dscc::kernels
