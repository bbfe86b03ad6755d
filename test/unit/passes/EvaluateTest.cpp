// The meanings of an elementwise op: as code of kernels, which folding interprets, and over dims. On numbers they
// agree. That folding has the bits of kernels is what test/passes/canonical/folding.test compares.

#include "passes/canonical/Evaluate.h"

#include "passes/canonical/EvaluateShapes.h"
#include "passes/canonical/RoundFloat.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

using namespace dscc;

namespace {
struct EvaluateTest : testing::Test {
  EvaluateTest() {
    context.loadDialect<dsc::DscDialect, mlir::func::FuncDialect, mlir::arith::ArithDialect, mlir::math::MathDialect>();
  }

  mlir::Block &parse(llvm::StringRef body) {
    std::string text = "func.func @f() {\n" + body.str() + "return\n}";
    module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
    return (*module->getOps<mlir::func::FuncOp>().begin()).getBody().front();
  }

  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

struct Row {
  llvm::StringLiteral op;
  unsigned operands;
  bool isComparison;
};
} // namespace

static constexpr Row integerRows[] = {
    {"add", 2, false},  {"sub", 2, false}, {"mul", 2, false},       {"div", 2, false}, {"floor_mod", 2, false},
    {"min", 2, false},  {"max", 2, false}, {"neg", 1, false},       {"abs", 1, false}, {"where", 3, false},
    {"equal", 2, true}, {"less", 2, true}, {"less_equal", 2, true},
};
static constexpr Row booleanRows[] = {
    {"and", 2, false}, {"or", 2, false}, {"xor", 2, false}, {"not", 1, false}, {"equal", 2, true}};

/// One op as text, with constants of its own.
static std::string writeOp(const Row &row, llvm::StringRef type, unsigned number, llvm::ArrayRef<std::string> values) {
  std::string tensor = "tensor<" + type.str() + ">", text, names, types;
  for (unsigned i = 0; i < row.operands; ++i) {
    bool isCondition = row.op == "where" && i == 0;
    std::string name = "%c" + std::to_string(number) + "_" + std::to_string(i);
    std::string own = isCondition ? "tensor<i1>" : tensor;
    std::string value = isCondition ? (values[i].back() % 2 ? "true" : "false") : values[i];
    text += name + " = dsc.constant dense<" + value + "> : " + own + "\n";
    names += (i ? ", " : "") + name;
    types += (i ? ", " : "") + own;
  }
  return text + "%r" + std::to_string(number) + " = dsc." + row.op.str() + " " + names + " : (" + types + ") -> " +
         (row.isComparison ? "tensor<i1>" : tensor) + "\n";
}

/// Compares the two for each op that both know; returns for how many that is.
static size_t compare(mlir::Block &block) {
  size_t known = 0;
  mlir::OpBuilder builder(block.getParentOp());
  for (mlir::Operation &op : llvm::make_early_inc_range(block.without_terminator())) {
    if (llvm::isa<dsc::ConstantOp>(op))
      continue;
    mlir::Value dims = evaluateShapes(builder, &op);
    mlir::ElementsAttr folded = evaluateConstant(&op);
    if (!dims || !folded)
      continue;
    std::string text;
    llvm::raw_string_ostream(text) << op << " operands " << getConstant(op.getOperand(0)) << " "
                                   << getConstant(op.getOperand(op.getNumOperands() - 1));
    EXPECT_EQ(getConstant(dims), folded) << text;
    ++known;
  }
  return known;
}

TEST_F(EvaluateTest, DimsAndKernelsAgreeOnIntegers) {
  std::mt19937_64 random(5);
  for (auto [type, bits, isSigned] : {std::tuple{"i64", 64, true},
                                      {"i32", 32, true},
                                      {"i8", 8, true},
                                      {"ui8", 8, false},
                                      {"ui32", 32, false},
                                      {"ui64", 64, false}}) {
    auto draw = [&, bits = bits, isSigned = isSigned] {
      int64_t top = int64_t(~0ull >> (isSigned ? 65 - bits : std::max(64 - bits, 1)));
      int64_t rare[] = {0, 1, top, top - 1, isSigned ? -top - 1 : 2, isSigned ? -1 : 3};
      if (random() % 3 == 0)
        return std::to_string(rare[random() % std::size(rare)]);
      return std::to_string(int64_t(random() % 40) - (isSigned ? 20 : 0));
    };
    std::string text;
    unsigned number = 0;
    for (const Row &row : integerRows)
      for (int round = 0; round < 60; ++round)
        if (isSigned || row.op != "neg")
          text += writeOp(row, type, number++, {draw(), draw(), draw()});
    EXPECT_GT(compare(parse(text)), number / 3) << type;
  }
}

TEST_F(EvaluateTest, DimsAndKernelsAgreeOnBooleans) {
  std::string text;
  unsigned number = 0;
  for (const Row &row : booleanRows)
    for (unsigned values = 0; values < 4; ++values)
      text += writeOp(row, "i1", number++, {values & 1 ? "true" : "false", values & 2 ? "true" : "false"});
  EXPECT_EQ(compare(parse(text)), number);
}

/// What a conversion leaves open is no constant, unless a choice leaves it out.
TEST_F(EvaluateTest, WhatIsOpenIsNotFolded) {
  mlir::Block &block = parse("%x = dsc.constant dense<[1.5, 0x7fc00000]> : tensor<2xf32>\n"
                             "%y = dsc.cast %x : (tensor<2xf32>) -> tensor<2xi32>\n"
                             "%z = dsc.constant dense<[1.5, -7.9]> : tensor<2xf32>\n"
                             "%w = dsc.cast %z : (tensor<2xf32>) -> tensor<2xi32>\n"
                             "%e = dsc.exp %x : (tensor<2xf32>) -> tensor<2xf32>\n");
  auto casts = llvm::to_vector(block.getOps<dsc::CastOp>());
  EXPECT_FALSE(evaluateConstant(casts[0]));
  mlir::ElementsAttr folded = evaluateConstant(casts[1]);
  ASSERT_TRUE(folded);
  EXPECT_EQ(llvm::to_vector(folded.getValues<int32_t>()), (llvm::SmallVector<int32_t>{1, -7}));
  // The polynomial converts NaN to an integer too, and does not use it.
  EXPECT_TRUE(evaluateConstant(*block.getOps<dsc::ExpOp>().begin()));
}

/// Short lists and long ones, which are resources, each number by itself: what is finite stays finite, other numbers
/// stay what they are.
TEST_F(EvaluateTest, NarrowsEachFloat) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  float special[] = {0.0f,     -0.0f,     65504.0f, 65519.0f, 65520.0f, -70000.0f,     3.4e38f,    -3.4e38f,
                     infinity, -infinity, 6e-8f,    -1e-30f,  1.0f / 3, std::nanf(""), 3.3953e38f, 2049.0f};
  for (size_t count : {std::size(special), size_t(1000)})
    for (mlir::FloatType element :
         {mlir::FloatType(mlir::Float16Type::get(&context)), mlir::FloatType(mlir::BFloat16Type::get(&context))}) {
      std::vector<float> floats;
      for (size_t i = 0; i < count; ++i)
        floats.push_back(special[i % std::size(special)] * (i < 2 * std::size(special) ? 1.0f : 0.37f * i));
      auto type = mlir::RankedTensorType::get({int64_t(count)}, mlir::Float32Type::get(&context));
      llvm::ArrayRef<char> bytes(reinterpret_cast<const char *>(floats.data()), count * sizeof(float));
      mlir::ElementsAttr narrow = narrowConstant(makeFromBytes(type, bytes, "x"), element, "y");
      ASSERT_TRUE(narrow);
      ASSERT_EQ(narrow.getElementType(), element);
      llvm::ArrayRef<char> result = *getBytes(narrow);
      ASSERT_EQ(result.size(), count * sizeof(uint16_t));
      for (size_t i = 0; i < count; ++i) {
        uint16_t bits;
        std::memcpy(&bits, result.data() + i * sizeof(bits), sizeof(bits));
        uint16_t wanted = element.isF16() ? roundToF16(floats[i]) : roundToBf16(floats[i]);
        uint16_t largest = element.isF16() ? 0x7bff : 0x7f7f;
        if (std::isfinite(floats[i]) && (wanted & 0x7fff) == largest + 1)
          wanted = (wanted & 0x8000) | largest;
        ASSERT_EQ(bits, wanted) << floats[i];
      }
    }
}
