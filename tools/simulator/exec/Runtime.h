// What the parts of the execution ask of each other, and what compiled code calls.

#ifndef DSCC_TOOLS_SIMULATOR_EXEC_RUNTIME_H
#define DSCC_TOOLS_SIMULATOR_EXEC_RUNTIME_H

#include "tools/simulator/exec/Block.h"

#include "llvm/ADT/ArrayRef.h"

namespace dscc::sim {

/// The thread has come to its end: lets others go on. Does not come back.
[[noreturn]] void exitThread(Lane &lane);

/// Writes what the first `end` cp.async of a thread have promised, those that have landed already excepted.
void landUntil(Lane &lane, uint64_t end);

/// Poisons shared memory and clears its shadow, if the settings ask for it.
void prepareChecks(Block &block);

/// Looks at a plain access of any space.
void checkAccess(Lane &lane, const char *address, uint32_t bytes, bool isStore, int site);

/// Local memory is on the stacks of the block's threads, and so are the parameters of functions.
bool isOnStack(const Block &block, const char *address);
/// Whether the bytes are of one parameter of the launch: loads of any space but .shared and .local may come there.
bool isInParameters(const Block &block, const char *address, size_t bytes);

/// A function that compiled code calls, by the name that it calls it by.
struct Callee {
  const char *name;
  void *address;
};
/// One list a file of the execution.
llvm::ArrayRef<Callee> warpCallees();
llvm::ArrayRef<Callee> barrierCallees();
llvm::ArrayRef<Callee> checkCallees();
llvm::ArrayRef<Callee> clockCallees();
llvm::ArrayRef<Callee> parameterCallees();
llvm::ArrayRef<Callee> asyncCopyCallees();
llvm::ArrayRef<Callee> mbarrierCallees();
llvm::ArrayRef<Callee> bulkCopyCallees();
llvm::ArrayRef<Callee> clusterCallees();
llvm::ArrayRef<Callee> matrixCallees();
llvm::ArrayRef<Callee> wgmmaCallees();
llvm::ArrayRef<Callee> scalarCallees();
llvm::ArrayRef<Callee> callCallees();
llvm::ArrayRef<Callee> printingCallees();
llvm::ArrayRef<Callee> videoCallees();
llvm::ArrayRef<Callee> wmmaCallees();
llvm::ArrayRef<Callee> statisticsCallees();

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_EXEC_RUNTIME_H
