// The structures of the CUDA driver API that the simulator reads, declared by hand in the layout of NVIDIA's header.

#ifndef DSCC_TOOLS_SIMULATOR_DRIVER_CUDASTRUCTURES_H
#define DSCC_TOOLS_SIMULATOR_DRIVER_CUDASTRUCTURES_H

#include "tools/simulator/driver/Cuda.h"

/// What cuDeviceGetUuid gives.
struct CUuuid {
  char bytes[16]; // "dscc-sim0 sm_90": of device and chip, the same in every run
};

/// Of cuCtxCreate_v4.
struct CUctxCreateParams {
  const void *affinity; // CUexecAffinityParam: on which multiprocessors it may run
  int numAffinities;    // in that array; not read
  const void *graphics; // CUctxCigParam: graphics that share it. One of the two has to be there, and either is refused
};

/// One attribute of cuLaunchKernelEx.
struct CUlaunchAttribute {
  int id;      // CUlaunchAttributeID
  int padding; // the header's `pad`; not read
  /// Also the value of an attribute of a stream, or of a graph's node.
  union Value {
    char bytes[64];   // as large as in NVIDIA's header
    int number;       // of attributes that are one integer
    unsigned dims[3]; // of a cluster, in blocks
    /// Of a programmatic event or a launch completion event.
    struct {
      CUevent event; // that the launch is to record; it must have EventDisableTiming
      int flags;     // CUevent_record_flags
    } record;        // ids 7 and 12
  } value;           // its id says which member counts
};
static_assert(sizeof(CUlaunchAttribute) == 72);

/// What cuLaunchKernelEx takes beside the function and its arguments.
struct CUlaunchConfig {
  unsigned grid[3], block[3], sharedBytes; // blocks, threads, bytes of dynamic shared memory
  CUstream stream;                         // in which the kernel is launched; 0 is the default one
  const CUlaunchAttribute *attributes;     // null only if there are none
  unsigned numAttributes;                  // one whose id is not known is an error
};
static_assert(sizeof(CUlaunchConfig) == 56);

/// CUmemorytype.
enum MemoryType : unsigned { MemoryHost = 1, MemoryDevice = 2, MemoryArray = 3, MemoryUnified = 4 };

/// What cuMemcpy2D takes: `height` rows of `width` bytes.
struct CUDA_MEMCPY2D {
  struct Side {
    size_t x, y;        // bytes, rows
    MemoryType type;    // which of the next three counts
    const void *host;   // for MemoryHost
    CUdeviceptr device; // for MemoryDevice, and of either kind for MemoryUnified
    void *array;        // a CUarray, for MemoryArray: refused
    size_t pitch;       // bytes from row to row; 0: those of a row of the copy
  };
  Side source;          // srcXInBytes to srcPitch in NVIDIA's header
  Side target;          // dstXInBytes to dstPitch
  size_t width, height; // bytes, rows
};
static_assert(sizeof(CUDA_MEMCPY2D) == 128);

/// What cuMemcpy3D takes: `depth` slices of `height` rows of `width` bytes.
struct CUDA_MEMCPY3D {
  struct Side {
    size_t x, y, z, levelOfDetail; // bytes, rows, slices; the last is of mipmaps, and not read
    MemoryType type;               // which of the next three counts
    const void *host;              // for MemoryHost
    CUdeviceptr device;            // for MemoryDevice, and of either kind for MemoryUnified
    void *array, *reserved;        // a CUarray, for MemoryArray: refused; not read
    size_t pitch, height;          // bytes from row to row, rows from slice to slice; 0: those of the copy
  };
  Side source;                 // srcXInBytes to srcHeight in NVIDIA's header
  Side target;                 // dstXInBytes to dstHeight
  size_t width, height, depth; // bytes, rows, slices
};
static_assert(sizeof(CUDA_MEMCPY3D) == 200);

/// A node that launches a kernel.
struct CUDA_KERNEL_NODE_PARAMS_v1 {
  CUfunction function;                     // of v2 it may be null, if there is a kernel
  unsigned grid[3], block[3], sharedBytes; // blocks, threads, bytes of dynamic shared memory
  void **arguments, **extra;               // as cuLaunchKernel takes them: at least one of the two is null
};
/// The same, with a library's kernel in the place of the function.
struct CUDA_KERNEL_NODE_PARAMS_v2 : CUDA_KERNEL_NODE_PARAMS_v1 {
  CUkernel kernel;   // counts only if the function is null
  CUcontext context; // of the kernel; null: the current one
};
static_assert(sizeof(CUDA_KERNEL_NODE_PARAMS_v1) == 56 && sizeof(CUDA_KERNEL_NODE_PARAMS_v2) == 72);

/// A node that sets `height` rows of `width` elements to one value.
struct CUDA_MEMSET_NODE_PARAMS {
  CUdeviceptr target;           // of the device's or pinned memory, aligned to the elements
  size_t pitch;                 // bytes from row to row; not read if there is but one
  unsigned value, elementBytes; // the lowest bytes of the first; 1, 2 or 4
  size_t width, height;         // elements, rows
};

/// A node that calls a function of the program's.
struct CUDA_HOST_NODE_PARAMS {
  CUhostFn function; // not null; it must not call the driver
  void *data;        // the program's, handed to the function
};

/// A node that copies, in CUgraphNodeParams.
struct CUDA_MEMCPY_NODE_PARAMS {
  int flags, reserved; // 0
  CUcontext context;   // one that is alive, or null: the current one
  CUDA_MEMCPY3D copy;  // as cuMemcpy3D takes it
};
/// A node that sets memory, in CUgraphNodeParams.
struct CUDA_MEMSET_NODE_PARAMS_v2 : CUDA_MEMSET_NODE_PARAMS {
  CUcontext context; // one that is alive, or null: the current one
};

/// Of a node of any kind; those that the simulator has.
struct CUgraphNodeParams {
  int type;        // a CUgraphNodeType: 0 to 3 name a member below, 5 is an empty node, others are refused
  int reserved[3]; // 0, or it is an error
  /// An empty node has none of these.
  union {
    long long bytes[29];               // as large as in NVIDIA's header
    CUDA_KERNEL_NODE_PARAMS_v2 kernel; // of type 0
    CUDA_MEMCPY_NODE_PARAMS copy;      // of type 1
    CUDA_MEMSET_NODE_PARAMS_v2 fill;   // of type 2
    CUDA_HOST_NODE_PARAMS host;        // of type 3
  };
  long long reservedEnd; // 0, or it is an error
};
static_assert(sizeof(CUgraphNodeParams) == 256);

/// Why cuGraphExecUpdate cannot update.
struct CUgraphExecUpdateResultInfo {
  int result; // a CUgraphExecUpdateResult; 0: it can
  /// Of the graph: the node that differs, and the one before it where it is an edge that does. Null: none in
  /// particular.
  CUgraphNode node, from;
};

/// What cuGraphInstantiateWithParams takes; the last two it fills in.
struct CUDA_GRAPH_INSTANTIATE_PARAMS {
  uint64_t flags;        // CUgraphInstantiate_flags
  CUstream uploadStream; // has to be alive if the flags ask for an upload, which takes no time here
  CUgraphNode errorNode; // one of a circle, or null
  int result;            // a CUgraphInstantiateResult
};

/// What an edge may be beside an order.
struct CUgraphEdgeData {
  unsigned char fromPort, toPort, type, reserved[5]; // all 0: a plain edge; see cuGraphAddDependencies_v2
};

/// Where memory is, or who reaches it.
struct CUmemLocation {
  int type, id; // type 1: a device
};

/// What cuMemPoolSetAccess takes.
struct CUmemAccessDesc {
  CUmemLocation location; // a device that there is
  int flags;              // CUmemAccess_flags; only 3, to read and to write, is taken
};

/// An operation of cuStreamBatchMemOp.
struct CUstreamBatchMemOpParams {
  int type;              // a CUstreamBatchMemOpType, which says whether the word has 4 or 8 bytes
  unsigned barrierFlags; // of a barrier and a flush
  CUdeviceptr address;   // of the word, aligned
  uint64_t value;        // of a word of 4 bytes the low half counts
  unsigned flags;        // CUstreamWaitValue_flags, or CUstreamWriteValue_flags
  CUdeviceptr alias;     // the driver's own; not read
  uint64_t padding;      // up to the size of the union in NVIDIA's header
};
static_assert(sizeof(CUstreamBatchMemOpParams) == 48);

/// What cuMemPoolCreate takes.
struct CUmemPoolProps {
  int allocationType;         // 1: pinned
  int handleTypes;            // 0: not shared with other processes
  CUmemLocation location;     // a device: pools of the host's memory are refused
  void *securityAttributes;   // of handles on Windows; not read
  size_t maxBytes;            // 0: the driver's choice
  unsigned short usage;       // hints; not read
  unsigned char reserved[54]; // 0, or it is an error
};
static_assert(sizeof(CUmemPoolProps) == 88);

#endif // DSCC_TOOLS_SIMULATOR_DRIVER_CUDASTRUCTURES_H
