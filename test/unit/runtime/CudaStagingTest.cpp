// Host tensors on their way through pinned memory, in particular those that are larger than it.

#include "test/unit/runtime/FakeDriver.h"

#include "runtime/CudaStaging.h"

#include <algorithm>

namespace dscc {

namespace {
struct CudaStagingTest : CudaDeviceTest {
  void SetUp() override {
    CudaDeviceTest::SetUp();
    artifact.write(withTrailer(readFile(MANY_ROWS)));
    ASSERT_EQ(open(model), DSCC_OK) << dscc_last_error();
    ASSERT_EQ(create(model, context), DSCC_OK) << dscc_last_error();
  }
  void TearDown() override {
    dscc_context_destroy(context);
    dscc_model_close(model);
    expectNothingLeft();
    CudaDeviceTest::TearDown();
  }

  /// A run on rows of different numbers, with the outputs as they come out; they begin as -1.
  dscc_status runOn(int64_t batch) {
    const int64_t dims[] = {batch, 4};
    std::vector<float> x(4 * batch);
    for (size_t i = 0; i < x.size(); ++i)
      x[i] = float(i % 100000);
    y.assign(4 * batch, -1);
    dscc_buffer input = {"x", DSCC_FLOAT, 2, dims, x.data(), x.size() * sizeof(float), 0};
    dscc_buffer output = {"y", DSCC_FLOAT, 2, nullptr, y.data(), y.size() * sizeof(float), 0};
    dscc_status status = dscc_run(context, &input, 1, &output, 1, nullptr);
    EXPECT_EQ(report().pending, 0u);
    return status;
  }
  /// How many outputs are not what they should be.
  size_t countWrong() const {
    size_t wrong = 0;
    for (size_t i = 0; i < y.size(); ++i)
      wrong += y[i] != float(i % 100000) + 10 * float(i % 4 + 1);
    return wrong;
  }
  size_t count(const char *name) const {
    const std::vector<std::string> names = calls();
    return std::count(names.begin(), names.end(), name);
  }

  dscc_model *model = nullptr;
  dscc_context *context = nullptr;
  std::vector<float> y;
  static constexpr int64_t rowsPerChunk = CudaStaging::chunkBytes / (4 * sizeof(float));
};
} // namespace

TEST_F(CudaStagingTest, PiecesGoRoundTheTwoChunks) {
  for (int64_t rows : {int64_t(1), rowsPerChunk - 1, rowsPerChunk, rowsPerChunk + 1, 2 * rowsPerChunk,
                       2 * rowsPerChunk + 7, 5 * rowsPerChunk + 1, int64_t(3)}) {
    ASSERT_EQ(runOn(rows), DSCC_OK) << dscc_last_error();
    EXPECT_EQ(countWrong(), 0u) << rows << " rows";
  }
  EXPECT_EQ(count("cuMemHostAlloc"), 2u); // whatever the runs need
  EXPECT_EQ(report().pinned, 2);
}

TEST_F(CudaStagingTest, WhatFitsNeedsNoEvents) {
  ASSERT_EQ(runOn(rowsPerChunk / 2), DSCC_OK) << dscc_last_error();
  reset();
  ASSERT_EQ(runOn(rowsPerChunk / 2), DSCC_OK) << dscc_last_error();
  EXPECT_EQ(count("cuEventRecord") + count("cuEventSynchronize"), 0u);
  // In and out fill a chunk three times: the first piece of the output ends in the first one again.
  ASSERT_EQ(runOn(rowsPerChunk * 3 / 2), DSCC_OK) << dscc_last_error();
  EXPECT_EQ(count("cuEventRecord"), 2u);
  EXPECT_EQ(count("cuEventSynchronize"), 1u);
}

// Nothing is pinned for those who have no host tensors.
TEST_F(CudaStagingTest, OnlyForHostTensors) {
  void *x = nullptr, *result = nullptr;
  ASSERT_EQ(dscc_device_allocate(model, 64, &x), DSCC_OK);
  ASSERT_EQ(dscc_device_allocate(model, 64, &result), DSCC_OK);
  const int64_t dims[] = {4, 4};
  dscc_buffer input = {"x", DSCC_FLOAT, 2, dims, x, 64, 1}, output = {"y", DSCC_FLOAT, 2, nullptr, result, 64, 1};
  ASSERT_EQ(dscc_run(context, &input, 1, &output, 1, nullptr), DSCC_OK) << dscc_last_error();
  EXPECT_EQ(report().pinned, 0);
  dscc_device_free(model, x);
  dscc_device_free(model, result);
}

// Without pinned memory copies are made from and to the caller's, after a wait for the kernels.
TEST_F(CudaStagingTest, NoPinnedMemory) {
  ASSERT_EQ(runOn(3), DSCC_OK) << dscc_last_error();
  const std::vector<std::string> names = calls();
  for (size_t n = 1; n <= names.size(); ++n) {
    if (names[n - 1] != "cuMemHostAlloc" && names[n - 1] != "cuEventCreate")
      continue;
    SCOPED_TRACE(names[n - 1]);
    dscc_context_destroy(context);
    dscc_model_close(model);
    model = nullptr, context = nullptr;
    failAt(n);
    ASSERT_EQ(open(model), DSCC_OK) << dscc_last_error();
    ASSERT_EQ(create(model, context), DSCC_OK) << dscc_last_error();
    // The model was opened before the names were noted: the same calls come again.
    for (int64_t rows : {int64_t(3), int64_t(2), 3 * rowsPerChunk}) {
      ASSERT_EQ(runOn(rows), DSCC_OK) << dscc_last_error();
      EXPECT_EQ(countWrong(), 0u);
      EXPECT_EQ(report().pinned, 0);
    }
    unsetenv("FAKE_CUDA_FAIL");
    reset();
    ASSERT_EQ(runOn(7), DSCC_OK) << dscc_last_error();
    EXPECT_EQ(calls(), (std::vector<std::string>{"cuCtxPushCurrent", "cuMemcpyHtoDAsync", "cuLaunchKernel",
                                                 "cuMemcpyDtoDAsync", "cuStreamSynchronize", "cuMemcpyDtoHAsync",
                                                 "cuStreamSynchronize", "cuCtxPopCurrent"}));
  }
}

// Each call of a run that goes round the chunks fails in turn: the next run is right.
TEST_F(CudaStagingTest, EveryCallOfALargeRunMayFail) {
  const int64_t rows = 3 * rowsPerChunk;
  ASSERT_EQ(runOn(rows), DSCC_OK) << dscc_last_error();
  ASSERT_EQ(runOn(rows), DSCC_OK) << dscc_last_error();
  reset();
  ASSERT_EQ(runOn(rows), DSCC_OK) << dscc_last_error();
  const std::vector<std::string> names = calls();
  size_t lastWait = std::find(names.begin(), names.end(), "cuMemcpyDtoHAsync") - names.begin();
  for (size_t n = 1; n <= names.size(); ++n) {
    SCOPED_TRACE("call " + std::to_string(n) + ", " + names[n - 1]);
    failAt(n);
    dscc_status status = runOn(rows);
    if (status == DSCC_OK)
      EXPECT_EQ(countWrong(), 0u);
    else if (n <= lastWait)
      EXPECT_EQ(std::count(y.begin(), y.end(), -1.f), std::ptrdiff_t(y.size())) << "an output of a run that failed";
    unsetenv("FAKE_CUDA_FAIL");
    for (int i = 0; i < 3; ++i) { // also with a graph again, if this one is gone
      ASSERT_EQ(runOn(rows), DSCC_OK) << dscc_last_error();
      EXPECT_EQ(countWrong(), 0u);
    }
  }
}

} // namespace dscc
