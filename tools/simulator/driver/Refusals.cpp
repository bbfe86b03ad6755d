// Calls for what is not simulated: other devices and processes, and memory that programs map themselves. A program
// finds them, and is told.

#include "tools/simulator/driver/Entry.h"

// Their arguments are not looked at.
#define DSCC_REFUSE(name)                                                                                              \
  DSCC_EXPORT CUresult name() {                                                                                        \
    DSCC_ENTER(Context);                                                                                               \
    return CUDA_ERROR_NOT_SUPPORTED;                                                                                   \
  }

// Other devices.
DSCC_REFUSE(cuCtxDisablePeerAccess)
DSCC_REFUSE(cuCtxEnablePeerAccess)
DSCC_REFUSE(cuDeviceGetP2PAttribute)
DSCC_REFUSE(cuMemcpy3DPeer)
DSCC_REFUSE(cuMemcpy3DPeerAsync)
// Other processes.
DSCC_REFUSE(cuIpcCloseMemHandle)
DSCC_REFUSE(cuIpcGetEventHandle)
DSCC_REFUSE(cuIpcGetMemHandle)
DSCC_REFUSE(cuIpcOpenEventHandle)
DSCC_REFUSE(cuIpcOpenMemHandle_v2)
// Memory that both sides reach.
DSCC_REFUSE(cuMemAdvise)
DSCC_REFUSE(cuMemAdvise_v2)
DSCC_REFUSE(cuMemPrefetchAsync)
DSCC_REFUSE(cuMemPrefetchAsync_v2)
DSCC_REFUSE(cuMemRangeGetAttribute)
DSCC_REFUSE(cuMemRangeGetAttributes)
// Addresses and memory apart from each other.
DSCC_REFUSE(cuMemAddressFree)
DSCC_REFUSE(cuMemAddressReserve)
DSCC_REFUSE(cuMemCreate)
DSCC_REFUSE(cuMemExportToShareableHandle)
DSCC_REFUSE(cuMemGetAccess)
DSCC_REFUSE(cuMemGetAllocationGranularity)
DSCC_REFUSE(cuMemGetAllocationPropertiesFromHandle)
DSCC_REFUSE(cuMemGetHandleForAddressRange)
DSCC_REFUSE(cuMemImportFromShareableHandle)
DSCC_REFUSE(cuMemMap)
DSCC_REFUSE(cuMemRelease)
DSCC_REFUSE(cuMemRetainAllocationHandle)
DSCC_REFUSE(cuMemSetAccess)
DSCC_REFUSE(cuMemUnmap)
