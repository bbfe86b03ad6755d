// An opened artifact, shared by threads.

#ifndef DSCC_RUNTIME_MODEL_H
#define DSCC_RUNTIME_MODEL_H

#include "runtime/ArtifactFile.h"
#include "runtime/Device.h"

#include <dscc/dscc.h>

/// What dscc_model_open made; it does not change until dscc_model_close.
struct dscc_model {
  void *library = nullptr;
  const dscc_model_v1 *table = nullptr;
  const dscc_program *program = nullptr;
  dscc::MappedFile weightFile;
  const void **weights = nullptr;  // one a weight, as the program wants them
  dscc_buffer *defaults = nullptr; // one an input: what stands in for it where a caller leaves it out
  const dscc::Device *device = nullptr;
  void *deviceState = nullptr; // the device's own business
  char *signature = nullptr;
  char deviceName[96] = {};
  // How often a symbol or dim occurs, counted once: all inputs' dims, then all outputs'.
  size_t numDims = 0;
};

namespace dscc {

/// Writes the JSON of dscc_signature_json; null if out of memory.
char *makeSignature(const dscc_model &model);

} // namespace dscc

#endif // DSCC_RUNTIME_MODEL_H
