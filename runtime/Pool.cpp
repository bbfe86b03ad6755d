#include "runtime/Pool.h"

#include <cassert>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <immintrin.h>
#include <linux/futex.h>
#include <new>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace dscc {

/// About 30 us on the processors that this was measured on: longer than the gap between two launches, short enough to
/// leave the core to others when the model is idle.
static constexpr int spinLimit = 20000;
/// Chunks a thread gets on average: enough to even out slow blocks, few enough to keep the ticket cheap.
static constexpr int chunksPerThread = 8;
static constexpr uint32_t openBit = 1u << 31;

static long futex(std::atomic<uint32_t> *word, int operation, uint32_t value) {
  return syscall(SYS_futex, word, operation, value, nullptr, nullptr, 0);
}

Pool *Pool::create(int threads, size_t scratchBytes) {
  assert(threads > 0 && "the calling thread counts");
  void *memory = aligned_alloc(64, (sizeof(Pool) + 63) / 64 * 64);
  if (!memory)
    return nullptr;
  Pool *pool = new (memory) Pool;
  pool->numThreads = threads;
  size_t count = threads - 1;
  pool->workers = static_cast<Worker *>(aligned_alloc(64, sizeof(Worker) * (count ? count : 1)));
  if (!pool->workers) {
    free(pool);
    return nullptr;
  }
  memset(static_cast<void *>(pool->workers), 0, sizeof(Worker) * count);
  bool complete = true;
  for (size_t i = 0; i < count; ++i) {
    Worker &worker = pool->workers[i];
    worker.pool = pool;
    worker.scratch = scratchBytes ? aligned_alloc(64, (scratchBytes + 63) / 64 * 64) : nullptr;
    pthread_t thread;
    worker.started = (worker.scratch || !scratchBytes) && pthread_create(&thread, nullptr, enter, &worker) == 0;
    if (worker.started)
      worker.thread = thread;
    complete &= worker.started;
  }
  if (complete)
    return pool;
  pool->destroy();
  return nullptr;
}

void Pool::destroy() {
  assert(!busy.load() && !(visitors.load() & openBit) && "a pool ends between launches");
  stopping.store(true);
  generation.fetch_add(1);
  futex(&generation, FUTEX_WAKE_PRIVATE, INT32_MAX);
  for (int i = 0; i + 1 < numThreads; ++i) {
    if (workers[i].started)
      pthread_join(workers[i].thread, nullptr);
    free(workers[i].scratch);
  }
  free(workers);
  free(this);
}

void *Pool::enter(void *worker) {
  auto *self = static_cast<Worker *>(worker);
  self->pool->work(*self);
  return nullptr;
}

void Pool::work(Worker &worker) {
  uint32_t seen = 0;
  for (;;) {
    uint32_t now;
    for (int spins = 0; (now = generation.load(std::memory_order_acquire)) == seen; ++spins) {
      if (spins < spinLimit) {
        _mm_pause();
        continue;
      }
      sleepers.fetch_add(1);
      if (generation.load() == seen)
        futex(&generation, FUTEX_WAIT_PRIVATE, seen);
      sleepers.fetch_sub(1);
    }
    seen = now;
    if (stopping.load())
      return;
    // A worker that comes late finds the door closed; one that came in keeps the fields from being reused.
    uint32_t count = visitors.load();
    while ((count & openBit) && !visitors.compare_exchange_weak(count, count + 1, std::memory_order_acq_rel)) {
    }
    if (!(count & openBit))
      continue;
    assert((count & ~openBit) < uint32_t(numThreads) && "each worker comes in once");
    drain(worker.scratch);
    visitors.fetch_sub(1, std::memory_order_release);
  }
}

void Pool::drain(void *scratch) {
  for (int64_t first; (first = ticket.fetch_add(chunk, std::memory_order_acq_rel)) < blocks;) {
    int64_t last = first + chunk < blocks ? first + chunk : blocks;
    dscc_block block = {first, blocks, scratch};
    for (; block.index < last; ++block.index)
      kernel(&block, args);
    finished.fetch_add(last - first, std::memory_order_release);
  }
}

void Pool::run(dscc_cpu_kernel launched, void **arguments, int64_t count, void *scratch) {
  if (numThreads == 1 || count == 1 || busy.exchange(true, std::memory_order_acquire)) {
    dscc_block block = {0, count, scratch};
    for (; block.index < count; ++block.index)
      launched(&block, arguments);
    return;
  }
  assert(!visitors.load() && "the last launch's visitors have gone");
  kernel = launched;
  args = arguments;
  blocks = count;
  chunk = count / (chunksPerThread * numThreads);
  if (chunk < 1)
    chunk = 1;
  finished.store(0, std::memory_order_relaxed);
  ticket.store(0, std::memory_order_relaxed);
  visitors.store(openBit, std::memory_order_release);
  generation.fetch_add(1);
  if (sleepers.load())
    futex(&generation, FUTEX_WAKE_PRIVATE, INT32_MAX);
  drain(scratch);
  // Blocks are counted, not workers, so that one that sleeps does not delay a small launch.
  while (finished.load(std::memory_order_acquire) != count)
    _mm_pause();
  visitors.fetch_and(~openBit);
  while (visitors.load(std::memory_order_acquire))
    _mm_pause();
  busy.store(false, std::memory_order_release);
}

static int readNumber(const char *path) {
  FILE *file = fopen(path, "re");
  int number = -1;
  if (file && fscanf(file, "%d", &number) != 1)
    number = -1;
  if (file)
    fclose(file);
  return number;
}

int countCores() {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof(allowed), &allowed))
    return 1;
  int cores = 0;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed))
      continue;
    // The first hardware thread of a core that we may use stands for it.
    char path[96];
    snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu);
    int first = readNumber(path);
    if (first < 0 || first >= CPU_SETSIZE || first == cpu || !CPU_ISSET(first, &allowed))
      ++cores;
  }
  return cores ? cores : 1;
}

} // namespace dscc
