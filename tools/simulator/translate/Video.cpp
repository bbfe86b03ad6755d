// The video instructions: vadd, vset, vmad and their kin on one part of a word, vadd2, vadd4, ... on all of them.

#include "tools/simulator/exec/Video.h"

#include "tools/simulator/translate/Translator.h"

#include "llvm/ADT/StringExtras.h"

namespace dscc::sim {

using namespace llvm;

namespace {
template <typename Code> struct Named {
  StringLiteral name;
  Code code;
};
/// `%r1.b2` is register %r1 and the digits of `b2`.
struct Selected {
  Operand word;
  char kind = ' '; // b, h, or a blank: all of it
  StringRef digits;
};
} // namespace

static constexpr Named<VideoOperation> operations[] = {
    {"vadd", VideoAdd},         {"vsub", VideoSubtract}, {"vabsdiff", VideoDifference}, {"vmin", VideoMin},
    {"vmax", VideoMax},         {"vavrg", VideoAverage}, {"vshl", VideoShiftLeft},      {"vshr", VideoShiftRight},
    {"vmad", VideoMultiplyAdd}, {"vset", VideoCompare}};
static constexpr Named<VideoSecond> seconds[] = {{"add", SecondAdd}, {"min", SecondMin}, {"max", SecondMax}};
static constexpr Named<VideoComparison> comparisons[] = {{"eq", CompareEq}, {"ne", CompareNe}, {"lt", CompareLt},
                                                         {"le", CompareLe}, {"gt", CompareGt}, {"ge", CompareGe}};

template <typename Code, size_t count>
static const Named<Code> *findNamed(const Named<Code> (&rows)[count], StringRef name) {
  for (const Named<Code> &row : rows)
    if (row.name == name)
      return &row;
  return nullptr;
}

static Selected select(const Operand &operand) {
  Selected selected{operand, ' ', ""};
  auto [name, part] = StringRef(operand.name).rsplit('.');
  bool isPart = part.size() > 1 && (part[0] == 'b' || part[0] == 'h') && all_of(part.drop_front(), isDigit);
  if (operand.kind != Operand::Kind::Name || !isPart)
    return selected;
  selected.word.name = name.str();
  selected.kind = part[0];
  selected.digits = part.drop_front();
  return selected;
}

/// The part of a scalar instruction's operand; `words` counts the operands before it.
static bool selectOne(const Selected &selected, unsigned words, uint8_t &width, uint8_t &part) {
  unsigned parts = selected.kind == 'b' ? 4 : selected.kind == 'h' ? 2 : 1;
  unsigned digit = selected.digits.empty() ? 0 : unsigned(selected.digits[0] - '0');
  width = uint8_t(32 / parts);
  part = uint8_t(words * parts + digit);
  return digit < parts && selected.digits.size() <= 1;
}

/// The parts of a SIMD instruction's operand: a digit a lane, the last for the lowest; all in order if none is said.
static bool selectEach(const Selected &selected, unsigned words, unsigned lanes, uint8_t (&parts)[4]) {
  bool isSaid = !selected.digits.empty();
  if (isSaid && (selected.digits.size() != lanes || selected.kind != (lanes == 2 ? 'h' : 'b')))
    return false;
  for (unsigned lane = 0; lane < lanes; ++lane) {
    parts[lane] = uint8_t(isSaid ? unsigned(selected.digits[lanes - 1 - lane] - '0') : words * lanes + lane);
    if (parts[lane] >= 2 * lanes)
      return false;
  }
  return true;
}

/// The lanes of d that are written, as in `%r1.b31`.
static uint8_t maskOf(const Selected &target, unsigned lanes) {
  uint8_t mask = 0;
  for (char digit : target.digits)
    mask = uint8_t(mask | 1 << (digit - '0'));
  return target.digits.empty() ? uint8_t((1 << lanes) - 1) : mask;
}

static void readModifiers(const Statement &s, VideoForm &form) {
  for (StringRef part : drop_begin(s.parts)) {
    if (const auto *second = findNamed(seconds, part))
      form.second = second->code;
    if (const auto *comparison = findNamed(comparisons, part))
      form.comparison = comparison->code;
  }
  form.isSaturating = s.has("sat");
  form.isWrapping = s.has("wrap");
  form.isPlusOne = s.has("po");
  form.shift = s.has("shr7") ? 7 : s.has("shr15") ? 15 : 0;
}

/// The types of D, A and B; vset has those of A and B only, and its result is a number without a sign.
static bool readTypes(const Statement &s, VideoForm &form) {
  SmallVector<bool> isSigned;
  for (StringRef part : drop_begin(s.parts))
    if (part == "s32" || part == "u32")
      isSigned.push_back(part == "s32");
  if (form.operation == VideoCompare && isSigned.size() == 2)
    isSigned.insert(isSigned.begin(), false);
  if (isSigned.size() != 3)
    return false;
  form.isSignedD = isSigned[0], form.isSignedA = isSigned[1], form.isSignedB = isSigned[2];
  return true;
}

/// vmad's signs: of the product, and of c. What is added up has a sign as soon as anything in it may be negative.
static bool negate(VideoForm &form, Operand &a, Operand &b, Operand &c) {
  form.isProductNegated = a.isMinus != b.isMinus;
  form.isAddendNegated = c.isMinus;
  bool isAny = a.isMinus || b.isMinus || c.isMinus;
  a.isMinus = b.isMinus = c.isMinus = false;
  form.isSignedD = form.isSignedA || form.isSignedB || form.isProductNegated || form.isAddendNegated;
  return !(isAny && form.isPlusOne) && !(form.isProductNegated && form.isAddendNegated);
}

static void translateVideo(FunctionTranslator &t, const Statement &s) {
  StringRef name = s.parts[0];
  unsigned lanes = name.consume_back("2") ? 2 : name.consume_back("4") ? 4 : 1;
  const auto *operation = findNamed(operations, name);
  VideoForm form{};
  if (!operation || s.operands.size() < 3 || s.operands.size() > 4)
    return t.fail("`" + s.text + "` is not known");
  form.operation = operation->code;
  form.lanes = uint8_t(lanes);
  readModifiers(s, form);
  Selected d = select(s.operands[0]), a = select(s.operands[1]), b = select(s.operands[2]);
  bool isKnown = readTypes(s, form);
  // Several lanes are added up, or nothing is done with c.
  isKnown &= lanes == 1 || form.second == SecondNone || form.second == SecondAdd;
  Operand c = s.operands.size() == 4 ? s.operands[3] : Operand();
  if (form.operation == VideoMultiplyAdd)
    isKnown &= negate(form, a.word, b.word, c);
  if (lanes == 1) {
    form.mask = 1;
    isKnown &= selectOne(a, 0, form.widthA, form.a[0]) && selectOne(b, 1, form.widthB, form.b[0]) &&
               selectOne(d, 0, form.targetBits, form.targetPart);
  } else {
    form.mask = maskOf(d, lanes);
    form.widthA = form.widthB = uint8_t(32 / lanes);
    isKnown &= selectEach(a, 0, lanes, form.a) && selectEach(b, 1, lanes, form.b) &&
               all_of(d.digits, [&](char digit) { return unsigned(digit - '0') < lanes; });
  }
  if (!isKnown)
    return t.fail("`" + s.text + "` is not known with such operands");
  Value *constant = t.b.CreateGlobalString(StringRef(reinterpret_cast<const char *>(&form), sizeof(form)), "video", 0,
                                           nullptr, /*AddNull=*/false);
  Value *third = s.operands.size() == 4 ? t.read(c, 32) : t.i32(0);
  t.write(d.word, t.call("dscc_sim_video", t.integer(32), {constant, t.read(a.word, 32), t.read(b.word, 32), third}));
}

ArrayRef<Instruction> videoInstructions() {
  static constexpr Instruction rows[] = {
      {"vadd", translateVideo},      {"vsub", translateVideo},  {"vabsdiff", translateVideo},
      {"vmin", translateVideo},      {"vmax", translateVideo},  {"vshl", translateVideo},
      {"vshr", translateVideo},      {"vmad", translateVideo},  {"vset", translateVideo},
      {"vadd2", translateVideo},     {"vsub2", translateVideo}, {"vabsdiff2", translateVideo},
      {"vmin2", translateVideo},     {"vmax2", translateVideo}, {"vavrg2", translateVideo},
      {"vset2", translateVideo},     {"vadd4", translateVideo}, {"vsub4", translateVideo},
      {"vabsdiff4", translateVideo}, {"vmin4", translateVideo}, {"vmax4", translateVideo},
      {"vavrg4", translateVideo},    {"vset4", translateVideo},
  };
  return rows;
}

} // namespace dscc::sim
