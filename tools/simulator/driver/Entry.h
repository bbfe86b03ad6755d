// How an entry point of the driver begins.
//
//     DSCC_EXPORT CUresult cuCtxGetDevice(CUdevice *device) {
//       DSCC_ENTER(Context);                                // fault to inject? driver, context there?
//       DSCC_REQUIRE(device, CUDA_ERROR_INVALID_VALUE);

#ifndef DSCC_TOOLS_SIMULATOR_DRIVER_ENTRY_H
#define DSCC_TOOLS_SIMULATOR_DRIVER_ENTRY_H

#include "tools/simulator/driver/CudaStructures.h"
#include "tools/simulator/driver/Errors.h"
#include "tools/simulator/driver/State.h"

#define DSCC_EXPORT extern "C" __attribute__((visibility("default")))

/// The head of every entry point: the call is counted, and may be one to fail. Host functions may not call.
#define DSCC_ENTER(needs)                                                                                              \
  if (dscc::sim::isInHostFunction())                                                                                   \
    return CUDA_ERROR_NOT_PERMITTED;                                                                                   \
  std::lock_guard<std::mutex> guard(dscc::sim::state().lock);                                                          \
  if (CUresult injected = dscc::sim::enterCall(__func__))                                                              \
    return injected;                                                                                                   \
  if (CUresult unready = dscc::sim::checkReady(dscc::sim::Needs::needs))                                               \
  return unready

/// Refuses a call with arguments that make no sense.
#define DSCC_REQUIRE(condition, error)                                                                                 \
  if (!(condition))                                                                                                    \
  return error

/// Goes on only if all is well so far.
#define DSCC_TRY(call)                                                                                                 \
  if (CUresult failed = (call))                                                                                        \
  return failed

#endif // DSCC_TOOLS_SIMULATOR_DRIVER_ENTRY_H
