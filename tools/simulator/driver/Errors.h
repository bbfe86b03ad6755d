// Error codes by name, and the log.

#ifndef DSCC_TOOLS_SIMULATOR_DRIVER_ERRORS_H
#define DSCC_TOOLS_SIMULATOR_DRIVER_ERRORS_H

#include "tools/simulator/driver/Cuda.h"

#include <string>

namespace dscc::sim {

/// "CUDA_ERROR_NOT_FOUND"; null for a number that is no code.
const char *errorName(int code);
/// A sentence about it; null for a number that is no code.
const char *errorString(int code);
/// The code of a name with or without its CUDA_ERROR_, or of a number; CUDA_SUCCESS if there is none.
CUresult parseError(const std::string &text);

/// One line on stderr: `dscc-sim: ...`. Silent with DSCC_SIM_LOG=0.
void log(const std::string &line);

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_DRIVER_ERRORS_H
