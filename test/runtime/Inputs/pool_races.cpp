// Launches from two threads on one pool, built with the thread sanitizer: blocks write what the caller then reads.

#include "runtime/Pool.h"

#include <cstdio>
#include <cstdlib>
#include <thread>
#include <unistd.h>
#include <vector>

static void add(const dscc_block *block, void **args) { ++static_cast<int *>(args[0])[block->index]; }

static void launch(dscc::Pool &pool, int blocks, int times) {
  std::vector<int> counts(blocks);
  void *args[] = {counts.data()};
  for (int i = 1; i <= times; ++i) {
    pool.run(add, args, blocks, nullptr);
    for (int count : counts)
      if (count != i)
        abort();
    if (i % 100 == 0)
      usleep(2000); // long enough for workers to fall asleep
  }
}

int main() {
  for (int threads : {1, 2, 3}) {
    dscc::Pool *pool = dscc::Pool::create(threads, 64);
    std::thread other([&] { launch(*pool, 17, 1000); });
    launch(*pool, 40, 1000);
    other.join();
    pool->destroy();
  }
  puts("every block once");
}
