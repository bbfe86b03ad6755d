// An opened artifact, shared by threads.

#ifndef DSCC_RUNTIME_MODEL_H
#define DSCC_RUNTIME_MODEL_H

#include "runtime/ArtifactFile.h"
#include "runtime/Device.h"

#include <dscc/dscc.h>

/// What dscc_model_open made; it does not change until dscc_model_close.
struct dscc_model {
  void *library = nullptr;               // the artifact, as dlopen gave it
  const dscc_model_v2 *table = nullptr;  // in the library
  const dscc_program *program = nullptr; // of the table: the one for the chosen device
  dscc::MappedFile weightFile;           // empty if the weights are in the artifact
  const void **weights = nullptr;        // one a weight, on the device; null for those that only other programs use
  dscc_buffer *defaults = nullptr;       // one an input: what stands in for it where a caller leaves it out
  const dscc::Device *device = nullptr;  // what it runs on
  void *deviceState = nullptr;           // the device's own business
  char *signature = nullptr;             // what dscc_signature_json returns
  char deviceName[96] = {};              // what dscc_device_name returns, cut to fit
  size_t numDims = 0;                    // the ranks of all inputs and outputs, added up
};

namespace dscc {

/// Whether the chosen program uses a weight of the table.
inline bool isUsed(const dscc_model &model, const dscc_weight &weight) {
  return weight.programs >> programsOf(*model.table).indexOf(*model.program) & 1;
}

/// Writes the JSON of dscc_signature_json, for the caller to free(); null if out of memory.
char *makeSignature(const dscc_model &model);

} // namespace dscc

#endif // DSCC_RUNTIME_MODEL_H
