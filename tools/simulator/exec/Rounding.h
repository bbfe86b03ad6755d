// The host's rounding of floats, changed for a while.

#ifndef DSCC_TOOLS_SIMULATOR_EXEC_ROUNDING_H
#define DSCC_TOOLS_SIMULATOR_EXEC_ROUNDING_H

#include <cfenv>

namespace dscc::sim {

/// Modes: to zero, down, up; to nearest if negative. What it is to hold for must not be inlined where it stands: the
/// compiler takes arithmetic for independent of it.
struct Rounding {
  /// The host thread rounds so until this goes out of scope.
  explicit Rounding(int mode) : before(fegetround()) {
    static constexpr int modes[] = {FE_TOWARDZERO, FE_DOWNWARD, FE_UPWARD};
    fesetround(mode < 0 ? FE_TONEAREST : modes[mode]);
  }
  ~Rounding() { fesetround(before); }
  Rounding(const Rounding &) = delete;
  Rounding &operator=(const Rounding &) = delete;

private:
  int before;
};

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_EXEC_ROUNDING_H
