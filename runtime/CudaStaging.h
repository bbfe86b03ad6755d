// Staging: host tensors pass through pinned memory, which the device reads and writes by itself.
//
//     input  ── memcpy ──► chunk ── copy in the stream ──► device
//     device ── copy in the stream ──► chunk ── memcpy, when the stream has come so far ──► output
//
// A context has two chunks, made when it first needs one and then reused. Tensors lie in them one behind the other; one
// that does not fit is cut. When a chunk is full, the other one is next, as soon as the stream is done with what it
// holds: so the host fills one while the device empties the other.
//
//     stageIn, stageIn, ...   kernels   stageOut, stageOut, ...   wait for the stream   deliver
//
// The caller's memory is only touched by the calling thread. An output is touched when the stream has come past the
// kernels without an error.

#ifndef DSCC_RUNTIME_CUDASTAGING_H
#define DSCC_RUNTIME_CUDASTAGING_H

#include "runtime/CudaDriver.h"

#include <cstddef>

namespace dscc {

/// A piece of an output that lies in a chunk, or will.
struct Delivery {
  void *target;       // on the host, the caller's
  const char *source; // in the chunk
  size_t bytes;       // of the piece
};

/// A piece of pinned memory.
struct StagingChunk {
  char *memory = nullptr;         // pinned
  CuHandle event = nullptr;       // recorded when the chunk is full
  size_t used = 0;                // bytes from the beginning on
  bool isRecorded = false;        // whether the event is, and nobody has waited for it
  Delivery *deliveries = nullptr; // room for one an output
  size_t numDeliveries = 0;       // those that are still to be made
};

/// The chunks of one context.
struct CudaStaging {
  static constexpr size_t chunkBytes = 2 << 20; // 2 MiB: some 40 us of a fast bus, enough for what a call costs
  static constexpr int numChunks = 2;
  StagingChunk chunks[numChunks]; // filled in turn
  int turn = 0;                   // which one is being filled
  enum { NotTried, Ready, Refused } state = NotTried;
};

/// Prepares for a run of a model with `numOutputs` outputs; nothing of an earlier run may be under way. False: there is
/// no pinned memory, and whoever has host tensors copies them without. That is asked once.
bool beginStaging(const CudaDriver &driver, CudaStaging &staging, size_t numOutputs);
/// Gives everything back; allowed at any time when the context is current.
void closeStaging(const CudaDriver &driver, CudaStaging &staging);

/// Copies to the device, in the order of the stream; `source` may change when the call is over.
dscc_status stageIn(const CudaDriver &driver, CudaStaging &staging, CuHandle stream, CuPointer target,
                    const void *source, size_t bytes);
/// Copies from the device, in the order of the stream. `target` is written by a later stageOut, or by deliver.
dscc_status stageOut(const CudaDriver &driver, CudaStaging &staging, CuHandle stream, void *target, CuPointer source,
                     size_t bytes);
/// Writes what is still missing of the outputs, when the stream has been waited for.
void deliver(CudaStaging &staging);

} // namespace dscc

#endif // DSCC_RUNTIME_CUDASTAGING_H
