// Replays: which runs are one launch of a graph, which graphs are kept, and what happens when the driver has none.

#include "test/unit/runtime/FakeDriver.h"

#include <algorithm>

namespace dscc {

namespace {
/// A model, a context, and tensors on the device.
struct CudaGraphTest : CudaDeviceTest {
  static constexpr int64_t mostRows = 64, usualRows = 32;

  void SetUp() override {
    CudaDeviceTest::SetUp();
    ASSERT_EQ(open(model), DSCC_OK) << dscc_last_error();
    ASSERT_EQ(create(model, context), DSCC_OK) << dscc_last_error();
    auto allocate = find<float *(*)(size_t)>("fake_cuda_allocate");
    x = allocate(mostRows * 4 * sizeof(float));
    y = allocate(mostRows * 4 * sizeof(float));
    other = allocate(mostRows * 4 * sizeof(float));
    std::fill_n(x, mostRows * 4, 1.f);
    // The arena gets the size that all but one of the tests need.
    ASSERT_EQ(runOnDevice(usualRows), DSCC_OK) << dscc_last_error();
  }
  void TearDown() override {
    auto release = find<int (*)(void *)>("cuMemFree_v2");
    release(x);
    release(y);
    release(other);
    dscc_context_destroy(context);
    dscc_model_close(model);
    expectNothingLeft();
    CudaDeviceTest::TearDown();
  }

  /// On `stream`, or the caller's own one, which is waited for.
  dscc_status runOnDevice(int64_t batch, void *stream = nullptr) {
    const int64_t dims[] = {batch, 4};
    size_t bytes = 4 * batch * sizeof(float);
    dscc_buffer input = {"x", DSCC_FLOAT, 2, dims, x, bytes, 1};
    dscc_buffer output = {"y", DSCC_FLOAT, 2, nullptr, y, bytes, 1};
    std::fill_n(y, mostRows * 4, -1.f);
    dscc_status status = dscc_run(context, &input, 1, &output, 1, stream ? stream : &callers);
    if (!stream)
      wait();
    return status;
  }
  void wait() { find<int (*)(void *)>("cuStreamSynchronize")(&callers); }

  /// Whether the run on so many rows is right, and made by a graph.
  bool isReplayed(int64_t batch) {
    reset();
    EXPECT_EQ(runOnDevice(batch), DSCC_OK) << dscc_last_error();
    EXPECT_EQ(y[0], 11);
    EXPECT_EQ(y[4 * batch - 1], 41);
    if (batch < mostRows)
      EXPECT_EQ(y[4 * batch], -1);
    const std::vector<std::string> names = calls();
    bool isOneLaunch = std::count(names.begin(), names.end(), "cuGraphLaunch") == 1;
    EXPECT_EQ(std::count(names.begin(), names.end(), "cuLaunchKernel"), isOneLaunch ? 0 : 1);
    EXPECT_EQ(report().fault, nullptr) << report().fault;
    return isOneLaunch;
  }

  dscc_model *model = nullptr;
  dscc_context *context = nullptr;
  float *x = nullptr, *y = nullptr, *other = nullptr;
  int callers; // its address is a stream
};
} // namespace

TEST_F(CudaGraphTest, TheSecondRunIsRecordedAndTheThirdIsOneLaunch) {
  EXPECT_FALSE(isReplayed(3));
  EXPECT_TRUE(isReplayed(3));
  EXPECT_EQ(report().execs, 1);
  EXPECT_TRUE(isReplayed(3));
  EXPECT_EQ(calls(), (std::vector<std::string>{"cuCtxPushCurrent", "cuStreamIsCapturing", "cuGraphLaunch",
                                               "cuCtxPopCurrent", "cuStreamSynchronize"}));
}

TEST_F(CudaGraphTest, WhatDiffersHasAGraphOfItsOwn) {
  for (int64_t batch : {3, 4})
    for (bool expected : {false, true, true})
      EXPECT_EQ(isReplayed(batch), expected);
  // Another output or input, the same dims.
  std::swap(y, other);
  EXPECT_FALSE(isReplayed(3));
  std::swap(y, other);
  EXPECT_TRUE(isReplayed(3));
  std::swap(x, other);
  std::fill_n(x, mostRows * 4, 1.f);
  EXPECT_FALSE(isReplayed(3));
  std::swap(x, other);
  EXPECT_TRUE(isReplayed(3));
  EXPECT_EQ(report().execs, 2);
}

// What was recorded with the old arena is of no use with the new one.
TEST_F(CudaGraphTest, TheArenaGrows) {
  for (bool expected : {false, true, true})
    EXPECT_EQ(isReplayed(3), expected);
  EXPECT_FALSE(isReplayed(mostRows));
  for (bool expected : {false, true, true})
    EXPECT_EQ(isReplayed(3), expected);
}

TEST_F(CudaGraphTest, HostTensorsAreCopiedAroundTheGraph) {
  std::vector<float> values;
  for (int i = 0; i < 3; ++i) {
    reset();
    ASSERT_EQ(run(context, 3, values), DSCC_OK) << dscc_last_error();
    EXPECT_EQ(values.back(), 41);
  }
  EXPECT_EQ(calls(), (std::vector<std::string>{"cuCtxPushCurrent", "cuMemcpyHtoDAsync", "cuGraphLaunch",
                                               "cuMemcpyDtoHAsync", "cuStreamSynchronize", "cuCtxPopCurrent"}));
}

// Eight graphs are kept; the one whose use is the longest ago makes room.
TEST_F(CudaGraphTest, TheOldestGraphGoes) {
  for (int64_t batch = 1; batch <= 8; ++batch)
    for (bool expected : {false, true})
      EXPECT_EQ(isReplayed(batch), expected);
  EXPECT_TRUE(isReplayed(1)); // so that 2 is the oldest
  for (bool expected : {false, true})
    EXPECT_EQ(isReplayed(9), expected);
  EXPECT_EQ(report().execs, 8);
  EXPECT_TRUE(isReplayed(1));
  for (bool expected : {false, true})
    EXPECT_EQ(isReplayed(2), expected);
}

// Nine in turn would each throw out the next one's graph.
TEST_F(CudaGraphTest, TooManyInTurnAreNotRecordedAgainAndAgain) {
  for (int round = 0; round < 3; ++round)
    for (int64_t batch = 1; batch <= 9; ++batch)
      EXPECT_FALSE(isReplayed(batch));
  EXPECT_EQ(report().execs, 0);
}

TEST_F(CudaGraphTest, OnlyWhereItIsWanted) {
  for (ContextKind kind : {ContextKind{true, true}, ContextKind{false, false}}) {
    dscc_context_destroy(context);
    ASSERT_EQ(create(model, context, kind), DSCC_OK) << dscc_last_error();
    for (int i = 0; i < 3; ++i)
      EXPECT_FALSE(isReplayed(3));
  }
}

// A caller that records a graph of its own gets our launches into it, and no graph of ours.
TEST_F(CudaGraphTest, TheCallersCapture) {
  auto begin = find<int (*)(void *, int)>("cuStreamBeginCapture_v2");
  auto end = find<int (*)(void *, void **)>("cuStreamEndCapture");
  auto instantiate = find<int (*)(void **, void *, unsigned long long)>("cuGraphInstantiateWithFlags");
  auto launch = find<int (*)(void *, void *)>("cuGraphLaunch");
  auto destroy = find<int (*)(void *)>("cuGraphDestroy"), destroyExec = find<int (*)(void *)>("cuGraphExecDestroy");
  auto push = find<int (*)(void *)>("cuCtxPushCurrent_v2"), pop = find<int (*)(void *)>("cuCtxPopCurrent_v2");
  auto retain = find<int (*)(void **, int)>("cuDevicePrimaryCtxRetain");
  auto release = find<int (*)(int)>("cuDevicePrimaryCtxRelease_v2");
  void *primary = nullptr, *graph = nullptr, *exec = nullptr, *ignored = nullptr;
  ASSERT_EQ(retain(&primary, 7), 0);
  ASSERT_EQ(push(primary), 0);
  for (bool wasRecorded : {false, true, true}) // also where a graph of the same run is there already
    EXPECT_EQ(isReplayed(3), wasRecorded);

  ASSERT_EQ(begin(&callers, 0), 0);
  reset();
  ASSERT_EQ(runOnDevice(3, &callers), DSCC_OK) << dscc_last_error();
  EXPECT_EQ(calls(), (std::vector<std::string>{"cuCtxPushCurrent", "cuStreamIsCapturing", "cuLaunchKernel",
                                               "cuMemcpyDtoDAsync", "cuCtxPopCurrent"}));
  std::vector<float> values;
  EXPECT_EQ(run(context, 3, values, &callers), DSCC_BAD_CALL);
  EXPECT_STREQ(dscc_last_error(), "the stream is being captured; a run on it takes buffers of the device only, and a "
                                  "context that does not measure");
  ASSERT_EQ(end(&callers, &graph), 0);
  ASSERT_EQ(instantiate(&exec, graph, 0), 0);
  EXPECT_EQ(y[0], -1);
  for (float value : {1.f, 2.f}) {
    std::fill_n(x, 12, value);
    launch(exec, &callers);
    wait();
    EXPECT_EQ(y[11], 40 + value);
  }
  std::fill_n(x, 12, 1.f);
  EXPECT_TRUE(isReplayed(3));
  destroyExec(exec);
  destroy(graph);
  pop(&ignored);
  release(7);
}

// Kernels that have clusters, and wait by themselves for what comes before them: launches and nodes say so.
TEST_F(CudaGraphTest, ClustersAndOverlaps) {
  for (const char *isOld : {"0", "1"}) {
    setenv("FAKE_CUDA_SM", "90", 1);
    setenv("FAKE_CUDA_OLD", isOld, 1);
    dscc_context_destroy(context);
    dscc_model_close(model);
    context = nullptr;
    ASSERT_EQ(open(model), DSCC_OK) << dscc_last_error();
    ASSERT_EQ(create(model, context), DSCC_OK) << dscc_last_error();
    std::vector<std::string> recorded;
    for (int i = 0; i < 4; ++i) {
      reset();
      ASSERT_EQ(runOnDevice(5), DSCC_OK) << dscc_last_error();
      EXPECT_EQ(y[0], 21);
      EXPECT_EQ(y[19], 81);
      EXPECT_EQ(y[20], -1);
      EXPECT_EQ(report().fault, nullptr) << report().fault;
      const std::vector<std::string> names = calls();
      auto count = [&](const char *name) { return std::count(names.begin(), names.end(), name); };
      EXPECT_EQ(count("cuLaunchKernel"), 0);
      EXPECT_EQ(count("cuLaunchKernelEx"), i == 0 ? 2 : 0);
      EXPECT_EQ(count("cuGraphLaunch"), i == 0 ? 0 : 1);
      EXPECT_EQ(count("cuGraphKernelNodeSetAttribute"), i == 1 ? 2 : 0);
      // Encoded once: neither when it is recorded nor when it is replayed.
      EXPECT_EQ(count("cuTensorMapEncodeTiled"), i == 0 ? 1 : 0);
      // An old driver refuses the edge, and gets a plain one.
      EXPECT_EQ(count("cuGraphAddDependencies"), i == 1 ? (*isOld == '1' ? 2 : 1) : 0);
    }
  }
  // Other dims and another arena: encoded anew. A failure leaves nothing half made.
  auto encodes = [&] {
    const std::vector<std::string> names = calls();
    return std::count(names.begin(), names.end(), "cuTensorMapEncodeTiled");
  };
  reset();
  ASSERT_EQ(runOnDevice(3), DSCC_OK) << dscc_last_error();
  EXPECT_EQ(encodes(), 1);
  failAt(4); // push, is capturing, launch, encode
  EXPECT_EQ(runOnDevice(4), DSCC_DEVICE_FAILED);
  EXPECT_STREQ(dscc_last_error(), "cuTensorMapEncodeTiled failed: CUDA_ERROR_ILLEGAL_ADDRESS (700)");
  unsetenv("FAKE_CUDA_FAIL");
  reset();
  ASSERT_EQ(runOnDevice(4), DSCC_OK) << dscc_last_error();
  EXPECT_EQ(encodes(), 1);
  EXPECT_EQ(y[15], 81);
  unsetenv("FAKE_CUDA_OLD");
}

// A driver that never records a graph is asked three times; the runs are right.
TEST_F(CudaGraphTest, ADriverWithoutGraphs) {
  EXPECT_FALSE(isReplayed(1));
  EXPECT_TRUE(isReplayed(1));
  const std::vector<std::string> names = calls(); // of a run that records
  size_t begin = std::find(names.begin(), names.end(), "cuGraphCreate") - names.begin() + 1;
  for (int64_t batch : {2, 3, 4}) {
    EXPECT_FALSE(isReplayed(batch));
    failAt(begin);
    EXPECT_EQ(runOnDevice(batch), DSCC_OK) << dscc_last_error();
    EXPECT_EQ(y[4 * batch - 1], 41);
    unsetenv("FAKE_CUDA_FAIL");
  }
  for (int i = 0; i < 3; ++i)
    EXPECT_FALSE(isReplayed(5));
}

// A launch that fails: this run and the next ones are right, and the graph is gone.
TEST_F(CudaGraphTest, AGraphThatCannotBeLaunched) {
  for (bool expected : {false, true, true})
    EXPECT_EQ(isReplayed(3), expected);
  failAt(3); // push, is capturing, launch
  EXPECT_EQ(runOnDevice(3), DSCC_OK) << dscc_last_error();
  EXPECT_EQ(y[11], 41);
  EXPECT_EQ(report().execs, 0);
  unsetenv("FAKE_CUDA_FAIL");
  for (bool expected : {false, true, true})
    EXPECT_EQ(isReplayed(3), expected);
}

} // namespace dscc
