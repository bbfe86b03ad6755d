// Calls that make no sense are refused in a sentence, whatever is missing.

#include "runtime/Context.h"
#include "test/unit/runtime/Artifacts.h"

#include <dscc/dscc.h>
#include <gtest/gtest.h>

namespace dscc {

namespace {
/// y = x + (10, 20, 30, 40) on a CPU, opened, and buffers that fit.
struct CallsTest : testing::Test {
  void SetUp() override {
    dscc_open_options options = {sizeof(options), DSCC_CPU, 0, 1, 0, nullptr};
    ASSERT_EQ(dscc_model_open(artifact.path(), &options, &model), DSCC_OK) << dscc_last_error();
    ASSERT_EQ(dscc_context_create(model, nullptr, &context), DSCC_OK) << dscc_last_error();
  }
  void TearDown() override {
    dscc_context_destroy(context);
    dscc_model_close(model);
  }
  dscc_status run() { return dscc_run(context, &input, 1, &output, 1, nullptr); }
  void expect(dscc_status status, dscc_status found, const char *sentence) {
    EXPECT_EQ(found, status);
    EXPECT_STREQ(dscc_last_error(), sentence);
  }
  void expectBadCall(dscc_status found, const char *sentence) { expect(DSCC_BAD_CALL, found, sentence); }

  TemporaryFile artifact{withTrailer(readFile(TWO_DEVICES))};
  dscc_model *model = nullptr;
  dscc_context *context = nullptr;
  const int64_t dims[2] = {1, 4};
  float x[4] = {}, y[4] = {};
  dscc_buffer input = {"x", DSCC_FLOAT, 2, dims, x, sizeof(x), 0};
  dscc_buffer output = {"y", DSCC_FLOAT, 2, nullptr, y, sizeof(y), 0};
};
} // namespace

TEST_F(CallsTest, Opening) {
  expectBadCall(dscc_model_open(nullptr, nullptr, &model), "dscc_model_open needs a path and a place for the model");
  expectBadCall(dscc_model_open("a.so", nullptr, nullptr), "dscc_model_open needs a path and a place for the model");
  dscc_open_options strange = {sizeof(strange), static_cast<dscc_device>(3), 0, 1, 0, nullptr};
  dscc_model *none = nullptr;
  expectBadCall(dscc_model_open(artifact.path(), &strange, &none),
                "the options ask for the device 3; known are 0 (auto), 1 (CPU) and 2 (CUDA)");
  expectBadCall(dscc_context_create(nullptr, nullptr, &context),
                "dscc_context_create needs a model and a place for the context");
  expectBadCall(dscc_context_create(model, nullptr, nullptr),
                "dscc_context_create needs a model and a place for the context");
  dscc_context_options options = {sizeof(options), x, 256};
  options.workspace = reinterpret_cast<void *>(uintptr_t(264));
  dscc_context *other = nullptr;
  expectBadCall(dscc_context_create(model, &options, &other), "the workspace is not aligned to 256 bytes");
  EXPECT_EQ(other, nullptr);
  dscc_model_close(nullptr);
  dscc_context_destroy(nullptr);
}

TEST_F(CallsTest, Running) {
  expectBadCall(dscc_run(nullptr, &input, 1, &output, 1, nullptr), "the context is NULL");
  expectBadCall(dscc_run(context, nullptr, 1, &output, 1, nullptr),
                "1 inputs are announced, but the pointer to them is NULL");
  expectBadCall(dscc_run(context, &input, 1, nullptr, 1, nullptr),
                "1 outputs are announced, but the pointer to them is NULL");
  context->running.store(true);
  expectBadCall(run(), "the context is running another inference; make one context for each that is in flight");
  context->running.store(false);
  EXPECT_EQ(run(), DSCC_OK) << dscc_last_error();
  EXPECT_EQ(y[3], 40);
}

TEST_F(CallsTest, DeviceBuffersOnACpu) {
  input.on_device = 1;
  expect(DSCC_BAD_INPUT, run(), "input 'x' is said to be on a CUDA device, but the model runs on a CPU");
  input.on_device = 0;
  output.on_device = 1;
  expect(DSCC_BAD_INPUT, run(), "output 'y' is said to be on a CUDA device, but the model runs on a CPU");
}

TEST_F(CallsTest, Asking) {
  int64_t found[DSCC_MAX_RANK];
  size_t bytes;
  expectBadCall(dscc_output_dims(nullptr, &input, 1, 0, found), "the model is NULL");
  expectBadCall(dscc_output_dims(model, &input, 1, 1, found), "output 1 is asked for, but the model has 1");
  expectBadCall(dscc_output_dims(model, &input, 1, 0, nullptr), "dscc_output_dims needs a place for the answer");
  expectBadCall(dscc_workspace_size(nullptr, &input, 1, &bytes), "the model is NULL");
  expectBadCall(dscc_workspace_size(model, &input, 1, nullptr), "dscc_workspace_size needs a place for the answer");
  EXPECT_EQ(dscc_input(model, 1), nullptr);
  EXPECT_EQ(dscc_output(model, 1), nullptr);
  EXPECT_EQ(dscc_dtype_bytes(99), 0u);
  EXPECT_STREQ(dscc_dtype_name(99), "unknown");
}

TEST_F(CallsTest, MemoryOfTheDevice) {
  void *memory = nullptr;
  const char *needs = "dscc_device_allocate needs a model and a place for the memory";
  expectBadCall(dscc_device_allocate(nullptr, 4, &memory), needs);
  expectBadCall(dscc_device_allocate(model, 4, nullptr), needs);
  expect(DSCC_OUT_OF_MEMORY, dscc_device_allocate(model, SIZE_MAX, &memory),
         "18446744073709551615 bytes cannot be allocated");
  EXPECT_EQ(memory, nullptr);
  expectBadCall(dscc_device_wait(nullptr, nullptr), "the model is NULL");
  expectBadCall(dscc_device_write(nullptr, y, x, 4), "the model is NULL");
  expectBadCall(dscc_device_write(model, nullptr, x, 4),
                "4 bytes are to be copied, but the pointer to their target is NULL");
  expectBadCall(dscc_device_read(model, y, nullptr, 4),
                "4 bytes are to be copied, but the pointer to their source is NULL");
  dscc_device_free(model, nullptr);
  ASSERT_EQ(dscc_device_allocate(model, sizeof(x), &memory), DSCC_OK);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(memory) % 256, 0u);
  x[2] = 7;
  EXPECT_EQ(dscc_device_write(model, memory, x, sizeof(x)), DSCC_OK);
  EXPECT_EQ(dscc_device_read(model, y, memory, sizeof(y)), DSCC_OK);
  EXPECT_EQ(y[2], 7);
  EXPECT_EQ(dscc_device_wait(model, nullptr), DSCC_OK);
  dscc_device_free(model, memory);
}

} // namespace dscc
