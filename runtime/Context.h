// One inference at a time: an arena and room for what a run's checks find out.

#ifndef DSCC_RUNTIME_CONTEXT_H
#define DSCC_RUNTIME_CONTEXT_H

#include "runtime/Inputs.h"
#include "runtime/Model.h"
#include "runtime/Profile.h"

#include <atomic>

/// What one run at a time needs beside the model: memory on the device, and room for what its checks find out.
struct dscc_context {
  dscc_model *model = nullptr;
  std::atomic<bool> running{false};
  void *arena = nullptr; // device memory
  size_t arenaBytes = 0;
  bool ownsArena = true;
  void *queue = nullptr; // the device's own business
  // Rooms for the checks, made once.
  dscc::Binding binding = {};
  const void **inputs = nullptr;
  void **outputs = nullptr;
  dscc::Profile profile;
};

namespace dscc {

/// Makes the arena at least so large; what was in it is lost if it grows. A workspace of the caller's never grows.
dscc_status allocateArena(dscc_context &context, size_t bytes);
/// Gives the arena back, unless it is the caller's.
void freeArena(dscc_context &context);

} // namespace dscc

#endif // DSCC_RUNTIME_CONTEXT_H
