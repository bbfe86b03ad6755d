// What the simulated GPU has counted, asked of its library: the runtime has loaded it as its driver.

#ifndef DSCC_TOOLS_RUN_KERNELSTATISTICS_H
#define DSCC_TOOLS_RUN_KERNELSTATISTICS_H

#include <string>

namespace dscc::run {

/// `form` is "text" or "json". False if the library at `driver` counts nothing: `result` is a sentence then.
bool readKernelStatistics(const std::string &driver, const std::string &form, std::string &result);

} // namespace dscc::run

#endif // DSCC_TOOLS_RUN_KERNELSTATISTICS_H
