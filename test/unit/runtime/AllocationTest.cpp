// A run allocates nothing once the context has seen its dims, and where memory runs out a sentence says for what. This
// program's malloc counts, and fails when it is told to; the runtime is linked into it and uses the same one.

#include "test/runtime/Inputs/fake_cuda.h"
#include "test/unit/runtime/Artifacts.h"

#include <dscc/dscc.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <dlfcn.h>
#include <set>
#include <string>
#include <vector>

#if defined(__SANITIZE_ADDRESS__) || (defined(__has_feature) && __has_feature(address_sanitizer))
#define DSCC_COUNTS_ALLOCATIONS 0 // the sanitizer's own malloc must stay
#else
#define DSCC_COUNTS_ALLOCATIONS 1
#endif

static std::atomic<bool> counting{false};
static std::atomic<int> allocations{0};
/// Blocks that were allocated while counting and are still there. Whoever fills them in is one thread or its workers.
static std::atomic<int> liveBlocks{0};
/// While counting: which allocation fails; 0: none.
static std::atomic<int> failing{0};

#if DSCC_COUNTS_ALLOCATIONS
extern "C" {
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
void __libc_free(void *);

/// Counts one. False if it is the one to fail.
static bool count() {
  return !counting.load(std::memory_order_relaxed) || ++allocations != failing.load(std::memory_order_relaxed);
}
/// Counts a new block as live, if there is one.
static void *live(void *block) {
  liveBlocks += block && counting.load(std::memory_order_relaxed);
  return block;
}
void *malloc(size_t bytes) { return count() ? live(__libc_malloc(bytes)) : nullptr; }
void *calloc(size_t number, size_t bytes) { return count() ? live(__libc_calloc(number, bytes)) : nullptr; }
void *realloc(void *old, size_t bytes) {
  if (!count())
    return nullptr;
  return old ? __libc_realloc(old, bytes) : live(__libc_realloc(old, bytes));
}
void *aligned_alloc(size_t alignment, size_t bytes) {
  return count() ? live(__libc_memalign(alignment, bytes)) : nullptr;
}
void free(void *block) {
  liveBlocks -= block && counting.load(std::memory_order_relaxed);
  __libc_free(block);
}
}
#endif

namespace dscc {

namespace {
struct AllocationTest : testing::TestWithParam<int> {
  void SetUp() override {
    if (!DSCC_COUNTS_ALLOCATIONS)
      GTEST_SKIP() << "the sanitizer has a malloc of its own";
    dscc_open_options options = {sizeof(options), DSCC_CPU, 0, GetParam(), 0, nullptr};
    ASSERT_EQ(dscc_model_open(artifact.path(), &options, &model), DSCC_OK) << dscc_last_error();
    ASSERT_EQ(dscc_context_create(model, nullptr, &context), DSCC_OK) << dscc_last_error();
  }
  void TearDown() override {
    dscc_context_destroy(context);
    dscc_model_close(model);
  }

  /// How often a run on `batch` rows allocates.
  int countRun(int64_t batch) {
    const int64_t dims[] = {batch, 4};
    std::vector<float> x(4 * batch, 1), y(4 * batch);
    dscc_buffer input = {"x", DSCC_FLOAT, 2, dims, x.data(), x.size() * sizeof(float), 0};
    dscc_buffer output = {"y", DSCC_FLOAT, 2, nullptr, y.data(), y.size() * sizeof(float), 0};
    allocations = 0;
    counting = true;
    dscc_status status = dscc_run(context, &input, 1, &output, 1, nullptr);
    counting = false;
    EXPECT_EQ(status, DSCC_OK) << dscc_last_error();
    EXPECT_EQ(y.back(), 41); // 1 + 40
    return allocations;
  }

  TemporaryFile artifact{withTrailer(readFile(TWO_DEVICES))};
  dscc_model *model = nullptr;
  dscc_context *context = nullptr;
};
} // namespace

TEST_P(AllocationTest, FirstRunMakesTheArenaAndNoOther) {
  EXPECT_EQ(countRun(100), 1);
  for (int64_t batch : {100, 100, 1, 57, 100})
    EXPECT_EQ(countRun(batch), 0) << batch << " rows";
  EXPECT_EQ(countRun(200), 1); // the arena grows
}

// The driver allocates for a graph, in the second run, and nobody in those that follow.
TEST(CudaAllocationTest, AReplayAllocatesNothing) {
  if (!DSCC_COUNTS_ALLOCATIONS)
    GTEST_SKIP() << "the sanitizer has a malloc of its own";
  TemporaryFile artifact{withTrailer(readFile(TWO_DEVICES))};
  dscc_open_options options = {sizeof(options), DSCC_CUDA, 0, 1, 0, FAKE_CUDA};
  dscc_model *model = nullptr;
  dscc_context *context = nullptr;
  ASSERT_EQ(dscc_model_open(artifact.path(), &options, &model), DSCC_OK) << dscc_last_error();
  ASSERT_EQ(dscc_context_create(model, nullptr, &context), DSCC_OK) << dscc_last_error();
  const int64_t dims[] = {3, 4};
  float x[12] = {}, y[12] = {};
  dscc_buffer input = {"x", DSCC_FLOAT, 2, dims, x, sizeof(x), 0};
  dscc_buffer output = {"y", DSCC_FLOAT, 2, nullptr, y, sizeof(y), 0};
  std::vector<int> counts;
  for (int i = 0; i < 5; ++i) {
    allocations = 0;
    counting = true;
    dscc_status status = dscc_run(context, &input, 1, &output, 1, nullptr);
    counting = false;
    ASSERT_EQ(status, DSCC_OK) << dscc_last_error();
    counts.push_back(allocations);
  }
  EXPECT_GT(counts[0], 0);
  EXPECT_GT(counts[1], 0);
  EXPECT_EQ(std::vector<int>(counts.begin() + 2, counts.end()), (std::vector<int>{0, 0, 0}));
  dscc_context_destroy(context);
  dscc_model_close(model);
}

namespace {
/// A life of a model, again and again, each time with another allocation that fails.
struct OutOfMemoryTest : testing::Test {
  void SetUp() override {
    if (!DSCC_COUNTS_ALLOCATIONS)
      GTEST_SKIP() << "the sanitizer has a malloc of its own";
  }

  /// Four runs on the same rows. One that fails is made again, and must be right then.
  dscc_status runAll(dscc_context *context, const dscc_buffer &input, const dscc_buffer &output) {
    auto *y = static_cast<float *>(output.data);
    dscc_status first = DSCC_OK;
    for (int i = 0; i < 4; ++i) {
      std::fill_n(y, 12, -1.f);
      dscc_status status = dscc_run(context, &input, 1, &output, 1, nullptr);
      if (status != DSCC_OK && first == DSCC_OK) {
        first = status;
        snprintf(said, sizeof(said), "%s", dscc_last_error());
        status = dscc_run(context, &input, 1, &output, 1, nullptr);
      }
      areRunsRight &= status == DSCC_OK && y[0] == 10 && y[11] == 40;
    }
    return first;
  }

  /// Opens, asks, runs and closes; `said` is the sentence of the first call that failed. Only calls of the runtime are
  /// counted.
  dscc_status live(dscc_device device, int profile) {
    dscc_open_options options = {sizeof(options), device, 0, 2, 0, FAKE_CUDA};
    dscc_context_options made = {sizeof(made), nullptr, 0, profile, 0};
    const int64_t dims[] = {3, 4};
    int64_t outputDims[DSCC_MAX_RANK];
    size_t bytes = 0;
    float x[12] = {}, y[12] = {};
    dscc_buffer input = {"x", DSCC_FLOAT, 2, dims, x, sizeof(x), 0};
    dscc_buffer output = {"y", DSCC_FLOAT, 2, nullptr, y, sizeof(y), 0};
    dscc_model *model = nullptr;
    dscc_context *context = nullptr;
    const char *path = artifact.path();
    *said = 0;
    counting = true;
    dscc_status status = dscc_model_open(path, &options, &model);
    if (status == DSCC_OK)
      status = dscc_output_dims(model, &input, 1, 0, outputDims);
    if (status == DSCC_OK)
      status = dscc_workspace_size(model, &input, 1, &bytes);
    if (status == DSCC_OK)
      status = dscc_context_create(model, &made, &context);
    if (status != DSCC_OK)
      snprintf(said, sizeof(said), "%s", dscc_last_error());
    else
      status = runAll(context, input, output);
    dscc_context_destroy(context);
    dscc_model_close(model);
    dlerror(); // lets go of the loader's last sentence
    counting = false;
    return status;
  }

  /// What was said when each allocation in turn failed.
  std::set<std::string> collectSentences(dscc_device device, int profile) {
    std::set<std::string> sentences;
    live(device, profile); // what the C library keeps from its first use on
    for (int n = 1;; ++n) {
      allocations = 0;
      liveBlocks = 0;
      failing = n;
      dscc_status status = live(device, profile);
      failing = 0;
      EXPECT_EQ(liveBlocks, 0) << "allocation " << n << " failed: " << said;
      EXPECT_TRUE(areRunsRight) << "allocation " << n << " failed: " << said;
      if (status != DSCC_OK) {
        EXPECT_STRNE(said, "") << "allocation " << n;
        sentences.insert(said);
      }
      if (allocations < n)
        return sentences;
    }
  }

  char said[1024] = "";
  bool areRunsRight = true;
  TemporaryFile artifact{withTrailer(readFile(TWO_DEVICES))};
};
} // namespace

TEST_F(OutOfMemoryTest, OnACpu) {
  const std::set<std::string> said = collectSentences(DSCC_CPU, /*profile=*/1);
  for (const char *sentence :
       {"no memory for a model", "no memory for the defaults of 1 inputs", "no memory for the table of 2 weights",
        "2 worker threads could not be started", "no memory for the signature", "no memory for a check",
        "no memory for a context", "no memory for a profile of 64 launches",
        "the arena of 48 bytes that these inputs need cannot be allocated: 256 bytes cannot be allocated"})
    EXPECT_TRUE(said.count(sentence)) << sentence;
}

TEST_F(OutOfMemoryTest, OnCuda) {
  // The tests' own hold on the driver, so that its state outlives the model.
  void *driver = dlopen(FAKE_CUDA, RTLD_NOW | RTLD_LOCAL);
  ASSERT_TRUE(driver) << dlerror();
  reinterpret_cast<fake_cuda_reset_type>(dlsym(driver, "fake_cuda_reset"))();
  std::set<std::string> said = collectSentences(DSCC_CUDA, /*profile=*/1);
  said.merge(collectSentences(DSCC_CUDA, /*profile=*/0));
  for (const char *sentence :
       {"no memory for a device", "no memory for the table of modules", "no memory for the table of kernels",
        "no memory for a stream", "no memory for the table of device buffers", "no memory for a profile of 64 launches",
        "no memory for 2 events of a profile", "no memory for the keys of 8 graphs",
        "cuMemAlloc failed: CUDA_ERROR_OUT_OF_MEMORY (2)"})
    EXPECT_TRUE(said.count(sentence)) << sentence;
  fake_cuda_report left;
  reinterpret_cast<fake_cuda_report_type>(dlsym(driver, "fake_cuda_get_report"))(&left);
  EXPECT_EQ(left.fault, nullptr) << left.fault;
  EXPECT_EQ(left.live_bytes, 0u);
  EXPECT_EQ(left.modules + left.streams + left.retained + left.pushed, 0);
  EXPECT_EQ(left.events + left.graphs + left.execs + left.pinned, 0);
  dlclose(driver);
}

INSTANTIATE_TEST_SUITE_P(Threads, AllocationTest, testing::Values(1, 2));

} // namespace dscc
