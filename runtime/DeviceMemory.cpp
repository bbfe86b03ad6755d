// The caller's own memory on a model's device. On a CPU that is the host's, so that one program serves all devices.

#include "runtime/Error.h"
#include "runtime/Model.h"

namespace dscc {

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
  return model->device->allocate(*model, bytes ? bytes : 1, *memory);
}

extern "C" void dscc_device_free(dscc_model *model, void *memory) {
  if (model && memory)
    model->device->release(*model, memory);
}

extern "C" dscc_status dscc_device_write(dscc_model *model, void *memory, const void *source, size_t bytes) {
  if (dscc_status status = checkCopy(model, memory, source, bytes))
    return status;
  return bytes ? model->device->write(*model, memory, source, bytes) : DSCC_OK;
}

extern "C" dscc_status dscc_device_read(dscc_model *model, void *target, const void *memory, size_t bytes) {
  if (dscc_status status = checkCopy(model, target, memory, bytes))
    return status;
  return bytes ? model->device->read(*model, target, memory, bytes) : DSCC_OK;
}

extern "C" dscc_status dscc_device_wait(dscc_model *model, void *stream) {
  if (!model)
    return fail(DSCC_BAD_CALL, "the model is NULL");
  return model->device->wait(*model, stream);
}
