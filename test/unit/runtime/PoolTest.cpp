// Every block of a launch runs exactly once, whoever runs it, and is done when the launch returns.

#include "runtime/Pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <thread>
#include <unistd.h>
#include <vector>

namespace dscc {

namespace {
struct DestroyPool {
  void operator()(Pool *pool) const { pool->destroy(); }
};
using OwnedPool = std::unique_ptr<Pool, DestroyPool>;

/// How often each block ran, not atomic on purpose: a launch that returns too early or runs a block twice shows.
struct Counts {
  std::vector<int> of;
  std::atomic<int> wrongCount{0};
};
} // namespace

static void countBlock(const dscc_block *block, void **args) {
  auto *counts = static_cast<Counts *>(args[0]);
  ++counts->of[block->index];
  if (block->count != static_cast<int64_t>(counts->of.size()))
    ++counts->wrongCount;
}

static void launchAndCheck(Pool &pool, int64_t blocks, int times) {
  Counts counts;
  counts.of.assign(blocks, 0);
  void *args[] = {&counts};
  for (int launch = 1; launch <= times; ++launch) {
    pool.run(countBlock, args, blocks, nullptr);
    for (int64_t block = 0; block < blocks; ++block)
      ASSERT_EQ(counts.of[block], launch) << "block " << block << " of " << blocks << " in launch " << launch;
  }
  EXPECT_EQ(counts.wrongCount, 0);
}

class PoolOf : public testing::TestWithParam<int> {};

// Fewer blocks than threads, as many, and more than can be handed out evenly.
TEST_P(PoolOf, RunsEveryBlockOnce) {
  OwnedPool pool(Pool::create(GetParam(), 0));
  ASSERT_TRUE(pool);
  EXPECT_EQ(pool->threads(), GetParam());
  for (int64_t blocks : {1, 2, 3, 7, 64, 1000})
    launchAndCheck(*pool, blocks, 500);
}

// Workers that went to sleep between two launches wake up for the second.
TEST_P(PoolOf, WakesSleepers) {
  OwnedPool pool(Pool::create(GetParam(), 0));
  ASSERT_TRUE(pool);
  for (int round = 0; round < 10; ++round) {
    usleep(5000);
    launchAndCheck(*pool, 50, 2);
  }
}

// Two contexts share the pool: the second caller runs its blocks itself.
TEST_P(PoolOf, ServesTwoCallersAtOnce) {
  OwnedPool pool(Pool::create(GetParam(), 0));
  ASSERT_TRUE(pool);
  std::thread other([&] { launchAndCheck(*pool, 33, 2000); });
  launchAndCheck(*pool, 20, 2000);
  other.join();
}

// A pool that nobody uses, or that has just been used, goes down at once.
TEST_P(PoolOf, ComesAndGoes) {
  for (int round = 0; round < 50; ++round) {
    OwnedPool pool(Pool::create(GetParam(), 64));
    ASSERT_TRUE(pool);
    if (round % 2)
      launchAndCheck(*pool, 10, 1);
  }
}

INSTANTIATE_TEST_SUITE_P(Threads, PoolOf, testing::Values(1, 2, 3));

static void useScratch(const dscc_block *block, void **args) {
  auto *scratch = static_cast<volatile int64_t *>(block->scratch);
  auto *wrong = static_cast<std::atomic<int> *>(args[0]);
  if (reinterpret_cast<uintptr_t>(block->scratch) % 64)
    ++*wrong;
  for (int i = 0; i < 128; ++i)
    scratch[i] = block->index;
  for (int i = 0; i < 128; ++i)
    if (scratch[i] != block->index)
      ++*wrong;
}

TEST(Pool, ScratchIsTheWorkersOwn) {
  OwnedPool pool(Pool::create(3, 1024));
  ASSERT_TRUE(pool);
  std::unique_ptr<void, decltype(&free)> scratch(aligned_alloc(64, 1024), free);
  std::atomic<int> wrong{0};
  void *args[] = {&wrong};
  for (int launch = 0; launch < 200; ++launch)
    pool->run(useScratch, args, 100, scratch.get());
  EXPECT_EQ(wrong, 0);
}

// A kernel that launches on the same pool finds it busy and goes on by itself.
static Pool *nestedPool;
static void nest(const dscc_block *, void **args) {
  auto *done = static_cast<std::atomic<int> *>(args[0]);
  auto count = [](const dscc_block *, void **inner) { ++*static_cast<std::atomic<int> *>(inner[0]); };
  void *inner[] = {done};
  nestedPool->run(count, inner, 5, nullptr);
}

TEST(Pool, NestedLaunch) {
  OwnedPool pool(Pool::create(2, 0));
  ASSERT_TRUE(pool);
  nestedPool = pool.get();
  std::atomic<int> done{0};
  void *args[] = {&done};
  pool->run(nest, args, 8, nullptr);
  EXPECT_EQ(done, 40); // 8 blocks of 5
}

TEST(Pool, CountsCores) {
  EXPECT_GE(countCores(), 1);
  EXPECT_LE(countCores(), sysconf(_SC_NPROCESSORS_CONF));
}

} // namespace dscc
