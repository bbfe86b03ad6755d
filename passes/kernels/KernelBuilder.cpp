#include "passes/kernels/KernelBuilder.h"

#include "dialects/dsc/Windows.h"
#include "passes/DimCode.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace dscc::kernels {

Type getComputeType(Type element) {
  if (auto integer = dyn_cast<IntegerType>(element))
    return IntegerType::get(element.getContext(), integer.getWidth());
  auto floating = dyn_cast<FloatType>(element);
  if (floating && floating.getWidth() < 32)
    return Float32Type::get(element.getContext());
  return element;
}

Type getStorageType(Type element) {
  if (auto integer = dyn_cast<IntegerType>(element))
    return IntegerType::get(element.getContext(), std::max(8u, integer.getWidth()));
  auto floating = dyn_cast<FloatType>(element);
  if (floating && floating.getWidth() <= 8)
    return IntegerType::get(element.getContext(), 8);
  if (element.isBF16())
    return IntegerType::get(element.getContext(), 16);
  return element;
}

//===-- Numbers -------------------------------------------------------------------------------------------------===//

Value KernelBuilder::index(int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }

Value KernelBuilder::dim(const DimExpr &expr) {
  lacksDim |= !expr.isValid();
  if (expr.isConstant() || !expr.isValid())
    return index(expr.isValid() ? expr.constant() : 0);
  Value &cached = dimCache[expr.str()];
  if (cached)
    return cached;
  OpBuilder::InsertionGuard guard(b);
  if (entryPoint)
    b.setInsertionPoint(entryPoint);
  cached = emitDim(b, loc, expr, [&](StringRef name) { return symbols.lookup(name); }, b.getIndexType());
  return cached;
}

Value KernelBuilder::constant(Type type, double value) {
  return arith::ConstantOp::create(b, loc, b.getFloatAttr(type, value));
}

Value KernelBuilder::constantInt(Type type, int64_t value) {
  return arith::ConstantOp::create(b, loc, b.getIntegerAttr(type, value));
}

static std::optional<int64_t> asConstant(Value value) {
  APInt number;
  if (matchPattern(value, m_ConstantInt(&number)) && !isa<VectorType>(value.getType()))
    return number.getSExtValue();
  return std::nullopt;
}

Value KernelBuilder::add(Value x, Value y) { return b.createOrFold<arith::AddIOp>(loc, x, y); }
Value KernelBuilder::sub(Value x, Value y) { return b.createOrFold<arith::SubIOp>(loc, x, y); }
Value KernelBuilder::mul(Value x, Value y) { return b.createOrFold<arith::MulIOp>(loc, x, y); }
Value KernelBuilder::minimum(Value x, Value y) { return b.createOrFold<arith::MinSIOp>(loc, x, y); }
Value KernelBuilder::maximum(Value x, Value y) { return b.createOrFold<arith::MaxSIOp>(loc, x, y); }
Value KernelBuilder::divide(Value x, Value y) { return b.createOrFold<arith::DivUIOp>(loc, x, y); }
Value KernelBuilder::remainder(Value x, Value y) {
  if (asConstant(y) == 1)
    return index(0);
  return b.createOrFold<arith::RemUIOp>(loc, x, y);
}
Value KernelBuilder::ceilDivide(Value x, Value y) { return divide(sub(add(x, y), index(1)), y); }

//===-- Lanes ---------------------------------------------------------------------------------------------------===//

bool KernelBuilder::isVector(Value value) const { return isa<VectorType>(value.getType()); }

Type KernelBuilder::laneType(Type scalar) const {
  assert(width > 1 && "code without lanes has no vectors");
  return VectorType::get({width}, scalar);
}

Value KernelBuilder::lift(Value value) { return width > 1 ? splat(value) : value; }

Value KernelBuilder::splat(Value value) {
  if (isVector(value))
    return value;
  if (!value.getType().isIndex())
    return vector::BroadcastOp::create(b, loc, laneType(value.getType()), value);
  // An index of a GPU has 32 bits if tensors are small. The lowering of arith is told so, that of vectors is not.
  Value number = splat(arith::IndexCastOp::create(b, loc, b.getI64Type(), value));
  return arith::IndexCastOp::create(b, loc, laneType(value.getType()), number);
}

void KernelBuilder::unify(SmallVectorImpl<Value> &values) {
  if (llvm::any_of(values, [&](Value value) { return isVector(value); }))
    for (Value &value : values)
      value = splat(value);
}

Value KernelBuilder::laneNumbers() {
  SmallVector<int64_t> numbers = llvm::to_vector(llvm::seq<int64_t>(0, width));
  auto type = cast<VectorType>(laneType(b.getIndexType()));
  return arith::ConstantOp::create(b, loc, DenseIntElementsAttr::get(type, ArrayRef<int64_t>(numbers)));
}

//===-- Coordinates ---------------------------------------------------------------------------------------------===//

Value KernelBuilder::lanesOf(const Index &i) {
  assert((i.kind == Index::Gathered ? i.lanes : i.base) && "a coordinate has the value that its kind says");
  if (i.kind == Index::Gathered)
    return i.lanes;
  Value base = splat(i.base);
  return i.kind == Index::Uniform ? base : arith::AddIOp::create(b, loc, base, laneNumbers());
}

Index KernelBuilder::fromValue(Value value) {
  return isVector(value) ? Index{Index::Gathered, {}, value} : uniform(value);
}

Value KernelBuilder::asValue(const Index &i) { return i.kind == Index::Uniform ? i.base : lanesOf(i); }

Index KernelBuilder::addTo(const Index &i, Value scalar) {
  if (i.kind == Index::Gathered)
    return {Index::Gathered, {}, arith::AddIOp::create(b, loc, i.lanes, splat(scalar))};
  return {i.kind, add(i.base, scalar), {}};
}

Index KernelBuilder::scale(const Index &i, Value scalar) {
  if (asConstant(scalar) == 1)
    return i;
  if (i.kind == Index::Uniform)
    return uniform(mul(i.base, scalar));
  return {Index::Gathered, {}, arith::MulIOp::create(b, loc, lanesOf(i), splat(scalar))};
}

Index KernelBuilder::select(Value condition, const Index &x, const Index &y) {
  if (!isVector(condition) && x.kind == Index::Uniform && y.kind == Index::Uniform)
    return uniform(arith::SelectOp::create(b, loc, condition, x.base, y.base));
  return {Index::Gathered, {}, arith::SelectOp::create(b, loc, condition, lanesOf(x), lanesOf(y))};
}

SmallVector<Value> KernelBuilder::delinearize(Value linear, ArrayRef<Value> sizes) {
  // The first one is what is left; in front of it are those that can be nothing but 0.
  size_t first = 0;
  while (first + 1 < sizes.size() && matchPattern(sizes[first], m_One()))
    ++first;
  SmallVector<Value> coordinates(sizes.size());
  for (size_t i = 0; i < first; ++i)
    coordinates[i] = index(0);
  for (size_t i = sizes.size(); i-- > first;) {
    if (i == first) {
      coordinates[i] = linear;
      break;
    }
    coordinates[i] = remainder(linear, sizes[i]);
    linear = divide(linear, sizes[i]);
  }
  return coordinates;
}

//===-- Memory --------------------------------------------------------------------------------------------------===//

SmallVector<Value> KernelBuilder::rowMajorStrides(ArrayRef<DimExpr> dims) {
  SmallVector<Value> strides(dims.size());
  DimExpr stride = 1;
  for (size_t i = dims.size(); i-- > 0;) {
    strides[i] = dim(stride);
    stride = stride * dims[i];
  }
  return strides;
}

SmallVector<Value> KernelBuilder::stridesOf(ArrayRef<DimExpr> dims, const Strided *window) {
  if (!window)
    return rowMajorStrides(dims);
  std::optional<dsc::Dims> strides = restride(window->dims, window->strides, dims);
  assert(strides && "dims are joined only where a window has no gap");
  return llvm::map_to_vector(*strides, [&](const DimExpr &stride) { return dim(stride); });
}

KernelBuilder::Offset KernelBuilder::computeOffset(ArrayRef<Value> strides, const Indices &at) {
  assert(strides.size() == at.size() && "an element has a coordinate for each dim of its tensor");
  Offset offset{index(0), {}, false};
  for (size_t i = 0; i < at.size(); ++i) {
    if (at[i].kind == Index::Uniform) {
      offset.scalar = add(offset.scalar, mul(at[i].base, strides[i]));
      continue;
    }
    bool unitStride = asConstant(strides[i]) == 1;
    if (at[i].kind == Index::Contiguous && unitStride && !offset.lanes && !offset.contiguous) {
      offset.scalar = add(offset.scalar, at[i].base);
      offset.contiguous = true;
      continue;
    }
    if (at[i].kind == Index::Contiguous) {
      offset.scalar = add(offset.scalar, mul(at[i].base, strides[i]));
      Value lanes = arith::MulIOp::create(b, loc, laneNumbers(), splat(strides[i]));
      offset.lanes = offset.lanes ? arith::AddIOp::create(b, loc, offset.lanes, lanes) : lanes;
      continue;
    }
    Value lanes = unitStride ? at[i].lanes : arith::MulIOp::create(b, loc, at[i].lanes, splat(strides[i]));
    offset.lanes = offset.lanes ? arith::AddIOp::create(b, loc, offset.lanes, lanes) : lanes;
  }
  if (offset.contiguous && offset.lanes) {
    offset.lanes = arith::AddIOp::create(b, loc, offset.lanes, laneNumbers());
    offset.contiguous = false;
  }
  return offset;
}

/// Offsets go into addresses as i64, whatever width indices have on the target.
static Value toAddressOffset(KernelBuilder &k, Value offset) {
  Type i64 = k.b.getI64Type();
  Type type = k.isVector(offset) ? k.laneType(i64) : i64;
  return k.b.createOrFold<arith::IndexCastOp>(k.loc, type, offset);
}

Value KernelBuilder::advance(Value pointer, Type storage, Value number, Value count) {
  Type i64 = b.getI64Type();
  Value offset = mul(arith::IndexCastOp::create(b, loc, i64, number), arith::IndexCastOp::create(b, loc, i64, count));
  return LLVM::GEPOp::create(b, loc, pointer.getType(), storage, pointer, ValueRange{offset});
}

Value KernelBuilder::elementAddress(Value pointer, Type storage, Value offset) {
  Value i64 = toAddressOffset(*this, offset);
  Type type = isVector(offset) ? laneType(pointer.getType()) : pointer.getType();
  return LLVM::GEPOp::create(b, loc, type, storage, pointer, ArrayRef<LLVM::GEPArg>{i64});
}

static unsigned storageBytes(Type storage) { return std::max(1u, storage.getIntOrFloatBitWidth() / 8); }

/// Of so many neighbours, 0 or 1 for one element. Tensors begin at multiples of the widest access.
static unsigned alignmentOf(const KernelBuilder &k, Type storage, int64_t lanes) {
  if (!k.wholeVectors || lanes < 2)
    return storageBytes(storage);
  return std::min<unsigned>(storageBytes(storage) * lanes, k.target.vectorBits / 8);
}

Value KernelBuilder::loadRaw(Value pointer, Type storage, Value offset, int64_t lanes) {
  Value address = elementAddress(pointer, storage, offset);
  Type type = lanes ? Type(VectorType::get({lanes}, storage)) : storage;
  return LLVM::LoadOp::create(b, loc, type, address, alignmentOf(*this, storage, lanes));
}

void KernelBuilder::storeRaw(Value pointer, Type storage, Value offset, Value value) {
  LLVM::StoreOp::create(b, loc, value, elementAddress(pointer, storage, offset),
                        alignmentOf(*this, storage, isVector(value) ? width : 1));
}

Value KernelBuilder::andMask(Value condition) {
  if (!mask)
    return condition;
  return arith::AndIOp::create(b, loc, mask, condition);
}

Value KernelBuilder::loadMasked(Value pointer, Type storage, Value offset) {
  unsigned bytes = storageBytes(storage);
  int64_t lanes = std::min<int64_t>(width, target.vectorBits / 8 / bytes);
  auto whole = cast<VectorType>(laneType(storage)), piece = VectorType::get({lanes}, storage);
  auto load = [&](VectorType type, Value at, Value pieceMask) -> Value {
    Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
    return LLVM::MaskedLoadOp::create(b, loc, type, elementAddress(pointer, storage, at), pieceMask, zero, bytes)
        .getResult();
  };
  if (lanes == width)
    return load(whole, offset, mask);
  Value result = arith::ConstantOp::create(b, loc, b.getZeroAttr(whole));
  for (int64_t first = 0; first < width; first += lanes) {
    Value pieceMask = vector::ExtractStridedSliceOp::create(b, loc, mask, first, lanes, 1);
    Value part = load(piece, add(offset, index(first)), pieceMask);
    result = vector::InsertStridedSliceOp::create(b, loc, part, result, first, 1);
  }
  return result;
}

Value KernelBuilder::loadElement(Value tensor, const Indices &at) {
  Type element = dsc::getElementType(tensor), storage = getStorageType(element);
  Value pointer = pointers.lookup(tensor);
  assert(pointer && "the kernel has an argument for each input of its group");
  auto window = windows.find(tensor);
  SmallVector<Value> strides = stridesOf(dsc::getDims(tensor), window == windows.end() ? nullptr : &window->second);
  Offset offset = computeOffset(strides, at);
  if (!offset.lanes && !offset.contiguous)
    return toCompute(loadRaw(pointer, storage, offset.scalar, 0), element);
  unsigned bytes = storageBytes(storage);
  if (offset.contiguous) {
    if (!mask)
      return toCompute(loadRaw(pointer, storage, offset.scalar, width), element);
    return toCompute(loadMasked(pointer, storage, offset.scalar), element);
  }
  Value address = elementAddress(pointer, storage, add(splat(offset.scalar), offset.lanes));
  Value all =
      mask ? mask
           : arith::ConstantOp::create(b, loc, DenseElementsAttr::get(cast<VectorType>(laneType(b.getI1Type())), true))
                 .getResult();
  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(laneType(storage)));
  Value loaded = LLVM::masked_gather::create(b, loc, laneType(storage), address, all, ValueRange{zero}, bytes);
  return toCompute(loaded, element);
}

void KernelBuilder::storeElement(Value pointer, Type element, ArrayRef<Value> strides, const Indices &at, Value value) {
  Type storage = getStorageType(element);
  Offset offset = computeOffset(strides, at);
  bool manyLanes = offset.contiguous || offset.lanes;
  Value stored = toStorage(manyLanes ? splat(value) : value, element);
  if (!manyLanes)
    return storeRaw(pointer, storage, offset.scalar, stored);
  unsigned bytes = storageBytes(storage);
  if (offset.contiguous && !mask)
    return storeRaw(pointer, storage, offset.scalar, stored);
  if (offset.contiguous) {
    LLVM::MaskedStoreOp::create(b, loc, stored, elementAddress(pointer, storage, offset.scalar), mask, bytes);
    return;
  }
  Value address = elementAddress(pointer, storage, add(splat(offset.scalar), offset.lanes));
  Value all =
      mask ? mask
           : arith::ConstantOp::create(b, loc, DenseElementsAttr::get(cast<VectorType>(laneType(b.getI1Type())), true))
                 .getResult();
  LLVM::masked_scatter::create(b, loc, stored, address, all, bytes);
}

void KernelBuilder::doIf(Value condition, function_ref<void()> body) {
  auto guard = scf::IfOp::create(b, loc, condition, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard insertion(b);
  b.setInsertionPoint(guard.thenBlock()->getTerminator());
  body();
}

void KernelBuilder::withLanes(int64_t lanes, function_ref<void()> body) {
  std::swap(width, lanes);
  bool whole = std::exchange(wholeVectors, width > 1);
  body();
  std::swap(width, lanes);
  wholeVectors = whole;
}

SmallVector<Value> KernelBuilder::loop(Value from, Value to, Value step, ValueRange init,
                                       function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  auto loop = scf::ForOp::create(b, loc, from, to, step, init, [&](OpBuilder &, Location, Value i, ValueRange carried) {
    SmallVector<Value> next = body(i, carried);
    assert(next.size() == carried.size() && "a round hands on as many values as it got");
    scf::YieldOp::create(b, loc, next);
  });
  return llvm::to_vector(llvm::map_range(loop.getResults(), [](OpResult result) -> Value { return result; }));
}

void KernelBuilder::loopDo(Value from, Value to, Value step, function_ref<void(Value)> body) {
  loop(from, to, step, {}, [&](Value i, ValueRange) -> SmallVector<Value> {
    body(i);
    return {};
  });
}

} // namespace dscc::kernels
