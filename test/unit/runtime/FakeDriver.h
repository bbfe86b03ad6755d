// What tests of the CUDA device share: the driver in fake_cuda.c, and models that are opened with it.

#ifndef DSCC_TEST_UNIT_RUNTIME_FAKEDRIVER_H
#define DSCC_TEST_UNIT_RUNTIME_FAKEDRIVER_H

#include "test/runtime/Inputs/fake_cuda.h"
#include "test/unit/runtime/Artifacts.h"

#include <dscc/dscc.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <dlfcn.h>
#include <string>
#include <vector>

namespace dscc {

/// How a context is made.
struct ContextKind {
  bool isMeasured = false; // with a profile
  bool replays = true;     // what comes again is replayed
  bool operator==(const ContextKind &other) const { return isMeasured == other.isMeasured && replays == other.replays; }
};

/// The tests' own hold on the driver, which keeps its counters alive.
struct CudaDeviceTest : testing::Test {
  void SetUp() override {
    driver = dlopen(FAKE_CUDA, RTLD_NOW | RTLD_LOCAL);
    ASSERT_TRUE(driver) << dlerror();
    reset = find<fake_cuda_reset_type>("fake_cuda_reset");
    getReport = find<fake_cuda_report_type>("fake_cuda_get_report");
    unsetWords();
    reset();
  }
  void TearDown() override {
    unsetWords();
    dlclose(driver);
  }

  /// Other fixtures have the driver as it is without them.
  static void unsetWords() {
    for (const char *name : {"FAKE_CUDA_FAIL", "FAKE_CUDA_RESULT", "FAKE_CUDA_SM", "FAKE_CUDA_OLD"})
      unsetenv(name);
  }

  /// A function that the driver exports.
  template <typename Function> Function find(const char *name) const {
    return reinterpret_cast<Function>(dlsym(driver, name));
  }

  fake_cuda_report report() const {
    fake_cuda_report result;
    getReport(&result);
    return result;
  }
  /// Names of all calls since the last reset.
  std::vector<std::string> calls() const {
    fake_cuda_report seen = report();
    return {seen.calls, seen.calls + seen.num_calls};
  }

  /// The n-th call from now on fails.
  void failAt(size_t n) const {
    setenv("FAKE_CUDA_FAIL", std::to_string(n).c_str(), 1);
    reset();
  }

  dscc_status open(dscc_model *&model, dscc_device device = DSCC_CUDA) const {
    dscc_open_options options = {sizeof(options), device, 0, 1, 0, FAKE_CUDA};
    return dscc_model_open(artifact.path(), &options, &model);
  }

  dscc_status create(dscc_model *model, dscc_context *&context, ContextKind kind = {}) const {
    dscc_context_options options = {sizeof(options), nullptr, 0, kind.isMeasured, !kind.replays};
    return dscc_context_create(model, &options, &context);
  }

  /// One inference on `batch` rows of ones; the outputs begin as -1.
  dscc_status run(dscc_context *context, int64_t batch, std::vector<float> &y, void *stream = nullptr) const {
    const int64_t dims[] = {batch, 4};
    std::vector<float> x(4 * batch, 1);
    y.assign(4 * batch, -1);
    dscc_buffer input = {"x", DSCC_FLOAT, 2, dims, x.data(), x.size() * sizeof(float), 0};
    dscc_buffer output = {"y", DSCC_FLOAT, 2, nullptr, y.data(), y.size() * sizeof(float), 0};
    dscc_status status = dscc_run(context, &input, 1, &output, 1, stream);
    // x dies here: whatever the driver was told to copy from it must have been waited for.
    EXPECT_EQ(report().pending, 0u) << "copies from or to the caller's memory are under way after the run";
    return status;
  }

  /// Opens, runs on different and on equal numbers of rows, and closes. A run that fails is made again, and must be
  /// right then. Returns the first status that is not DSCC_OK; `said` is its sentence.
  dscc_status live(ContextKind kind = {}) {
    dscc_model *model = nullptr;
    dscc_context *context = nullptr;
    said.clear();
    dscc_status status = open(model);
    if (status == DSCC_OK)
      status = create(model, context, kind);
    if (status != DSCC_OK)
      said = dscc_last_error();
    bool isOpen = status == DSCC_OK;
    if (isOpen)
      status = runAll(context);
    dscc_context_destroy(context);
    dscc_model_close(model);
    if (!isOpen)
      EXPECT_EQ(said, dscc_last_error()) << "closing changed the sentence";
    return status;
  }

  void expectNothingLeft() const {
    fake_cuda_report left = report();
    EXPECT_EQ(left.fault, nullptr) << left.fault;
    EXPECT_EQ(left.live_bytes, 0u);
    EXPECT_EQ(left.modules, 0);
    EXPECT_EQ(left.streams, 0);
    EXPECT_EQ(left.events, 0);
    EXPECT_EQ(left.graphs, 0);
    EXPECT_EQ(left.execs, 0);
    EXPECT_EQ(left.pinned, 0);
    EXPECT_EQ(left.retained, 0);
    EXPECT_EQ(left.pushed, 0);
  }

  void *driver = nullptr;
  fake_cuda_reset_type reset = nullptr;
  fake_cuda_report_type getReport = nullptr;
  TemporaryFile artifact{withTrailer(readFile(TWO_DEVICES))};
  std::string said;
  float times = 1; // how often the device's program adds the weights

private:
  /// Rows that come again, before and after 7 of them make all buffers grow.
  dscc_status runAll(dscc_context *context) {
    dscc_status first = DSCC_OK;
    for (int64_t batch : {5, 3, 2, 3, 3, 5, 7, 7, 3}) {
      std::vector<float> y;
      dscc_status status = run(context, batch, y);
      if (status != DSCC_OK && first == DSCC_OK) {
        first = status;
        said = dscc_last_error();
        status = run(context, batch, y);
      }
      EXPECT_EQ(status, DSCC_OK) << dscc_last_error();
      std::vector<float> expected;
      for (int64_t i = 0; i < batch; ++i)
        for (float weight : {10, 20, 30, 40})
          expected.push_back(1 + times * weight);
      EXPECT_EQ(y, expected) << batch << " rows";
    }
    return first;
  }
};

} // namespace dscc

#endif // DSCC_TEST_UNIT_RUNTIME_FAKEDRIVER_H
