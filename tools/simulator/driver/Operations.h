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
/// Pageable is whatever no allocation or pinning here has made known.
MemoryKind kindOf(const void *address);

/// A marker in a stream, or a node that only joins others.
struct Nothing {};

/// A kernel and its arguments.
struct KernelCall {
  /// A parameter's bytes begin at one of these: tensor maps are parameters too, and ask for 64.
  struct alignas(64) Chunk {
    char bytes[64];
  };
  CUfunction function;                       // of a module; dead, unless isAlive says that it is not
  uint64_t number;                           // the function's: another one may have its address by now
  LaunchShape shape;                         // its clusters resolved, its grid in blocks
  std::vector<std::vector<Chunk>> arguments; // copies of the parameters' bytes, by parameter
  CUkernel kernel = nullptr;                 // that a node was given in the place of the function; or null
  CUcontext context = nullptr;               // that the node was given with it; or null
  std::map<int, CUlaunchAttribute::Value> attributes = {}; // those that a node tells of, by their id
};
inline constexpr int clusterDimension = 4; // CUlaunchAttributeID

/// Rows of bytes, in one slice or several. Host memory that is not pinned may be copied when the call is made: `staged`
/// owns it then.
struct Copy {
  char *to;                                             // the first row's
  const char *from;                                     // the first row's, in `staged` if that is there
  size_t toPitch, fromPitch, width, height;             // bytes from row to row, bytes of a row, rows of a slice
  MemoryKind toKind, fromKind;                          // when the call was made; performing it asks again
  std::shared_ptr<std::vector<char>> staged;            // the source's rows without gaps; null: it is read in its turn
  size_t depth = 1, toSlice = 0, fromSlice = 0;         // slices, and bytes from one to the next
  std::shared_ptr<const CUDA_MEMCPY3D> asked = nullptr; // what a node was made of
};

/// Rows of elements, all of one value.
struct Fill {
  char *to;                    // the first row's
  uint32_t value;              // of smaller elements the lowest bytes count
  unsigned elementBytes;       // 1, 2, 4
  size_t pitch, width, height; // bytes, elements, rows
  MemoryKind kind;             // of the target, when the call was made
};

/// cuLaunchHostFunc's, or an object's destructor, which is called in a context that is lost too.
struct HostCall {
  CUhostFn function;         // called on the queue's host thread, without the driver's lock
  void *data;                // the program's, handed to the function
  bool isDestructor = false; // a user object's
};

/// cuStreamAddCallback's: takes place in a context that is lost too.
struct Callback {
  CUstreamCallback function; // called as a HostCall's
  CUstream stream;           // the handle that the program gave, handed back
  void *data;                // the program's, handed to the function
};

/// cuMemFreeAsync.
struct Release {
  CUdeviceptr address; // of an allocation whose free is pending
};

/// A word that has to become something, by whoever writes it, before the stream goes on.
struct WaitValue {
  CUdeviceptr address;       // of the word, aligned
  uint64_t value;            // that the word is compared with; of 4 bytes the low half
  unsigned bytes, condition; // 4 or 8; 0: it has come this far, 1: equal, 2: and, 3: nor, as in CUstreamWaitValue_flags
};
/// A word that the stream writes in its turn.
struct WriteValue {
  CUdeviceptr address; // of the word, aligned
  uint64_t value;      // of 4 bytes the low half
  unsigned bytes;      // 4 or 8
};

/// Whatever a task may do. Only the first five can be nodes of graphs.
using Operation = std::variant<Nothing, KernelCall, Copy, Fill, HostCall, Callback, Release, WaitValue, WriteValue>;

/// True if the word is what it has to become, or can be nothing any more.
bool holds(const WaitValue &wait);

/// Does it now. What a GPU would have noticed becomes the context's sticky error. The program's functions run without
/// the driver's lock.
void perform(const Operation &operation);

/// Copies the arguments and checks the shape; `cluster` is null where the call says nothing of it.
CUresult makeKernelCall(CUfunction function, LaunchShape shape, const uint32_t *cluster, void **arguments, void **extra,
                        KernelCall &call);
/// The ONNX nodes that dsccSimNameLaunch has named for this thread's next kernel, which they are told of once.
std::string takeNodes();
/// Gives it other clusters.
CUresult setCluster(KernelCall &call, const uint32_t *cluster);
/// False once the function's module has been unloaded.
bool isAlive(const KernelCall &call);
/// CUDA_ERROR_INVALID_VALUE if a side is not memory that it may be.
CUresult makeCopy(const CUDA_MEMCPY2D &request, Copy &copy);
CUresult makeCopy(const CUDA_MEMCPY3D &request, Copy &copy);
/// Likewise, or if elements, rows and alignment do not fit each other.
CUresult makeFill(const CUDA_MEMSET_NODE_PARAMS &request, Fill &fill);

/// True if all of [address, address + bytes) is in one live allocation, of the device or pinned.
bool isMapped(const void *address, size_t bytes);
/// True for memory of a pool.
bool isOfPool(CUdeviceptr address);
/// True while a host function runs, which may not call the driver.
bool isInHostFunction();

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_DRIVER_OPERATIONS_H
