// What the driver knows: settings from the environment, contexts, handles that are alive.

#ifndef DSCC_TOOLS_SIMULATOR_DRIVER_STATE_H
#define DSCC_TOOLS_SIMULATOR_DRIVER_STATE_H

#include "tools/simulator/Chips.h"
#include "tools/simulator/Machine.h"
#include "tools/simulator/driver/Capture.h"
#include "tools/simulator/driver/Graph.h"
#include "tools/simulator/driver/Handles.h"
#include "tools/simulator/driver/Queue.h"

#include "llvm/ADT/StringMap.h"

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

/// Of streams: a lower number is a higher priority. Kept and told, without effect.
inline constexpr int leastPriority = 0, greatestPriority = -5;

/// A context: what it does not share with the others.
struct CUctx_st {
  int references = 0;           // of the primary one: how often it is retained; 0: it is not alive
  unsigned flags = 0;           // CUctx_flags, told and without effect
  bool isPrimary = false;       // it is State::primary
  uint64_t number = 0;          // unique; 0 until somebody asks for it
  int cacheConfig = 0;          // CUfunc_cache
  std::map<int, size_t> limits; // that the program has set, by CUlimit
};
/// A kernel of a module, as far as a program has asked for it.
struct CUfunc_st {
  const dscc::sim::Kernel *kernel;  // of the module's code
  CUmodule module;                  // that owns it
  uint64_t number;                  // unique
  CUkernel ofLibrary = nullptr;     // made for it by cuLibraryGetKernel; or null
  std::map<int, int> settings = {}; // that the program has set, by FunctionAttribute
};
/// A module, compiled for the host.
struct CUmod_st {
  std::unique_ptr<dscc::sim::LoadedModule> code;               // never null once it has a handle
  std::map<std::string, std::unique_ptr<CUfunc_st>> functions; // by name, those that have been asked for
  CUlibrary library = nullptr;                                 // that it belongs to
  int ptxTarget = 0;                                           // of its text: 80 for sm_80
};
/// A kernel of a library, as far as a program has asked for it.
struct CUkern_st {
  CUfunction function;              // the same kernel in the library's module
  CUlibrary library;                // that it belongs to, and ends with
  std::map<int, int> settings = {}; // of the kernel; the function's own go before them
};
/// A library: a module that outlives contexts.
struct CUlib_st {
  CUmodule module;                         // its own, which only cuLibraryUnload ends
  std::vector<std::string> initial;        // what its module's variables hold at first, in the module's order
  std::map<std::string, CUkernel> kernels; // by name, those that have been asked for
};
/// A stream: what the next task enqueued there has to wait for.
struct CUstream_st {
  unsigned flags = 0;          // StreamFlag
  int priority = 0;            // from greatestPriority to leastPriority
  uint64_t number = 0;         // unique; 0: the legacy default stream
  CUcontext context = nullptr; // that it was made in; null: a default stream, which is the current one's
  dscc::sim::TaskPtr last;     // its last task, done or not; null: there was none
  std::shared_ptr<dscc::sim::Capture> capture;        // that it is part of; null: what is enqueued runs
  std::vector<CUgraphNode> captureEnds;               // what the next captured node depends on
  std::map<int, CUlaunchAttribute::Value> attributes; // that have been set, by CUlaunchAttributeID
  std::vector<CUgraphEdgeData> captureEdges;          // of these edges: all plain
};
/// An event: the task, or the nodes of a capture, that it stands for.
struct CUevent_st {
  unsigned flags;                              // EventFlag
  CUcontext context;                           // that it was made in
  dscc::sim::TaskPtr record;                   // null: never recorded
  std::shared_ptr<dscc::sim::Capture> capture; // recorded in it
  std::vector<CUgraphNode> captureEnds;        // the nodes that came before, in that capture
};
/// A pool, which counts and owns no memory: Pools.cpp.
struct CUmemPoolHandle_st {
  size_t maxBytes = SIZE_MAX, releaseThreshold = 0; // that may be in use; that stay reserved when somebody has waited
  size_t reserved = 0, reservedHigh = 0, used = 0, usedHigh = 0; // bytes
  int reuse[3] = {1, 1, 1}; // CUmemPool_attribute 1 to 3: kept and told, without effect
  bool isDestroyed = false; // alive until its last allocation is freed
};

namespace dscc::sim {

/// One fault to inject: the `count`-th call of `call` ("any": of whatever function) gives `error`.
struct Fault {
  std::string call;  // by the name that is exported, such as cuMemAlloc_v2
  uint64_t count;    // from 1
  CUresult error;    // never CUDA_SUCCESS
  uint64_t seen = 0; // calls so far that were meant
};

/// Of an allocation: who made it, and the how many-th of all it is. Made with the allocation.
struct Origin {
  /// The current context, and the next number.
  Origin();
  CUcontext context;                 // null if none was current
  uint64_t number;                   // from 1, over allocations of any kind; never used again
  bool hasSynchronousCopies = false; // as the program has asked; copies here are as synchronous either way
};

/// Memory of the host that the device reaches too.
struct PinnedMemory {
  size_t bytes;             // as asked for, without the rest of the last page
  unsigned flags;           // CU_MEMHOSTALLOC_*, or CU_MEMHOSTREGISTER_*
  bool isRegistered;        // the program's own memory
  Origin origin = Origin(); // for cuPointerGetAttribute
};

/// Memory of a pool; also cuMemAlloc's, between cuMemFreeAsync and its turn.
struct PoolAllocation {
  CUmemoryPool pool;          // the default one, or one of State::pools
  size_t bytes;               // that count as used in the pool
  bool isFreePending = false; // cuMemFreeAsync has been called
  Origin origin = Origin();   // for cuPointerGetAttribute
};

/// All that the driver knows, of one process.
struct State {
  std::mutex lock;                             // one call at a time: the simulated device is not faster with two
  const Chip *chip = nullptr;                  // DSCC_SIM_CHIP's; null before cuInit
  bool isInitialised = false;                  // cuInit has succeeded
  int driverVersion = 12090;                   // DSCC_SIM_DRIVER_VERSION, as cuDriverGetVersion tells it: this is 12.9
  int numDevices = 1;                          // DSCC_SIM_DEVICES, as far as CUDA_VISIBLE_DEVICES shows them
  size_t memoryBytes = 0;                      // of the device: DSCC_SIM_MEMORY, or what the chip has
  bool reportsAreFatal = false;                // DSCC_SIM_FATAL: a report of a check is an error that sticks
  std::string statisticsForm;                  // "json", "text"; empty: none
  CUctx_st primary;                            // the device's primary context
  Handles<CUctx_st> contexts;                  // besides the primary one
  CUresult sticky = CUDA_SUCCESS;              // the context is lost
  std::vector<Fault> faults;                   // DSCC_SIM_FAIL
  llvm::StringMap<uint64_t> calls;             // how often each entry point has been called; those that have
  Handles<CUmod_st> modules;                   // those of libraries included
  Handles<CUlib_st> libraries;                 // they stay when contexts end
  Handles<CUkern_st> kernels;                  // of libraries, with which they end
  std::map<CUfunction, CUmodule> functions;    // those that are alive, with their modules
  CUstream_st legacyStream;                    // handle 1, and 0 unless that is the thread's own
  Handles<CUstream_st> streams, threadStreams; // of cuStreamCreate; handle 2, one for each thread that has named it
  Handles<CUevent_st> events;                  // recorded or not
  Handles<CUuserObject_st> userObjects;        // that have references
  Handles<CUgraph_st> graphs;                  // those that are being captured included
  Handles<CUgraphExec_st> graphExecs;          // instantiated, and not destroyed
  std::map<const CUgraphNode_st *, CUgraph> graphNodes; // all nodes that are alive, with their graphs
  std::vector<std::shared_ptr<Capture>> captures;       // under way
  std::map<CUdeviceptr, Origin> deviceAllocations;      // cuMemAlloc's
  std::map<char *, PinnedMemory> pinned;                // by its beginning
  CUmemPoolHandle_st defaultPool;                       // the device's own, which stays
  CUmemoryPool currentPool = nullptr;                   // null: the default one
  Handles<CUmemPoolHandle_st> pools; // besides the default one; destroyed ones while they have allocations
  std::map<CUdeviceptr, PoolAllocation> poolAllocations; // by beginning, until their frees have taken place
};
/// The process's own, never destroyed: programs call the driver from destructors of theirs.
State &state();
/// The stack of current contexts, of this host thread.
std::vector<CUcontext> &currentContexts();

/// Reads the environment: once, at cuInit.
CUresult readEnvironment(State &state);
/// Counts the call. The error to inject into it, if its turn has come.
CUresult enterCall(const char *call);

/// What a call needs before it may do anything.
/// Device: no error has stuck, but there need not be a current context.
enum class Needs { Nothing, Driver, Device, Context };
/// The error that a call with these needs returns at once, or CUDA_SUCCESS.
CUresult checkReady(Needs needs);
/// For a call that needs a current context only if the handle is a default stream's.
CUresult checkContextOf(CUstream handle);

/// Whether the ordinal is one of a device that the program sees.
bool isDevice(CUdevice device);
/// Whether it is alive: the primary one while somebody retains it. Any address may be asked for.
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
