// Panels of constants, against the definition of dsc.unpack: element [r, c] lies in panel c / 16 at [r, c mod 16].

#include "passes/kernels/Panels.h"

#include <gtest/gtest.h>

#include <cstring>
#include <numeric>

using dscc::kernels::MatrixShape;
static constexpr int64_t panelColumns = dscc::dsc::PanelsAttr::columns;

/// Packs elements that are all different, and looks for each of them; all else must be zero.
template <class T> static void checkPanels(int64_t matrices, int64_t rows, int64_t columns, bool transposed) {
  MatrixShape shape{matrices, rows, columns, transposed};
  std::vector<T> source(matrices * rows * columns), panels(shape.packedElements(), T(-1)),
      expected(panels.size(), T(0));
  std::iota(source.begin(), source.end(), T(1));
  for (int64_t m = 0; m < matrices; ++m)
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t c = 0; c < columns; ++c) {
        int64_t place = transposed ? c * rows + r : r * columns + c;
        int64_t panel = m * shape.panels() + c / panelColumns;
        expected[(panel * rows + r) * panelColumns + c % panelColumns] = source[m * rows * columns + place];
      }
  auto bytes = [](auto &values) {
    return llvm::MutableArrayRef(reinterpret_cast<char *>(values.data()), values.size() * sizeof(T));
  };
  // By three panels at a time, of whichever matrices.
  int64_t all = matrices * shape.panels(), panelBytes = shape.panelElements() * sizeof(T);
  for (int64_t first = 0; first < all; first += 3) {
    auto some = bytes(panels).slice(first * panelBytes, std::min<int64_t>(3, all - first) * panelBytes);
    dscc::kernels::packPanels(bytes(source), shape, sizeof(T), first, some);
  }
  ASSERT_EQ(panels, expected) << matrices << " matrices of " << rows << " x " << columns
                              << (transposed ? ", transposed" : "");
}

static const int64_t sizes[] = {1, 3, 7, 17, 33, 127, 255, 1025};

TEST(Panels, HoldEachElementAtOddSizes) {
  for (bool transposed : {false, true})
    for (int64_t rows : sizes)
      for (int64_t columns : sizes)
        checkPanels<uint32_t>(1, rows, columns, transposed);
}

TEST(Panels, HoldEachMatrixOfABatch) {
  for (bool transposed : {false, true})
    for (int64_t columns : {16, 17, 33})
      checkPanels<uint32_t>(3, 7, columns, transposed);
}

TEST(Panels, HoldElementsOfEachWidth) {
  for (bool transposed : {false, true}) {
    checkPanels<uint8_t>(2, 33, 17, transposed);
    checkPanels<uint16_t>(2, 33, 17, transposed);
    checkPanels<uint64_t>(2, 33, 17, transposed);
  }
}

TEST(Panels, CountWhatTheyHold) {
  EXPECT_EQ((MatrixShape{1, 5, 16, false}.packedElements()), 5 * 16);
  EXPECT_EQ((MatrixShape{1, 5, 17, false}.packedElements()), 5 * 32);
  EXPECT_EQ((MatrixShape{3, 5, 1, true}.packedElements()), 3 * 5 * 16);
}
