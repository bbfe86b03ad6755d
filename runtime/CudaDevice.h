// A model on a CUDA device: its module, functions and weights, and the stream of each context.

#ifndef DSCC_RUNTIME_CUDADEVICE_H
#define DSCC_RUNTIME_CUDADEVICE_H

#include <dscc/dscc.h>

#include <cstddef>

struct dscc_model;
struct dscc_context;

namespace dscc {

/// A model's share of a device. What is in it is CudaDevice.cpp's own business.
struct CudaDevice;

/// Finds driver, device and the best image; uploads the weights that lie at `weights`. On failure `device` is null.
dscc_status openCuda(const dscc_open_options &options, dscc_model &model, const unsigned char *weights,
                     CudaDevice *&device);
/// Gives everything back that `openCuda` got, also when that failed half-way. Null is allowed.
void closeCuda(CudaDevice *device);

/// Memory of the device.
dscc_status allocateOnCuda(CudaDevice &device, size_t bytes, void *&pointer);
/// Gives it back when the device no longer uses it: cuMemFree waits for that.
void freeOnCuda(CudaDevice &device, void *pointer);
/// Copy from and to the host, and wait for the copy.
dscc_status writeToCuda(CudaDevice &device, void *target, const void *source, size_t bytes);
dscc_status readFromCuda(CudaDevice &device, void *target, const void *source, size_t bytes);
/// Waits for a stream; null: the default stream.
dscc_status waitOnCuda(CudaDevice &device, void *stream);

/// A context's stream and staging buffers.
dscc_status openQueue(dscc_context &context);
/// Gives them back; allowed after a failed openQueue.
void closeQueue(dscc_context &context);
/// Runs the context's bound buffers on `stream`, or on the context's own if that is null.
dscc_status runOnCuda(dscc_context &context, void *stream);

} // namespace dscc

#endif // DSCC_RUNTIME_CUDADEVICE_H
