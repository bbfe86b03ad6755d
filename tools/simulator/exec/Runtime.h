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
  const char *name; // "dscc_sim_barrier"; of conversions that LLVM calls by itself, its name for them
  void *address;    // of a function that takes the Lane first, but for those conversions
};
// One list a file of the execution.
/// Warp.cpp: collectives of one value a lane, turns of the scheduler, and the end of a thread.
llvm::ArrayRef<Callee> warpCallees();
/// Barriers.cpp: bar.sync, bar.arrive and bar.red.
llvm::ArrayRef<Callee> barrierCallees();
/// Checks.cpp: looks at accesses before they are made; discard.
llvm::ArrayRef<Callee> checkCallees();
/// Clocks.cpp: fences, as the race checks follow them.
llvm::ArrayRef<Callee> clockCallees();
/// Parameters.cpp: the launch's parameters by their addresses.
llvm::ArrayRef<Callee> parameterCallees();
/// AsyncCopies.cpp: cp.async.
llvm::ArrayRef<Callee> asyncCopyCallees();
/// Mbarriers.cpp: mbarriers, and cp.async that arrive at one.
llvm::ArrayRef<Callee> mbarrierCallees();
/// BulkCopies.cpp: cp.async.bulk, of bytes and of tensors, and fence.proxy.async.
llvm::ArrayRef<Callee> bulkCopyCallees();
/// Clusters.cpp: barrier.cluster, shared memory of other blocks, st.async and red.async.
llvm::ArrayRef<Callee> clusterCallees();
/// Matrix.cpp: ldmatrix, stmatrix, movmatrix and mma.sync.
llvm::ArrayRef<Callee> matrixCallees();
/// Wgmma.cpp: wgmma, and looks at the registers that it uses.
llvm::ArrayRef<Callee> wgmmaCallees();
/// Scalars.cpp: arithmetic of one thread that LLVM does not have in PTX's meaning.
llvm::ArrayRef<Callee> scalarCallees();
/// Calls.cpp: targets of calls and branches, the depth of the stack, assertions, the heap.
llvm::ArrayRef<Callee> callCallees();
/// Printing.cpp: vprintf.
llvm::ArrayRef<Callee> printingCallees();
/// Video.cpp: the video instructions, vadd to vset4.
llvm::ArrayRef<Callee> videoCallees();
/// Wmma.cpp: wmma.load, wmma.mma and wmma.store.
llvm::ArrayRef<Callee> wmmaCallees();
/// Statistics.cpp: segments, accesses and calls, where they are counted.
llvm::ArrayRef<Callee> statisticsCallees();

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_EXEC_RUNTIME_H
