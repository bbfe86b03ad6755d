// Which ONNX nodes a location names: each once, in order, through fused locations and calls.

#include "dialects/dsc/Nodes.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/ADT/StringExtras.h"

#include <gtest/gtest.h>

using namespace dscc;

namespace {
struct NodesTest : testing::Test {
  mlir::Location named(llvm::StringRef name) { return mlir::NameLoc::get(builder.getStringAttr(name)); }
  static std::string nodesOf(mlir::Location location) { return llvm::join(collectNodes(location), " "); }

  mlir::MLIRContext context;
  mlir::Builder builder{&context};
};
} // namespace

TEST_F(NodesTest, namesEachNodeOnceInTheOrderOfFusion) {
  mlir::Location inner = builder.getFusedLoc({named("relu"), named("add")});
  mlir::Location outer = mlir::FusedLoc::get({named("relu"), inner, named("conv")}, {}, &context);
  EXPECT_EQ(nodesOf(outer), "relu add conv");
}

TEST_F(NodesTest, looksIntoWhatIsCalled) {
  EXPECT_EQ(nodesOf(mlir::CallSiteLoc::get(named("callee"), named("caller"))), "callee");
}

TEST_F(NodesTest, findsNothingInPlacesOfAFile) {
  EXPECT_EQ(nodesOf(mlir::FileLineColLoc::get(&context, "a.mlir", 1, 2)), "");
  EXPECT_EQ(nodesOf(builder.getUnknownLoc()), "");
}
