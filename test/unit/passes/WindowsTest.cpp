// The strides of a window under other dims, against an enumeration of all elements.

#include "llvm/ADT/ArrayRef.h"

#include "dialects/dsc/Windows.h"

#include <gtest/gtest.h>

#include <random>

namespace dscc {

using Numbers = llvm::SmallVector<int64_t>;

static dsc::Dims exprs(llvm::ArrayRef<int64_t> numbers) { return dsc::Dims(numbers.begin(), numbers.end()); }

/// The offsets of all elements in row-major order.
static Numbers offsetsOf(llvm::ArrayRef<DimExpr> dims, llvm::ArrayRef<DimExpr> strides) {
  Numbers offsets = {0};
  for (auto [dim, stride] : llvm::zip_equal(dims, strides)) {
    Numbers next;
    for (int64_t offset : offsets)
      for (int64_t i = 0; i < dim.constant(); ++i)
        next.push_back(offset + i * stride.constant());
    offsets = next;
  }
  return offsets;
}

/// A random way to write `count` as a product.
static Numbers factorize(int64_t count, std::mt19937 &random) {
  Numbers factors;
  while (count > 1) {
    Numbers divisors;
    for (int64_t i = 2; i <= count; ++i)
      if (count % i == 0)
        divisors.push_back(i);
    factors.push_back(divisors[random() % divisors.size()]);
    count /= factors.back();
  }
  for (unsigned i = random() % 3; i > 0; --i)
    factors.insert(factors.begin() + random() % (factors.size() + 1), 1);
  return factors;
}

/// Whether some strides show the elements under `dims`: then each is the offset of the first neighbour along it.
static bool canBeStrided(llvm::ArrayRef<int64_t> dims, const Numbers &offsets) {
  Numbers strides(dims.size());
  int64_t inner = 1;
  for (size_t i = dims.size(); i-- > 0; inner *= dims[i])
    strides[i] = dims[i] > 1 ? offsets[inner] - offsets[0] : 0;
  return offsetsOf(exprs(dims), exprs(strides)) == offsets;
}

static constexpr int64_t counts[] = {1, 6, 12, 16, 24, 30, 36, 60};

TEST(Windows, RestrideFindsStridesIfThereAreAny) {
  std::mt19937 random(11);
  unsigned found = 0, none = 0;
  for (unsigned round = 0; round < 4000; ++round) {
    int64_t count = counts[random() % std::size(counts)];
    dsc::Dims dims = exprs(factorize(count, random));
    // A part of something wider along one of the dims, or along two.
    dsc::Dims strides(dims.size());
    int64_t stride = 1;
    for (size_t i = dims.size(); i-- > 0;) {
      strides[i] = stride;
      stride *= dims[i].constant() + (random() % 3 == 0 ? random() % 3 : 0);
    }
    Numbers other = factorize(count, random), offsets = offsetsOf(dims, strides);
    std::optional<dsc::Dims> result = restride(dims, strides, exprs(other));
    ASSERT_EQ(result.has_value(), canBeStrided(other, offsets)) << "round " << round;
    if (result)
      ASSERT_EQ(offsetsOf(exprs(other), *result), offsets) << "round " << round;
    ++(result ? found : none);
  }
  EXPECT_GT(found, 500u);
  EXPECT_GT(none, 500u);
}

TEST(Windows, RestrideOfNamedDims) {
  DimExpr n = DimExpr::symbol("n"), h = DimExpr::symbol("h");
  // [n, 4, h, 3] in something of 10 channels: rows of pixels are still one.
  dsc::Dims dims = {n, 4, h, 3}, strides = {h * 30, h * 3, 3, 1};
  EXPECT_EQ(restride(dims, strides, {n, 4, h * 3}), (dsc::Dims{h * 30, h * 3, 1}));
  EXPECT_EQ(restride(dims, strides, {n, 1, h * 12}), (dsc::Dims{h * 30, h * 30, 1}));
  EXPECT_EQ(restride(dims, strides, {n * 4, h, 3}), std::nullopt);
  // Without a gap any dims will do, and so they do for nothing at all.
  EXPECT_EQ(restride(dims, rowMajorStrides(dims), {n * h, 12}), (dsc::Dims{12, 1}));
  EXPECT_EQ(restride({0, 4}, {7, 1}, {2, 0}), (dsc::Dims{0, 1}));
}

} // namespace dscc
