// What a context that measures says of its runs, on both devices.

#include "test/unit/runtime/Artifacts.h"

#include <dscc/dscc.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace dscc {

namespace {
struct ProfileTest : testing::TestWithParam<dscc_device> {
  void SetUp() override {
    dscc_open_options options = {sizeof(options), GetParam(), 0, 1, 0, FAKE_CUDA};
    ASSERT_EQ(dscc_model_open(artifact.path(), &options, &model), DSCC_OK) << dscc_last_error();
  }
  void TearDown() override {
    dscc_context_destroy(context);
    dscc_model_close(model);
  }

  void create(int profile) {
    dscc_context_options options = {sizeof(options), nullptr, 0, profile};
    ASSERT_EQ(dscc_context_create(model, &options, &context), DSCC_OK) << dscc_last_error();
  }

  dscc_status run(int64_t batch, int64_t columns = 4) {
    const int64_t dims[] = {batch, columns};
    std::vector<float> x(columns * batch, 1), y(4 * batch, -1);
    dscc_buffer input = {"x", DSCC_FLOAT, 2, dims, x.data(), x.size() * sizeof(float), 0};
    dscc_buffer output = {"y", DSCC_FLOAT, 2, nullptr, y.data(), y.size() * sizeof(float), 0};
    return dscc_run(context, &input, 1, &output, 1, nullptr);
  }

  std::vector<dscc_profile_entry> read() const {
    size_t count = 99;
    const dscc_profile_entry *entries = dscc_profile(context, &count);
    EXPECT_EQ(entries == nullptr, count == 0);
    return {entries, entries + count};
  }

  TemporaryFile artifact{withTrailer(readFile(TWO_DEVICES))};
  dscc_model *model = nullptr;
  dscc_context *context = nullptr;
};
} // namespace

TEST_P(ProfileTest, EachPieceOfWork) {
  create(1);
  EXPECT_TRUE(read().empty());
  for (int64_t batch : {3, 5, 2}) {
    ASSERT_EQ(run(batch), DSCC_OK) << dscc_last_error();
    std::vector<std::string> seen;
    double end = 0;
    for (const dscc_profile_entry &entry : read()) {
      seen.push_back(std::string(entry.kernel) + " (" + entry.nodes + ") " + std::to_string(entry.blocks));
      EXPECT_GE(entry.start_us, end);
      EXPECT_GE(entry.us, 0);
      end = entry.start_us + entry.us;
    }
    std::string rows = std::to_string(batch), bytes = std::to_string(16 * batch);
    std::vector<std::string> expected = {"add_row (sum) " + rows, "copy () " + bytes};
    if (GetParam() == DSCC_CUDA) {
      expected.insert(expected.begin(), "copy in (x) " + bytes);
      expected.push_back("copy out (y) " + bytes);
    }
    EXPECT_EQ(seen, expected);
    EXPECT_EQ(read().front().start_us, 0);
  }
}

TEST_P(ProfileTest, NothingOfARunThatFails) {
  create(1);
  ASSERT_EQ(run(3), DSCC_OK) << dscc_last_error();
  EXPECT_NE(run(3, 5), DSCC_OK);
  // Refused before anything was done: the run before it was the last successful one.
  EXPECT_FALSE(read().empty());
}

TEST_P(ProfileTest, NothingUnlessAskedFor) {
  create(0);
  ASSERT_EQ(run(3), DSCC_OK) << dscc_last_error();
  EXPECT_TRUE(read().empty());
  size_t count = 99;
  EXPECT_EQ(dscc_profile(nullptr, &count), nullptr);
  EXPECT_EQ(count, 0u);
  EXPECT_EQ(dscc_profile(context, nullptr), nullptr);
}

INSTANTIATE_TEST_SUITE_P(Devices, ProfileTest, testing::Values(DSCC_CPU, DSCC_CUDA),
                         [](const auto &info) { return info.param == DSCC_CPU ? "Cpu" : "Cuda"; });

} // namespace dscc
