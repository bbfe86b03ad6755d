// What the driver knows: settings from the environment, contexts, handles that are alive.

#ifndef DSCC_TOOLS_SIMULATOR_DRIVER_STATE_H
#define DSCC_TOOLS_SIMULATOR_DRIVER_STATE_H

#include "tools/simulator/Chips.h"
#include "tools/simulator/Machine.h"
#include "tools/simulator/driver/Capture.h"
#include "tools/simulator/driver/Graph.h"
#include "tools/simulator/driver/Handles.h"
#include "tools/simulator/driver/Queue.h"

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

// Of streams; the lower number goes first.
inline constexpr int leastPriority = 0, greatestPriority = -5;

struct CUctx_st {
  int references = 0;
  unsigned flags = 0;
  bool isPrimary = false;
  uint64_t number = 0;          // unique
  int cacheConfig = 0;          // CUfunc_cache
  std::map<int, size_t> limits; // that the program has set, by CUlimit
};
struct CUfunc_st {
  const dscc::sim::Kernel *kernel;
  CUmodule module;
  uint64_t number; // unique
  CUkernel ofLibrary = nullptr;
  std::map<int, int> settings = {}; // that the program has set, by FunctionAttribute
};
struct CUmod_st {
  std::unique_ptr<dscc::sim::LoadedModule> code;
  std::map<std::string, std::unique_ptr<CUfunc_st>> functions;
  CUlibrary library = nullptr; // that it belongs to
  int ptxTarget = 0;           // of its text: 80 for sm_80
};
struct CUkern_st {
  CUfunction function;
  CUlibrary library;
  std::map<int, int> settings = {}; // of the kernel; the function's own go before them
};
struct CUlib_st {
  CUmodule module;
  std::vector<std::string> initial; // what its module's variables hold at first, in the module's order
  std::map<std::string, CUkernel> kernels;
};
struct CUstream_st {
  unsigned flags = 0;
  int priority = 0;
  uint64_t number = 0;         // unique; 0: the legacy default stream
  CUcontext context = nullptr; // that it was made in; null: a default stream, which is the current one's
  dscc::sim::TaskPtr last;
  std::shared_ptr<dscc::sim::Capture> capture;
  std::vector<CUgraphNode> captureEnds;               // what the next captured node depends on
  std::map<int, CUlaunchAttribute::Value> attributes; // that have been set, by CUlaunchAttributeID
  std::vector<CUgraphEdgeData> captureEdges;          // of these edges: all plain
};
struct CUevent_st {
  unsigned flags;
  CUcontext context;                           // that it was made in
  dscc::sim::TaskPtr record;                   // null: never recorded
  std::shared_ptr<dscc::sim::Capture> capture; // recorded in it
  std::vector<CUgraphNode> captureEnds;
};
struct CUmemPoolHandle_st {
  size_t maxBytes = SIZE_MAX, releaseThreshold = 0;
  size_t reserved = 0, reservedHigh = 0, used = 0, usedHigh = 0; // bytes
  int reuse[3] = {1, 1, 1};
  bool isDestroyed = false; // alive until its last allocation is freed
};

namespace dscc::sim {

/// One fault to inject: the `count`-th call of `call` ("any": of whatever function) gives `error`.
struct Fault {
  std::string call;
  uint64_t count;
  CUresult error;
  uint64_t seen = 0;
};

/// Of an allocation: who made it, and the how many-th of all it is. Made with the allocation.
struct Origin {
  Origin();
  CUcontext context; // null if none was current
  uint64_t number;
  bool hasSynchronousCopies = false; // as the program has asked; copies here are as synchronous either way
};

struct PinnedMemory {
  size_t bytes;
  unsigned flags;
  bool isRegistered; // the program's own memory
  Origin origin = Origin();
};

struct PoolAllocation {
  CUmemoryPool pool;
  size_t bytes;
  bool isFreePending = false; // cuMemFreeAsync has been called
  Origin origin = Origin();
};

struct State {
  std::mutex lock; // one call at a time: the simulated device is not faster with two
  const Chip *chip = nullptr;
  bool isInitialised = false;
  int driverVersion = 12090;
  int numDevices = 1;
  size_t memoryBytes = 0;
  bool reportsAreFatal = false;
  std::string statisticsForm; // "json", "text"; empty: none
  CUctx_st primary;
  Handles<CUctx_st> contexts;     // besides the primary one
  CUresult sticky = CUDA_SUCCESS; // the context is lost
  std::vector<Fault> faults;
  Handles<CUmod_st> modules;
  Handles<CUlib_st> libraries;
  Handles<CUkern_st> kernels;
  std::map<CUfunction, CUmodule> functions;
  CUstream_st legacyStream;
  Handles<CUstream_st> streams, threadStreams;
  Handles<CUevent_st> events;
  Handles<CUuserObject_st> userObjects;
  Handles<CUgraph_st> graphs;
  Handles<CUgraphExec_st> graphExecs;
  std::map<const CUgraphNode_st *, CUgraph> graphNodes;
  std::vector<std::shared_ptr<Capture>> captures;  // under way
  std::map<CUdeviceptr, Origin> deviceAllocations; // cuMemAlloc's
  std::map<char *, PinnedMemory> pinned;
  CUmemPoolHandle_st defaultPool;
  CUmemoryPool currentPool = nullptr; // null: the default one
  Handles<CUmemPoolHandle_st> pools;
  std::map<CUdeviceptr, PoolAllocation> poolAllocations;
};
State &state();
/// The stack of current contexts, of this host thread.
std::vector<CUcontext> &currentContexts();

/// Reads the environment: once, at cuInit.
CUresult readEnvironment(State &state);
/// The error to inject into this call, if its turn has come.
CUresult injectFault(const char *call);

/// What a call needs before it may do anything.
/// Device: no error has stuck, but there need not be a current context.
enum class Needs { Nothing, Driver, Device, Context };
CUresult checkReady(Needs needs);
/// For a call that needs a current context only if the handle is a default stream's.
CUresult checkContextOf(CUstream handle);

bool isDevice(CUdevice device);
bool isContext(CUcontext context);
/// Forgets all that a context holds, and the error that has stuck to it. Called when no context is left.
void endContexts();
/// True while this thread is in a call whose handle 0 means 2.
bool &isThreadDefault();
/// The stream of a handle: 0 and 1 are the legacy default stream, 2 this thread's own. Null if it is not alive.
CUstream_st *findStream(CUstream handle);
/// The function of a CUfunction or of a CUkernel in its place. Null if it is neither.
CUfunc_st *findFunction(CUfunction handle);
/// Frees what a pool has given out; false if it has not.
bool releaseToPool(CUdeviceptr address);
/// Pools give back what they hold beyond their thresholds: whenever somebody has waited.
void trimPools();
/// The value of an attribute that programs can set: the function's, its kernel's, or what it is before.
int settingOf(const CUfunc_st &function, FunctionAttribute attribute);
/// The kernel's, or what it is before.
int settingOf(const CUkern_st &kernel, FunctionAttribute attribute);
/// What the code or the program requires of a function's clusters; 0s if nothing.
std::array<uint32_t, 3> requiredCluster(const CUfunc_st &function);
/// The most blocks that a cluster of the function may have.
uint64_t largestCluster(const CUfunc_st &function);
/// Bytes of shared memory that the kernel's own variables take.
uint32_t declaredShared(const Kernel &kernel);

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_DRIVER_STATE_H
