#include "compiler/import/OperandTypes.h"

#include "compiler/import/ElementTypes.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;

namespace dscc {

namespace {
struct Kind {
  llvm::StringLiteral name, types;
};
} // namespace

/// Each kind is made of types and of kinds above it.
static constexpr Kind kinds[] = {
    {"ieee", "float16+float+double"},
    {"floats", "ieee+bfloat16"},
    {"index", "int32+int64"},
    {"wide", "index+uint32+uint64"},
    {"signed", "int8+int16+int32+int64"},
    {"unsigned", "uint8+uint16+uint32+uint64"},
    {"integers", "signed+unsigned"},
    {"numbers", "floats+integers"},
    {"any", "numbers+bool"},
    {"float8s", "float8e4m3fn+float8e4m3fnuz+float8e5m2+float8e5m2fnuz"},
    {"narrow", "int2+int4+uint2+uint4"},
    {"all", "any+float8s+narrow+float8e8m0+float4e2m1"},
};

static void listTypes(StringRef sum, SmallVectorImpl<StringRef> &types) {
  for (StringRef name : llvm::split(sum, '+')) {
    auto kind = llvm::find_if(kinds, [&](const Kind &k) { return k.name == name; });
    if (kind != std::end(kinds))
      listTypes(kind->types, types);
    else
      types.push_back(name);
  }
}

static std::string describe(size_t i, ArrayRef<std::string> names) {
  assert(i < names.size() && "only operands that the node itself names can be of a wrong type");
  return "input " + std::to_string(i) + " ('" + names[i] + "')";
}

/// "float16, float or double"
static std::string describe(ArrayRef<StringRef> types) {
  std::string text = llvm::join(types.drop_back(), ", ");
  return text + (text.empty() ? "" : " or ") + types.back().str();
}

std::string whyNotOperands(StringRef types, ArrayRef<Type> operands, ArrayRef<std::string> names) {
  if (types.empty())
    return "";
  SmallVector<StringRef> entries;
  types.split(entries, ", ");
  llvm::StringMap<size_t> firstOf; // input of each name
  for (auto [i, operand] : llvm::enumerate(operands)) {
    StringRef entry = entries[std::min(i, entries.size() - 1)];
    entry.consume_back("...");
    assert(!entry.empty() && "the table says something of each operand");
    if (!operand)
      continue;
    auto [name, sum] = entry.split('=');
    bool isNamed = llvm::isUpper(name.front());
    if (isNamed) {
      size_t first = firstOf.try_emplace(name, i).first->second;
      if (operands[first] != operand)
        return "has " + describe(i, names) + " of type " + dataTypeName(operand) + ", which must be that of " +
               describe(first, names) + ", " + dataTypeName(operands[first]);
    }
    // A name that stands alone has been checked where it was first; unless that input is left out.
    if (isNamed && sum.empty())
      for (StringRef other : entries)
        if (auto [otherName, otherSum] = other.split('='); otherName == name && !otherSum.empty())
          sum = otherSum;
    SmallVector<StringRef> allowed;
    listTypes(isNamed ? sum : entry, allowed);
    if (!llvm::is_contained(allowed, dataTypeName(operand)))
      return "has " + describe(i, names) + " of type " + dataTypeName(operand) + ", which must be " + describe(allowed);
  }
  return "";
}

} // namespace dscc
