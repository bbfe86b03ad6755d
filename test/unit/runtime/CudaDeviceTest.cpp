// The CUDA device against a driver that is a fake: which calls come in which order, and what is left when one fails.

#include "test/unit/runtime/FakeDriver.h"

#include <dscc/dscc.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace dscc {

namespace {
/// As contexts are made by default, measured, and without replays.
struct CudaFaultTest : CudaDeviceTest, testing::WithParamInterface<ContextKind> {};
} // namespace

TEST_F(CudaDeviceTest, RunsAndLeavesNothing) {
  EXPECT_EQ(live(), DSCC_OK) << dscc_last_error();
  expectNothingLeft();
}

TEST_F(CudaDeviceTest, CallsInOrder) {
  dscc_model *model = nullptr;
  dscc_context *context = nullptr;
  ASSERT_EQ(open(model), DSCC_OK) << dscc_last_error();
  EXPECT_STREQ(dscc_device_name(model), "cuda (sm_80, Fake)");
  const std::vector<std::string> opening = calls();
  auto at = [&](const char *name) { return std::find(opening.begin(), opening.end(), name) - opening.begin(); };
  EXPECT_EQ(at("cuInit"), 0);
  EXPECT_LT(at("cuDevicePrimaryCtxRetain"), at("cuCtxPushCurrent"));
  EXPECT_LT(at("cuCtxPushCurrent"), at("cuModuleLoadData"));
  EXPECT_LT(at("cuModuleLoadData"), at("cuModuleGetFunction"));
  EXPECT_LT(at("cuModuleGetFunction"), at("cuFuncSetAttribute")); // 64 KiB of shared memory must be asked for
  EXPECT_LT(at("cuMemAlloc"), at("cuMemcpyHtoDAsync"));           // the weights
  EXPECT_LT(at("cuMemcpyHtoDAsync"), at("cuStreamSynchronize"));
  EXPECT_LT(at("cuStreamSynchronize"), static_cast<long>(opening.size()));

  ASSERT_EQ(dscc_context_create(model, nullptr, &context), DSCC_OK) << dscc_last_error();
  std::vector<float> y;
  ASSERT_EQ(run(context, 3, y), DSCC_OK) << dscc_last_error();
  reset();
  ASSERT_EQ(run(context, 2, y), DSCC_OK) << dscc_last_error();
  // The second run allocates nothing. It waits once, before it touches the outputs.
  EXPECT_EQ(calls(),
            (std::vector<std::string>{"cuCtxPushCurrent", "cuMemcpyHtoDAsync", "cuLaunchKernel", "cuMemcpyDtoDAsync",
                                      "cuMemcpyDtoHAsync", "cuStreamSynchronize", "cuCtxPopCurrent"}));
  dscc_context_destroy(context);
  dscc_model_close(model);
  expectNothingLeft();
}

// Each call in turn fails: a sentence or a run that does without, no crash, nothing left behind, and whatever the
// context is asked next is right.
TEST_P(CudaFaultTest, EveryCallMayFail) {
  ASSERT_EQ(live(GetParam()), DSCC_OK) << said;
  const std::vector<std::string> names = calls();
  bool replays = GetParam() == ContextKind{};
  // 3 rows twice, 5 and 7 once; whether 3 again depends on the addresses that the grown buffers get.
  EXPECT_GE(std::count(names.begin(), names.end(), "cuGraphLaunch"), replays ? 4 : 0);
  EXPECT_LE(std::count(names.begin(), names.end(), "cuGraphLaunch"), replays ? 5 : 0);
  int refused = 0;
  for (size_t n = 1; n <= names.size(); ++n) {
    failAt(n);
    dscc_status status = live(GetParam());
    const std::string failed = n <= calls().size() ? calls()[n - 1] : "none";
    SCOPED_TRACE("call " + std::to_string(n) + ", " + failed);
    if (status != DSCC_OK) {
      ++refused;
      EXPECT_NE(said.find("CUDA_ERROR_ILLEGAL_ADDRESS (700)"), std::string::npos) << said;
      if (failed == "cuLaunchKernel")
        EXPECT_EQ(said, "the launch of kernel add_row (sum) failed: CUDA_ERROR_ILLEGAL_ADDRESS (700)");
    }
    expectNothingLeft();
  }
  EXPECT_GT(refused, 20);
}

// The same where launches have clusters, overlap, and take a tensor map.
TEST_P(CudaFaultTest, EveryCallMayFailOnALaterChip) {
  setenv("FAKE_CUDA_SM", "90", 1);
  times = 2;
  ASSERT_EQ(live(GetParam()), DSCC_OK) << said;
  const std::vector<std::string> names = calls();
  EXPECT_GE(std::count(names.begin(), names.end(), "cuTensorMapEncodeTiled"), 4);
  for (size_t n = 1; n <= names.size(); ++n) {
    failAt(n);
    SCOPED_TRACE("call " + std::to_string(n) + ", " + names[n - 1]);
    if (live(GetParam()) != DSCC_OK)
      EXPECT_NE(said.find("CUDA_ERROR_ILLEGAL_ADDRESS (700)"), std::string::npos) << said;
    expectNothingLeft();
  }
}

INSTANTIATE_TEST_SUITE_P(Contexts, CudaFaultTest,
                         testing::Values(ContextKind{}, ContextKind{/*isMeasured=*/true, /*replays=*/true},
                                         ContextKind{/*isMeasured=*/false, /*replays=*/false}));

// A run that fails leaves the caller's outputs alone.
TEST_F(CudaDeviceTest, FailingRunsLeaveOutputsUntouched) {
  dscc_model *model = nullptr;
  dscc_context *context = nullptr;
  ASSERT_EQ(open(model), DSCC_OK) << dscc_last_error();
  ASSERT_EQ(dscc_context_create(model, nullptr, &context), DSCC_OK) << dscc_last_error();
  std::vector<float> y;
  ASSERT_EQ(run(context, 100, y), DSCC_OK) << dscc_last_error();
  // The calls of a second run (CallsInOrder) up to the wait, each on rows that have not been seen.
  for (int n = 1; n <= 6; ++n) {
    failAt(n);
    EXPECT_NE(run(context, 1 + n, y), DSCC_OK) << "call " << n;
    EXPECT_EQ(y, std::vector<float>(4 * (1 + n), -1)) << "call " << n;
  }
  unsetenv("FAKE_CUDA_FAIL");
  EXPECT_EQ(run(context, 2, y), DSCC_OK) << dscc_last_error();
  dscc_context_destroy(context);
  dscc_model_close(model);
}

TEST_F(CudaDeviceTest, OutOfMemoryIsItsOwnStatus) {
  setenv("FAKE_CUDA_RESULT", "2", 1);
  ASSERT_EQ(live(), DSCC_OK);
  const std::vector<std::string> names = calls();
  for (size_t n = 1; n <= names.size(); ++n) {
    if (names[n - 1] != "cuMemAlloc")
      continue;
    failAt(n);
    EXPECT_EQ(live(), DSCC_OUT_OF_MEMORY);
    EXPECT_NE(said.find("CUDA_ERROR_OUT_OF_MEMORY"), std::string::npos) << said;
    expectNothingLeft();
  }
}

TEST_F(CudaDeviceTest, TakesTheFirstProgramThatHasAnImageForTheChip) {
  const struct {
    const char *sm;
    int times; // w is added: once by the cubin of 8.0, twice by that of 9.0, three times by the PTX
  } cases[] = {{"80", 1}, {"86", 1}, {"89", 1}, {"90", 2}, {"100", 3}, {"103", 3}, {"120", 3}};
  for (const auto &[sm, times] : cases) {
    SCOPED_TRACE(sm);
    setenv("FAKE_CUDA_SM", sm, 1);
    reset();
    dscc_model *model = nullptr;
    dscc_context *context = nullptr;
    ASSERT_EQ(open(model), DSCC_OK) << dscc_last_error();
    EXPECT_EQ(std::string(dscc_device_name(model)), "cuda (sm_" + std::string(sm) + ", Fake)");
    // The weights of the other program stay where they are. Weights begin at multiples of 256 bytes.
    EXPECT_EQ(report().live_bytes, 256u);
    EXPECT_EQ(std::ranges::count(calls(), "cuMemcpyHtoDAsync"), 1);
    ASSERT_EQ(dscc_context_create(model, nullptr, &context), DSCC_OK) << dscc_last_error();
    std::vector<float> y;
    EXPECT_EQ(run(context, 3, y), DSCC_OK) << dscc_last_error();
    EXPECT_EQ(y.back(), static_cast<float>(1 + 40 * times));
    dscc_context_destroy(context);
    dscc_model_close(model);
    expectNothingLeft();
  }
}

TEST_F(CudaDeviceTest, ChipWithoutCode) {
  setenv("FAKE_CUDA_SM", "75", 1);
  dscc_model *model = nullptr;
  EXPECT_EQ(open(model), DSCC_NO_DEVICE);
  EXPECT_STREQ(dscc_last_error(), "the model has no code for sm_75; the oldest chip that it is for is sm_80");
  expectNothingLeft();
  // Nobody insisted on CUDA: the CPU does it.
  ASSERT_EQ(open(model, DSCC_AUTO), DSCC_OK) << dscc_last_error();
  EXPECT_EQ(std::string(dscc_device_name(model)).substr(0, 4), "cpu ");
  dscc_model_close(model);
  expectNothingLeft();
}

TEST_F(CudaDeviceTest, NoDriver) {
  dscc_open_options options = {sizeof(options), DSCC_CUDA, 0, 1, 0, "/no/such/libcuda.so"};
  dscc_model *model = nullptr;
  EXPECT_EQ(dscc_model_open(artifact.path(), &options, &model), DSCC_NO_DEVICE);
  EXPECT_PRED_FORMAT2(testing::IsSubstring, "no CUDA driver: /no/such/libcuda.so could not be loaded",
                      dscc_last_error());
}

TEST_F(CudaDeviceTest, LibraryThatIsNoDriver) {
  dscc_open_options options = {sizeof(options), DSCC_CUDA, 0, 1, 0, TWO_DEVICES};
  dscc_model *model = nullptr;
  EXPECT_EQ(dscc_model_open(artifact.path(), &options, &model), DSCC_NO_DEVICE);
  EXPECT_EQ(dscc_last_error(), "the CUDA driver " + std::string(TWO_DEVICES) + " has no cuInit; it is too old");
}

TEST_F(CudaDeviceTest, DeviceThatIsNotThere) {
  for (int ordinal : {1, -1}) {
    dscc_open_options options = {sizeof(options), DSCC_CUDA, ordinal, 1, 0, FAKE_CUDA};
    dscc_model *model = nullptr;
    EXPECT_EQ(dscc_model_open(artifact.path(), &options, &model), DSCC_NO_DEVICE);
    EXPECT_EQ(dscc_last_error(), "CUDA device " + std::to_string(ordinal) + " is asked for, but there are 1");
    expectNothingLeft();
  }
}

TEST_F(CudaDeviceTest, MoreBlocksThanALaunchCanHave) {
  TemporaryFile wide{withTrailer(readFile(TOO_MANY_BLOCKS))};
  dscc_open_options options = {sizeof(options), DSCC_CUDA, 0, 1, 0, FAKE_CUDA};
  dscc_model *model = nullptr;
  dscc_context *context = nullptr;
  ASSERT_EQ(dscc_model_open(wide.path(), &options, &model), DSCC_OK) << dscc_last_error();
  ASSERT_EQ(dscc_context_create(model, nullptr, &context), DSCC_OK) << dscc_last_error();
  std::vector<float> y;
  EXPECT_EQ(run(context, 3, y), DSCC_BAD_INPUT);
  EXPECT_STREQ(dscc_last_error(), "kernel add_row would need 3 x 65536 x 1 blocks, more than a launch can have");
  dscc_context_destroy(context);
  dscc_model_close(model);
  expectNothingLeft();
}

TEST_F(CudaDeviceTest, MemoryOfTheCallers) {
  dscc_model *model = nullptr;
  ASSERT_EQ(open(model), DSCC_OK) << dscc_last_error();
  void *memory = nullptr;
  const char text[] = "to the device and back";
  char back[sizeof(text)] = "";
  ASSERT_EQ(dscc_device_allocate(model, sizeof(text), &memory), DSCC_OK) << dscc_last_error();
  reset();
  ASSERT_EQ(dscc_device_write(model, memory, text, sizeof(text)), DSCC_OK) << dscc_last_error();
  ASSERT_EQ(dscc_device_read(model, back, memory, sizeof(text)), DSCC_OK) << dscc_last_error();
  EXPECT_STREQ(back, text);
  ASSERT_EQ(dscc_device_wait(model, nullptr), DSCC_OK) << dscc_last_error();
  const std::vector<std::string> names = calls();
  EXPECT_EQ(names,
            (std::vector<std::string>{"cuCtxPushCurrent", "cuMemcpyHtoDAsync", "cuStreamSynchronize", "cuCtxPopCurrent",
                                      "cuCtxPushCurrent", "cuMemcpyDtoHAsync", "cuStreamSynchronize", "cuCtxPopCurrent",
                                      "cuCtxPushCurrent", "cuStreamSynchronize", "cuCtxPopCurrent"}));
  for (int n : {1, 2, 3}) {
    failAt(n);
    EXPECT_EQ(dscc_device_write(model, memory, text, sizeof(text)), DSCC_DEVICE_FAILED) << n;
    reset();
    EXPECT_EQ(dscc_device_read(model, back, memory, sizeof(text)), DSCC_DEVICE_FAILED) << n;
    if (n < 3) {
      reset();
      EXPECT_EQ(dscc_device_wait(model, nullptr), DSCC_DEVICE_FAILED) << n;
    }
  }
  unsetenv("FAKE_CUDA_FAIL");
  dscc_device_free(model, memory);
  // A tensor without elements has an address too.
  ASSERT_EQ(dscc_device_allocate(model, 0, &memory), DSCC_OK) << dscc_last_error();
  EXPECT_NE(memory, nullptr);
  EXPECT_EQ(dscc_device_write(model, memory, text, 0), DSCC_OK);
  dscc_device_free(model, memory);
  dscc_model_close(model);
  expectNothingLeft();
}

TEST_F(CudaDeviceTest, WorkspaceOfTheCallers) {
  dscc_model *model = nullptr;
  dscc_context *context = nullptr;
  ASSERT_EQ(open(model), DSCC_OK) << dscc_last_error();
  alignas(256) static char workspace[32];
  dscc_context_options options = {sizeof(options), workspace, sizeof(workspace)};
  ASSERT_EQ(dscc_context_create(model, &options, &context), DSCC_OK) << dscc_last_error();
  std::vector<float> y;
  EXPECT_EQ(run(context, 3, y), DSCC_TOO_SMALL);
  EXPECT_STREQ(dscc_last_error(), "the workspace has 32 bytes, but these inputs need 48");
  dscc_context_destroy(context);
  dscc_model_close(model);
  expectNothingLeft();
}

// Device buffers on the caller's stream: enqueued, not waited for.
TEST_F(CudaDeviceTest, DeviceBuffersOnACallersStream) {
  dscc_model *model = nullptr;
  dscc_context *context = nullptr;
  ASSERT_EQ(open(model), DSCC_OK) << dscc_last_error();
  ASSERT_EQ(dscc_context_create(model, nullptr, &context), DSCC_OK) << dscc_last_error();
  auto allocate = reinterpret_cast<float *(*)(size_t)>(dlsym(driver, "fake_cuda_allocate"));
  auto release = reinterpret_cast<int (*)(void *)>(dlsym(driver, "cuMemFree_v2"));
  auto wait = reinterpret_cast<int (*)(void *)>(dlsym(driver, "cuStreamSynchronize"));
  float *x = allocate(4 * sizeof(float)), *y = allocate(8 * sizeof(float));
  std::fill_n(x, 4, 1.f);
  std::fill_n(y, 8, -1.f);
  const int64_t dims[] = {1, 4};
  dscc_buffer input = {"x", DSCC_FLOAT, 2, dims, x, 4 * sizeof(float), 1};
  dscc_buffer output = {"y", DSCC_FLOAT, 2, nullptr, y + 1, 4 * sizeof(float), 1};
  int stream; // its address is the handle
  EXPECT_EQ(dscc_run(context, &input, 1, &output, 1, &stream), DSCC_BAD_INPUT);
  EXPECT_STREQ(dscc_last_error(), "the device buffer of 'y' is not aligned to 16 bytes");

  output.data = y;
  reset();
  ASSERT_EQ(dscc_run(context, &input, 1, &output, 1, &stream), DSCC_OK) << dscc_last_error();
  EXPECT_EQ(calls(), (std::vector<std::string>{"cuCtxPushCurrent", "cuStreamIsCapturing", "cuLaunchKernel",
                                               "cuMemcpyDtoDAsync", "cuCtxPopCurrent"}));
  EXPECT_EQ(y[0], -1);
  wait(&stream);
  EXPECT_EQ(y[0], 11);
  EXPECT_EQ(y[3], 41);
  release(x);
  release(y);
  dscc_context_destroy(context);
  dscc_model_close(model);
  expectNothingLeft();
}

} // namespace dscc
