// wmma.load, wmma.mma, wmma.store: fragments as bytes in memory, shapes and types as a constant.

#include "tools/simulator/exec/Wmma.h"

#include "tools/simulator/translate/Translator.h"

#include <cstring>

namespace dscc::sim {

using namespace llvm;

namespace {
struct Shape {
  unsigned m = 0, n = 0, k = 0;
};
struct Element {
  StringLiteral name;
  WmmaElement code;
  unsigned bits;
};
} // namespace

static constexpr Element elements[] = {{"f16", WmmaF16, 16}, {"bf16", WmmaBf16, 16}, {"tf32", WmmaTf32, 32},
                                       {"f64", WmmaF64, 64}, {"f32", WmmaF32, 32},   {"s8", WmmaS8, 8},
                                       {"u8", WmmaU8, 8},    {"s32", WmmaS32, 32}};

static const Element *findElement(StringRef name) {
  const Element *found = find_if(elements, [&](const Element &row) { return row.name == name; });
  return found == std::end(elements) ? nullptr : found;
}

static Shape shapeOf(const Statement &s) {
  for (StringRef part : s.parts) {
    Shape shape;
    if (part.consume_front("m") && !part.consumeInteger(10, shape.m) && part.consume_front("n") &&
        !part.consumeInteger(10, shape.n) && part.consume_front("k") && !part.consumeInteger(10, shape.k) &&
        part.empty())
      return shape;
  }
  return {};
}

/// What the manual has shapes for; the types of four and of one bit are not among them here.
static bool isKnown(Shape shape, const Element &a) {
  auto is = [&](unsigned m, unsigned n, unsigned k) { return shape.m == m && shape.n == n && shape.k == k; };
  switch (a.code) {
  case WmmaTf32: return is(16, 16, 8);
  case WmmaF64: return is(8, 8, 4);
  default: return is(16, 16, 16) || is(32, 8, 16) || is(8, 32, 16);
  }
}

static void failUnknown(FunctionTranslator &t, const Statement &s) {
  t.fail("the simulator does not know `" + s.text + "`");
}

template <typename Form> static Value *constant(FunctionTranslator &t, const Form &form) {
  return t.b.CreateGlobalString(StringRef(reinterpret_cast<const char *>(&form), sizeof(form)), "wmma", 0, nullptr,
                                /*AddNull=*/false);
}

static unsigned registerBits(const Element &element) { return element.bits == 64 ? 64 : 32; }

static Value *spread(FunctionTranslator &t, StringRef role, const Operand &fragment, const Element &element) {
  Value *bytes = t.buffer(role);
  for (auto [index, part] : enumerate(fragment.parts)) {
    Value *value = t.read(part, registerBits(element));
    t.b.CreateStore(value, t.b.CreateConstGEP1_64(value->getType(), bytes, index));
  }
  return bytes;
}

static void gather(FunctionTranslator &t, const Operand &fragment, const Element &element, Value *bytes) {
  Type *type = t.integer(registerBits(element));
  for (auto [index, part] : enumerate(fragment.parts))
    t.write(part, t.b.CreateLoad(type, t.b.CreateConstGEP1_64(type, bytes, index)));
}

/// Elements in the registers of a fragment; 0 unless each lane's share fits a whole number of times.
static unsigned countHeld(const Operand &fragment, const Element &element, unsigned matrix) {
  unsigned held = unsigned(fragment.parts.size()) * registerBits(element) / element.bits;
  return held && held <= 16 && held % (matrix / 32) == 0 ? held : 0;
}

/// wmma.load.{a,b,c}.sync.aligned.LAYOUT.SHAPE[.SPACE].TYPE {r}, [p] [, stride], and wmma.store.d with [p] in front.
static void translateAccess(FunctionTranslator &t, const Statement &s, bool isStore) {
  Shape shape = shapeOf(s);
  const Element *element = findElement(s.parts.back());
  char which = s.parts.size() > 2 ? s.parts[2].front() : ' ';
  bool isOperand = which == 'a' || which == 'b', isColumn = s.has("col");
  if (!shape.m || !element || s.operands.size() < 2 || (isOperand && !isKnown(shape, *element)) ||
      isColumn == s.has("row"))
    return failUnknown(t, s);
  const Operand &fragment = s.operands[isStore ? 1 : 0], &place = s.operands[isStore ? 0 : 1];
  unsigned rows = which == 'b' ? shape.k : shape.m, columns = which == 'a' ? shape.k : shape.n;
  unsigned held = countHeld(fragment, *element, rows * columns);
  if (!held)
    return failUnknown(t, s);
  WmmaAccess form{uint8_t(rows), uint8_t(columns), isColumn, element->code, uint8_t(held)};
  Value *stride = s.operands.size() > 2 ? t.read(s.operands[2], 32) : t.i32(isColumn ? rows : columns);
  Value *bytes = isStore ? spread(t, "wmma_store", fragment, *element) : t.buffer("wmma_load");
  t.collective(isStore ? "dscc_sim_wmma_store" : "dscc_sim_wmma_load", t.b.getVoidTy(),
               {constant(t, form), t.address(place, stateSpaceOf(s)), stride, bytes, t.site()});
  if (!isStore)
    gather(t, fragment, *element, bytes);
}

/// The types that end the name: D and C of f16 products, else D, A, B and C.
static bool findTypes(const Statement &s, const Element *(&types)[4]) {
  SmallVector<const Element *> named;
  for (StringRef part : s.parts)
    if (const Element *element = findElement(part))
      named.push_back(element);
  if (named.size() == 2)
    named = {named[0], &elements[0], &elements[0], named[1]};
  if (named.size() != 4)
    return false;
  copy(named, types);
  return types[1]->bits == types[2]->bits;
}

static void translateProduct(FunctionTranslator &t, const Statement &s) {
  const Element *types[4]; // D, A, B, C
  Shape shape = shapeOf(s);
  if (s.operands.size() != 4 || !findTypes(s, types) || !isKnown(shape, *types[1]))
    return failUnknown(t, s);
  if (types[0]->code != WmmaF64 && (productRounding(s) >= 0 || s.has("rn")))
    return failUnknown(t, s);
  const unsigned sizes[] = {shape.m * shape.n, shape.m * shape.k, shape.k * shape.n, shape.m * shape.n};
  for (unsigned i = 0; i < 4; ++i)
    if (!countHeld(s.operands[i], *types[i], sizes[i]))
      return failUnknown(t, s);
  WmmaProduct form{uint8_t(shape.m), uint8_t(shape.n),   uint8_t(shape.k),
                   types[0]->code,   types[1]->code,     types[2]->code,
                   types[3]->code,   s.has("satfinite"), int8_t(productRounding(s))};
  Value *a = spread(t, "wmma_a", s.operands[1], *types[1]), *b = spread(t, "wmma_b", s.operands[2], *types[2]);
  Value *c = spread(t, "wmma_c", s.operands[3], *types[3]), *d = t.buffer("wmma_d");
  t.collective("dscc_sim_wmma_mma", t.b.getVoidTy(), {constant(t, form), a, b, c, d, t.site()});
  gather(t, s.operands[0], *types[0], d);
}

static void translateWmma(FunctionTranslator &t, const Statement &s) {
  StringRef what = s.parts.size() > 1 ? s.parts[1] : "";
  if (what == "mma")
    return translateProduct(t, s);
  if (what != "load" && what != "store")
    return failUnknown(t, s);
  translateAccess(t, s, what == "store");
}

ArrayRef<Instruction> wmmaInstructions() {
  static constexpr Instruction rows[] = {{"wmma", translateWmma}};
  return rows;
}

} // namespace dscc::sim
