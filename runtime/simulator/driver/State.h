// What the driver knows: settings from the environment, the context, handles that are alive.

#ifndef DSCC_RUNTIME_SIMULATOR_DRIVER_STATE_H
#define DSCC_RUNTIME_SIMULATOR_DRIVER_STATE_H

#include "runtime/simulator/Chips.h"
#include "runtime/simulator/Machine.h"
#include "runtime/simulator/driver/Cuda.h"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

struct CUctx_st {
  int references = 0;
};
struct CUmod_st {
  std::unique_ptr<dscc::sim::LoadedModule> code;
  std::map<std::string, std::unique_ptr<CUfunc_st>> functions;
};
struct CUfunc_st {
  const dscc::sim::Kernel *kernel;
  uint32_t maxDynamicShared;
};
struct CUstream_st {
  unsigned flags;
};
struct CUevent_st {
  unsigned flags;
  double recordedMs = -1;
};

namespace dscc::sim {

/// One fault to inject: the `count`-th call of `call` ("any": of whatever function) gives `error`.
struct Fault {
  std::string call;
  uint64_t count;
  CUresult error;
  uint64_t seen = 0;
};

struct State {
  std::mutex lock; // one call at a time: the simulated device is not faster with two
  const Chip *chip = nullptr;
  bool isInitialised = false;
  int driverVersion = 12090;
  int numDevices = 1;
  bool reportsAreFatal = false;
  CUctx_st primary;
  CUresult sticky = CUDA_SUCCESS; // the context is lost
  std::vector<Fault> faults;
  std::set<void *> modules, functions, streams, events, hostAllocations;
  std::set<CUdeviceptr> deviceAllocations;
};
State &state();
/// The stack of current contexts, of this host thread.
std::vector<CUcontext> &currentContexts();

/// Reads the environment: once, at cuInit.
CUresult readEnvironment(State &state);
/// The error to inject into this call, if its turn has come.
CUresult injectFault(const char *call);

/// What a call needs before it may do anything.
enum class Needs { Nothing, Driver, Context };
CUresult checkReady(Needs needs);

/// Runs a kernel; faults become the context's sticky error.
CUresult launchKernel(CUfunction function, const LaunchShape &shape, void **arguments, void **extra);

} // namespace dscc::sim

#endif // DSCC_RUNTIME_SIMULATOR_DRIVER_STATE_H
