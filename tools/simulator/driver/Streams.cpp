// Streams: queues of work, each in order. Captures of them are in Capture.cpp.

#include "tools/simulator/driver/Entry.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <cstring>

using namespace dscc::sim;

static CUresult createStream(CUstream *stream, unsigned flags, int priority) {
  static uint64_t numStreams = 0;
  DSCC_REQUIRE(stream && flags <= StreamNonBlocking, CUDA_ERROR_INVALID_VALUE);
  auto made = std::make_unique<CUstream_st>();
  made->flags = flags;
  made->priority = std::clamp(priority, greatestPriority, leastPriority);
  made->number = ++numStreams;
  made->context = currentContexts().back();
  *stream = state().streams.add(std::move(made));
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuStreamCreate(CUstream *stream, unsigned flags) {
  DSCC_ENTER(Context);
  return createStream(stream, flags, leastPriority);
}

DSCC_EXPORT CUresult cuStreamCreateWithPriority(CUstream *stream, unsigned flags, int priority) {
  DSCC_ENTER(Context);
  return createStream(stream, flags, priority);
}

/// Its work goes on without it.
DSCC_EXPORT CUresult cuStreamDestroy_v2(CUstream stream) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(state().streams.has(stream), CUDA_ERROR_INVALID_HANDLE);
  abandonCapture(*stream);
  state().streams.take(stream);
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuStreamGetFlags(CUstream handle, unsigned *flags) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(flags, CUDA_ERROR_INVALID_VALUE);
  CUstream_st *stream = findStream(handle);
  DSCC_REQUIRE(stream, CUDA_ERROR_INVALID_HANDLE);
  *flags = stream->flags;
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuStreamGetPriority(CUstream handle, int *priority) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(priority, CUDA_ERROR_INVALID_VALUE);
  CUstream_st *stream = findStream(handle);
  DSCC_REQUIRE(stream, CUDA_ERROR_INVALID_HANDLE);
  *priority = stream->priority;
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuStreamGetId(CUstream handle, unsigned long long *id) {
  DSCC_ENTER(Driver);
  DSCC_TRY(checkContextOf(handle));
  DSCC_REQUIRE(id, CUDA_ERROR_INVALID_VALUE);
  CUstream_st *stream = findStream(handle);
  DSCC_REQUIRE(stream, CUDA_ERROR_INVALID_HANDLE);
  *id = stream->number;
  return CUDA_SUCCESS;
}

static CUresult getContext(CUstream handle, CUcontext *context) {
  DSCC_TRY(checkContextOf(handle));
  DSCC_REQUIRE(context, CUDA_ERROR_INVALID_VALUE);
  CUstream_st *stream = findStream(handle);
  DSCC_REQUIRE(stream, CUDA_ERROR_INVALID_HANDLE);
  *context = stream->context ? stream->context : currentContexts().back();
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuStreamGetCtx(CUstream handle, CUcontext *context) {
  DSCC_ENTER(Driver);
  return getContext(handle, context);
}

/// There are no green contexts.
DSCC_EXPORT CUresult cuStreamGetCtx_v2(CUstream handle, CUcontext *context, void **greenContext) {
  DSCC_ENTER(Driver);
  DSCC_TRY(getContext(handle, context));
  if (greenContext)
    *greenContext = nullptr;
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuStreamGetDevice(CUstream handle, CUdevice *device) {
  DSCC_ENTER(Driver);
  DSCC_TRY(checkContextOf(handle));
  DSCC_REQUIRE(device, CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(findStream(handle), CUDA_ERROR_INVALID_HANDLE);
  *device = 0;
  return CUDA_SUCCESS;
}

//===-- attributes ------------------------------------------------------------------------------------------------===//

static constexpr int priorityAttribute = 8; // CUlaunchAttributeID

/// Access policy window, synchronization policy, priority, memory synchronization domains: kept, without effect.
static bool isAttribute(int id) { return llvm::is_contained({1, 3, priorityAttribute, 9, 10}, id); }

DSCC_EXPORT CUresult cuStreamGetAttribute(CUstream handle, int id, CUlaunchAttribute::Value *value) {
  DSCC_ENTER(Context);
  CUstream_st *stream = findStream(handle);
  DSCC_REQUIRE(stream, CUDA_ERROR_INVALID_HANDLE);
  DSCC_REQUIRE(value && isAttribute(id), CUDA_ERROR_INVALID_VALUE);
  auto found = stream->attributes.find(id);
  std::memset(value, 0, sizeof(*value));
  if (id == priorityAttribute)
    value->number = stream->priority;
  else if (found != stream->attributes.end())
    *value = found->second;
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuStreamSetAttribute(CUstream handle, int id, const CUlaunchAttribute::Value *value) {
  DSCC_ENTER(Context);
  CUstream_st *stream = findStream(handle);
  DSCC_REQUIRE(stream, CUDA_ERROR_INVALID_HANDLE);
  DSCC_REQUIRE(value && isAttribute(id), CUDA_ERROR_INVALID_VALUE);
  if (id == priorityAttribute)
    stream->priority = std::clamp(value->number, greatestPriority, leastPriority);
  else
    stream->attributes[id] = *value;
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuStreamCopyAttributes(CUstream to, CUstream from) {
  DSCC_ENTER(Context);
  CUstream_st *target = findStream(to), *source = findStream(from);
  DSCC_REQUIRE(target && source, CUDA_ERROR_INVALID_HANDLE);
  target->attributes = source->attributes;
  target->priority = source->priority;
  return CUDA_SUCCESS;
}

//===-- waiting ---------------------------------------------------------------------------------------------------===//

/// A stream of a capture has nothing to wait for: asking for its end invalidates the capture.
static CUresult checkWait(CUstream_st &stream) {
  DSCC_REQUIRE(!stream.capture, invalidate(stream.capture, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED));
  DSCC_TRY(checkImplicit(stream));
  return checkUnseen();
}

DSCC_EXPORT CUresult cuStreamSynchronize(CUstream handle) {
  DSCC_ENTER(Context);
  CUstream_st *stream = findStream(handle);
  DSCC_REQUIRE(stream, CUDA_ERROR_INVALID_HANDLE);
  DSCC_TRY(checkWait(*stream));
  // The default stream waits for those that it is ordered with.
  finish(stream == &state().legacyStream ? enqueue(*stream, Nothing()) : stream->last);
  return state().sticky;
}

DSCC_EXPORT CUresult cuStreamQuery(CUstream handle) {
  DSCC_ENTER(Context);
  CUstream_st *stream = findStream(handle);
  DSCC_REQUIRE(stream, CUDA_ERROR_INVALID_HANDLE);
  DSCC_TRY(checkWait(*stream));
  auto isDone = [&] {
    if (stream == &state().legacyStream)
      return !isBlockingWorkPending();
    return !stream->last || stream->last->isDone;
  };
  if (isDone())
    return CUDA_SUCCESS;
  makeProgress();
  if (state().sticky)
    return state().sticky;
  return isDone() ? CUDA_SUCCESS : CUDA_ERROR_NOT_READY;
}

DSCC_EXPORT CUresult cuStreamWaitEvent(CUstream handle, CUevent event, unsigned flags) {
  DSCC_ENTER(Context);
  CUstream_st *stream = findStream(handle);
  DSCC_REQUIRE(stream && state().events.has(event), CUDA_ERROR_INVALID_HANDLE);
  DSCC_REQUIRE(flags <= 1, CUDA_ERROR_INVALID_VALUE);
  // A node that waits for an event: of a capture only, and not there either.
  DSCC_REQUIRE(!flags, stream->capture ? CUDA_ERROR_NOT_SUPPORTED : CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(!stream->capture || !stream->capture->isInvalidated, CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  if (event->capture)
    return waitInCapture(*stream, *event);
  DSCC_REQUIRE(!stream->capture, invalidate(stream->capture, CUDA_ERROR_STREAM_CAPTURE_ISOLATION));
  DSCC_TRY(checkImplicit(*stream));
  // In the legacy stream even a wait for nothing stands between what comes before and after it in others.
  bool isDone = !event->record || event->record->isDone;
  if (!isDone)
    enqueue(*stream, Nothing(), {event->record});
  else if (stream == &state().legacyStream)
    enqueue(*stream, Nothing());
  return CUDA_SUCCESS;
}
