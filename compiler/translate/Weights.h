// The constants of all programs, each stored once.
//
// A program knows its weights by their place in its own `dsc.weights`. The artifact's table is those lists, one after
// the other; entries for the same constant share their bytes.

#ifndef DSCC_COMPILER_TRANSLATE_WEIGHTS_H
#define DSCC_COMPILER_TRANSLATE_WEIGHTS_H

#include "mlir/IR/BuiltinAttributes.h"

#include <dscc/abi.h>

#include <vector>

namespace dscc {

/// Fills up program by program, then is written once.
class Weights {
public:
  /// Appends a list for some of the programs, a bit for each (dscc_weight). Returns where in the table it begins.
  size_t append(mlir::ArrayAttr list, uint32_t programs);

  /// The lists of all programs; offsets count from the first weight's byte.
  llvm::ArrayRef<dscc_weight> table() const { return entries; }
  /// Of all weights, each once, with the gaps that align them.
  uint64_t bytes() const { return totalBytes; }

  /// Writes all bytes to `file` at `offset`, streaming: of a mapped model no more than a chunk is resident at a time.
  /// False with errno set if the file cannot be written.
  bool write(int file, uint64_t offset) const;

private:
  struct Content {
    mlir::ElementsAttr value;
    uint64_t offset;
  };
  std::vector<dscc_weight> entries;
  std::vector<Content> contents;
  llvm::DenseMap<mlir::Attribute, size_t> known; // value -> its first entry
  uint64_t totalBytes = 0;
};

} // namespace dscc

#endif // DSCC_COMPILER_TRANSLATE_WEIGHTS_H
