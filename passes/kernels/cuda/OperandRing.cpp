#include "passes/kernels/cuda/OperandRing.h"

#include "passes/kernels/LaneMath.h"
#include "passes/kernels/ScalarCode.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace dscc::kernels {

Value RingShape::next(KernelBuilder &k, Value slot) const {
  Value isLast = LaneMath{k}.compare(arith::CmpIPredicate::eq, slot, k.index(slotOf(stages - 1)));
  return arith::SelectOp::create(k.b, k.loc, isLast, k.index(0), k.add(slot, k.index(slotBytes)));
}

static Value exclusiveOr(KernelBuilder &k, Value a, Value b) { return k.b.createOrFold<arith::XOrIOp>(k.loc, a, b); }

static Value bytesBehind(KernelBuilder &k, Value pointer, int64_t bytes) {
  if (bytes == 0)
    return pointer;
  return k.elementAddress(pointer, k.b.getI8Type(), k.index(bytes));
}

OperandRing::OperandRing(Kernel &kernel, const OperandView &view, const RingOperand &operand, ArrayRef<Value> outer,
                         Value first, Value memory)
    : kernel(kernel), k(kernel.k), view(view), operand(operand), outer(outer), first(first),
      storage(getStorageType(dsc::getElementType(view.operand))) {
  Value number = LLVM::PtrToIntOp::create(k.b, k.loc, k.b.getI32Type(), memory);
  this->memory = arith::IndexCastOp::create(k.b, k.loc, k.b.getIndexType(), number);
  if (view.pieces)
    findOwnPieces();
  else
    firstElement = elementOffset(0);
}

/// Each thread has the same piece of some lines, evenly apart.
void OperandRing::findOwnPieces() {
  const Pieces &pieces = *view.pieces;
  ownLine = k.divide(kernel.thread, k.index(linePieces()));
  ownPiece = k.remainder(kernel.thread, k.index(linePieces()));
  // From one line to the next one it is as far in memory everywhere.
  std::optional<DimExpr> apart = view.alongInner ? pieces.placeStride : pieces.stepStride;
  bool isEven = apart && apart->isConstant() && pieces.stepStride && !pieces.exists;
  bool allExist = DimExpr::exactDiv(operand.allPlaces, operand.places).has_value();
  for (int64_t i = 0; i < piecesPerThread(); ++i) {
    int64_t behind = i * linesApart();
    Value line = k.add(ownLine, k.index(behind));
    OwnPiece own;
    bool isAlike = behind % linesAlike() == 0;
    own.target = isAlike && i > 0 ? ownPieces[0].target : k.add(memory, pieceOffset(line, ownPiece));
    own.targetBehind = isAlike ? behind * lineBytes() : 0;
    own.source = isEven ? 0 : i;
    own.sourceBehind = isEven ? behind * apart->constant() * bytes : 0;
    Value place = view.alongInner ? k.add(first, line) : k.add(first, k.mul(ownPiece, k.index(perPiece)));
    if (isEven && view.alongInner && !allExist) {
      // Places that do not exist are not read, so that all sources are as far apart.
      Value exists = LaneMath{k}.compare(arith::CmpIPredicate::slt, place, k.dim(operand.allPlaces));
      own.size = arith::SelectOp::create(k.b, k.loc, exists, k.constantInt(k.b.getI32Type(), pieceBytes),
                                         k.constantInt(k.b.getI32Type(), 0));
    } else {
      place = existing(place, view.alongInner ? 1 : perPiece);
    }
    if (i == 0 || (view.alongInner && !isEven))
      ownPlaces.push_back(pieces.atPlace(outer, place));
    ownPieces.push_back(own);
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
  return k.remainder(k.divide(line, k.index(linesTogether())), k.index(permutedPieces()));
}

/// In bytes, from the slice's beginning.
Value OperandRing::pieceOffset(Value line, Value piece) {
  Value number = k.add(k.mul(line, k.index(linePieces())), exclusiveOr(k, piece, keyOf(line)));
  return k.mul(number, k.index(pieceBytes));
}

/// A pointer to what is a number of bytes until here, and so far behind it.
Value OperandRing::sharedAddress(Value place, int64_t behind) {
  Value number = arith::IndexCastOp::create(k.b, k.loc, k.b.getI32Type(), place);
  Type pointer = LLVM::LLVMPointerType::get(k.b.getContext(), 3);
  return bytesBehind(k, LLVM::IntToPtrOp::create(k.b, k.loc, pointer, number), behind);
}

/// The first step of this thread's piece of that number.
Value OperandRing::stepOf(Value step, int64_t piece) {
  if (view.alongInner)
    return k.add(step, k.mul(ownPiece, k.index(perPiece)));
  return k.add(step, k.add(ownLine, k.index(piece * linesApart())));
}

SmallVector<Value> OperandRing::sourcesOf(Value step) {
  SmallVector<Value> sources;
  if (!view.pieces || !view.pieces->stepStride)
    return sources;
  for (auto [i, own] : llvm::enumerate(ownPieces))
    if (own.source == sources.size())
      sources.push_back(view.pieces->address(ownPlaces[view.alongInner ? own.source : 0],
                                             view.pieces->atStep(stepOf(step, int64_t(i)))));
  return sources;
}

SmallVector<Value> OperandRing::advance(ValueRange sources, int64_t slices) {
  SmallVector<Value> next;
  int64_t steps = slices * operand.ring.slice;
  for (Value source : sources) {
    const DimExpr &stride = *view.pieces->stepStride;
    if (stride.isConstant() && llvm::isInt<32>(steps * stride.constant() * bytes))
      next.push_back(bytesBehind(k, source, steps * stride.constant() * bytes));
    else
      next.push_back(k.advance(source, storage, k.index(steps), k.dim(stride)));
  }
  return next;
}

void OperandRing::copy(ValueRange sources, Value step, Value slot) {
  if (!view.pieces)
    return;
  Type i32 = k.b.getI32Type();
  Value none = k.constantInt(i32, 0), whole = k.constantInt(i32, pieceBytes);
  auto copyPiece = [&](int64_t i) {
    const OwnPiece &own = ownPieces[i];
    const Pieces &pieces = *view.pieces;
    Value at = stepOf(step, i), inside = isInside(at), size = own.size, source;
    if (sources.empty() || pieces.exists) {
      ArrayRef<Value> place = ownPlaces[view.alongInner ? i : 0];
      SmallVector<Value> ownStep = pieces.atStep(at);
      source = sources.empty() ? pieces.address(place, ownStep) : Value();
      if (pieces.exists) {
        Value exists = pieces.exists(place, ownStep);
        inside = inside ? Value(arith::AndIOp::create(k.b, k.loc, inside, exists)) : exists;
      }
    }
    if (!source)
      source = bytesBehind(k, sources[own.source], own.sourceBehind);
    if (inside)
      size = arith::SelectOp::create(k.b, k.loc, inside, size ? size : whole, none);
    Value target = sharedAddress(inSlot(slot, own.target), own.targetBehind);
    NVVM::CpAsyncOp::create(k.b, k.loc, target, source, uint32_t(pieceBytes), NVVM::LoadCacheModifierKind::CG, size);
  };
  auto copyAll = [&] {
    for (int64_t i = 0; i < piecesPerThread(); ++i)
      copyPiece(i);
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

/// Where the element lies in the first slot that this thread loads as its `number`-th.
Value OperandRing::elementOffset(int64_t number) {
  Value own = k.add(kernel.thread, k.index(number * operand.ring.threads));
  Value line = k.divide(own, k.index(lineLength())), along = k.remainder(own, k.index(lineLength()));
  Value piece = k.divide(along, k.index(perPiece));
  Value offset = k.add(pieceOffset(line, piece), k.mul(k.remainder(along, k.index(perPiece)), k.index(bytes)));
  return k.add(memory, offset);
}

void OperandRing::store(ArrayRef<Value> elements, Value slot) {
  // Threads have whole lines between them, and go on to lines that are permuted alike.
  int64_t linesBehind = operand.ring.threads / lineLength();
  bool isAlike = operand.ring.threads % lineLength() == 0 && linesBehind % linesAlike() == 0;
  for (auto [i, element] : llvm::enumerate(elements)) {
    Value offset = isAlike ? firstElement : elementOffset(int64_t(i));
    int64_t behind = isAlike ? int64_t(i) * linesBehind * lineBytes() : 0;
    LLVM::StoreOp::create(k.b, k.loc, element, sharedAddress(inSlot(slot, offset), behind), unsigned(bytes));
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
  Value permuted = k.mul(exclusiveOr(k, piece, key), k.index(pieceBytes));
  firstFragment = k.add(memory, k.add(k.mul(start, k.index(lineBytes())), permuted));
}

SmallVector<Value> OperandRing::fragments(Value slot, int64_t place, int64_t step) {
  int64_t line = innerAlongLine ? place : step, piece = (innerAlongLine ? step : place) / perPiece;
  // A warp's places begin at a multiple of their number, a power of 2, and lines at a multiple of their length, or of
  // all pieces that change places: so adding is an exclusive or with the whole address, and without permutation it is
  // as good.
  int64_t permuted = piece % permutedPieces(), behind = line * lineBytes() + (piece - permuted) * pieceBytes;
  Value own = exclusiveOr(k, inSlot(slot, firstFragment), k.index(permuted * pieceBytes));
  Type i32 = k.b.getI32Type();
  auto four = LLVM::LLVMStructType::getLiteral(k.b.getContext(), {i32, i32, i32, i32});
  StringRef name = innerAlongLine ? "llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.b16"
                                  : "llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.trans.b16";
  auto loaded =
      LLVM::CallIntrinsicOp::create(k.b, k.loc, four, k.b.getStringAttr(name), ValueRange{sharedAddress(own, behind)});
  SmallVector<Value> registers;
  for (int64_t i = 0; i < 4; ++i)
    registers.push_back(LLVM::ExtractValueOp::create(k.b, k.loc, loaded.getResults(), i));
  return registers;
}

} // namespace dscc::kernels
