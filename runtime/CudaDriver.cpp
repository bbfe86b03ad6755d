#include "runtime/CudaDriver.h"

#include "runtime/Error.h"

#include <cassert>
#include <dlfcn.h>

namespace dscc {

static constexpr CuResult outOfMemory = 2; // CUDA_ERROR_OUT_OF_MEMORY

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
  nameLaunch = reinterpret_cast<decltype(nameLaunch)>(dlsym(library, "dsccSimNameLaunch"));
  return DSCC_OK;
}

void CudaDriver::unload() {
  if (library)
    dlclose(library);
  library = nullptr;
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
