// What ops say of themselves: work and bytes as formulas, and facts that hold across the dialect.

#include "dialects/dsc/Dsc.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>

using namespace dscc;

namespace {
struct FactsTest : testing::Test {
  FactsTest() { context.loadDialect<dsc::DscDialect, mlir::func::FuncDialect>(); }

  /// The op whose result a function with this body returns.
  dsc::OpFacts last(llvm::StringRef body) {
    std::string text = "func.func @f(" + body.str() + "\n return\n}";
    module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
    EXPECT_TRUE(module);
    auto function = *module->getOps<mlir::func::FuncOp>().begin();
    return llvm::cast<dsc::OpFacts>(function.getBody().front().getTerminator()->getPrevNode());
  }
  std::string flops(llvm::StringRef body) { return last(body).getFlops().str(); }
  std::string bytes(llvm::StringRef body) { return last(body).getBytes().str(); }

  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};
} // namespace

TEST_F(FactsTest, ProductsCountTwoPerTerm) {
  // 2 * (3 * 5) results * 7 terms
  EXPECT_EQ(flops("%a: tensor<3x7xf32>, %b: tensor<7x5xf32>) {"
                  "%y = dsc.matmul %a, %b : (tensor<3x7xf32>, tensor<7x5xf32>) -> tensor<3x5xf32>"),
            "210");
  EXPECT_EQ(flops("%a: tensor<7x3xf32>, %b: tensor<7x5xf32>) {"
                  "%y = dsc.matmul %a, %b {transpose_lhs} : (tensor<7x3xf32>, tensor<7x5xf32>) -> tensor<3x5xf32>"),
            "210");
  // 2 * (4 * 2 * 2) results * (1 * 3 * 3) terms: two groups of two channels have one filter channel each
  EXPECT_EQ(flops("%x: tensor<1x2x4x4xf32>, %w: tensor<4x1x3x3xf32>) {"
                  "%y = dsc.conv %x, %w {strides = [1, 1], dilations = [1, 1], pads = [0, 0, 0, 0], groups = 2} : "
                  "(tensor<1x2x4x4xf32>, tensor<4x1x3x3xf32>) -> tensor<1x4x2x2xf32>"),
            "288");
  // 2 * (3 * 4 * 4) inputs * (2 * 2 * 2) elements of the filter that each of them meets
  EXPECT_EQ(flops("%x: tensor<1x3x4x4xf32>, %w: tensor<3x2x2x2xf32>) {"
                  "%y = dsc.conv_transpose %x, %w {strides = [2, 2], dilations = [1, 1], pads = [0, 0, 0, 0], "
                  "output_padding = [0, 0], groups = 1} : "
                  "(tensor<1x3x4x4xf32>, tensor<3x2x2x2xf32>) -> tensor<1x2x8x8xf32>"),
            "768");
}

TEST_F(FactsTest, WindowsAndRowsCountWhatTheyRead) {
  // (3 * 4 * 4) results * (2 * 2)
  EXPECT_EQ(flops("%x: tensor<1x3x8x8xf32>) {"
                  "%y = dsc.max_pool %x {window = [2, 2], strides = [2, 2], dilations = [1, 1], pads = [0, 0, 0, 0]} : "
                  "(tensor<1x3x8x8xf32>) -> tensor<1x3x4x4xf32>"),
            "192");
  EXPECT_EQ(flops("%x: tensor<?x6xf32, #dsc.dims<\"n\", 6>>) {"
                  "%y = dsc.reduce_sum %x {axes = [1]} : "
                  "(tensor<?x6xf32, #dsc.dims<\"n\", 6>>) -> tensor<?x1xf32, #dsc.dims<\"n\", 1>>"),
            "6*n");
}

TEST_F(FactsTest, RecurrencesCountEachStep) {
  // 5 steps of 2 rows: 2 * (3 * 3) for the product with the state, and 3 sums
  EXPECT_EQ(flops("%x: tensor<5x2x3xf32>, %r: tensor<1x3x3xf32>, %h0: tensor<1x2x3xf32>) {"
                  "%y, %h = dsc.recurrence gates(%x : tensor<5x2x3xf32>) weights(%r : tensor<1x3x3xf32>) "
                  "initial(%h0 : tensor<1x2x3xf32>) reverse [0] -> tensor<5x1x2x3xf32>, tensor<1x2x3xf32> {"
                  "^bb0(%g: tensor<3xf32>, %state: tensor<3xf32>, %s: tensor<3xf32>):"
                  "%0 = dsc.add %g, %s : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>"
                  "dsc.yield %0 : tensor<3xf32> }"),
            "210");
}

TEST_F(FactsTest, ElementwiseOpsCountTheirWeight) {
  constexpr llvm::StringLiteral sum = "%x: tensor<?x3xf16, #dsc.dims<\"n\", 3>>, %b: tensor<3xf16>) {"
                                      "%y = dsc.add %x, %b : (tensor<?x3xf16, #dsc.dims<\"n\", 3>>, tensor<3xf16>) -> "
                                      "tensor<?x3xf16, #dsc.dims<\"n\", 3>>";
  EXPECT_EQ(flops(sum), "3*n");
  // 2 * 3 * n read, as many written, and 2 * 3 of the other operand
  EXPECT_EQ(bytes(sum), "12*n + 6");
  EXPECT_TRUE(last(sum).getFacts().isCheap());
  constexpr llvm::StringLiteral power = "%x: tensor<4xf32>) {"
                                        "%y = dsc.exp %x : (tensor<4xf32>) -> tensor<4xf32>";
  dsc::Facts exp = last(power).getFacts();
  EXPECT_EQ(flops(power), std::to_string(4 * exp.weight));
  EXPECT_FALSE(exp.isCheap());
  // The same operand twice is read once: 16 + 16
  EXPECT_EQ(bytes("%x: tensor<4xf32>) { %y = dsc.mul %x, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>"), "32");
}

TEST_F(FactsTest, GroupsCountWhatTheyHold) {
  EXPECT_EQ(flops("%x: tensor<4xf32>) { %y = dsc.group (%x) : (tensor<4xf32>) -> tensor<4xf32> {"
                  "^bb0(%a: tensor<4xf32>):"
                  "%0 = dsc.relu %a : (tensor<4xf32>) -> tensor<4xf32>"
                  "%1 = dsc.add %0, %a : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>"
                  "dsc.yield %1 : tensor<4xf32> }"),
            "8");
}

/// Every op of the dialect has facts, and they agree with each other.
TEST_F(FactsTest, EveryOpHasFactsThatAgree) {
  size_t count = 0;
  for (mlir::RegisteredOperationName name : context.getRegisteredOperations()) {
    if (name.getDialectNamespace() != "dsc")
      continue;
    auto *interface = name.getInterface<dsc::OpFacts>();
    ASSERT_NE(interface, nullptr) << name.getStringRef().str();
    dsc::Facts facts = interface->getFacts();
    bool computes = facts.role == dsc::Role::Elementwise || facts.isHero();
    if (computes)
      EXPECT_GE(facts.weight, 1) << name.getStringRef().str();
    if (facts.accumulates)
      EXPECT_TRUE(facts.isHero()) << name.getStringRef().str();
    if (facts.readsOnce)
      EXPECT_EQ(facts.role, dsc::Role::Movement) << name.getStringRef().str();
    ++count;
  }
  EXPECT_GT(count, 80u);
}
