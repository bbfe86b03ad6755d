// Streams that are captured: what is enqueued in them becomes nodes of a graph.
//
// A capture begins in one stream and spreads to those that wait for an event recorded in it; all must have been joined
// to the first one when it ends. A call that capture cannot follow invalidates it.

#ifndef DSCC_TOOLS_SIMULATOR_DRIVER_CAPTURE_H
#define DSCC_TOOLS_SIMULATOR_DRIVER_CAPTURE_H

#include "tools/simulator/driver/Graph.h"

#include <memory>
#include <set>
#include <thread>
#include <vector>

namespace dscc::sim {

/// A capture under way, or over: events that were recorded in it still point to it then.
struct Capture {
  uint64_t id;                                // unique, from 1: what cuStreamGetCaptureInfo tells
  CUgraph graph;                              // ours until the capture ends, or the program's
  CUstream origin;                            // the stream in which it began, and has to end
  CUstreamCaptureMode mode;                   // which calls are forbidden meanwhile, as checkUnseen has it
  std::thread::id thread;                     // that began it, and that has to end it unless the mode is relaxed
  bool isInvalidated = false, isOver = false; // no graph will come of it; it has ended, with a graph or without
  bool isGraphGiven = false;                  // the program's
  std::set<uint64_t> letGo = {};              // numbers of nodes that need not be joined
};

/// Enqueues in the stream, or adds a node if it is captured. `task` gets what has been enqueued, if anything.
CUresult submit(CUstream stream, Operation operation, TaskPtr *task = nullptr);

/// For a call that capture does not see, such as an allocation: the error if a capture forbids it, and it is invalid.
CUresult checkUnseen();
/// For a call that waits for the whole context.
CUresult checkContextWait();
/// For work in the legacy default stream, which waits for streams that may be captured.
CUresult checkImplicit(const CUstream_st &stream);
/// Invalidates the stream's capture and returns the error.
CUresult invalidate(const std::shared_ptr<Capture> &capture, CUresult error);

/// Into a new graph, or behind some nodes of the one given.
CUresult beginCapture(CUstream_st &stream, CUstreamCaptureMode mode, CUgraph graph = nullptr,
                      const std::vector<CUgraphNode> &after = {});
/// Gives the graph, or null and an error. The capture is over then, unless another thread has to end it, or it has to
/// end in another stream.
CUresult endCapture(CUstream_st &stream, CUgraph *graph);
/// An event of a capture: the stream becomes part of it.
CUresult waitInCapture(CUstream_st &stream, const CUevent_st &event);
/// Ends it without a graph, as when its stream is destroyed.
void abandonCapture(CUstream_st &stream);
/// How this host thread minds captures.
CUstreamCaptureMode &threadCaptureMode();

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_DRIVER_CAPTURE_H
