// Replay: a run that repeats is one call of the driver.
//
// What a program enqueues follows from the arguments of its run alone: the values of the named dims, and where inputs,
// outputs and arena lie (weights and kernels stay where they are). So runs whose arguments are equal enqueue the same:
//
//     first run of such a set     launch by launch; its mark is kept
//     second                      made into a graph, which is launched
//     each later one              the graph is launched
//
// The first is not recorded, because a run that never comes again should not pay for a graph. A set whose graph was the
// longest without use makes room for the next one. Marks are no more than graphs: of sets that come in turn and are too
// many, none is ever recorded, rather than each again and again.
//
// A graph is made node by node, one behind the other, and no stream is captured: while one is, cuCtxSynchronize fails,
// also for threads of the process that know nothing of us.
//
// Whatever goes wrong with a graph, the run is made launch by launch, and what is wrong with the device shows there.
// Left to others: copies from and to the host, which are not in the graph (CudaQueue.cpp, CudaStaging.h); runs on a
// stream that the caller is capturing, and measured ones, which are not replayed.

#ifndef DSCC_RUNTIME_CUDAGRAPH_H
#define DSCC_RUNTIME_CUDAGRAPH_H

#include "runtime/CudaDriver.h"

#include <cstddef>

namespace dscc {

/// The graphs of one context of ours.
struct CudaGraphs {
  static constexpr size_t capacity = 8; // graphs that are kept, and marks of sets that were seen once

  CuHandle context = nullptr;       // the driver's, where they run
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

/// A graph that is being made.
struct CudaRecording {
  CuHandle graph = nullptr;   // not instantiated
  CuHandle last = nullptr;    // its newest node; null: there is none
  bool lastIsKernel = false;  // rather than a copy
  CuHandle context = nullptr; // where its copies are made
};

/// Adds a launch, behind all that has been added.
CuResult recordLaunch(const CudaDriver &driver, CudaRecording &recording, const CuKernelLaunch &launch);
/// Adds a copy within the device's memory, of at least one byte.
CuResult recordCopy(const CudaDriver &driver, CudaRecording &recording, CuPointer target, CuPointer source,
                    size_t bytes);

/// Runs the program so that its launches and copies are recorded; a dscc_status.
using RecordRun = int32_t (*)(const dscc_run_args &args, CudaRecording &recording);

/// Makes room for keys of the model's runs; DSCC_OUT_OF_MEMORY.
dscc_status openGraphs(const dscc_model_v2 &table, CuHandle context, CudaGraphs &graphs);
/// Gives everything back; allowed at any time when the context is current, and more than once.
void closeGraphs(const CudaDriver &driver, CudaGraphs &graphs);

/// Enqueues the run on `stream` as one graph, if it has been seen before. False: nothing was enqueued, and it is to be
/// made launch by launch. Allocates only when it records, by `record`.
bool replay(const CudaDriver &driver, const dscc_model_v2 &table, CudaGraphs &graphs, const dscc_run_args &args,
            CuHandle stream, RecordRun record);

} // namespace dscc

#endif // DSCC_RUNTIME_CUDAGRAPH_H
