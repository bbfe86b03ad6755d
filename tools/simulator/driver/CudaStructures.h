// The structures of the CUDA driver API that the simulator reads, declared by hand in the layout of NVIDIA's header.

#ifndef DSCC_TOOLS_SIMULATOR_DRIVER_CUDASTRUCTURES_H
#define DSCC_TOOLS_SIMULATOR_DRIVER_CUDASTRUCTURES_H

#include "tools/simulator/driver/Cuda.h"

struct CUuuid {
  char bytes[16];
};

/// Of cuCtxCreate_v4.
struct CUctxCreateParams {
  const void *affinity;
  int numAffinities;
  const void *graphics;
};

/// One attribute of cuLaunchKernelEx.
struct CUlaunchAttribute {
  int id;
  int padding;
  union Value {
    char bytes[64];
    int number;
    unsigned dims[3];
    struct {
      CUevent event;
      int flags; // CUevent_record_flags
    } record;
  } value;
};
static_assert(sizeof(CUlaunchAttribute) == 72);

struct CUlaunchConfig {
  unsigned grid[3], block[3], sharedBytes;
  CUstream stream;
  const CUlaunchAttribute *attributes;
  unsigned numAttributes;
};
static_assert(sizeof(CUlaunchConfig) == 56);

/// CUmemorytype.
enum MemoryType : unsigned { MemoryHost = 1, MemoryDevice = 2, MemoryArray = 3, MemoryUnified = 4 };

struct CUDA_MEMCPY2D {
  struct Side {
    size_t x, y; // bytes, rows
    MemoryType type;
    const void *host;
    CUdeviceptr device;
    void *array;
    size_t pitch;
  };
  Side source;
  Side target;
  size_t width, height; // bytes, rows
};
static_assert(sizeof(CUDA_MEMCPY2D) == 128);

struct CUDA_MEMCPY3D {
  struct Side {
    size_t x, y, z, levelOfDetail;
    MemoryType type;
    const void *host;
    CUdeviceptr device;
    void *array, *reserved;
    size_t pitch, height;
  };
  Side source;
  Side target;
  size_t width, height, depth; // bytes, rows, slices
};
static_assert(sizeof(CUDA_MEMCPY3D) == 200);

struct CUDA_KERNEL_NODE_PARAMS_v1 {
  CUfunction function;
  unsigned grid[3], block[3], sharedBytes;
  void **arguments, **extra;
};
struct CUDA_KERNEL_NODE_PARAMS_v2 : CUDA_KERNEL_NODE_PARAMS_v1 {
  CUkernel kernel;
  CUcontext context;
};
static_assert(sizeof(CUDA_KERNEL_NODE_PARAMS_v1) == 56 && sizeof(CUDA_KERNEL_NODE_PARAMS_v2) == 72);

struct CUDA_MEMSET_NODE_PARAMS {
  CUdeviceptr target;
  size_t pitch;
  unsigned value, elementBytes;
  size_t width, height; // elements, rows
};

struct CUDA_HOST_NODE_PARAMS {
  CUhostFn function;
  void *data;
};

struct CUDA_MEMCPY_NODE_PARAMS {
  int flags, reserved; // 0
  CUcontext context;
  CUDA_MEMCPY3D copy;
};
struct CUDA_MEMSET_NODE_PARAMS_v2 : CUDA_MEMSET_NODE_PARAMS {
  CUcontext context;
};

/// Of a node of any kind; those that the simulator has.
struct CUgraphNodeParams {
  int type;
  int reserved[3];
  union {
    long long bytes[29];
    CUDA_KERNEL_NODE_PARAMS_v2 kernel;
    CUDA_MEMCPY_NODE_PARAMS copy;
    CUDA_MEMSET_NODE_PARAMS_v2 fill;
    CUDA_HOST_NODE_PARAMS host;
  };
  long long reservedEnd;
};
static_assert(sizeof(CUgraphNodeParams) == 256);

struct CUgraphExecUpdateResultInfo {
  int result;
  CUgraphNode node, from;
};

struct CUDA_GRAPH_INSTANTIATE_PARAMS {
  uint64_t flags;
  CUstream uploadStream;
  CUgraphNode errorNode;
  int result;
};

struct CUgraphEdgeData {
  unsigned char fromPort, toPort, type, reserved[5];
};

struct CUmemLocation {
  int type, id; // type 1: a device
};

struct CUmemAccessDesc {
  CUmemLocation location;
  int flags;
};

/// An operation of cuStreamBatchMemOp.
struct CUstreamBatchMemOpParams {
  int type;
  unsigned barrierFlags; // of a barrier and a flush
  CUdeviceptr address;
  uint64_t value;
  unsigned flags;
  CUdeviceptr alias;
  uint64_t padding;
};
static_assert(sizeof(CUstreamBatchMemOpParams) == 48);

struct CUmemPoolProps {
  int allocationType; // 1: pinned
  int handleTypes;    // 0: not shared with other processes
  CUmemLocation location;
  void *securityAttributes;
  size_t maxBytes; // 0: the driver's choice
  unsigned short usage;
  unsigned char reserved[54];
};
static_assert(sizeof(CUmemPoolProps) == 88);

#endif // DSCC_TOOLS_SIMULATOR_DRIVER_CUDASTRUCTURES_H
