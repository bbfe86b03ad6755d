// A run allocates nothing once the context has seen its dims. This program's malloc counts; the runtime is linked
// into it and uses the same one.

#include "test/unit/runtime/Artifacts.h"

#include <dscc/dscc.h>
#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#if defined(__SANITIZE_ADDRESS__) || (defined(__has_feature) && __has_feature(address_sanitizer))
#define DSCC_COUNTS_ALLOCATIONS 0 // the sanitizer's own malloc must stay
#else
#define DSCC_COUNTS_ALLOCATIONS 1
#endif

static std::atomic<bool> counting{false};
static std::atomic<int> allocations{0};

#if DSCC_COUNTS_ALLOCATIONS
extern "C" {
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

static void count() {
  if (counting.load(std::memory_order_relaxed))
    ++allocations;
}
void *malloc(size_t bytes) { return count(), __libc_malloc(bytes); }
void *calloc(size_t number, size_t bytes) { return count(), __libc_calloc(number, bytes); }
void *realloc(void *old, size_t bytes) { return count(), __libc_realloc(old, bytes); }
void *aligned_alloc(size_t alignment, size_t bytes) { return count(), __libc_memalign(alignment, bytes); }
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

INSTANTIATE_TEST_SUITE_P(Threads, AllocationTest, testing::Values(1, 2));

} // namespace dscc
