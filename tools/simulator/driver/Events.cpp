// Events: a place in a stream's work, to wait for or to take the time of.

#include "tools/simulator/driver/Entry.h"

using namespace dscc::sim;

DSCC_EXPORT CUresult cuEventCreate(CUevent *event, unsigned flags) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(event && flags <= 7, CUDA_ERROR_INVALID_VALUE);
  // Other processes need one that takes no time, and there are none here.
  DSCC_REQUIRE(!(flags & EventInterprocess),
               flags & EventDisableTiming ? CUDA_ERROR_NOT_SUPPORTED : CUDA_ERROR_INVALID_VALUE);
  auto made = std::make_unique<CUevent_st>();
  made->flags = flags;
  made->context = currentContexts().back();
  *event = state().events.add(std::move(made));
  return CUDA_SUCCESS;
}

/// Who waits for it goes on waiting.
DSCC_EXPORT CUresult cuEventDestroy_v2(CUevent event) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(state().events.take(event), CUDA_ERROR_INVALID_HANDLE);
  return CUDA_SUCCESS;
}

static CUresult record(CUevent event, CUstream handle) {
  CUstream_st *stream = findStream(handle);
  DSCC_REQUIRE(state().events.has(event) && stream, CUDA_ERROR_INVALID_HANDLE);
  CUcontext context = stream->context ? stream->context : currentContexts().back();
  DSCC_REQUIRE(event->context == context, CUDA_ERROR_INVALID_HANDLE);
  if (stream->capture) {
    DSCC_REQUIRE(!stream->capture->isInvalidated, CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
    event->capture = stream->capture;
    event->captureEnds = stream->captureEnds;
    return CUDA_SUCCESS;
  }
  DSCC_TRY(checkImplicit(*stream));
  event->capture = nullptr;
  event->captureEnds.clear();
  event->record = enqueue(*stream, Nothing());
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuEventRecord(CUevent event, CUstream stream) {
  DSCC_ENTER(Context);
  return record(event, stream);
}

/// Flag 1 makes it a node of a graph, if the stream is captured.
DSCC_EXPORT CUresult cuEventRecordWithFlags(CUevent event, CUstream stream, unsigned flags) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(flags <= 1, CUDA_ERROR_INVALID_VALUE);
  CUstream_st *asked = findStream(stream);
  DSCC_REQUIRE(!flags || (asked && asked->capture), CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(!flags, CUDA_ERROR_NOT_SUPPORTED);
  return record(event, stream);
}

/// An event of a capture has no time at which it is done.
static CUresult checkWait(CUevent event) {
  DSCC_REQUIRE(state().events.has(event), CUDA_ERROR_INVALID_HANDLE);
  DSCC_REQUIRE(!event->capture, invalidate(event->capture, CUDA_ERROR_CAPTURED_EVENT));
  return checkUnseen();
}

DSCC_EXPORT CUresult cuEventSynchronize(CUevent event) {
  DSCC_ENTER(Context);
  DSCC_TRY(checkWait(event));
  finish(event->record);
  return state().sticky;
}

static bool isDone(CUevent event) { return !event->record || event->record->isDone; }

DSCC_EXPORT CUresult cuEventQuery(CUevent event) {
  DSCC_ENTER(Device);
  DSCC_TRY(checkWait(event));
  if (isDone(event))
    return CUDA_SUCCESS;
  makeProgress();
  if (state().sticky)
    return state().sticky;
  return isDone(event) ? CUDA_SUCCESS : CUDA_ERROR_NOT_READY;
}

/// The time that the simulation took, which says nothing about a GPU.
static CUresult elapsed(float *milliseconds, CUevent begin, CUevent end) {
  DSCC_REQUIRE(milliseconds, CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(state().events.has(begin) && state().events.has(end), CUDA_ERROR_INVALID_HANDLE);
  DSCC_REQUIRE(!begin->capture && !end->capture, CUDA_ERROR_CAPTURED_EVENT);
  DSCC_REQUIRE(begin->record && end->record, CUDA_ERROR_INVALID_HANDLE);
  DSCC_REQUIRE(!((begin->flags | end->flags) & EventDisableTiming), CUDA_ERROR_INVALID_HANDLE);
  DSCC_REQUIRE(begin->record->isDone && end->record->isDone, CUDA_ERROR_NOT_READY);
  *milliseconds = float(end->record->finishedMs - begin->record->finishedMs);
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuEventElapsedTime(float *milliseconds, CUevent begin, CUevent end) {
  DSCC_ENTER(Context);
  return elapsed(milliseconds, begin, end);
}

/// Differs for events of other devices only.
DSCC_EXPORT CUresult cuEventElapsedTime_v2(float *milliseconds, CUevent begin, CUevent end) {
  DSCC_ENTER(Context);
  return elapsed(milliseconds, begin, end);
}
