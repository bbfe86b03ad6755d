// Replay: a run that repeats is one call of the driver.
//
// What a program enqueues follows from the arguments of its run alone: the values of the named dims, and where inputs,
// outputs and arena lie (weights and kernels stay where they are). So runs whose arguments are equal enqueue the same:
//
//     first run of such a set     launch by launch; its mark is kept
//     second                      recorded into a graph on a stream of its own; the graph is launched
//     each later one              the graph is launched
//
// The first is not recorded, because most drivers load a kernel when it is first launched, which they do not do within
// a capture; and a run that never comes again should not pay for a graph. A set whose graph was the longest without use
// makes room for the next one. Marks are no more than graphs: of sets that come in turn and are too many, none is ever
// recorded, rather than each again and again.
//
// Whatever goes wrong with a graph, the run is made launch by launch, and what is wrong with the device shows there.
// Left to others: copies from and to the host, which are not in the graph (CudaQueue.cpp, CudaStaging.h); runs on a
// stream that the caller is capturing, and measured ones, which are not replayed.

#ifndef DSCC_RUNTIME_CUDAGRAPH_H
#define DSCC_RUNTIME_CUDAGRAPH_H

#include "runtime/CudaDriver.h"

#include <cstddef>

namespace dscc {

/// The graphs of one context.
struct CudaGraphs {
  static constexpr size_t capacity = 8; // graphs that are kept, and marks of sets that were seen once
  uint64_t *keys = nullptr;         // `numWords` a graph, then those of the run under way; null: nothing is replayed
  size_t numWords = 0;              // of a key: dims and addresses
  CuHandle graphs[capacity] = {};   // instantiated; null: free
  uint64_t hashes[capacity] = {};   // of their keys
  uint64_t lastUses[capacity] = {}; // when each was launched, in runs
  uint64_t numUses = 0;             // runs so far that looked for a graph
  uint64_t marks[capacity] = {};    // hashes of the keys that were last seen without a graph
  size_t nextMark = 0;              // the oldest of them
  int numFailures = 0;              // of recording or launching, so far
};

/// Enqueues a run's work on `stream`; a dscc_status.
using EnqueueRun = int32_t (*)(const dscc_run_args &args, CuHandle stream);

/// Makes room for keys of the model's runs; DSCC_OUT_OF_MEMORY.
dscc_status openGraphs(const dscc_model_v1 &table, CudaGraphs &graphs);
/// Gives everything back; allowed at any time when the context is current, and more than once.
void closeGraphs(const CudaDriver &driver, CudaGraphs &graphs);

/// Enqueues the run on `stream` as one graph, if it has been seen before. False: nothing was enqueued, and it is to be
/// made launch by launch. Allocates only when it records, with `enqueue`.
bool replay(const CudaDriver &driver, const dscc_model_v1 &table, CudaGraphs &graphs, const dscc_run_args &args,
            CuHandle stream, EnqueueRun enqueue);

} // namespace dscc

#endif // DSCC_RUNTIME_CUDAGRAPH_H
