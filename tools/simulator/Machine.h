// The simulated GPU below the driver API: device memory, modules of PTX, and launches of their kernels.
//
//     cuModuleLoadData ──► LoadedModule::load ──► PTX ──► LLVM IR ──► host code
//     cuLaunchKernel   ──► launch             ──► blocks on host threads, a fiber for each GPU thread
//
// Nothing here knows the driver's handles, streams or error codes, and a launch runs to its end before it returns.

#ifndef DSCC_TOOLS_SIMULATOR_MACHINE_H
#define DSCC_TOOLS_SIMULATOR_MACHINE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace dscc::sim {

struct Chip;

/// What is looked for while a kernel runs.
enum class CheckLevel { None, Memory, All };

/// Set once, before the first launch: by the environment (driver/State.cpp), or by a test.
struct Settings {
  CheckLevel check = CheckLevel::None; // read when modules are loaded and memory is allocated, too
  uint64_t seed = 0;                   // order of streams, blocks, warps and lanes; 0: in order
  unsigned threads = 0;                // of the host; 0: one a core
  bool statistics = false;             // whether kernels are counted; read when their module is loaded, too
  uint64_t sample = 0; // blocks or clusters of a launch that run for the counts, beside few others; 0: all. Only with
                       // statistics, and without checks: what others would have written is not there
};
/// The process's own. Not locked: nobody changes them while kernels run.
Settings &settings();

/// One kernel of a loaded module.
struct Kernel {
  std::string name;                                       // as it stands behind .entry
  std::vector<uint32_t> parameterBytes, parameterOffsets; // offsets: in a buffer of all of them
  uint32_t constantBytes = 0;                             // of the module's .const variables
  uint32_t staticShared = 0; // bytes of the window before the dynamic part, red zones between variables included
  /// One variable in the window.
  struct SharedRange {
    uint32_t begin, bytes; // offset in the window, and size
  };
  std::vector<SharedRange> sharedRanges; // the variables within
  uint32_t maxThreads = 0;               // .maxntid, or .reqntid; 0: not said
  uint32_t requiredBlock[3] = {0, 0, 0}; // .reqntid; 0: not said
  uint32_t cluster[3] = {0, 0, 0};       // .reqnctapercluster; 0: not said
  uint32_t maxClusterBlocks = 0;         // .maxclusterrank; 0: not said
  bool needsCluster = false;             // .explicitcluster: it or the launch has to say the cluster's size
  bool countsClusters = false;           // .blocksareclusters: a launch's grid is one of clusters
  bool hasCollectives = false;           // barriers, shuffles, ...: whatever needs a fiber a thread
  bool ordersUnits = false;              // fences by which blocks may know what others have done
  bool callsFunctions = false;           // to a depth that is not known
  uint32_t localBytes = 0;               // of stack, a thread
  uint32_t registers = 0;                // an estimate, for cuFuncGetAttribute
  uint32_t liveRegisters = 0;            // a better one, if statistics are wanted: what is live at a time
  /// The compiled code, for one GPU thread: its Lane, and a pointer to each parameter. Lives as long as the module.
  void (*entry)(void *lane, void **arguments) = nullptr;
};

/// The code of one module, compiled for the host.
class LoadedModule {
public:
  virtual ~LoadedModule() = default;
  /// Null if the text is not PTX that the simulator knows, or not for `chip`: then `error` says why, with its line.
  static std::unique_ptr<LoadedModule> load(llvm::StringRef ptx, const Chip &chip, std::string &error);
  /// Null if the text has no .entry of that name. Lives as long as the module.
  virtual const Kernel *findKernel(llvm::StringRef name) const = 0;
  /// Its kernels, in the order of the text.
  virtual llvm::ArrayRef<Kernel> listKernels() const = 0;
  /// Address and bytes of a `.global` or `.const` variable.
  virtual std::optional<std::pair<void *, size_t>> findGlobal(llvm::StringRef name) const = 0;
  /// Likewise of all of them.
  virtual std::vector<std::pair<void *, size_t>> listGlobals() const = 0;
};

/// What a launch says beside the kernel and its arguments.
struct LaunchShape {
  uint32_t grid[3] = {1, 1, 1}, block[3] = {1, 1, 1}, cluster[3] = {1, 1, 1}; // x, y, z: in blocks, threads, blocks
  uint32_t dynamicShared = 0;                                                 // bytes
  bool isExplicitCluster = false; // the kernel or the launch says the cluster's size
  std::string nodes;              // of the caller's model that the launch computes, if it says so; for reports
};

/// What went wrong in a launch. `isFault` is what a GPU would have noticed as well: its context is lost.
struct Report {
  std::string kind;     // "out-of-bounds load", "race", "deadlock", ...
  std::string sentence; // kernel, PTX line, thread, address, allocation
  bool isFault = false; // the launch ends with it; behind any other it goes on
  int driverError = 0;  // a CUresult, if isFault
  int site = 0;         // PTX line
};

/// Runs a kernel to its end. The reports of its checks, at most some dozens; none if all is well.
std::vector<Report> launch(const Kernel &kernel, const Chip &chip, const LaunchShape &shape, void **arguments);

/// The device's memory. Addresses are those of the host. All functions may be called from any thread.
namespace memory {
/// 256-byte aligned, with red zones around it; null if the chip's memory is spent. Its bytes count as never written.
void *allocate(size_t bytes);
/// False if `address` is not the beginning of a live allocation. Its bytes stay reserved, so that a later use is found.
bool release(void *address);
/// The live allocation that holds `address`: its beginning and its bytes.
std::optional<std::pair<char *, size_t>> find(const void *address);
/// Notes that somebody else than a kernel has written these bytes.
void noteWritten(const void *address, size_t bytes);
/// Makes memory that is not the device's known to the checks: pinned host memory, module variables.
void adopt(void *address, size_t bytes, bool isWritten);
/// Forgets what was adopted at this address, before it goes. Nothing if nothing was.
void disown(void *address);
/// Of live allocations that allocate() has made; red zones and adopted memory do not count.
size_t bytesInUse();
/// The chip's memory, less or more: for tests of running out.
void setCapacity(size_t bytes);
} // namespace memory

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_MACHINE_H
