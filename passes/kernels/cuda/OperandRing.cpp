#include "passes/kernels/cuda/OperandRing.h"

#include "passes/kernels/LaneMath.h"
#include "passes/kernels/ScalarCode.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;

namespace dscc::kernels {

Value RingShape::next(KernelBuilder &k, Value slot) const {
  Value isLast = LaneMath{k}.compare(arith::CmpIPredicate::eq, slot, k.index(stages - 1));
  return arith::SelectOp::create(k.b, k.loc, isLast, k.index(0), k.add(slot, k.index(1)));
}

static Value exclusiveOr(KernelBuilder &k, Value a, Value b) { return k.b.createOrFold<arith::XOrIOp>(k.loc, a, b); }

OperandRing::OperandRing(Kernel &kernel, const OperandView &view, const RingOperand &operand, ArrayRef<Value> outer,
                         Value first, Value memory)
    : kernel(kernel), k(kernel.k), view(view), operand(operand), outer(outer), first(first), memory(memory),
      storage(getStorageType(dsc::getElementType(view.operand))) {
  if (!view.pieces)
    return;
  // Each thread has the same piece of some lines, evenly apart.
  ownLine = k.divide(kernel.thread, k.index(linePieces()));
  ownPiece = k.remainder(kernel.thread, k.index(linePieces()));
  if (!view.alongInner) {
    Value place = k.add(first, k.mul(ownPiece, k.index(perPiece)));
    ownPlaces.push_back(view.pieces->atPlace(outer, existing(place, perPiece)));
    return;
  }
  for (int64_t i = 0; i < piecesPerThread(); ++i) {
    Value place = k.add(first, k.add(ownLine, k.index(i * linesApart())));
    ownPlaces.push_back(view.pieces->atPlace(outer, existing(place, 1)));
  }
}

/// What the tile has beyond the last place is a copy of that: it is never stored.
Value OperandRing::existing(Value place, int64_t atOnce) {
  if (DimExpr::exactDiv(operand.allPlaces, operand.places))
    return place;
  return k.minimum(place, k.sub(k.dim(operand.allPlaces), k.index(atOnce)));
}

/// Null if every step of every slice exists.
Value OperandRing::isInside(Value step) {
  if (DimExpr::exactDiv(operand.inner, operand.ring.slice))
    return {};
  return LaneMath{k}.compare(arith::CmpIPredicate::slt, step, k.dim(operand.inner));
}

/// By which number a line's pieces are permuted: another one for each of eight lines, or for each group of lines that
/// share 128 bytes.
Value OperandRing::keyOf(Value line) {
  int64_t pieces = linePieces(), together = std::max<int64_t>(1, 8 / pieces);
  return k.remainder(k.divide(line, k.index(together)), k.index(std::min<int64_t>(8, pieces)));
}

/// In bytes, from the slot's beginning.
Value OperandRing::pieceOffset(Value line, Value piece) {
  Value number = k.add(k.mul(line, k.index(linePieces())), exclusiveOr(k, piece, keyOf(line)));
  return k.mul(number, k.index(pieceBytes));
}

Value OperandRing::slotAddress(Value slot, Value offset) {
  Value start = k.mul(slot, k.index(sliceBytes()));
  return k.elementAddress(memory, k.b.getI8Type(), k.add(start, offset));
}

void OperandRing::copy(Value step, Value slot) {
  if (!view.pieces)
    return;
  auto copyAll = [&] {
    for (int64_t i = 0; i < piecesPerThread(); ++i) {
      Value line = k.add(ownLine, k.index(i * linesApart()));
      Value at = view.alongInner ? k.add(step, k.mul(ownPiece, k.index(perPiece))) : k.add(step, line);
      ArrayRef<Value> place = ownPlaces[view.alongInner ? i : 0];
      SmallVector<Value> own = view.pieces->atStep(at);
      Value source = view.pieces->address(place, own);
      Value size, inside = isInside(at);
      if (view.pieces->exists) {
        Value exists = view.pieces->exists(place, own);
        inside = inside ? Value(arith::AndIOp::create(k.b, k.loc, inside, exists)) : exists;
      }
      Type i32 = k.b.getI32Type();
      if (inside)
        size = arith::SelectOp::create(k.b, k.loc, inside, k.constantInt(i32, pieceBytes), k.constantInt(i32, 0));
      NVVM::CpAsyncOp::create(k.b, k.loc, slotAddress(slot, pieceOffset(line, ownPiece)), source, uint32_t(pieceBytes),
                              NVVM::LoadCacheModifierKind::CG, size);
    }
  };
  int64_t all = lines() * linePieces();
  if (all >= operand.ring.threads)
    return copyAll();
  Value isNeeded = LaneMath{k}.compare(arith::CmpIPredicate::slt, kernel.thread, k.index(all));
  k.doIf(isNeeded, copyAll);
}

SmallVector<Value> OperandRing::load(Value step) {
  SmallVector<Value> elements;
  Type element = dsc::getElementType(view.operand);
  for (size_t i = 0; i < numLoaded(); ++i) {
    Value number = k.add(kernel.thread, k.index(i * operand.ring.threads));
    Value line = k.divide(number, k.index(lineLength())), along = k.remainder(number, k.index(lineLength()));
    Value place = existing(k.add(first, view.alongInner ? line : along), 1);
    Value at = k.add(step, view.alongInner ? along : line), inside = isInside(at);
    if (inside)
      at = k.minimum(at, k.sub(k.dim(operand.inner), k.index(1)));
    Value loaded = k.toStorage(view.element(outer, place, at), element);
    if (inside)
      loaded = arith::SelectOp::create(k.b, k.loc, inside, loaded,
                                       arith::ConstantOp::create(k.b, k.loc, k.b.getZeroAttr(storage)));
    elements.push_back(loaded);
  }
  return elements;
}

void OperandRing::store(ArrayRef<Value> elements, Value slot) {
  for (auto [i, element] : llvm::enumerate(elements)) {
    Value number = k.add(kernel.thread, k.index(i * operand.ring.threads));
    Value line = k.divide(number, k.index(lineLength())), along = k.remainder(number, k.index(lineLength()));
    Value piece = k.divide(along, k.index(perPiece));
    Value offset = k.add(pieceOffset(line, piece), k.mul(k.remainder(along, k.index(perPiece)), k.index(bytes)));
    LLVM::StoreOp::create(k.b, k.loc, element, slotAddress(slot, offset), unsigned(bytes));
  }
}

void OperandRing::readFrom(Value lane, Value warpPlace, bool isLhs, std::optional<bool> alongLine) {
  innerAlongLine = alongLine.value_or(view.alongInner);
  // Lanes 8 i to 8 i + 7 hand the addresses of lines to the i-th of four matrices of 8 x 8.
  Value matrix = k.divide(lane, k.index(8)), line = k.remainder(lane, k.index(8));
  Value low = k.remainder(matrix, k.index(2)), high = k.divide(matrix, k.index(2));
  Value placeEights = isLhs ? low : high, stepEights = isLhs ? high : low;
  Value key = keyOf(line);
  Value start, piece;
  if (innerAlongLine) {
    start = k.add(k.add(warpPlace, k.mul(placeEights, k.index(8))), line);
    piece = stepEights;
  } else {
    start = k.add(k.mul(stepEights, k.index(8)), line);
    piece = k.add(k.divide(warpPlace, k.index(8)), placeEights);
  }
  lineStart = k.mul(start, k.index(linePieces() * pieceBytes));
  permuted = k.mul(exclusiveOr(k, piece, key), k.index(pieceBytes));
}

SmallVector<Value> OperandRing::fragments(Value slot, int64_t place, int64_t step) {
  int64_t line = innerAlongLine ? place : step, piece = (innerAlongLine ? step : place) / perPiece;
  // A warp's places begin at a multiple of their number, a power of 2, so that adding is the same as this.
  Value within = exclusiveOr(k, permuted, k.index(piece * pieceBytes));
  Value offset = k.add(k.add(lineStart, k.index(line * linePieces() * pieceBytes)), within);
  Type i32 = k.b.getI32Type();
  auto four = LLVM::LLVMStructType::getLiteral(k.b.getContext(), {i32, i32, i32, i32});
  StringRef name = innerAlongLine ? "llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.b16"
                                  : "llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.trans.b16";
  auto loaded =
      LLVM::CallIntrinsicOp::create(k.b, k.loc, four, k.b.getStringAttr(name), ValueRange{slotAddress(slot, offset)});
  SmallVector<Value> registers;
  for (int64_t i = 0; i < 4; ++i)
    registers.push_back(LLVM::ExtractValueOp::create(k.b, k.loc, loaded.getResults(), i));
  return registers;
}

} // namespace dscc::kernels
