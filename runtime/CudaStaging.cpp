#include "runtime/CudaStaging.h"

#include "runtime/Error.h"

#include <cassert>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace dscc {

static constexpr unsigned withoutTime = 2; // CU_EVENT_DISABLE_TIMING
/// Of a piece within its chunk, in bytes: a line of the host's cache.
static constexpr size_t pieceAlignment = 64;

static bool makeChunk(const CudaDriver &driver, StagingChunk &chunk, size_t numOutputs) {
  void *memory = nullptr;
  if (driver.allocatePinned(&memory, CudaStaging::chunkBytes, 0))
    return false;
  chunk.memory = static_cast<char *>(memory);
  chunk.deliveries = static_cast<Delivery *>(calloc(numOutputs + 1, sizeof(Delivery)));
  return chunk.deliveries && !driver.eventCreate(&chunk.event, withoutTime);
}

bool beginStaging(const CudaDriver &driver, CudaStaging &staging, size_t numOutputs) {
  if (staging.state == CudaStaging::NotTried) {
    bool isMade = true;
    for (StagingChunk &chunk : staging.chunks)
      isMade = isMade && makeChunk(driver, chunk, numOutputs);
    if (!isMade)
      closeStaging(driver, staging);
    staging.state = isMade ? CudaStaging::Ready : CudaStaging::Refused;
  }
  staging.turn = 0;
  for (StagingChunk &chunk : staging.chunks) {
    chunk.used = chunk.numDeliveries = 0;
    chunk.isRecorded = false;
  }
  return staging.state == CudaStaging::Ready;
}

void closeStaging(const CudaDriver &driver, CudaStaging &staging) {
  for (StagingChunk &chunk : staging.chunks) {
    if (chunk.event)
      driver.eventDestroy(chunk.event);
    if (chunk.memory)
      driver.releasePinned(chunk.memory);
    free(chunk.deliveries);
    chunk = {};
  }
}

static void deliverFrom(StagingChunk &chunk) {
  for (size_t i = 0; i < chunk.numDeliveries; ++i)
    memcpy(chunk.deliveries[i].target, chunk.deliveries[i].source, chunk.deliveries[i].bytes);
  chunk.numDeliveries = 0;
}

/// The chunk with room for a piece. If the one in turn is full, the other one's work is waited for.
static dscc_status findRoom(const CudaDriver &driver, CudaStaging &staging, CuHandle stream, StagingChunk *&chunk) {
  chunk = &staging.chunks[staging.turn];
  if (chunk->used < CudaStaging::chunkBytes)
    return DSCC_OK;
  if (dscc_status status = driver.report(driver.eventRecord(chunk->event, stream), "cuEventRecord"))
    return status;
  chunk->isRecorded = true;
  staging.turn = (staging.turn + 1) % CudaStaging::numChunks;
  chunk = &staging.chunks[staging.turn];
  if (chunk->isRecorded)
    if (dscc_status status = driver.report(driver.eventWait(chunk->event), "cuEventSynchronize"))
      return status;
  chunk->isRecorded = false;
  deliverFrom(*chunk);
  chunk->used = 0;
  return DSCC_OK;
}

/// Calls `copy(chunk, piece, offset, bytes)` for one piece after the other: `piece` lies in the chunk, `offset` counts
/// from the tensor's beginning.
template <typename Copy>
static dscc_status copyPieces(const CudaDriver &driver, CudaStaging &staging, CuHandle stream, size_t total,
                              Copy copy) {
  assert(staging.state == CudaStaging::Ready && "whoever was refused copies without");
  size_t bytes = 0;
  for (size_t offset = 0; offset < total; offset += bytes) {
    StagingChunk *chunk;
    if (dscc_status status = findRoom(driver, staging, stream, chunk))
      return status;
    size_t room = CudaStaging::chunkBytes - chunk->used;
    bytes = total - offset < room ? total - offset : room;
    char *piece = chunk->memory + chunk->used;
    chunk->used += (bytes + pieceAlignment - 1) / pieceAlignment * pieceAlignment;
    static_assert(CudaStaging::chunkBytes % pieceAlignment == 0, "a piece that is rounded up still fits");
    if (dscc_status status = copy(*chunk, piece, offset, bytes))
      return status;
  }
  return DSCC_OK;
}

dscc_status stageIn(const CudaDriver &driver, CudaStaging &staging, CuHandle stream, CuPointer target,
                    const void *source, size_t bytes) {
  return copyPieces(driver, staging, stream, bytes, [&](StagingChunk &, char *piece, size_t offset, size_t bytes) {
    memcpy(piece, static_cast<const char *>(source) + offset, bytes);
    return driver.report(driver.copyIn(target + offset, piece, bytes, stream), "cuMemcpyHtoDAsync of an input");
  });
}

dscc_status stageOut(const CudaDriver &driver, CudaStaging &staging, CuHandle stream, void *target, CuPointer source,
                     size_t bytes) {
  return copyPieces(driver, staging, stream, bytes, [&](StagingChunk &chunk, char *piece, size_t offset, size_t bytes) {
    // An output has one piece in a chunk at most: it ends, or the chunk is full.
    chunk.deliveries[chunk.numDeliveries++] = {static_cast<char *>(target) + offset, piece, bytes};
    return driver.report(driver.copyOut(piece, source + offset, bytes, stream), "cuMemcpyDtoHAsync of an output");
  });
}

void deliver(CudaStaging &staging) {
  for (StagingChunk &chunk : staging.chunks)
    deliverFrom(chunk);
}

} // namespace dscc
