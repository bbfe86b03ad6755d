// Streams that wait for a word of memory, or write one.

#include "tools/simulator/driver/Entry.h"

using namespace dscc::sim;

static constexpr unsigned conditionMask = 3, flush = 1u << 30; // CUstreamWaitValue_flags
static constexpr unsigned maxOperations = 255;

static CUresult checkWord(CUdeviceptr address, unsigned bytes) {
  bool isOk = address && address % bytes == 0 && isMapped(reinterpret_cast<char *>(address), bytes);
  return isOk ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

static CUresult makeWait(CUdeviceptr address, uint64_t value, unsigned bytes, unsigned flags, Operation &operation) {
  DSCC_REQUIRE(!(flags & ~(conditionMask | flush)), CUDA_ERROR_INVALID_VALUE);
  DSCC_REQUIRE(!(flags & flush), CUDA_ERROR_NOT_SUPPORTED); // writes of other devices
  DSCC_TRY(checkWord(address, bytes));
  operation = WaitValue{address, value, bytes, flags & conditionMask};
  return CUDA_SUCCESS;
}

/// Flag 1 does without the barrier that is there anyway.
static CUresult makeWrite(CUdeviceptr address, uint64_t value, unsigned bytes, unsigned flags, Operation &operation) {
  DSCC_REQUIRE(flags <= 1, CUDA_ERROR_INVALID_VALUE);
  DSCC_TRY(checkWord(address, bytes));
  operation = WriteValue{address, value, bytes};
  return CUDA_SUCCESS;
}

#define DSCC_MEMORY_OPERATION(name, make, type)                                                                        \
  DSCC_EXPORT CUresult name(CUstream stream, CUdeviceptr address, type value, unsigned flags) {                        \
    DSCC_ENTER(Context);                                                                                               \
    Operation operation;                                                                                               \
    DSCC_TRY(make(address, value, sizeof(type), flags, operation));                                                    \
    return submit(stream, std::move(operation));                                                                       \
  }

DSCC_MEMORY_OPERATION(cuStreamWaitValue32_v2, makeWait, uint32_t)
DSCC_MEMORY_OPERATION(cuStreamWaitValue64_v2, makeWait, uint64_t)
DSCC_MEMORY_OPERATION(cuStreamWriteValue32_v2, makeWrite, uint32_t)
DSCC_MEMORY_OPERATION(cuStreamWriteValue64_v2, makeWrite, uint64_t)

static CUresult make(const CUstreamBatchMemOpParams &request, Operation &operation) {
  enum Type { Wait32 = 1, Write32 = 2, Flush = 3, Wait64 = 4, Write64 = 5, Barrier = 6 }; // CUstreamBatchMemOpType
  switch (request.type) {
  case Wait32: return makeWait(request.address, uint32_t(request.value), 4, request.flags, operation);
  case Wait64: return makeWait(request.address, request.value, 8, request.flags, operation);
  case Write32: return makeWrite(request.address, uint32_t(request.value), 4, request.flags, operation);
  case Write64: return makeWrite(request.address, request.value, 8, request.flags, operation);
  case Barrier: operation = Nothing(); return request.barrierFlags <= 1 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
  default: return request.type == Flush ? CUDA_ERROR_NOT_SUPPORTED : CUDA_ERROR_INVALID_VALUE;
  }
}

/// All or none.
DSCC_EXPORT CUresult cuStreamBatchMemOp_v2(CUstream stream, unsigned count, CUstreamBatchMemOpParams *requests,
                                           unsigned flags) {
  DSCC_ENTER(Context);
  DSCC_REQUIRE(findStream(stream), CUDA_ERROR_INVALID_HANDLE);
  DSCC_REQUIRE((requests || !count) && count <= maxOperations && !flags, CUDA_ERROR_INVALID_VALUE);
  std::vector<Operation> operations(count);
  for (unsigned i = 0; i < count; ++i)
    DSCC_TRY(make(requests[i], operations[i]));
  for (Operation &operation : operations)
    DSCC_TRY(submit(stream, std::move(operation)));
  return CUDA_SUCCESS;
}
