// Initialisers that are inputs as well: a caller may replace them, unless the model's shapes follow from them.
//
// Each is an argument of @main, behind those that every caller gives, and a constant that stands in for it. What ops
// make of such arguments alone is known by default, too. Once the import depends on the contents of a default, its
// constant takes the argument's place.

#ifndef DSCC_COMPILER_IMPORT_DEFAULTS_H
#define DSCC_COMPILER_IMPORT_DEFAULTS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/SetVector.h"

#include <string>
#include <vector>

namespace dscc {

/// The defaults of one model.
class Defaults {
public:
  /// Adds an argument to `function` for which `constant`, a dsc.constant, stands in.
  mlir::Value add(mlir::func::FuncOp function, llvm::StringRef name, mlir::Value constant, mlir::ElementsAttr elements);
  /// What is known of `value` if no caller replaces a default; else `value` itself.
  mlir::Value contentsOf(mlir::Value value) const;
  /// Notes that the import depends on what contentsOf says of `value`.
  void dependOn(mlir::Value value);
  /// Tries to evaluate `op`, of which some operands may be known by default. Its result stays, and is known by default.
  void evaluate(mlir::OpBuilder &builder, mlir::Operation *op);
  /// Puts the constants in the place of the defaults that the import depends on; returns their names, in quotes.
  std::string fix(mlir::func::FuncOp function);

private:
  struct Default {
    std::string name;
    mlir::BlockArgument argument;
    mlir::Value constant;
    bool isFixed = false; // shapes, an axis or a branch follow from it
  };
  /// What a value is as long as these defaults are.
  struct Known {
    mlir::Value constant;
    llvm::SmallSetVector<size_t, 2> sources;
  };

  std::vector<Default> defaults;
  llvm::DenseMap<mlir::Value, Known> known;
};

} // namespace dscc

#endif // DSCC_COMPILER_IMPORT_DEFAULTS_H
