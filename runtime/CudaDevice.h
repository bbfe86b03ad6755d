// A model on a CUDA device: its module, functions and weights, and the stream of each context.

#ifndef DSCC_RUNTIME_CUDADEVICE_H
#define DSCC_RUNTIME_CUDADEVICE_H

#include <dscc/dscc.h>

#include <cstddef>

struct dscc_model;
struct dscc_context;

namespace dscc {

struct CudaDevice;

/// Finds driver, device and the best image; uploads the weights that lie at `weights`. On failure `device` is null.
dscc_status openCuda(const dscc_open_options &options, dscc_model &model, const unsigned char *weights,
                     CudaDevice *&device);
void closeCuda(CudaDevice *device);

dscc_status allocateOnCuda(CudaDevice &device, size_t bytes, void *&pointer);
void freeOnCuda(CudaDevice &device, void *pointer);

/// A context's stream and staging buffers.
dscc_status openQueue(dscc_context &context);
void closeQueue(dscc_context &context);
dscc_status runOnCuda(dscc_context &context, void *stream);

} // namespace dscc

#endif // DSCC_RUNTIME_CUDADEVICE_H
