// Tensor maps of a context: 128 bytes each, by which a kernel's bulk copies know a tensor. A program encodes each of
// its maps before the launch that takes it; as long as address, dims and strides stay, the driver is not asked again.

#ifndef DSCC_RUNTIME_CUDATENSORMAPS_H
#define DSCC_RUNTIME_CUDATENSORMAPS_H

#include "runtime/CudaDriver.h"

#include <cstddef>

namespace dscc {

/// The maps of one context, a place for each of the program's.
struct CudaTensorMaps {
  struct CudaTensorMap *maps = nullptr; // as many as the program has; null: none
};

/// Room for all maps of the program; DSCC_OUT_OF_MEMORY.
dscc_status openTensorMaps(const dscc_program &program, CudaTensorMaps &maps);
/// Gives it back; allowed more than once.
void closeTensorMaps(CudaTensorMaps &maps);
/// The service encode_tensor_map: `encoded` is the map's place, which stays until closeTensorMaps.
dscc_status encodeTensorMap(const CudaDriver &driver, const dscc_program &program, CudaTensorMaps &maps,
                            uint32_t number, void *address, const int64_t *dims, const int64_t *strides,
                            void **encoded);

} // namespace dscc

#endif // DSCC_RUNTIME_CUDATENSORMAPS_H
