// One inference at a time: an arena and room for what a run's checks find out.

#ifndef DSCC_RUNTIME_CONTEXT_H
#define DSCC_RUNTIME_CONTEXT_H

#include "runtime/Inputs.h"
#include "runtime/Model.h"
#include "runtime/Profile.h"

#include <atomic>

/// What one run at a time needs beside the model: memory on the device, and room for what its checks find out.
struct dscc_context {
  dscc_model *model = nullptr;      // outlives the context
  std::atomic<bool> running{false}; // within dscc_run; a second call that finds it set is refused
  void *arena = nullptr;            // memory of the model's device, 256-byte aligned
  size_t arenaBytes = 0;            // of arena; 0 without one
  bool ownsArena = true;            // false: the arena is the caller's workspace, neither grown nor freed
  bool replays = true;              // false: each run is made launch by launch
  void *queue = nullptr;            // the device's own business
  dscc::Binding binding = {};       // of the run under way; its arrays are made once and are the context's
  const void **inputs = nullptr;    // where each input lies on the device, in the model's order
  void **outputs = nullptr;         // the same of each output
  dscc::Profile profile;            // of the last run, if it was asked for
};

namespace dscc {

/// Makes the arena at least `bytes` large; what was in it is lost if it grows. A workspace of the caller's never grows:
/// DSCC_TOO_SMALL. After DSCC_OUT_OF_MEMORY there is no arena at all.
dscc_status allocateArena(dscc_context &context, size_t bytes);
/// Gives the arena back, unless it is the caller's.
void freeArena(dscc_context &context);

} // namespace dscc

#endif // DSCC_RUNTIME_CONTEXT_H
