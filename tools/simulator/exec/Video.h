// What the translation of the video instructions tells their execution: passed by compiled code as a constant.

#ifndef DSCC_TOOLS_SIMULATOR_EXEC_VIDEO_H
#define DSCC_TOOLS_SIMULATOR_EXEC_VIDEO_H

#include <cstdint>

namespace dscc::sim {

enum VideoOperation : uint8_t {
  VideoAdd,
  VideoSubtract,
  VideoDifference,
  VideoMin,
  VideoMax,
  VideoAverage,
  VideoShiftLeft,
  VideoShiftRight,
  VideoMultiplyAdd,
  VideoCompare
};
enum VideoSecond : uint8_t { SecondNone, SecondAdd, SecondMin, SecondMax };
enum VideoComparison : uint8_t { CompareEq, CompareNe, CompareLt, CompareLe, CompareGt, CompareGe };

/// `lanes` results, each of the part of the operands that `a` and `b` select.
struct VideoForm {
  VideoOperation operation;
  uint8_t lanes; // 1, 2 or 4
  uint8_t isSignedA, isSignedB;
  uint8_t isSignedD; // and c with it; of a product's sum what the operands say, not the type of d
  uint8_t isSaturating, isWrapping, isPlusOne;
  uint8_t isProductNegated, isAddendNegated;
  uint8_t shift; // of a product
  VideoSecond second;
  VideoComparison comparison;
  uint8_t widthA, widthB;         // bits of a part
  uint8_t a[4], b[4];             // a lane's part, counted over both operands: a is below b
  uint8_t targetBits, targetPart; // what of d the result takes, if one lane; the rest is c's
  uint8_t mask;                   // the lanes that are computed, if several; the rest are c's
};

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_EXEC_VIDEO_H
