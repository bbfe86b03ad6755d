// A model on a CUDA device: its modules, functions and weights, and the stream of each context.
//
//     CudaDevice.cpp    opening, memory; the table of functions
//     CudaQueue.cpp     running
//     CudaStaging.cpp   host tensors on their way, through pinned memory
//     CudaGraph.cpp     runs that come again, as graphs

#ifndef DSCC_RUNTIME_CUDADEVICE_H
#define DSCC_RUNTIME_CUDADEVICE_H

#include "runtime/CudaDriver.h"
#include "runtime/Model.h"

#include <cstddef>

namespace dscc {

/// What a model has on its device.
struct CudaDevice {
  CudaDriver driver;             // loaded
  CuDevice device = 0;           // its number
  CuHandle context = nullptr;    // the device's primary one
  CuHandle *modules = nullptr;   // as many as numModules
  uint32_t numModules = 0;       // of the program, those that are loaded
  CuHandle *functions = nullptr; // one a kernel of the program
  CuPointer weights = 0;         // all of them, in one piece
};

/// What a model keeps on its device.
inline CudaDevice &cudaOf(const dscc_model &model) { return *static_cast<CudaDevice *>(model.deviceState); }

/// Makes the model's context current for a scope.
struct Current {
  /// Whether that went well, check() says.
  explicit Current(CudaDevice &device) : device(device), result(device.driver.contextPush(device.context)) {}
  ~Current() {
    // After a push that failed, the context on top is the caller's.
    CuHandle ignored;
    if (!result)
      device.driver.contextPop(&ignored);
  }
  /// DSCC_OK, or what the driver said.
  dscc_status check() const { return device.driver.report(result, "cuCtxPushCurrent"); }
  CudaDevice &device; // whose context it is
  CuResult result;    // of the push
};

/// Memory of the device; the model's context need not be current.
dscc_status allocateOnCuda(const dscc_model &model, size_t bytes, void *&memory);
/// Gives it back when the device no longer uses it: cuMemFree waits for that.
void releaseOnCuda(const dscc_model &model, void *memory);

/// Device::openQueue: a stream that does not wait for the default one, and room for device buffers and graphs, which
/// themselves come with the first runs.
dscc_status openCudaQueue(dscc_context &context);
/// Device::closeQueue; allowed after a failed openCudaQueue.
void closeCudaQueue(dscc_context &context);
/// Device::services.
extern const dscc_services cudaServices;
/// Device::run. Host tensors pass through pinned memory; runs that come again are replayed. Returns when all is done;
/// when it is enqueued, if `stream` is given, no buffer is on the host and nothing is measured.
dscc_status runOnCuda(dscc_context &context, void *stream);

} // namespace dscc

#endif // DSCC_RUNTIME_CUDADEVICE_H
