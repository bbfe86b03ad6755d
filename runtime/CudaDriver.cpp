#include "runtime/CudaDriver.h"

#include "runtime/Error.h"

#include <cassert>
#include <cstring>
#include <dlfcn.h>

namespace dscc {

static constexpr CuResult outOfMemory = 2; // CUDA_ERROR_OUT_OF_MEMORY
/// CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION
static constexpr int programmaticSerialization = 6;

dscc_status CudaDriver::load(const char *path) {
  assert(!library && "a driver is loaded once");
  library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return fail(DSCC_NO_DEVICE, "no CUDA driver: %s could not be loaded (%s)", path, dlerror());
#define DSCC_LOOK_UP(name, symbol, ...)                                                                                \
  name = reinterpret_cast<name##_type *>(dlsym(library, symbol));                                                      \
  if (!name)                                                                                                           \
    return fail(DSCC_NO_DEVICE, "the CUDA driver %s has no %s; it is too old", path, symbol);
  DSCC_CUDA_FUNCTIONS(DSCC_LOOK_UP)
#undef DSCC_LOOK_UP
#define DSCC_LOOK_UP_LATER(name, symbol, ...) name = reinterpret_cast<name##_type *>(dlsym(library, symbol));
  DSCC_CUDA_LATER_FUNCTIONS(DSCC_LOOK_UP_LATER)
#undef DSCC_LOOK_UP_LATER
  nameLaunch = reinterpret_cast<decltype(nameLaunch)>(dlsym(library, "dsccSimNameLaunch"));
  return DSCC_OK;
}

void CudaDriver::unload() {
  if (library)
    dlclose(library);
  library = nullptr;
}

CuResult CudaDriver::launchKernel(const CuKernelLaunch &launch, CuHandle stream) const {
  const CuKernelNode &node = launch.node;
  CuLaunchAttribute attributes[2] = {};
  unsigned count = 0;
  if (launch.cluster) {
    CuLaunchAttribute &attribute = attributes[count++];
    attribute.id = clusterDimension;
    memcpy(attribute.value.dims, launch.cluster, sizeof(attribute.value.dims));
  }
  if (launch.overlaps) {
    CuLaunchAttribute &attribute = attributes[count++];
    attribute.id = programmaticSerialization;
    attribute.value.number = 1;
  }
  if (!count || !launchWith)
    return this->launch(node.function, node.grid[0], node.grid[1], node.grid[2], node.threads[0], node.threads[1],
                        node.threads[2], node.sharedBytes, stream, node.arguments, node.extra);
  CuLaunchConfig config = {{node.grid[0], node.grid[1], node.grid[2]},
                           {node.threads[0], node.threads[1], node.threads[2]},
                           node.sharedBytes,
                           stream,
                           attributes,
                           count};
  return launchWith(&config, node.function, node.arguments, node.extra);
}

dscc_status CudaDriver::report(CuResult result, const char *what) const {
  if (!result)
    return DSCC_OK;
  const char *name = nullptr;
  if (errorName(result, &name) || !name)
    name = "an unknown error";
  return fail(result == outOfMemory ? DSCC_OUT_OF_MEMORY : DSCC_DEVICE_FAILED, "%s failed: %s (%d)", what, name,
              result);
}

} // namespace dscc
