// Matrix instructions of a warp.
//
//     mma.sync {d0..}, ...            operands to a buffer
//     mma.sync {d4..}, ...    ==>     operands to a buffer            one meeting of the warp for all of them, as soon
//     as add.f32 %f, d0, ...             dscc_sim_mma(..., 2, buffer)    somebody wants a result
//
// Products read registers only, so what stands between them does not matter unless it names their results. Loads are
// put off over arithmetic only: whatever may change shared memory comes after them. Neither goes beyond a label or a
// branch.

#include "tools/simulator/exec/Products.h"
#include "tools/simulator/exec/Statistics.h"
#include "tools/simulator/translate/Translator.h"

#include <cstddef>

namespace dscc::sim {

using namespace llvm;

static constexpr unsigned maxProducts = 16, maxLoads = 8;

namespace {
/// Which types go together, and the bits of an element of A and B.
struct Family {
  int first, second; // of A and B: either
  unsigned bits;
  int sums, otherSums; // of C and D: either, the same of both
};
} // namespace

static const Family *findFamily(int dType, int aType, int bType, int cType) {
  static constexpr Family families[] = {{F16, F16, 16, F32, F16},   {Bf16, Bf16, 16, F32, F32},
                                        {Tf32, Tf32, 32, F32, F32}, {E4m3, E5m2, 8, F32, F16},
                                        {S8, U8, 8, S32, S32},      {F64, F64, 64, F64, F64}};
  auto isOne = [](int type, int first, int second) { return type == first || type == second; };
  for (const Family &family : families)
    if (isOne(aType, family.first, family.second) && isOne(bType, family.first, family.second) &&
        isOne(dType, family.sums, family.otherSums) && cType == dType)
      return &family;
  return nullptr;
}

static ArrayRef<Operand> partsOf(const Operand &operand) {
  return operand.kind == Operand::Kind::Vector ? ArrayRef(operand.parts) : ArrayRef(operand);
}

static void addName(std::set<std::string> &names, const Operand &operand) {
  for (const Operand &part : partsOf(operand))
    names.insert(part.name);
}

static bool isNamed(const std::set<std::string> &names, const Operand &operand) {
  return names.count(operand.name) || names.count(operand.second) ||
         any_of(operand.parts, [&](const Operand &part) { return isNamed(names, part); });
}

/// Whether the statement reads or writes what a queue has not written yet.
static bool touches(const MatrixQueue &queue, const Statement &s) {
  return queue.count && (queue.names.count(s.predicate) ||
                         any_of(s.operands, [&](const Operand &operand) { return isNamed(queue.names, operand); }));
}

static bool isIn(ArrayRef<Instruction> family, const Instruction *instruction) {
  return instruction >= family.begin() && instruction < family.end();
}

void FunctionTranslator::makeMatricesBefore(const Statement &s, const Instruction *instruction) {
  bool isArithmetic = isIn(arithmeticInstructions(), instruction) || isIn(bitInstructions(), instruction) ||
                      isIn(conversionInstructions(), instruction);
  bool endsBlock = !instruction || !s.predicate.empty() || isIn(controlInstructions(), instruction) ||
                   isIn(callInstructions(), instruction);
  bool isMatrix = isIn(matrixInstructions(), instruction) && !s.has("stmatrix");
  if (endsBlock || touches(loads, s) || !(isArithmetic || isMatrix))
    makeLoads();
  if (endsBlock || touches(products, s))
    makeProducts();
}

/// Writes the results, registers of `bits` bits, and empties the queue. Each instruction has `bytesEach` of the buffer.
static void takeResults(FunctionTranslator &t, MatrixQueue &queue, size_t bytesEach, size_t offset, unsigned bits) {
  for (auto [index, result] : enumerate(queue.results)) {
    for (auto [place, part] : enumerate(partsOf(result))) {
      Value *from =
          t.b.CreateConstGEP1_64(t.b.getInt8Ty(), queue.buffer, index * bytesEach + offset + place * bits / 8);
      t.write(part, t.b.CreateLoad(t.integer(bits), from));
    }
  }
  AllocaInst *buffer = queue.buffer;
  queue = MatrixQueue();
  queue.buffer = buffer;
}

void FunctionTranslator::makeProducts() {
  if (!products.count)
    return;
  collective("dscc_sim_mma", b.getVoidTy(),
             {i32(products.key), i32(products.count), products.buffer, i32(products.line)});
  takeResults(*this, products, sizeof(ProductRegisters), offsetof(ProductRegisters, d), 32);
}

void FunctionTranslator::makeLoads() {
  if (!loads.count)
    return;
  collective("dscc_sim_ldmatrix", b.getVoidTy(), {i32(loads.count), loads.buffer, i32(loads.line)});
  takeResults(*this, loads, sizeof(MatrixRow), offsetof(MatrixRow, words), 32);
}

static void enqueue(FunctionTranslator &t, MatrixQueue &queue, const Operand &result) {
  if (!queue.count++)
    queue.line = t.currentLine();
  queue.results.push_back(result);
  addName(queue.names, result);
}

static unsigned countMatrices(const Statement &s) { return s.has("x4") ? 4 : s.has("x2") ? 2 : 1; }

/// Eight lanes a matrix give its rows, of 16 bytes each.
static void countMatrixRows(FunctionTranslator &t, const Statement &s, Value *row, AccessKind kind) {
  if (!t.countsAll)
    return;
  Operand self;
  self.name = "%laneid";
  Value *givesRow = t.b.CreateICmpULT(t.read(self, 32), t.i32(8 * countMatrices(s)));
  t.countAccess(row, t.b.CreateSelect(givesRow, t.i32(16), t.i32(0)), kind, "shared");
}

/// Without a space the address is generic, and has to lie in the shared window all the same.
static Value *rowAddress(FunctionTranslator &t, const Statement &s, const Operand &operand) {
  return t.address(operand, s.has("shared") || s.has("shared::cta") ? "shared" : "");
}

static bool isMatrixAccess(FunctionTranslator &t, const Statement &s, const Operand &registers) {
  bool isElsewhere = any_of(s.parts, [](StringRef part) { return part == "global" || part == "shared::cluster"; });
  if (s.has("b16") && s.has("m8n8") && !isElsewhere && partsOf(registers).size() == countMatrices(s))
    return true;
  t.fail("the simulator does not know `" + s.text + "` of " + Twine(partsOf(registers).size()) + " registers");
  return false;
}

static void translateLdmatrix(FunctionTranslator &t, const Statement &s) {
  if (s.operands.size() != 2)
    return t.fail("`ldmatrix` takes 2 operands");
  if (!isMatrixAccess(t, s, s.operands[0]))
    return;
  t.loads.buffer = t.buffer("ldmatrix", maxLoads * sizeof(MatrixRow));
  auto place = [&](size_t offset) {
    return t.b.CreateConstGEP1_64(t.b.getInt8Ty(), t.loads.buffer, t.loads.count * sizeof(MatrixRow) + offset);
  };
  Value *row = rowAddress(t, s, s.operands[1]);
  countMatrixRows(t, s, row, LoadAccess);
  t.b.CreateStore(row, place(offsetof(MatrixRow, row)));
  t.b.CreateStore(t.i32(countMatrices(s) | unsigned(s.has("trans")) << 8),
                  place(offsetof(MatrixRow, countAndTransposed)));
  t.b.CreateStore(t.site(), place(offsetof(MatrixRow, site)));
  enqueue(t, t.loads, s.operands[0]);
  if (t.loads.count == maxLoads || !s.predicate.empty())
    t.makeLoads();
}

static void translateStmatrix(FunctionTranslator &t, const Statement &s) {
  if (s.operands.size() != 2)
    return t.fail("`stmatrix` takes 2 operands");
  if (!isMatrixAccess(t, s, s.operands[1]))
    return;
  Value *words = t.spread("stmatrix", s.operands[1]), *row = rowAddress(t, s, s.operands[0]);
  countMatrixRows(t, s, row, StoreAccess);
  t.collective("dscc_sim_stmatrix", t.b.getVoidTy(),
               {row, t.i32(countMatrices(s)), t.i32(s.has("trans")), words, t.site()});
}

namespace {
/// What the name of an mma.sync says.
struct ProductShape {
  uint32_t key = 0; // whether it saturates, registers of A's rows, types of D, A, B and C: 4 bits each
  unsigned bits;    // of a register
  unsigned m, k;
  unsigned counts[4]; // registers of D, A, B and C a lane
};
} // namespace

int productRounding(const Statement &s) { return s.has("rz") ? 0 : s.has("rm") ? 1 : s.has("rp") ? 2 : -1; }

/// Without the modifiers, which ptxas takes anywhere.
static SmallVector<StringRef> namesOf(const Statement &s) {
  SmallVector<StringRef> names;
  for (StringRef part : s.parts)
    if (part != "satfinite" && part != "rn" && part != "rz" && part != "rm" && part != "rp")
      names.push_back(part);
  return names;
}

static std::optional<ProductShape> parseProduct(const Statement &s) {
  static constexpr StringLiteral types[] = {"f16", "bf16", "tf32", "f64", "f32", "s8", "u8", "s32", "e4m3", "e5m2"};
  unsigned m = 0, n = 0, k = 0;
  for (StringRef part : s.parts)
    if (sscanf(part.str().c_str(), "m%un%uk%u", &m, &n, &k) == 3)
      break;
  int codes[4]; // they end the name
  SmallVector<StringRef> names = namesOf(s);
  for (size_t i = 0; i < 4; ++i) {
    auto found = find(types, names.size() < 6 ? "" : names[names.size() - 4 + i]);
    if (found == std::end(types))
      return std::nullopt;
    codes[i] = int(found - std::begin(types));
  }
  auto [d, a, b, c] = codes;
  const Family *family = findFamily(d, a, b, c);
  if (!family || n != 8 || !s.has("sync") || !s.has("row") || !s.has("col"))
    return std::nullopt;
  bool isSaturating = s.has("satfinite");
  if ((isSaturating && d != S32) || ((productRounding(s) >= 0 || s.has("rn")) && d != F64))
    return std::nullopt;
  unsigned perRow = k * family->bits / 32, codesOfAll = unsigned(d << 12 | a << 8 | b << 4 | c);
  ProductShape shape{
      unsigned(isSaturating) << 20 | perRow << 16 | codesOfAll, 32, m, k, {4, perRow / 2, perRow / 4, 4}};
  if (family->bits == 64) {
    shape.bits = 64;
    shape.counts[0] = shape.counts[3] = m / 4, shape.counts[1] = m * k / 32, shape.counts[2] = k / 4;
    bool isKnown = (m == 8 && k == 4) || (m == 16 && (k == 4 || k == 8 || k == 16));
    return isKnown ? std::optional(shape) : std::nullopt;
  }
  // Half of a product of 16 rows.
  if (m == 8 && k == 16 && family->bits == 8 && d == S32) {
    shape.counts[0] = shape.counts[3] = 2, shape.counts[1] = 1;
    return shape;
  }
  if (d == F16)
    shape.counts[0] = 2;
  if (c == F16)
    shape.counts[3] = 2;
  return m == 16 && (perRow == 4 || perRow == 8) ? std::optional(shape) : std::nullopt;
}

/// f64: at once.
static void translateDoubles(FunctionTranslator &t, const Statement &s, const ProductShape &shape) {
  t.makeProducts();
  AllocaInst *registers = t.buffer("mma_f64", sizeof(DoubleRegisters));
  static constexpr size_t offsets[] = {offsetof(DoubleRegisters, d), offsetof(DoubleRegisters, a),
                                       offsetof(DoubleRegisters, b), offsetof(DoubleRegisters, c)};
  auto place = [&](unsigned operand, size_t index) {
    return t.b.CreateConstGEP1_64(t.b.getInt8Ty(), registers, offsets[operand] + 8 * index);
  };
  for (unsigned operand = 1; operand < 4; ++operand)
    for (auto [index, part] : enumerate(partsOf(s.operands[operand])))
      t.b.CreateStore(t.read(part, 64), place(operand, index));
  t.collective("dscc_sim_mma_doubles", t.b.getVoidTy(),
               {t.i32(shape.m), t.i32(shape.k), t.i32(productRounding(s)), registers, t.site()});
  for (auto [index, part] : enumerate(partsOf(s.operands[0])))
    t.write(part, t.b.CreateLoad(t.integer(64), place(0, index)));
}

/// The fragments as registers in memory.
static void translateMma(FunctionTranslator &t, const Statement &s) {
  std::optional<ProductShape> shape = parseProduct(s);
  if (!shape || s.operands.size() != 4)
    return t.fail("the simulator does not know `" + s.text + "`");
  for (auto [operand, count] : zip(s.operands, shape->counts))
    if (partsOf(operand).size() != count)
      return t.fail("`" + s.text + "` takes a fragment of " + Twine(count) + " registers, not of " +
                    Twine(partsOf(operand).size()));
  if (shape->bits == 64)
    return translateDoubles(t, s, *shape);
  if (t.products.key != shape->key)
    t.makeProducts();
  t.products.key = shape->key;
  t.products.buffer = t.buffer("mma", maxProducts * sizeof(ProductRegisters));
  static constexpr size_t offsets[] = {offsetof(ProductRegisters, d), offsetof(ProductRegisters, a),
                                       offsetof(ProductRegisters, b), offsetof(ProductRegisters, c)};
  auto place = [&](unsigned operand, size_t index) {
    size_t offset = t.products.count * sizeof(ProductRegisters) + offsets[operand] + 4 * index;
    return t.b.CreateConstGEP1_64(t.b.getInt8Ty(), t.products.buffer, offset);
  };
  for (unsigned operand = 1; operand < 4; ++operand)
    for (auto [index, part] : enumerate(partsOf(s.operands[operand])))
      t.b.CreateStore(t.read(part, 32), place(operand, index));
  if (shape->m == 8)
    for (auto [operand, index] : {std::pair(1, 1), std::pair(3, 2), std::pair(3, 3)})
      t.b.CreateStore(t.i32(0), place(unsigned(operand), size_t(index)));
  enqueue(t, t.products, s.operands[0]);
  if (t.products.count == maxProducts || !s.predicate.empty())
    t.makeProducts();
}

/// movmatrix.sync.aligned.m8n8.trans.b16 d, a.
static void translateMovmatrix(FunctionTranslator &t, const Statement &s) {
  if (s.operands.size() != 2 || !s.has("m8n8") || !s.has("trans") || !s.has("b16"))
    return t.fail("the simulator does not know `" + s.text + "`");
  t.makeProducts(); // their results may be its operand
  t.write(s.operands[0], t.collective("dscc_sim_movmatrix", t.integer(32), {t.read(s.operands[1], 32), t.site()}));
}

ArrayRef<Instruction> matrixInstructions() {
  static constexpr Instruction rows[] = {{"ldmatrix", translateLdmatrix},
                                         {"stmatrix", translateStmatrix},
                                         {"mma", translateMma},
                                         {"movmatrix", translateMovmatrix}};
  return rows;
}

} // namespace dscc::sim
