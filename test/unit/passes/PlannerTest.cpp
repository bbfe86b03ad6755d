// The planner on buffers whose best plan is known, and on random ones whose plans are checked.

#include "passes/memory/Planner.h"

#include <gtest/gtest.h>

#include <random>
#include <sstream>
#include <string>

using namespace dscc;

/// No two buffers that are live at once share a byte, and all lie within the plan.
static void expectSound(const std::vector<Buffer> &buffers, const Planner::Plan &plan) {
  ASSERT_EQ(plan.offsets.size(), buffers.size());
  for (size_t i = 0; i < buffers.size(); ++i) {
    EXPECT_GE(plan.offsets[i], 0);
    EXPECT_LE(plan.offsets[i] + buffers[i].bytes, plan.bytes);
    for (size_t j = 0; j < i; ++j) {
      if (!liveAtOnce(buffers[i], buffers[j]))
        continue;
      bool apart = plan.offsets[i] + buffers[i].bytes <= plan.offsets[j] ||
                   plan.offsets[j] + buffers[j].bytes <= plan.offsets[i];
      EXPECT_TRUE(apart) << "buffers " << j << " and " << i << " overlap";
    }
  }
}

/// MiniMalloc's format: a line "id,lower,upper,size" a buffer, live in [lower, upper).
static std::vector<Buffer> readCsv(const std::string &text) {
  std::vector<Buffer> buffers;
  std::istringstream lines(text);
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    long long id, lower, upper, size;
    if (std::sscanf(line.c_str(), "%lld,%lld,%lld,%lld", &id, &lower, &upper, &size) == 4)
      buffers.push_back({lower, upper - 1, size});
  }
  return buffers;
}

static std::vector<Buffer> makeRandom(unsigned seed, size_t count) {
  std::mt19937 random(seed);
  std::vector<Buffer> buffers;
  for (size_t i = 0; i < count; ++i) {
    int64_t first = random() % 100;
    buffers.push_back({first, first + int64_t(random() % 20), int64_t(random() % 1000) * 64});
  }
  return buffers;
}

TEST(Planner, NothingTakesNothing) {
  Planner planner({});
  EXPECT_EQ(planner.plan().bytes, 0);
  EXPECT_EQ(planner.maxLive(), 0);
}

TEST(Planner, BuffersThatNeverMeetShareBytes) {
  // 100 at steps 0 to 1, 80 at steps 2 to 3: the second fits into the first.
  Planner planner({{0, 1, 100}, {2, 3, 80}});
  EXPECT_EQ(planner.plan().bytes, 100);
}

TEST(Planner, BuffersThatMeetInOneStepDoNot) {
  Planner planner({{0, 2, 100}, {2, 3, 80}});
  EXPECT_EQ(planner.plan().bytes, 180);
  EXPECT_EQ(planner.maxLive(), 180);
}

TEST(Planner, ReadsLifetimesThatExcludeTheirEnd) {
  std::vector<Buffer> buffers = readCsv("id,lower,upper,size\n0,0,2,10\n1,2,4,20\n2,1,3,5\n");
  Planner planner(buffers);
  Planner::Plan plan = planner.plan();
  expectSound(buffers, plan);
  // At step 2: buffers 1 and 2, 20 + 5.
  EXPECT_EQ(planner.maxLive(), 25);
  EXPECT_EQ(plan.bytes, 25);
}

TEST(Planner, EmptyBuffersTakeNothing) {
  std::vector<Buffer> buffers = {{0, 5, 0}, {0, 5, 64}, {0, 5, 0}};
  Planner::Plan plan = Planner(buffers).plan();
  expectSound(buffers, plan);
  EXPECT_EQ(plan.bytes, 64);
}

TEST(Planner, RandomPlansAreSoundAndNearTheBound) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    std::vector<Buffer> buffers = makeRandom(seed, 20 + seed * 4);
    Planner planner(buffers);
    Planner::Plan plan = planner.plan();
    expectSound(buffers, plan);
    EXPECT_GE(plan.bytes, planner.maxLive());
    EXPECT_LE(double(plan.bytes), 1.3 * double(planner.maxLive())) << "seed " << seed;
  }
}

TEST(Planner, TheSameInputGivesTheSamePlan) {
  std::vector<Buffer> buffers = makeRandom(7, 200);
  EXPECT_EQ(Planner(buffers).plan().offsets, Planner(buffers).plan().offsets);
}
