// What the attribute of a tensor map says is what it was made of, and what the hardware cannot do is no map.

#include "dialects/dsc/TensorMaps.h"

#include <gtest/gtest.h>

#include <utility>

using namespace mlir;

namespace dscc {

namespace {
struct TensorMaps : testing::Test {
  TensorMaps() { context.loadDialect<dsc::DscDialect>(); }

  /// Of images with so many spatial dims, at the hardware's limits.
  TensorMap pixelMap(size_t spatial) {
    static constexpr int64_t ends[] = {1 << 15, 1 << 7, 1 << 4}; // of corners
    TensorMap map;
    map.tensor = 1;
    map.element = Float16Type::get(&context);
    map.dims = {DimExpr::symbol("n")};
    map.dims.append(spatial, DimExpr(100));
    map.dims.push_back(DimExpr(256));
    for (size_t i = 0; i < map.dims.size(); ++i) {
      DimExpr stride(1);
      for (const DimExpr &dim : ArrayRef(map.dims).drop_front(i + 1))
        stride = stride * dim;
      map.strides.push_back(stride);
    }
    map.box = {1024, 256};
    int64_t end = ends[spatial - 1];
    map.pixels.assign(spatial, {-end, end - 1, 8});
    return map;
  }

  bool isKnown(const TensorMap &map) { return readTensorMap(encodeTensorMap(&context, map), 2).has_value(); }

  MLIRContext context;
};
} // namespace

TEST_F(TensorMaps, AreReadAsTheyWereWritten) {
  for (size_t spatial : {1, 2, 3}) {
    TensorMap map = pixelMap(spatial);
    map.pixels.back() = {-3, 2, 5};
    Attribute attribute = encodeTensorMap(&context, map);
    std::optional<TensorMap> read = readTensorMap(attribute, 2);
    ASSERT_TRUE(read) << spatial;
    EXPECT_EQ(encodeTensorMap(&context, *read), attribute);
    ASSERT_EQ(read->pixels.size(), spatial);
    EXPECT_EQ(read->pixels.back().lower, -3);
    EXPECT_EQ(read->pixels.back().upper, 2);
    EXPECT_EQ(read->pixels.back().step, 5);
    // Of the same dims, tiled.
    map.pixels.clear();
    map.box.assign(map.dims.size(), 8);
    read = readTensorMap(encodeTensorMap(&context, map), 2);
    ASSERT_TRUE(read) << spatial;
    EXPECT_TRUE(read->pixels.empty());
  }
}

TEST_F(TensorMaps, OfPixelsKeepTheHardwaresLimits) {
  using Change = void (*)(TensorMap &map);
  static constexpr std::pair<const char *, Change> wrongs[] = {
      {"no channels", [](TensorMap &map) { map.box[1] = 0; }},
      {"more channels than 256", [](TensorMap &map) { map.box[1] = 264; }},
      {"channels of no whole 16 bytes", [](TensorMap &map) { map.box[1] = 12; }},
      {"channels beyond what is swizzled", [](TensorMap &map) { map.swizzle = 128; }},
      {"no pixels", [](TensorMap &map) { map.box[0] = 0; }},
      {"more pixels than 1024", [](TensorMap &map) { map.box[0] = 1025; }},
      {"a box of the tensor's rank", [](TensorMap &map) { map.box.assign(map.dims.size(), 8); }},
      {"no step", [](TensorMap &map) { map.pixels[0].step = 0; }},
      {"a step of more than 8", [](TensorMap &map) { map.pixels.back().step = 9; }},
      {"a lower corner too low", [](TensorMap &map) { --map.pixels[0].lower; }},
      {"a lower corner too high", [](TensorMap &map) { map.pixels[0].lower = map.pixels[0].upper + 1; }},
      {"an upper corner too low", [](TensorMap &map) { map.pixels.back().upper = map.pixels.back().lower - 1; }},
      {"an upper corner too high", [](TensorMap &map) { ++map.pixels.back().upper; }},
      {"more spatial dims than the tensor has", [](TensorMap &map) { map.pixels.push_back({0, 0, 1}); }},
      {"a dim more", [](TensorMap &map) {
         map.dims.insert(map.dims.begin(), DimExpr(1));
         map.strides.insert(map.strides.begin(), DimExpr(16));
       }}};
  for (size_t spatial : {1, 2, 3}) {
    EXPECT_TRUE(isKnown(pixelMap(spatial)));
    for (auto [what, change] : wrongs) {
      TensorMap map = pixelMap(spatial);
      change(map);
      EXPECT_FALSE(isKnown(map)) << spatial << " spatial dims, " << what;
    }
  }
  TensorMap swizzled = pixelMap(2);
  swizzled.swizzle = 128;
  swizzled.box[1] = 64; // of two bytes
  EXPECT_TRUE(isKnown(swizzled));
}

} // namespace dscc
