// What instructions ask of the module's `.target`, and how many operands they take: what ptxas would refuse.

#include "tools/simulator/translate/Translator.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

namespace dscc::sim {

using namespace llvm;

namespace {
/// An instruction that has both words, each empty for any, is for these targets and later ones.
struct Requirement {
  StringLiteral opcode, first, second;
  unsigned least;       // of sm_NN
  bool isExact = false; // for sm_NNa alone
};

struct OperandCount {
  StringLiteral opcode;
  unsigned least, most;
  unsigned types; // that its name has
};
} // namespace

static constexpr Requirement requirements[] = {
    {"elect", "", "", 90},
    {"griddepcontrol", "", "", 90},
    {"setmaxnreg", "", "", 90, true},
    {"wgmma", "", "", 90, true},
    {"stmatrix", "", "", 90},
    {"mapa", "", "", 90},
    {"getctarank", "", "", 90},
    {"", "cluster", "", 90},
    {"", "shared::cluster", "", 90},
    {"", "bulk", "", 90},
    {"", "f32x2", "", 100},
    {"mbarrier", "try_wait", "", 90},
    {"mbarrier", "expect_tx", "", 90},
    {"mbarrier", "complete_tx", "", 90},
    {"mbarrier", "relaxed", "", 90},
    {"fence", "acquire", "", 90},
    {"fence", "release", "", 90},
    {"fence", "mbarrier_init", "", 90},
    {"fence", "tensormap::generic", "", 90},
    {"prefetch", "tensormap", "", 90},
    {"ld", "v8", "", 100},
    {"st", "v8", "", 100},
    {"st", "async", "", 90},
    {"red", "async", "", 90},
    {"fence", "async", "", 90},
    {"atom", "v2", "", 90},
    {"atom", "v4", "", 90},
    {"atom", "v8", "", 90},
    {"red", "v2", "", 90},
    {"red", "v4", "", 90},
    {"red", "v8", "", 90},
    {"atom", "bf16", "", 90},
    {"atom", "bf16x2", "", 90},
    {"red", "bf16", "", 90},
    {"red", "bf16x2", "", 90},
    {"atom", "b128", "", 90},
    {"cvt", "e4m3x2", "", 89},
    {"cvt", "e5m2x2", "", 89},
    {"mma", "e4m3", "", 89},
    {"mma", "e5m2", "", 89},
    {"mma", "f64", "m16n8k4", 90},
    {"mma", "f64", "m16n8k8", 90},
    {"mma", "f64", "m16n8k16", 90},
    {"add", "bf16", "", 90},
    {"add", "bf16x2", "", 90},
    {"sub", "bf16", "", 90},
    {"sub", "bf16x2", "", 90},
    {"mul", "bf16", "", 90},
    {"mul", "bf16x2", "", 90},
    {"setp", "bf16", "", 90},
    {"setp", "bf16x2", "", 90},
    {"set", "bf16", "", 90},
    {"set", "bf16x2", "", 90},
    {"tanh", "bf16", "", 90},
    {"tanh", "bf16x2", "", 90},
    {"ex2", "bf16", "", 90},
    {"ex2", "bf16x2", "", 90},
    {"add", "u16x2", "", 90},
    {"add", "s16x2", "", 90},
    {"min", "u16x2", "", 90},
    {"min", "s16x2", "", 90},
    {"max", "u16x2", "", 90},
    {"max", "s16x2", "", 90},
    {"min", "relu", "s32", 90},
    {"max", "relu", "s32", 90},
    {"min", "xorsign", "", 86},
    {"max", "xorsign", "", 86},
};

static constexpr OperandCount operandCounts[] = {
    {"add", 3, 3, 1},        {"sub", 3, 3, 1},  {"mul", 3, 3, 1},      {"div", 3, 3, 1},   {"rem", 3, 3, 1},
    {"min", 3, 3, 1},        {"max", 3, 3, 1},  {"mad", 4, 4, 1},      {"fma", 4, 4, 1},   {"mul24", 3, 3, 1},
    {"mad24", 4, 4, 1},      {"neg", 2, 2, 1},  {"abs", 2, 2, 1},      {"sqrt", 2, 2, 1},  {"rsqrt", 2, 2, 1},
    {"rcp", 2, 2, 1},        {"ex2", 2, 2, 1},  {"lg2", 2, 2, 1},      {"sin", 2, 2, 1},   {"cos", 2, 2, 1},
    {"tanh", 2, 2, 1},       {"setp", 3, 4, 1}, {"set", 3, 4, 2},      {"selp", 4, 4, 1},  {"slct", 4, 4, 2},
    {"dp4a", 4, 4, 2},       {"dp2a", 4, 4, 2}, {"copysign", 3, 3, 1}, {"testp", 2, 2, 1}, {"sad", 4, 4, 1},
    {"activemask", 1, 1, 1},
};

/// `mbarrier.arrive state, [a], count`, where sm_8x knows a count with .noComplete alone.
static bool hasLateCount(const Statement &s) {
  return s.parts[0] == "mbarrier" && (s.has("arrive") || s.has("arrive_drop")) && s.operands.size() == 3 &&
         !s.has("noComplete");
}

/// As many registers in braces as .v2 and the like say.
static std::string findVectorError(const Statement &s) {
  size_t at = s.parts[0] == "st" ? 1 : 0;
  if ((s.parts[0] != "ld" && s.parts[0] != "ldu" && s.parts[0] != "st") || s.operands.size() <= at)
    return "";
  size_t wanted = s.has("v2") ? 2 : s.has("v4") ? 4 : s.has("v8") ? 8 : 0;
  bool isVector = s.operands[at].kind == Operand::Kind::Vector;
  if (wanted == (isVector ? s.operands[at].parts.size() : 0))
    return "";
  return "`" + s.text + "` takes " +
         (wanted ? std::to_string(wanted) + " registers in braces" : "one register, without braces");
}

static std::string findRequirement(const Statement &s, StringRef target) {
  StringRef number = target;
  number.consume_front("sm_");
  number.consume_front("compute_");
  bool isArchitecture = number.ends_with("a");
  unsigned has = 0;
  if (number.take_while(isDigit).getAsInteger(10, has))
    return "";
  if (has < 90 && hasLateCount(s))
    return ("`" + s.text + "` with a count needs .noComplete, or .target sm_90 or later, and this is " + target).str();
  for (const Requirement &row : requirements) {
    if ((!row.opcode.empty() && row.opcode != s.parts[0]) || (!row.first.empty() && !s.has(row.first)) ||
        (!row.second.empty() && !s.has(row.second)))
      continue;
    if (has < row.least || (row.isExact && !(isArchitecture && has == row.least)))
      return ("`" + s.text + "` needs .target sm_" + Twine(row.least) + (row.isExact ? "a" : " or later") +
              ", and this is " + target)
          .str();
  }
  return "";
}

std::string findFormError(const Statement &s, StringRef target) {
  if (std::string missing = findRequirement(s, target); !missing.empty())
    return missing;
  if (std::string wrong = findVectorError(s); !wrong.empty())
    return wrong;
  auto isNarrow = [](StringRef part) { return part == "u2" || part == "s2" || part == "u4" || part == "s4"; };
  if (s.parts[0] != "cvt" && any_of(s.parts, isNarrow))
    return "`" + s.text + "`: only cvt.pack takes such a type";
  const OperandCount *row = find_if(operandCounts, [&](const OperandCount &row) { return row.opcode == s.parts[0]; });
  if (row == std::end(operandCounts))
    return "";
  if (s.operands.size() < row->least || s.operands.size() > row->most)
    return ("`" + s.text + "` takes " + Twine(row->least) +
            (row->most > row->least ? " or " + std::to_string(row->most) : "") + " operands, and has " +
            Twine(s.operands.size()))
        .str();
  auto types = count_if(drop_begin(s.parts), [](StringRef part) { return parseType(part).has_value(); });
  if (types != row->types)
    return ("`" + s.text + "` has " + Twine(types) + " types in place of " + Twine(row->types)).str();
  return "";
}

} // namespace dscc::sim
