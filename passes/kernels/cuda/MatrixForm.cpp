#include "passes/kernels/cuda/MatrixForm.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;

namespace dscc::kernels {

const MatrixForm *findMatrixForm(Type element) {
  static constexpr MatrixForm forms[] = {
      {[](Type element) { return element.isF16(); }, "llvm.nvvm.mma.m16n8k16.row.col.f32.f32", true},
      {[](Type element) { return element.isBF16(); }, "llvm.nvvm.mma.m16n8k16.row.col.bf16", false},
  };
  for (const MatrixForm &form : forms)
    if (form.takes(element))
      return &form;
  return nullptr;
}

double shareOfMatrixPeak(const Gpu &gpu) { return gpu.f16.instruction == MatrixInstruction::Wgmma ? 0.6 : 1; }

void multiplyForm(KernelBuilder &k, const MatrixForm &form, ArrayRef<Value> a, ArrayRef<Value> b,
                  MutableArrayRef<Value> sums) {
  SmallVector<Value> operands;
  Type halves = VectorType::get({2}, k.b.getF16Type()), f32 = k.b.getF32Type();
  for (ArrayRef<Value> fragments : {a, b})
    for (Value fragment : fragments)
      operands.push_back(form.asHalves ? Value(LLVM::BitcastOp::create(k.b, k.loc, halves, fragment)) : fragment);
  operands.append(sums.begin(), sums.end());
  auto four = LLVM::LLVMStructType::getLiteral(k.b.getContext(), {f32, f32, f32, f32});
  auto product = LLVM::CallIntrinsicOp::create(k.b, k.loc, four, k.b.getStringAttr(form.intrinsic), operands);
  for (auto [i, sum] : llvm::enumerate(sums))
    sum = LLVM::ExtractValueOp::create(k.b, k.loc, product.getResults(), i);
}

void storeForms(KernelBuilder &k, Value memory, Value first, Value lane, int64_t pitch, int64_t columns,
                ArrayRef<Value> sums) {
  Type f32 = k.b.getF32Type(), i32 = k.b.getI32Type(), two = VectorType::get({2}, f32);
  // A lane has two neighbours of each form, and two more eight rows below.
  Value group = k.divide(lane, k.index(4)), pair = k.mul(k.remainder(lane, k.index(4)), k.index(2));
  Value own = k.add(first, k.add(k.mul(group, k.index(pitch)), pair));
  for (int64_t form = 0; form * MatrixForm::perLane < int64_t(sums.size()); ++form)
    for (int64_t half = 0; half < 2; ++half) {
      Value both = LLVM::PoisonOp::create(k.b, k.loc, two);
      for (int64_t i = 0; i < 2; ++i)
        both = LLVM::InsertElementOp::create(k.b, k.loc, both, sums[form * MatrixForm::perLane + half * 2 + i],
                                             k.constantInt(i32, i));
      int64_t row = form / columns * MatrixForm::rows + half * 8, column = form % columns * MatrixForm::columns;
      Value address = k.elementAddress(memory, f32, k.add(own, k.index(row * pitch + column)));
      LLVM::StoreOp::create(k.b, k.loc, both, address, 8u);
    }
}

void forEachOfSlab(KernelBuilder &k, const Slab &slab, ArrayRef<Value> sums,
                   function_ref<void(Value row, Value column, Value sum)> body) {
  Type f32 = k.b.getF32Type();
  int64_t pitch = Slab::pitch(slab.columns);
  auto addressOf = [&](Value row, Value column) {
    return k.elementAddress(slab.memory, f32, k.add(slab.first, k.add(k.mul(row, k.index(pitch)), column)));
  };
  Value allLanes = k.constantInt(k.b.getI32Type(), -1);
  storeForms(k, slab.memory, slab.first, slab.lane, pitch, slab.columns / MatrixForm::columns, sums);
  NVVM::SyncWarpOp::create(k.b, k.loc, allLanes);
  int64_t perRow = slab.columns / slab.lanes;
  k.loopDo(slab.lane, k.index(MatrixForm::rows * perRow), k.index(lanesOfWarp), [&](Value number) {
    Value row = k.divide(number, k.index(perRow));
    Value column = k.mul(k.remainder(number, k.index(perRow)), k.index(slab.lanes));
    Type type = slab.lanes == 1 ? f32 : Type(VectorType::get({slab.lanes}, f32));
    body(row, column, LLVM::LoadOp::create(k.b, k.loc, type, addressOf(row, column), slab.lanes == 1 ? 4u : 16u));
  });
  NVVM::SyncWarpOp::create(k.b, k.loc, allLanes);
}

} // namespace dscc::kernels
