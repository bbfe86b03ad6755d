// From an image of a module to the PTX that the simulator runs.

#ifndef DSCC_TOOLS_SIMULATOR_DRIVER_IMAGES_H
#define DSCC_TOOLS_SIMULATOR_DRIVER_IMAGES_H

#include "tools/simulator/driver/Cuda.h"

#include <string>

namespace dscc::sim {

/// The image is PTX text that ends in NUL, or a cubin of dscc's, behind whose ELF file lies the text that it was made
/// from:
///
///     | ELF | padding to 8 | "DSCCPTX1" | bytes when compressed, u64 | bytes, u64 | zlib stream |
///
/// Any other cubin holds machine code, which is not simulated: CUDA_ERROR_NO_BINARY_FOR_GPU. Of a fat binary it is the
/// PTX of the highest architecture that `architecture` (90 for sm_90) can run.
CUresult findPtx(const void *image, int architecture, std::string &text);

/// The oldest driver that reads this PTX, as cuDriverGetVersion counts: version 8.3 came with CUDA 12.3. 0 if unknown.
int requiredDriver(const std::string &text);

/// The number of the architecture that the PTX is for: 90 of sm_90a. 0 if it says none.
int targetOf(const std::string &text);

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_DRIVER_IMAGES_H
