// What the device can be told to do: by a call at once, in a stream's turn, or as a node of a graph.
//
// A call makes an operation and checks it; performing it later asks again, because memory may be gone by then.

#ifndef DSCC_TOOLS_SIMULATOR_DRIVER_OPERATIONS_H
#define DSCC_TOOLS_SIMULATOR_DRIVER_OPERATIONS_H

#include "tools/simulator/Machine.h"
#include "tools/simulator/driver/Cuda.h"
#include "tools/simulator/driver/CudaStructures.h"

#include <map>
#include <memory>
#include <variant>
#include <vector>

namespace dscc::sim {

/// Whose bytes an address is.
enum class MemoryKind { Device, Pinned, Pageable, Freed };
MemoryKind kindOf(const void *address);

/// A marker in a stream, or a node that only joins others.
struct Nothing {};

/// A kernel and its arguments.
struct KernelCall {
  /// A parameter's bytes begin at one of these: tensor maps are parameters too, and ask for 64.
  struct alignas(64) Chunk {
    char bytes[64];
  };
  CUfunction function;
  uint64_t number; // the function's: another one may have its address by now
  LaunchShape shape;
  std::vector<std::vector<Chunk>> arguments;
  CUkernel kernel = nullptr; // that a node was given in the place of the function, and its context
  CUcontext context = nullptr;
  std::map<int, CUlaunchAttribute::Value> attributes = {}; // those that a node tells of, by their id
};
inline constexpr int clusterDimension = 4; // CUlaunchAttributeID

/// Rows of bytes, in one slice or several. Host memory that is not pinned may be copied when the call is made: `staged`
/// owns it then.
struct Copy {
  char *to;
  const char *from;
  size_t toPitch, fromPitch, width, height;
  MemoryKind toKind, fromKind;
  std::shared_ptr<std::vector<char>> staged;
  size_t depth = 1, toSlice = 0, fromSlice = 0;         // slices, and bytes from one to the next
  std::shared_ptr<const CUDA_MEMCPY3D> asked = nullptr; // what a node was made of
};

/// Rows of elements, all of one value.
struct Fill {
  char *to;
  uint32_t value;
  unsigned elementBytes;       // 1, 2, 4
  size_t pitch, width, height; // bytes, elements, rows
  MemoryKind kind;
};

/// cuLaunchHostFunc's, or an object's destructor, which is called in a context that is lost too.
struct HostCall {
  CUhostFn function;
  void *data;
  bool isDestructor = false;
};

/// cuStreamAddCallback's: takes place in a context that is lost too.
struct Callback {
  CUstreamCallback function;
  CUstream stream;
  void *data;
};

/// cuMemFreeAsync.
struct Release {
  CUdeviceptr address;
};

/// A word that has to become something, by whoever writes it, before the stream goes on.
struct WaitValue {
  CUdeviceptr address;
  uint64_t value;
  unsigned bytes, condition;
};
struct WriteValue {
  CUdeviceptr address;
  uint64_t value;
  unsigned bytes;
};

using Operation = std::variant<Nothing, KernelCall, Copy, Fill, HostCall, Callback, Release, WaitValue, WriteValue>;

/// True if the word is what it has to become, or can be nothing any more.
bool holds(const WaitValue &wait);

/// Does it now. What a GPU would have noticed becomes the context's sticky error. The program's functions run without
/// the driver's lock.
void perform(const Operation &operation);

/// Copies the arguments and checks the shape; `cluster` is null where the call says nothing of it.
CUresult makeKernelCall(CUfunction function, LaunchShape shape, const uint32_t *cluster, void **arguments, void **extra,
                        KernelCall &call);
/// Gives it other clusters.
CUresult setCluster(KernelCall &call, const uint32_t *cluster);
/// False once the function's module has been unloaded.
bool isAlive(const KernelCall &call);
/// CUDA_ERROR_INVALID_VALUE if a side is not memory that it may be.
CUresult makeCopy(const CUDA_MEMCPY2D &request, Copy &copy);
CUresult makeCopy(const CUDA_MEMCPY3D &request, Copy &copy);
CUresult makeFill(const CUDA_MEMSET_NODE_PARAMS &request, Fill &fill);

/// True if all of [address, address + bytes) is in one live allocation, of the device or pinned.
bool isMapped(const void *address, size_t bytes);
/// True for memory of a pool.
bool isOfPool(CUdeviceptr address);
/// True while a host function runs, which may not call the driver.
bool isInHostFunction();

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_DRIVER_OPERATIONS_H
