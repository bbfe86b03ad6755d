// The worker threads of a model on a CPU.
//
// A launch is a number of blocks that are handed out in chunks by an atomic ticket. Workers spin for a while before
// they sleep, because the next launch of the same run usually follows within a microsecond. One launch runs at a time:
// a second context that finds the pool busy runs its blocks itself.

#ifndef DSCC_RUNTIME_POOL_H
#define DSCC_RUNTIME_POOL_H

#include <dscc/abi.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace dscc {

/// Threads that wait for launches, and the launch that is under way.
class Pool {
public:
  /// Starts `threads` - 1 workers; null if that fails. `scratchBytes` is what each worker may use.
  static Pool *create(int threads, size_t scratchBytes);
  /// Ends the workers and frees the pool. No launch may be under way.
  void destroy();

  /// Runs all blocks and returns when they are done. `scratch` is the calling thread's own.
  void run(dscc_cpu_kernel kernel, void **args, int64_t blocks, void *scratch);
  /// How many threads run a launch, the calling one included.
  int threads() const { return numThreads; }

private:
  /// One thread; `thread` counts only if it was started.
  struct alignas(64) Worker {
    Pool *pool;
    void *scratch;
    unsigned long thread;
    bool started;
  };
  /// Where a thread begins.
  static void *enter(void *worker);
  /// Waits for launches and helps with them, until the pool ends.
  void work(Worker &worker);
  /// Takes blocks of the launch under way and runs them until none is left.
  void drain(void *scratch);

  int numThreads = 1;
  Worker *workers = nullptr;
  // What the launch under way is. Written before `generation` is raised, read after it was seen.
  dscc_cpu_kernel kernel = nullptr;
  void **args = nullptr;
  int64_t blocks = 0, chunk = 1;
  alignas(64) std::atomic<uint32_t> generation{0};
  alignas(64) std::atomic<int64_t> ticket{0};
  alignas(64) std::atomic<int64_t> finished{0};
  /// openBit while the fields above are those of a launch under way, plus how many workers are looking at them.
  alignas(64) std::atomic<uint32_t> visitors{0};
  std::atomic<int> sleepers{0};
  std::atomic<bool> busy{false}, stopping{false};
};

/// Cores that this process may use, each counted once however many hardware threads it has.
int countCores();

} // namespace dscc

#endif // DSCC_RUNTIME_POOL_H
