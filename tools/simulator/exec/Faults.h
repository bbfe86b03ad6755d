// How a thread's mistake ends its kernel: with a report, and one of the driver's errors.

#ifndef DSCC_TOOLS_SIMULATOR_EXEC_FAULTS_H
#define DSCC_TOOLS_SIMULATOR_EXEC_FAULTS_H

#include "tools/simulator/exec/Block.h"

namespace dscc::sim {

/// As in CUresult.
inline constexpr int illegalAddress = 700, launchTimeout = 702, assertFailed = 710, hardwareStackError = 714,
                     illegalInstruction = 715, misalignedAddress = 716, invalidPc = 718;

/// Reports what the lane did at `site`, and ends its block. Does not come back.
[[noreturn]] void fault(Lane &lane, llvm::StringRef kind, const std::string &what, int site, int error);

/// `load of 4 bytes`
std::string describeAccess(uint32_t bytes, bool isStore);

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_EXEC_FAULTS_H
