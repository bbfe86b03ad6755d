#include "tools/simulator/driver/State.h"

#include "tools/simulator/driver/Entry.h"
#include "tools/simulator/driver/StatisticsReport.h"

#include "llvm/ADT/STLExtras.h"

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

Origin::Origin() : context(currentContexts().empty() ? nullptr : currentContexts().back()) {
  static uint64_t numOrigins = 0;
  number = ++numOrigins;
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

/// CUDA_VISIBLE_DEVICES names devices by their numbers; behind one that is none, or twice there, nothing counts.
static int countVisible(int numDevices) {
  const char *list = std::getenv("CUDA_VISIBLE_DEVICES");
  if (!list)
    return numDevices;
  std::set<int> seen;
  for (llvm::StringRef rest = list; !rest.empty();) {
    auto [one, tail] = rest.split(',');
    int number = 0;
    if (one.trim().getAsInteger(10, number) || number < 0 || number >= numDevices || !seen.insert(number).second)
      break;
    rest = tail;
  }
  return int(seen.size());
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
  all.numDevices = countVisible(std::atoi(variable("DSCC_SIM_DEVICES", "1").c_str()));
  all.statisticsForm = variable("DSCC_SIM_STATS", "");
  settings().statistics = !all.statisticsForm.empty();
  if (settings().statistics && all.statisticsForm != "json" && all.statisticsForm != "text") {
    log("DSCC_SIM_STATS is " + all.statisticsForm + "; it can be json or text");
    return CUDA_ERROR_INVALID_VALUE;
  }
  settings().sample = std::strtoull(variable("DSCC_SIM_SAMPLE", "0").c_str(), nullptr, 10);
  if (settings().sample && (!settings().statistics || settings().check != CheckLevel::None)) {
    log("DSCC_SIM_SAMPLE runs some blocks of each launch, for statistics: it needs DSCC_SIM_STATS, and "
        "DSCC_SIM_CHECK=none");
    return CUDA_ERROR_INVALID_VALUE;
  }
  if (settings().statistics)
    printStatisticsAtExit();
  all.reportsAreFatal = variable("DSCC_SIM_FATAL", "0") == "1";
  size_t capacity = all.chip->memoryBytes;
  if (const char *given = std::getenv("DSCC_SIM_MEMORY"))
    capacity = std::strtoull(given, nullptr, 10);
  memory::setCapacity(capacity);
  all.memoryBytes = capacity;
  all.primary.isPrimary = true;
  if (!parseFaults(variable("DSCC_SIM_FAIL", ""), all.faults)) {
    log("DSCC_SIM_FAIL is a list of call:k:error, such as cuMemAlloc_v2:3:OUT_OF_MEMORY");
    return CUDA_ERROR_INVALID_VALUE;
  }
  return all.numDevices > 0 ? CUDA_SUCCESS : CUDA_ERROR_NO_DEVICE;
}

CUresult enterCall(const char *call) {
  ++state().calls[call];
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
  if (needs == Needs::Device)
    return state().sticky;
  if (currentContexts().empty())
    return CUDA_ERROR_INVALID_CONTEXT;
  if (!isContext(currentContexts().back()))
    return CUDA_ERROR_CONTEXT_IS_DESTROYED;
  return state().sticky;
}

CUresult checkContextOf(CUstream handle) {
  bool isDefault = reinterpret_cast<uintptr_t>(handle) <= 2;
  return checkReady(isDefault ? Needs::Context : Needs::Device);
}

bool isDevice(CUdevice device) { return device >= 0 && device < state().numDevices; }

bool isContext(CUcontext context) {
  return (context == &state().primary && state().primary.references > 0) || state().contexts.has(context);
}

/// Libraries belong to no context, and stay.
static void forgetModules() {
  std::vector<CUmodule> gone;
  for (const auto &[handle, module] : state().modules)
    if (!module->library)
      gone.push_back(module.get());
  for (CUmodule module : gone) {
    for (const auto &[name, function] : module->functions)
      state().functions.erase(function.get());
    state().modules.take(module);
  }
}

/// A library outlives contexts, but its variables are each context's own.
static void restoreVariables(const CUlib_st &library) {
  for (auto [place, bytes] : llvm::zip(library.module->code->listGlobals(), library.initial))
    std::memcpy(place.first, bytes.data(), bytes.size());
}

void endContexts() {
  State &all = state();
  finishAll();
  all.captures.clear();
  all.graphNodes.clear();
  all.graphExecs.clear();
  all.graphs.clear();
  finishAndStop(); // the destructors of what graphs have held
  for (const auto &[address, origin] : all.deviceAllocations)
    memory::release(reinterpret_cast<char *>(address));
  for (const auto &[address, allocation] : all.poolAllocations)
    memory::release(reinterpret_cast<char *>(address));
  for (const auto &[address, pinned] : all.pinned) {
    memory::disown(address);
    if (!pinned.isRegistered)
      std::free(address);
  }
  all.deviceAllocations.clear();
  all.poolAllocations.clear();
  all.pinned.clear();
  all.events.clear();
  all.streams.clear();
  all.threadStreams.clear();
  all.legacyStream = CUstream_st();
  forgetModules();
  all.pools.clear();
  all.currentPool = nullptr;
  all.defaultPool = CUmemPoolHandle_st();
  all.primary.limits.clear();
  all.primary.cacheConfig = 0;
  all.primary.number = 0;
  all.sticky = CUDA_SUCCESS;
  for (const auto &[handle, library] : all.libraries)
    restoreVariables(*library);
}

/// Made when a thread first names it.
static CUstream_st *threadStream() {
  static uint64_t numThreadStreams = 0;
  static thread_local CUstream_st *own = nullptr;
  static thread_local uint64_t number = 0; // in another context another thread's stream may have its address
  if (!state().threadStreams.has(own) || own->number != number) {
    own = state().threadStreams.add(std::make_unique<CUstream_st>());
    own->number = number = UINT64_MAX - numThreadStreams++;
  }
  return own;
}

bool &isThreadDefault() {
  static thread_local bool isDefault = false;
  return isDefault;
}

CUstream_st *findStream(CUstream handle) {
  switch (reinterpret_cast<uintptr_t>(handle)) {
  case 0: // the default
    return isThreadDefault() ? threadStream() : &state().legacyStream;
  case 1: // CU_STREAM_LEGACY
    return &state().legacyStream;
  case 2: // CU_STREAM_PER_THREAD
    return threadStream();
  default: return state().streams.has(handle) ? handle : nullptr;
  }
}

CUfunc_st *findFunction(CUfunction handle) {
  if (state().functions.count(handle))
    return handle;
  auto kernel = reinterpret_cast<CUkernel>(handle);
  return state().kernels.has(kernel) ? kernel->function : nullptr;
}

uint32_t declaredShared(const Kernel &kernel) {
  uint32_t declared = 0;
  for (const Kernel::SharedRange &range : kernel.sharedRanges)
    declared += range.bytes;
  return declared;
}

} // namespace dscc::sim

/// No driver has it: how often the entry point of this name has been called; `any`: all together.
DSCC_EXPORT uint64_t dsccSimCalls(const char *name) {
  std::lock_guard<std::mutex> guard(dscc::sim::state().lock);
  const llvm::StringMap<uint64_t> &calls = dscc::sim::state().calls;
  uint64_t sum = 0;
  for (const llvm::StringMapEntry<uint64_t> &entry : calls)
    sum += entry.getValue();
  return llvm::StringRef(name) == "any" ? sum : calls.lookup(name);
}
