#include "tools/simulator/driver/Capture.h"

#include "tools/simulator/driver/Entry.h"
#include "tools/simulator/driver/GraphNodes.h"

#include "llvm/ADT/STLExtras.h"

#include <set>

namespace dscc::sim {

CUstreamCaptureMode &threadCaptureMode() {
  static thread_local CUstreamCaptureMode mode = CaptureGlobal;
  return mode;
}

CUresult invalidate(const std::shared_ptr<Capture> &capture, CUresult error) {
  if (capture)
    capture->isInvalidated = true;
  return error;
}

/// All streams but the legacy default one, which is never captured.
static std::vector<CUstream_st *> allStreams() {
  std::vector<CUstream_st *> result;
  for (auto *handles : {&state().streams, &state().threadStreams})
    for (const auto &[name, stream] : *handles)
      result.push_back(stream.get());
  return result;
}

CUresult submit(CUstream handle, Operation operation, TaskPtr *task) {
  CUstream_st *stream = findStream(handle);
  if (!stream)
    return CUDA_ERROR_INVALID_HANDLE;
  if (!stream->capture) {
    if (CUresult error = checkImplicit(*stream))
      return error;
    TaskPtr made = enqueue(*stream, std::move(operation));
    if (task)
      *task = made;
    return CUDA_SUCCESS;
  }
  if (stream->capture->isInvalidated)
    return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
  if (!isOfGraphs(operation))
    return invalidate(stream->capture, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  stream->captureEnds = {addNode(*stream->capture->graph, std::move(operation), stream->captureEnds)};
  return CUDA_SUCCESS;
}

CUresult checkUnseen() {
  CUstreamCaptureMode mode = threadCaptureMode();
  CUresult result = CUDA_SUCCESS;
  for (const std::shared_ptr<Capture> &capture : state().captures) {
    bool isOwn = capture->thread == std::this_thread::get_id();
    bool forbids = isOwn ? capture->mode != CaptureRelaxed : mode == CaptureGlobal && capture->mode == CaptureGlobal;
    if (mode != CaptureRelaxed && forbids)
      result = invalidate(capture, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  }
  return result;
}

CUresult checkContextWait() {
  CUresult result = CUDA_SUCCESS;
  for (const std::shared_ptr<Capture> &capture : state().captures)
    result = invalidate(capture, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  return result;
}

CUresult checkImplicit(const CUstream_st &stream) {
  CUresult result = CUDA_SUCCESS;
  if (&stream != &state().legacyStream)
    return result;
  for (CUstream_st *other : allStreams())
    if (other->capture && !(other->flags & StreamNonBlocking))
      result = invalidate(other->capture, CUDA_ERROR_STREAM_CAPTURE_IMPLICIT);
  return result;
}

CUresult beginCapture(CUstream_st &stream, CUstreamCaptureMode mode, CUgraph given,
                      const std::vector<CUgraphNode> &after) {
  static uint64_t numCaptures = 0;
  if (&stream == &state().legacyStream)
    return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
  if (stream.capture)
    return CUDA_ERROR_ILLEGAL_STATE;
  CUgraph graph = given ? given : state().graphs.add(std::make_unique<CUgraph_st>());
  stream.capture = std::make_shared<Capture>(Capture{++numCaptures, graph, &stream, mode, std::this_thread::get_id()});
  stream.capture->isGraphGiven = given;
  stream.captureEnds = after;
  state().captures.push_back(stream.capture);
  return CUDA_SUCCESS;
}

/// True if every stream of the capture has been waited for by its first one.
static bool isJoined(const Capture &capture) {
  std::set<CUgraphNode> reached;
  std::vector<CUgraphNode> open = capture.origin->captureEnds;
  while (!open.empty()) {
    CUgraphNode node = open.back();
    open.pop_back();
    if (reached.insert(node).second)
      open.insert(open.end(), node->after.begin(), node->after.end());
  }
  return llvm::all_of(allStreams(), [&](CUstream_st *stream) {
    return stream->capture.get() != &capture || llvm::all_of(stream->captureEnds, [&](CUgraphNode node) {
             return reached.count(node) || capture.letGo.count(node->number);
           });
  });
}

/// The streams go back to running what they are given.
static void close(const std::shared_ptr<Capture> &capture) {
  for (CUstream_st *stream : allStreams())
    if (stream->capture == capture) {
      stream->captureEnds.clear();
      if (stream != capture->origin)
        stream->capture = nullptr;
    }
  llvm::erase(state().captures, capture);
  capture->isOver = true;
  capture->origin->capture = nullptr;
}

/// The program's keeps the nodes that it has got.
static void discardGraph(const Capture &capture) {
  CUgraph graph = capture.graph;
  if (capture.isGraphGiven)
    return;
  for (const auto &node : graph->nodes)
    state().graphNodes.erase(node.get());
  state().graphs.take(graph);
}

CUresult endCapture(CUstream_st &stream, CUgraph *graph) {
  *graph = nullptr;
  std::shared_ptr<Capture> capture = stream.capture;
  if (!capture)
    return CUDA_ERROR_ILLEGAL_STATE;
  if (capture->mode != CaptureRelaxed && capture->thread != std::this_thread::get_id())
    return CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD;
  if (capture->origin != &stream)
    return invalidate(capture, CUDA_ERROR_STREAM_CAPTURE_UNMATCHED);
  CUresult result = capture->isInvalidated ? CUDA_ERROR_STREAM_CAPTURE_INVALIDATED
                    : isJoined(*capture)   ? CUDA_SUCCESS
                                           : CUDA_ERROR_STREAM_CAPTURE_UNJOINED;
  for (CUgraphNode end : stream.captureEnds)
    becomeSink(*end);
  close(capture);
  if (result)
    discardGraph(*capture);
  else
    *graph = capture->graph;
  return result;
}

void abandonCapture(CUstream_st &stream) {
  std::shared_ptr<Capture> capture = stream.capture;
  if (!capture)
    return;
  invalidate(capture, CUDA_SUCCESS);
  if (capture->origin != &stream)
    return;
  close(capture);
  discardGraph(*capture);
}

CUresult waitInCapture(CUstream_st &stream, const CUevent_st &event) {
  if (event.capture->isOver)
    return invalidate(stream.capture, CUDA_ERROR_CAPTURED_EVENT);
  if (event.capture->isInvalidated)
    return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
  if (&stream == &state().legacyStream)
    return invalidate(event.capture, CUDA_ERROR_STREAM_CAPTURE_IMPLICIT);
  if (stream.capture && stream.capture != event.capture) {
    invalidate(stream.capture, CUDA_ERROR_STREAM_CAPTURE_MERGE);
    return invalidate(event.capture, CUDA_ERROR_STREAM_CAPTURE_MERGE);
  }
  stream.capture = event.capture;
  for (CUgraphNode node : event.captureEnds)
    if (!llvm::is_contained(stream.captureEnds, node))
      stream.captureEnds.push_back(node);
  return CUDA_SUCCESS;
}

} // namespace dscc::sim

//===-- entry points ----------------------------------------------------------------------------------------------===//

using namespace dscc::sim;

DSCC_EXPORT CUresult cuStreamBeginCapture_v2(CUstream handle, CUstreamCaptureMode mode) {
  DSCC_ENTER(Context);
  CUstream_st *stream = findStream(handle);
  DSCC_REQUIRE(stream, CUDA_ERROR_INVALID_HANDLE);
  DSCC_REQUIRE(mode >= CaptureGlobal && mode <= CaptureRelaxed, CUDA_ERROR_INVALID_VALUE);
  return beginCapture(*stream, mode);
}

DSCC_EXPORT CUresult cuStreamEndCapture(CUstream handle, CUgraph *graph) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(graph, CUDA_ERROR_INVALID_VALUE);
  CUstream_st *stream = findStream(handle);
  DSCC_REQUIRE(stream, CUDA_ERROR_INVALID_HANDLE);
  return endCapture(*stream, graph);
}

static CUstreamCaptureStatus statusOf(const CUstream_st &stream) {
  if (!stream.capture)
    return CaptureNone;
  return stream.capture->isInvalidated ? CaptureInvalidated : CaptureActive;
}

/// Asking the default stream while one that it waits for is captured is an error, but harms nothing.
static CUresult checkAsking(const CUstream_st &stream) {
  if (&stream != &state().legacyStream)
    return CUDA_SUCCESS;
  bool isCaptured = llvm::any_of(
      allStreams(), [](const CUstream_st *other) { return other->capture && !(other->flags & StreamNonBlocking); });
  return isCaptured ? CUDA_ERROR_STREAM_CAPTURE_IMPLICIT : CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuStreamIsCapturing(CUstream handle, CUstreamCaptureStatus *status) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(status, CUDA_ERROR_INVALID_VALUE);
  CUstream_st *stream = findStream(handle);
  DSCC_REQUIRE(stream, CUDA_ERROR_INVALID_HANDLE);
  DSCC_TRY(checkAsking(*stream));
  *status = statusOf(*stream);
  return CUDA_SUCCESS;
}

static CUresult describeCapture(CUstream handle, CUstreamCaptureStatus *status, uint64_t *id, CUgraph *graph,
                                const CUgraphNode **ends, size_t *numEnds) {
  DSCC_REQUIRE(status, CUDA_ERROR_INVALID_VALUE);
  CUstream_st *stream = findStream(handle);
  DSCC_REQUIRE(stream, CUDA_ERROR_INVALID_HANDLE);
  DSCC_TRY(checkAsking(*stream));
  *status = statusOf(*stream);
  if (*status != CaptureActive)
    return CUDA_SUCCESS;
  if (id)
    *id = stream->capture->id;
  if (graph)
    *graph = stream->capture->graph;
  if (ends)
    *ends = stream->captureEnds.data();
  if (numEnds)
    *numEnds = stream->captureEnds.size();
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuStreamGetCaptureInfo(CUstream stream, CUstreamCaptureStatus *status, uint64_t *id) {
  DSCC_ENTER(Context);
  return describeCapture(stream, status, id, nullptr, nullptr, nullptr);
}

DSCC_EXPORT CUresult cuStreamGetCaptureInfo_v2(CUstream stream, CUstreamCaptureStatus *status, uint64_t *id,
                                               CUgraph *graph, const CUgraphNode **ends, size_t *numEnds) {
  DSCC_ENTER(Context);
  return describeCapture(stream, status, id, graph, ends, numEnds);
}

/// No edge carries data here.
DSCC_EXPORT CUresult cuStreamGetCaptureInfo_v3(CUstream stream, CUstreamCaptureStatus *status, uint64_t *id,
                                               CUgraph *graph, const CUgraphNode **ends, const CUgraphEdgeData **edges,
                                               size_t *numEnds) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(!edges || ends, CUDA_ERROR_INVALID_VALUE);
  CUresult result = describeCapture(stream, status, id, graph, ends, numEnds);
  if (result == CUDA_SUCCESS && edges) {
    CUstream_st &asked = *findStream(stream);
    asked.captureEdges.resize(asked.captureEnds.size());
    *edges = asked.captureEdges.data();
  }
  return result;
}

/// True if all are of the graph, each once.
static bool areNodesOf(CUgraph graph, const std::vector<CUgraphNode> &nodes) {
  std::set<CUgraphNode> seen;
  return llvm::all_of(nodes, [&](CUgraphNode node) {
    auto found = state().graphNodes.find(node);
    return found != state().graphNodes.end() && found->second == graph && seen.insert(node).second;
  });
}

/// The nodes that an invalidated capture has made stay in the graph.
DSCC_EXPORT CUresult cuStreamBeginCaptureToGraph(CUstream handle, CUgraph graph, const CUgraphNode *after,
                                                 const CUgraphEdgeData *edges, size_t numAfter,
                                                 CUstreamCaptureMode mode) {
  DSCC_ENTER(Context);
  CUstream_st *stream = findStream(handle);
  DSCC_REQUIRE(stream, CUDA_ERROR_INVALID_HANDLE);
  DSCC_REQUIRE(mode >= CaptureGlobal && mode <= CaptureRelaxed, CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(state().graphs.has(graph) && (after || !numAfter), CUDA_ERROR_INVALID_VALUE);
  DSCC_TRY(checkEdges(edges, numAfter));
  std::vector<CUgraphNode> nodes(after, after + numAfter);
  DSCC_REQUIRE(areNodesOf(graph, nodes), CUDA_ERROR_INVALID_VALUE);
  bool isCaptured = llvm::any_of(state().captures, [&](const auto &capture) { return capture->graph == graph; });
  DSCC_REQUIRE(!isCaptured, CUDA_ERROR_INVALID_VALUE);
  return beginCapture(*stream, mode, graph, nodes);
}

/// Flag 1 replaces the nodes that the next one depends on; who is left out so need not be joined.
static CUresult updateDependencies(CUstream handle, const CUgraphNode *after, const CUgraphEdgeData *edges,
                                   size_t numAfter, unsigned flags) {
  CUstream_st *stream = findStream(handle);
  DSCC_REQUIRE(stream, CUDA_ERROR_INVALID_HANDLE);
  DSCC_REQUIRE(stream->capture, CUDA_ERROR_ILLEGAL_STATE);
  DSCC_REQUIRE(!stream->capture->isInvalidated, CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  DSCC_REQUIRE(flags <= 1 && (after || !numAfter), CUDA_ERROR_INVALID_VALUE);
  DSCC_TRY(checkEdges(edges, numAfter));
  std::vector<CUgraphNode> nodes(after, after + numAfter), old = flags ? stream->captureEnds : nodes;
  DSCC_REQUIRE(areNodesOf(stream->capture->graph, nodes), CUDA_ERROR_INVALID_VALUE);
  std::vector<CUgraphNode> &ends = stream->captureEnds;
  if (flags)
    ends.clear();
  for (CUgraphNode node : nodes)
    if (!llvm::is_contained(ends, node))
      ends.push_back(node);
  for (CUgraphNode node : old)
    if (!llvm::is_contained(ends, node)) {
      stream->capture->letGo.insert(node->number);
      becomeSink(*node);
    }
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuStreamUpdateCaptureDependencies(CUstream stream, CUgraphNode *after, size_t numAfter,
                                                       unsigned flags) {
  DSCC_ENTER(Context);
  return updateDependencies(stream, after, nullptr, numAfter, flags);
}

DSCC_EXPORT CUresult cuStreamUpdateCaptureDependencies_v2(CUstream stream, CUgraphNode *after,
                                                          const CUgraphEdgeData *edges, size_t numAfter,
                                                          unsigned flags) {
  DSCC_ENTER(Context);
  return updateDependencies(stream, after, edges, numAfter, flags);
}

DSCC_EXPORT CUresult cuThreadExchangeStreamCaptureMode(CUstreamCaptureMode *mode) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(mode && *mode >= CaptureGlobal && *mode <= CaptureRelaxed, CUDA_ERROR_INVALID_VALUE);
  std::swap(*mode, threadCaptureMode());
  return CUDA_SUCCESS;
}
