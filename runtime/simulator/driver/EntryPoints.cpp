// Every function that the library exports; cuGetProcAddress finds no other.

#include "runtime/simulator/driver/ProcAddress.h"

#define DSCC_ENTRY_POINTS(X)                                                                                           \
  X(cuCtxCreate, 3020, cuCtxCreate_v2)                                                                                 \
  X(cuCtxCreate, 11040, cuCtxCreate_v3)                                                                                \
  X(cuCtxCreate, 12050, cuCtxCreate_v4)                                                                                \
  X(cuCtxDestroy, 4000, cuCtxDestroy_v2)                                                                               \
  X(cuCtxGetApiVersion, 3020, cuCtxGetApiVersion)                                                                      \
  X(cuCtxGetCurrent, 4000, cuCtxGetCurrent)                                                                            \
  X(cuCtxGetDevice, 2000, cuCtxGetDevice)                                                                              \
  X(cuCtxGetFlags, 7000, cuCtxGetFlags)                                                                                \
  X(cuCtxGetLimit, 3010, cuCtxGetLimit)                                                                                \
  X(cuCtxGetStreamPriorityRange, 5050, cuCtxGetStreamPriorityRange)                                                    \
  X(cuCtxPopCurrent, 4000, cuCtxPopCurrent_v2)                                                                         \
  X(cuCtxPushCurrent, 4000, cuCtxPushCurrent_v2)                                                                       \
  X(cuCtxSetCurrent, 4000, cuCtxSetCurrent)                                                                            \
  X(cuCtxSetLimit, 3010, cuCtxSetLimit)                                                                                \
  X(cuCtxSynchronize, 2000, cuCtxSynchronize)                                                                          \
  X(cuDeviceCanAccessPeer, 4000, cuDeviceCanAccessPeer)                                                                \
  X(cuDeviceComputeCapability, 2000, cuDeviceComputeCapability)                                                        \
  X(cuDeviceGet, 2000, cuDeviceGet)                                                                                    \
  X(cuDeviceGetAttribute, 2000, cuDeviceGetAttribute)                                                                  \
  X(cuDeviceGetByPCIBusId, 4010, cuDeviceGetByPCIBusId)                                                                \
  X(cuDeviceGetCount, 2000, cuDeviceGetCount)                                                                          \
  X(cuDeviceGetDefaultMemPool, 11020, cuDeviceGetDefaultMemPool)                                                       \
  X(cuDeviceGetMemPool, 11020, cuDeviceGetMemPool)                                                                     \
  X(cuDeviceGetName, 2000, cuDeviceGetName)                                                                            \
  X(cuDeviceGetPCIBusId, 4010, cuDeviceGetPCIBusId)                                                                    \
  X(cuDeviceGetUuid, 9020, cuDeviceGetUuid)                                                                            \
  X(cuDeviceGetUuid, 11040, cuDeviceGetUuid_v2)                                                                        \
  X(cuDevicePrimaryCtxGetState, 7000, cuDevicePrimaryCtxGetState)                                                      \
  X(cuDevicePrimaryCtxRelease, 11000, cuDevicePrimaryCtxRelease_v2)                                                    \
  X(cuDevicePrimaryCtxReset, 11000, cuDevicePrimaryCtxReset_v2)                                                        \
  X(cuDevicePrimaryCtxRetain, 7000, cuDevicePrimaryCtxRetain)                                                          \
  X(cuDevicePrimaryCtxSetFlags, 11000, cuDevicePrimaryCtxSetFlags_v2)                                                  \
  X(cuDeviceSetMemPool, 11020, cuDeviceSetMemPool)                                                                     \
  X(cuDeviceTotalMem, 3020, cuDeviceTotalMem_v2)                                                                       \
  X(cuDriverGetVersion, 2020, cuDriverGetVersion)                                                                      \
  X(cuEventCreate, 2000, cuEventCreate)                                                                                \
  X(cuEventDestroy, 4000, cuEventDestroy_v2)                                                                           \
  X(cuEventElapsedTime, 2000, cuEventElapsedTime)                                                                      \
  X(cuEventElapsedTime, 12080, cuEventElapsedTime_v2)                                                                  \
  X(cuEventQuery, 2000, cuEventQuery)                                                                                  \
  X(cuEventRecord, 2000, cuEventRecord)                                                                                \
  X(cuEventRecordWithFlags, 11010, cuEventRecordWithFlags)                                                             \
  X(cuEventSynchronize, 2000, cuEventSynchronize)                                                                      \
  X(cuFuncGetAttribute, 2020, cuFuncGetAttribute)                                                                      \
  X(cuFuncGetModule, 11000, cuFuncGetModule)                                                                           \
  X(cuFuncGetName, 12030, cuFuncGetName)                                                                               \
  X(cuFuncSetAttribute, 9000, cuFuncSetAttribute)                                                                      \
  X(cuFuncSetCacheConfig, 3000, cuFuncSetCacheConfig)                                                                  \
  X(cuGetErrorName, 6000, cuGetErrorName)                                                                              \
  X(cuGetErrorString, 6000, cuGetErrorString)                                                                          \
  X(cuGetProcAddress, 11030, cuGetProcAddress)                                                                         \
  X(cuGetProcAddress, 12000, cuGetProcAddress_v2)                                                                      \
  X(cuGraphAddDependencies, 10000, cuGraphAddDependencies)                                                             \
  X(cuGraphAddDependencies, 12030, cuGraphAddDependencies_v2)                                                          \
  X(cuGraphAddEmptyNode, 10000, cuGraphAddEmptyNode)                                                                   \
  X(cuGraphAddHostNode, 10000, cuGraphAddHostNode)                                                                     \
  X(cuGraphAddKernelNode, 10000, cuGraphAddKernelNode)                                                                 \
  X(cuGraphAddKernelNode, 12000, cuGraphAddKernelNode_v2)                                                              \
  X(cuGraphAddMemcpyNode, 10000, cuGraphAddMemcpyNode)                                                                 \
  X(cuGraphAddMemsetNode, 10000, cuGraphAddMemsetNode)                                                                 \
  X(cuGraphCreate, 10000, cuGraphCreate)                                                                               \
  X(cuGraphDestroy, 10000, cuGraphDestroy)                                                                             \
  X(cuGraphExecDestroy, 10000, cuGraphExecDestroy)                                                                     \
  X(cuGraphExecGetFlags, 12000, cuGraphExecGetFlags)                                                                   \
  X(cuGraphExecHostNodeSetParams, 10020, cuGraphExecHostNodeSetParams)                                                 \
  X(cuGraphExecKernelNodeSetParams, 10010, cuGraphExecKernelNodeSetParams)                                             \
  X(cuGraphExecKernelNodeSetParams, 12000, cuGraphExecKernelNodeSetParams_v2)                                          \
  X(cuGraphExecMemcpyNodeSetParams, 10020, cuGraphExecMemcpyNodeSetParams)                                             \
  X(cuGraphExecMemsetNodeSetParams, 10020, cuGraphExecMemsetNodeSetParams)                                             \
  X(cuGraphExecUpdate, 10020, cuGraphExecUpdate)                                                                       \
  X(cuGraphExecUpdate, 12000, cuGraphExecUpdate_v2)                                                                    \
  X(cuGraphGetNodes, 10000, cuGraphGetNodes)                                                                           \
  X(cuGraphGetRootNodes, 10000, cuGraphGetRootNodes)                                                                   \
  X(cuGraphInstantiate, 10000, cuGraphInstantiate)                                                                     \
  X(cuGraphInstantiate, 11000, cuGraphInstantiate_v2)                                                                  \
  X(cuGraphInstantiate, 12000, cuGraphInstantiateWithFlags)                                                            \
  X(cuGraphInstantiateWithFlags, 11040, cuGraphInstantiateWithFlags)                                                   \
  X(cuGraphInstantiateWithParams, 12000, cuGraphInstantiateWithParams)                                                 \
  X(cuGraphLaunch, 10000, cuGraphLaunch)                                                                               \
  X(cuGraphNodeGetDependencies, 10000, cuGraphNodeGetDependencies)                                                     \
  X(cuGraphNodeGetDependencies, 12030, cuGraphNodeGetDependencies_v2)                                                  \
  X(cuGraphNodeGetEnabled, 11060, cuGraphNodeGetEnabled)                                                               \
  X(cuGraphNodeGetType, 10000, cuGraphNodeGetType)                                                                     \
  X(cuGraphNodeSetEnabled, 11060, cuGraphNodeSetEnabled)                                                               \
  X(cuGraphUpload, 11010, cuGraphUpload)                                                                               \
  X(cuInit, 2000, cuInit)                                                                                              \
  X(cuKernelGetAttribute, 12000, cuKernelGetAttribute)                                                                 \
  X(cuKernelGetFunction, 12000, cuKernelGetFunction)                                                                   \
  X(cuKernelGetLibrary, 12050, cuKernelGetLibrary)                                                                     \
  X(cuKernelGetName, 12030, cuKernelGetName)                                                                           \
  X(cuKernelSetAttribute, 12000, cuKernelSetAttribute)                                                                 \
  X(cuKernelSetCacheConfig, 12000, cuKernelSetCacheConfig)                                                             \
  X(cuLaunchCooperativeKernel, 9000, cuLaunchCooperativeKernel)                                                        \
  X(cuLaunchHostFunc, 10000, cuLaunchHostFunc)                                                                         \
  X(cuLaunchKernel, 4000, cuLaunchKernel)                                                                              \
  X(cuLaunchKernelEx, 11060, cuLaunchKernelEx)                                                                         \
  X(cuLibraryGetGlobal, 12000, cuLibraryGetGlobal)                                                                     \
  X(cuLibraryGetKernel, 12000, cuLibraryGetKernel)                                                                     \
  X(cuLibraryGetModule, 12000, cuLibraryGetModule)                                                                     \
  X(cuLibraryLoadData, 12000, cuLibraryLoadData)                                                                       \
  X(cuLibraryUnload, 12000, cuLibraryUnload)                                                                           \
  X(cuMemAlloc, 3020, cuMemAlloc_v2)                                                                                   \
  X(cuMemAllocAsync, 11020, cuMemAllocAsync)                                                                           \
  X(cuMemAllocFromPoolAsync, 11020, cuMemAllocFromPoolAsync)                                                           \
  X(cuMemAllocHost, 3020, cuMemAllocHost_v2)                                                                           \
  X(cuMemAllocManaged, 6000, cuMemAllocManaged)                                                                        \
  X(cuMemAllocPitch, 3020, cuMemAllocPitch_v2)                                                                         \
  X(cuMemFree, 3020, cuMemFree_v2)                                                                                     \
  X(cuMemFreeAsync, 11020, cuMemFreeAsync)                                                                             \
  X(cuMemFreeHost, 2000, cuMemFreeHost)                                                                                \
  X(cuMemGetAddressRange, 3020, cuMemGetAddressRange_v2)                                                               \
  X(cuMemGetInfo, 3020, cuMemGetInfo_v2)                                                                               \
  X(cuMemHostAlloc, 2020, cuMemHostAlloc)                                                                              \
  X(cuMemHostGetDevicePointer, 3020, cuMemHostGetDevicePointer_v2)                                                     \
  X(cuMemHostGetFlags, 2030, cuMemHostGetFlags)                                                                        \
  X(cuMemHostRegister, 6050, cuMemHostRegister_v2)                                                                     \
  X(cuMemHostUnregister, 4000, cuMemHostUnregister)                                                                    \
  X(cuMemPoolCreate, 11020, cuMemPoolCreate)                                                                           \
  X(cuMemPoolDestroy, 11020, cuMemPoolDestroy)                                                                         \
  X(cuMemPoolGetAttribute, 11020, cuMemPoolGetAttribute)                                                               \
  X(cuMemPoolSetAttribute, 11020, cuMemPoolSetAttribute)                                                               \
  X(cuMemPoolTrimTo, 11020, cuMemPoolTrimTo)                                                                           \
  X(cuMemcpy, 4000, cuMemcpy)                                                                                          \
  X(cuMemcpy2D, 3020, cuMemcpy2D_v2)                                                                                   \
  X(cuMemcpy2DAsync, 3020, cuMemcpy2DAsync_v2)                                                                         \
  X(cuMemcpy2DUnaligned, 3020, cuMemcpy2DUnaligned_v2)                                                                 \
  X(cuMemcpy3D, 3020, cuMemcpy3D_v2)                                                                                   \
  X(cuMemcpy3DAsync, 3020, cuMemcpy3DAsync_v2)                                                                         \
  X(cuMemcpyAsync, 4000, cuMemcpyAsync)                                                                                \
  X(cuMemcpyDtoD, 3020, cuMemcpyDtoD_v2)                                                                               \
  X(cuMemcpyDtoDAsync, 3020, cuMemcpyDtoDAsync_v2)                                                                     \
  X(cuMemcpyDtoH, 3020, cuMemcpyDtoH_v2)                                                                               \
  X(cuMemcpyDtoHAsync, 3020, cuMemcpyDtoHAsync_v2)                                                                     \
  X(cuMemcpyHtoD, 3020, cuMemcpyHtoD_v2)                                                                               \
  X(cuMemcpyHtoDAsync, 3020, cuMemcpyHtoDAsync_v2)                                                                     \
  X(cuMemcpyPeer, 4000, cuMemcpyPeer)                                                                                  \
  X(cuMemcpyPeerAsync, 4000, cuMemcpyPeerAsync)                                                                        \
  X(cuMemsetD16, 3020, cuMemsetD16_v2)                                                                                 \
  X(cuMemsetD16Async, 3020, cuMemsetD16Async)                                                                          \
  X(cuMemsetD2D16, 3020, cuMemsetD2D16_v2)                                                                             \
  X(cuMemsetD2D16Async, 3020, cuMemsetD2D16Async)                                                                      \
  X(cuMemsetD2D32, 3020, cuMemsetD2D32_v2)                                                                             \
  X(cuMemsetD2D32Async, 3020, cuMemsetD2D32Async)                                                                      \
  X(cuMemsetD2D8, 3020, cuMemsetD2D8_v2)                                                                               \
  X(cuMemsetD2D8Async, 3020, cuMemsetD2D8Async)                                                                        \
  X(cuMemsetD32, 3020, cuMemsetD32_v2)                                                                                 \
  X(cuMemsetD32Async, 3020, cuMemsetD32Async)                                                                          \
  X(cuMemsetD8, 3020, cuMemsetD8_v2)                                                                                   \
  X(cuMemsetD8Async, 3020, cuMemsetD8Async)                                                                            \
  X(cuModuleGetFunction, 2000, cuModuleGetFunction)                                                                    \
  X(cuModuleGetGlobal, 3020, cuModuleGetGlobal_v2)                                                                     \
  X(cuModuleGetLoadingMode, 11070, cuModuleGetLoadingMode)                                                             \
  X(cuModuleLoadData, 2000, cuModuleLoadData)                                                                          \
  X(cuModuleLoadDataEx, 2010, cuModuleLoadDataEx)                                                                      \
  X(cuModuleUnload, 2000, cuModuleUnload)                                                                              \
  X(cuOccupancyMaxActiveBlocksPerMultiprocessor, 6050, cuOccupancyMaxActiveBlocksPerMultiprocessor)                    \
  X(cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags, 7000, cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags)  \
  X(cuOccupancyMaxPotentialBlockSize, 6050, cuOccupancyMaxPotentialBlockSize)                                          \
  X(cuOccupancyMaxPotentialBlockSizeWithFlags, 7000, cuOccupancyMaxPotentialBlockSizeWithFlags)                        \
  X(cuPointerGetAttribute, 4000, cuPointerGetAttribute)                                                                \
  X(cuPointerGetAttributes, 7000, cuPointerGetAttributes)                                                              \
  X(cuPointerSetAttribute, 6000, cuPointerSetAttribute)                                                                \
  X(cuStreamAddCallback, 5000, cuStreamAddCallback)                                                                    \
  X(cuStreamBeginCapture, 10010, cuStreamBeginCapture_v2)                                                              \
  X(cuStreamCreate, 2000, cuStreamCreate)                                                                              \
  X(cuStreamCreateWithPriority, 5050, cuStreamCreateWithPriority)                                                      \
  X(cuStreamDestroy, 4000, cuStreamDestroy_v2)                                                                         \
  X(cuStreamEndCapture, 10000, cuStreamEndCapture)                                                                     \
  X(cuStreamGetCaptureInfo, 10010, cuStreamGetCaptureInfo)                                                             \
  X(cuStreamGetCaptureInfo, 11030, cuStreamGetCaptureInfo_v2)                                                          \
  X(cuStreamGetCaptureInfo, 12030, cuStreamGetCaptureInfo_v3)                                                          \
  X(cuStreamGetCtx, 9020, cuStreamGetCtx)                                                                              \
  X(cuStreamGetCtx, 12050, cuStreamGetCtx_v2)                                                                          \
  X(cuStreamGetFlags, 5050, cuStreamGetFlags)                                                                          \
  X(cuStreamGetId, 12000, cuStreamGetId)                                                                               \
  X(cuStreamGetPriority, 5050, cuStreamGetPriority)                                                                    \
  X(cuStreamIsCapturing, 10000, cuStreamIsCapturing)                                                                   \
  X(cuStreamQuery, 2000, cuStreamQuery)                                                                                \
  X(cuStreamSynchronize, 2000, cuStreamSynchronize)                                                                    \
  X(cuStreamWaitEvent, 3020, cuStreamWaitEvent)                                                                        \
  X(cuTensorMapEncodeIm2col, 12000, cuTensorMapEncodeIm2col)                                                           \
  X(cuTensorMapEncodeTiled, 12000, cuTensorMapEncodeTiled)                                                             \
  X(cuTensorMapReplaceAddress, 12000, cuTensorMapReplaceAddress)                                                       \
  X(cuThreadExchangeStreamCaptureMode, 10010, cuThreadExchangeStreamCaptureMode)

// Only the address is wanted here, so the type is left out.
#define DSCC_DECLARE(name, version, symbol) extern "C" void symbol();
DSCC_ENTRY_POINTS(DSCC_DECLARE)
#undef DSCC_DECLARE

namespace dscc::sim {

llvm::ArrayRef<EntryPoint> entryPoints() {
#define DSCC_ROW(name, version, symbol) {#symbol, #name, version, reinterpret_cast<void *>(symbol)},
  static const EntryPoint table[] = {DSCC_ENTRY_POINTS(DSCC_ROW)};
#undef DSCC_ROW
  return table;
}

} // namespace dscc::sim
