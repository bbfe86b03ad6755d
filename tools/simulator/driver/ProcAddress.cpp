// Finds entry points by name and version, as programs do that are not linked with the driver.

#include "tools/simulator/driver/ProcAddress.h"

#include "tools/simulator/driver/Entry.h"

#include <cstring>

using namespace dscc::sim;

/// CUdriverProcAddressQueryResult.
enum SymbolStatus { Found = 0, SymbolNotFound = 1, VersionNotSufficient = 2 };

/// CUdriverProcAddress_flags: which stream handle 0 is.
static constexpr uint64_t perThreadDefaultStream = 2;

/// Newer than the driver claims to be is as good as missing.
static SymbolStatus look(const char *name, int version, uint64_t flags, void *&address) {
  SymbolStatus status = SymbolNotFound;
  address = nullptr;
  for (const EntryPoint &entry : entryPoints()) {
    if (std::strcmp(entry.name, name) != 0 || entry.version > state().driverVersion)
      continue;
    void *perThread = flags == perThreadDefaultStream ? findPerThread(entry.symbol) : nullptr;
    if (entry.version <= version)
      address = perThread ? perThread : entry.address;
    status = address ? Found : VersionNotSufficient;
  }
  return status;
}

static bool areArgumentsValid(const char *name, void **address, int version, uint64_t flags) {
  return name && address && flags <= 2 && version <= state().driverVersion;
}

DSCC_EXPORT CUresult cuGetProcAddress(const char *name, void **address, int version, uint64_t flags) {
  DSCC_ENTER(Nothing);
  DSCC_REQUIRE(areArgumentsValid(name, address, version, flags), CUDA_ERROR_INVALID_VALUE);
  return look(name, version, flags, *address) == Found ? CUDA_SUCCESS : CUDA_ERROR_NOT_FOUND;
}

/// Not to find it is no error: the status tells.
DSCC_EXPORT CUresult cuGetProcAddress_v2(const char *name, void **address, int version, uint64_t flags, int *status) {
  DSCC_ENTER(Nothing);
  DSCC_REQUIRE(areArgumentsValid(name, address, version, flags), CUDA_ERROR_INVALID_VALUE);
  SymbolStatus found = look(name, version, flags, *address);
  if (status)
    *status = found;
  return CUDA_SUCCESS;
}
