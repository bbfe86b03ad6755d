// What the driver is asked for a tensor map, of either kind, and what is said where it cannot be asked.

#include "runtime/CudaTensorMaps.h"

#include <dscc/abi.h>
#include <gtest/gtest.h>

#include <vector>

namespace dscc {

namespace {
/// What the driver was last asked.
struct Request {
  int calls = 0, type = -1, interleave = -1, swizzle = -1, promotion = -1, fill = -1;
  std::vector<uint64_t> dims, strides;
  std::vector<uint32_t> box, steps; // of a map of pixels: channels, pixels
  std::vector<int> lower, upper;
  void *address = nullptr;
};
} // namespace

static Request asked;
static CuResult answer;

static CuResult note(void *encoded, int type, unsigned rank, void *address, const uint64_t *dims,
                     const uint64_t *strides, const uint32_t *steps, int interleave, int swizzle, int promotion,
                     int fill) {
  EXPECT_EQ(reinterpret_cast<uintptr_t>(encoded) % 64, 0u);
  asked = {asked.calls + 1, type, interleave, swizzle, promotion, fill, {dims, dims + rank}, {}, {}, {}, {}, {},
           address};
  asked.strides.assign(strides, strides + rank - 1);
  asked.steps.assign(steps, steps + rank);
  return answer;
}

static CuResult encodeTiled(void *encoded, int type, unsigned rank, void *address, const uint64_t *dims,
                            const uint64_t *strides, const uint32_t *box, const uint32_t *steps, int interleave,
                            int swizzle, int promotion, int fill) {
  CuResult result = note(encoded, type, rank, address, dims, strides, steps, interleave, swizzle, promotion, fill);
  asked.box.assign(box, box + rank);
  return result;
}

static CuResult encodeIm2col(void *encoded, int type, unsigned rank, void *address, const uint64_t *dims,
                             const uint64_t *strides, const int *lower, const int *upper, uint32_t channels,
                             uint32_t pixels, const uint32_t *steps, int interleave, int swizzle, int promotion,
                             int fill) {
  CuResult result = note(encoded, type, rank, address, dims, strides, steps, interleave, swizzle, promotion, fill);
  asked.box = {channels, pixels};
  asked.lower.assign(lower, lower + rank - 2);
  asked.upper.assign(upper, upper + rank - 2);
  return result;
}

static CuResult errorName(CuResult, const char **name) {
  *name = "CUDA_ERROR_OF_THE_TEST";
  return 0;
}

namespace {
/// A program with one map of each kind.
struct CudaTensorMapsTest : testing::Test {
  void SetUp() override {
    asked = {};
    answer = 0;
    driver.encodeTensorMap = encodeTiled;
    driver.encodePixelMap = encodeIm2col;
    driver.errorName = errorName;
    program.tensor_maps = {known, 3, sizeof known[0]};
    ASSERT_EQ(openTensorMaps(program, maps), DSCC_OK);
  }
  void TearDown() override { closeTensorMaps(maps); }

  dscc_status encode(uint32_t number) {
    void *encoded = nullptr;
    return encodeTensorMap(driver, program, maps, number, tensor, dims, strides, &encoded);
  }

  static constexpr dscc_tensor_map known[] = {
      {DSCC_FLOAT, 2, {32, 8}, 128, DSCC_MAP_TILED, {}, {}, {}},
      {DSCC_FLOAT16, 4, {64, 256}, 128, DSCC_MAP_PIXELS, {-1, -2}, {-3, 4}, {2, 1}},
      {DSCC_FLOAT, 5, {8, 16}, 32, DSCC_MAP_PIXELS, {-1, -2, -3}, {1, 2, 3}, {1, 2, 3}},
  };
  // Channels, columns, rows, slices, images; a map reads as many as it has.
  static constexpr int64_t dims[] = {64, 9, 7, 5, 2}, strides[] = {256, 2304, 16128, 80640};
  alignas(16) char tensor[16] = {};
  CudaDriver driver;
  dscc_program program = {};
  CudaTensorMaps maps;
};
} // namespace

TEST_F(CudaTensorMapsTest, ATiledMap) {
  ASSERT_EQ(encode(0), DSCC_OK) << dscc_last_error();
  EXPECT_EQ(asked.type, 7); // CU_TENSOR_MAP_DATA_TYPE_FLOAT32
  EXPECT_EQ(asked.address, tensor);
  EXPECT_EQ(asked.dims, (std::vector<uint64_t>{64, 9}));
  EXPECT_EQ(asked.strides, (std::vector<uint64_t>{256}));
  EXPECT_EQ(asked.box, (std::vector<uint32_t>{32, 8}));
  EXPECT_EQ(asked.steps, (std::vector<uint32_t>{1, 1}));
  EXPECT_EQ(asked.swizzle, 3); // CU_TENSOR_MAP_SWIZZLE_128B
  EXPECT_EQ(asked.interleave, 0);
  EXPECT_EQ(asked.fill, 0);
}

TEST_F(CudaTensorMapsTest, AMapOfPixels) {
  ASSERT_EQ(encode(1), DSCC_OK) << dscc_last_error();
  EXPECT_EQ(asked.type, 6); // CU_TENSOR_MAP_DATA_TYPE_FLOAT16
  EXPECT_EQ(asked.address, tensor);
  EXPECT_EQ(asked.dims, (std::vector<uint64_t>{64, 9, 7, 5}));
  EXPECT_EQ(asked.strides, (std::vector<uint64_t>{256, 2304, 16128}));
  EXPECT_EQ(asked.box, (std::vector<uint32_t>{64, 256}));
  EXPECT_EQ(asked.lower, (std::vector<int>{-1, -2}));
  EXPECT_EQ(asked.upper, (std::vector<int>{-3, 4}));
  EXPECT_EQ(asked.steps, (std::vector<uint32_t>{1, 2, 1, 1})); // channels and images have 1
  EXPECT_EQ(asked.swizzle, 3);
  EXPECT_EQ(asked.interleave, 0);
  EXPECT_EQ(asked.fill, 0); // what lies outside of the images is 0, not NaN

  ASSERT_EQ(encode(2), DSCC_OK) << dscc_last_error();
  EXPECT_EQ(asked.dims, (std::vector<uint64_t>{64, 9, 7, 5, 2}));
  EXPECT_EQ(asked.lower, (std::vector<int>{-1, -2, -3}));
  EXPECT_EQ(asked.upper, (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(asked.steps, (std::vector<uint32_t>{1, 1, 2, 3, 1}));
  EXPECT_EQ(asked.swizzle, 1); // CU_TENSOR_MAP_SWIZZLE_32B
}

// As long as nothing changes, the driver is asked once; what it refused, it is asked again.
TEST_F(CudaTensorMapsTest, TheDriverIsAskedOnce) {
  answer = 1;
  EXPECT_EQ(encode(1), DSCC_DEVICE_FAILED);
  EXPECT_STREQ(dscc_last_error(), "cuTensorMapEncodeIm2col failed: CUDA_ERROR_OF_THE_TEST (1)");
  answer = 0;
  EXPECT_EQ(encode(1), DSCC_OK);
  EXPECT_EQ(encode(1), DSCC_OK);
  EXPECT_EQ(asked.calls, 2);
}

TEST_F(CudaTensorMapsTest, ADriverThatIsTooOld) {
  driver.encodeTensorMap = nullptr;
  driver.encodePixelMap = nullptr;
  EXPECT_EQ(encode(0), DSCC_NO_DEVICE);
  EXPECT_STREQ(dscc_last_error(), "the CUDA driver has no cuTensorMapEncodeTiled; it is too old");
  EXPECT_EQ(encode(1), DSCC_NO_DEVICE);
  EXPECT_STREQ(dscc_last_error(), "the CUDA driver has no cuTensorMapEncodeIm2col; it is too old");
}

} // namespace dscc
