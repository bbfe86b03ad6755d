// What the translation of the video instructions tells their execution: passed by compiled code as a constant.

#ifndef DSCC_TOOLS_SIMULATOR_EXEC_VIDEO_H
#define DSCC_TOOLS_SIMULATOR_EXEC_VIDEO_H

#include <cstdint>

namespace dscc::sim {

/// The opcode, but for the number of lanes at its end: vadd2 is an addition.
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
/// What is done with c; lanes can only be added up.
enum VideoSecond : uint8_t { SecondNone, SecondAdd, SecondMin, SecondMax };
/// What vset asks.
enum VideoComparison : uint8_t { CompareEq, CompareNe, CompareLt, CompareLe, CompareGt, CompareGe };

/// `lanes` results, each of the part of the operands that `a` and `b` select.
struct VideoForm {
  VideoOperation operation;     // what is done with each pair of parts
  uint8_t lanes;                // 1, 2 or 4
  uint8_t isSignedA, isSignedB; // how the parts of a and b are widened
  uint8_t isSignedD;            // and c with it; of a product's sum what the operands say, not the type of d
  uint8_t isSaturating, isWrapping, isPlusOne; // .sat; .wrap, of a shift's count; .po, which adds 1 to a product
  uint8_t isProductNegated, isAddendNegated;   // of vmad: a or b, and c, behind a minus
  uint8_t shift;                               // of a product
  VideoSecond second;                          // .add, .min or .max at the end of the name; lanes know .add only
  VideoComparison comparison;                  // of vset
  uint8_t widthA, widthB;                      // bits of a part
  uint8_t a[4], b[4];                          // a lane's part, counted over both operands: a is below b
  uint8_t targetBits, targetPart;              // what of d the result takes, if one lane; the rest is c's
  uint8_t mask;                                // the lanes that are computed, if several; the rest are c's
};

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_EXEC_VIDEO_H
