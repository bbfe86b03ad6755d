// The caller's own memory on a model's device. On a CPU that is the host's, so that one program serves both.

#include "runtime/CudaDevice.h"
#include "runtime/Error.h"
#include "runtime/Model.h"

#include <cstdlib>
#include <cstring>

namespace dscc {

static constexpr size_t memoryAlignment = 256;

static dscc_status checkCopy(const dscc_model *model, const void *target, const void *source, size_t bytes) {
  if (!model)
    return fail(DSCC_BAD_CALL, "the model is NULL");
  if (bytes && (!target || !source))
    return fail(DSCC_BAD_CALL, "%zu bytes are to be copied, but the pointer to their %s is NULL", bytes,
                target ? "source" : "target");
  return DSCC_OK;
}

} // namespace dscc

using namespace dscc;

extern "C" dscc_status dscc_device_allocate(dscc_model *model, size_t bytes, void **memory) {
  if (!model || !memory)
    return fail(DSCC_BAD_CALL, "dscc_device_allocate needs a model and a place for the memory");
  // No device gives memory of no bytes, and a tensor without elements has an address all the same.
  size_t wanted = bytes ? bytes : 1;
  if (model->cuda)
    return allocateOnCuda(*model->cuda, wanted, *memory);
  bool canBeRounded = wanted <= SIZE_MAX - memoryAlignment;
  size_t rounded = (wanted + memoryAlignment - 1) / memoryAlignment * memoryAlignment;
  void *allocated = canBeRounded ? aligned_alloc(memoryAlignment, rounded) : nullptr;
  if (!allocated)
    return fail(DSCC_OUT_OF_MEMORY, "%zu bytes cannot be allocated", bytes);
  *memory = allocated;
  return DSCC_OK;
}

extern "C" void dscc_device_free(dscc_model *model, void *memory) {
  if (!model || !memory)
    return;
  if (model->cuda)
    freeOnCuda(*model->cuda, memory);
  else
    free(memory);
}

extern "C" dscc_status dscc_device_write(dscc_model *model, void *memory, const void *source, size_t bytes) {
  if (dscc_status status = checkCopy(model, memory, source, bytes))
    return status;
  if (model->cuda && bytes)
    return writeToCuda(*model->cuda, memory, source, bytes);
  if (bytes)
    memcpy(memory, source, bytes);
  return DSCC_OK;
}

extern "C" dscc_status dscc_device_read(dscc_model *model, void *target, const void *memory, size_t bytes) {
  if (dscc_status status = checkCopy(model, target, memory, bytes))
    return status;
  if (model->cuda && bytes)
    return readFromCuda(*model->cuda, target, memory, bytes);
  if (bytes)
    memcpy(target, memory, bytes);
  return DSCC_OK;
}

extern "C" dscc_status dscc_device_wait(dscc_model *model, void *stream) {
  if (!model)
    return fail(DSCC_BAD_CALL, "the model is NULL");
  return model->cuda ? waitOnCuda(*model->cuda, stream) : DSCC_OK;
}
