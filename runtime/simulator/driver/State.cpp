#include "runtime/simulator/driver/State.h"

#include "runtime/simulator/driver/Errors.h"

#include <cstdlib>
#include <cstring>

namespace dscc::sim {

State &state() {
  static State &all = *new State; // never destroyed: programs call the driver from destructors of their own
  return all;
}

std::vector<CUcontext> &currentContexts() {
  static thread_local std::vector<CUcontext> stack;
  return stack;
}

static std::string variable(const char *name, const char *otherwise) {
  const char *value = std::getenv(name);
  return value && *value ? value : otherwise;
}

/// call:k:error, separated by commas.
static bool parseFaults(const std::string &text, std::vector<Fault> &faults) {
  for (size_t at = 0; at < text.size();) {
    size_t end = std::min(text.find(',', at), text.size());
    std::string one = text.substr(at, end - at);
    size_t first = one.find(':'), second = one.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos)
      return false;
    CUresult error = parseError(one.substr(second + 1));
    uint64_t count = std::strtoull(one.c_str() + first + 1, nullptr, 10);
    if (error == CUDA_SUCCESS || !count)
      return false;
    faults.push_back({one.substr(0, first), count, error});
    at = end + 1;
  }
  return true;
}

CUresult readEnvironment(State &all) {
  std::string chip = variable("DSCC_SIM_CHIP", "sm_90"), check = variable("DSCC_SIM_CHECK", "memory");
  all.chip = findChip(chip);
  if (!all.chip) {
    log("DSCC_SIM_CHIP is " + chip + "; there are " + chipNames().str());
    return CUDA_ERROR_INVALID_DEVICE;
  }
  settings().check = check == "none" ? CheckLevel::None : check == "all" ? CheckLevel::All : CheckLevel::Memory;
  settings().seed = std::strtoull(variable("DSCC_SIM_SEED", "0").c_str(), nullptr, 10);
  settings().threads = unsigned(std::strtoul(variable("DSCC_SIM_THREADS", "0").c_str(), nullptr, 10));
  all.driverVersion = std::atoi(variable("DSCC_SIM_DRIVER_VERSION", "12090").c_str());
  all.numDevices = std::atoi(variable("DSCC_SIM_DEVICES", "1").c_str());
  all.reportsAreFatal = variable("DSCC_SIM_FATAL", "0") == "1";
  size_t capacity = all.chip->memoryBytes;
  if (const char *given = std::getenv("DSCC_SIM_MEMORY"))
    capacity = std::strtoull(given, nullptr, 10);
  memory::setCapacity(capacity);
  if (!parseFaults(variable("DSCC_SIM_FAIL", ""), all.faults)) {
    log("DSCC_SIM_FAIL is a list of call:k:error, such as cuMemAlloc_v2:3:OUT_OF_MEMORY");
    return CUDA_ERROR_INVALID_VALUE;
  }
  return all.numDevices > 0 ? CUDA_SUCCESS : CUDA_ERROR_NO_DEVICE;
}

CUresult injectFault(const char *call) {
  for (Fault &fault : state().faults)
    if ((fault.call == "any" || fault.call == call) && ++fault.seen == fault.count) {
      log(std::string("injected into ") + call + ": " + errorName(fault.error));
      return fault.error;
    }
  return CUDA_SUCCESS;
}

CUresult checkReady(Needs needs) {
  if (needs == Needs::Nothing)
    return CUDA_SUCCESS;
  if (!state().isInitialised)
    return CUDA_ERROR_NOT_INITIALIZED;
  if (needs == Needs::Driver)
    return CUDA_SUCCESS;
  if (currentContexts().empty())
    return CUDA_ERROR_INVALID_CONTEXT;
  return state().sticky;
}

static CUresult checkShape(const CUfunc_st &function, const LaunchShape &shape) {
  const Kernel &kernel = *function.kernel;
  const Chip &chip = *state().chip;
  static constexpr uint32_t maxGrid[3] = {2147483647u, 65535, 65535}, maxBlock[3] = {1024, 1024, 64};
  uint64_t threads = 1;
  for (int axis = 0; axis < 3; ++axis) {
    if (!shape.grid[axis] || !shape.block[axis] || shape.grid[axis] > maxGrid[axis] || shape.block[axis] > maxBlock[axis])
      return CUDA_ERROR_INVALID_VALUE;
    threads *= shape.block[axis];
  }
  if (threads > 1024 || (kernel.requiredThreads && threads != kernel.requiredThreads))
    return CUDA_ERROR_INVALID_VALUE;
  if (kernel.maxThreads && threads > kernel.maxThreads)
    return CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES;
  uint32_t declared = 0;
  for (const Kernel::SharedRange &range : kernel.sharedRanges)
    declared += range.bytes;
  if (declared > chip.sharedPerBlock || shape.dynamicShared > function.maxDynamicShared ||
      declared + shape.dynamicShared > chip.sharedPerBlockOptin)
    return CUDA_ERROR_INVALID_VALUE;
  return CUDA_SUCCESS;
}

CUresult launchKernel(CUfunction function, const LaunchShape &shape, void **arguments, void **extra) {
  if (!state().functions.count(function))
    return CUDA_ERROR_INVALID_HANDLE;
  if ((extra && extra[0]) || (!arguments && !function->kernel->parameterBytes.empty()))
    return CUDA_ERROR_INVALID_VALUE;
  if (CUresult error = checkShape(*function, shape))
    return error;
  for (const Report &report : launch(*function->kernel, *state().chip, shape, arguments)) {
    log(report.sentence);
    if (report.isFault)
      state().sticky = CUresult(report.driverError);
    else if (state().reportsAreFatal && state().sticky == CUDA_SUCCESS)
      state().sticky = CUDA_ERROR_LAUNCH_FAILED;
  }
  // As on a GPU the launch itself has succeeded; who waits for it learns of the fault.
  return CUDA_SUCCESS;
}

} // namespace dscc::sim
