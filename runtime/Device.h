// What a model and its contexts need of the device that they are on. A device is a table of functions; who holds one
// never asks which it is.

#ifndef DSCC_RUNTIME_DEVICE_H
#define DSCC_RUNTIME_DEVICE_H

#include "runtime/Tables.h"

struct dscc_model;
struct dscc_context;

namespace dscc {

/// A kind of device. Its functions keep what they need in `dscc_model::deviceState` and `dscc_context::queue`, which
/// are theirs alone. Each says what went wrong by `fail`.
struct Device {
  /// What a caller asks for by name: DSCC_CPU, DSCC_CUDA; the same numbers as in dscc_program.device.
  dscc_device kind;
  /// What it does for a running program. Artifacts that need more are refused.
  const dscc_services *services;
  /// Whether its memory is the host's, so that any pointer of the caller's will do.
  bool sharesHostMemory;

  /// Chooses the artifact's program for this machine, brings the weights that lie at `weights` to where kernels find
  /// them, and fills in the model's `program`, `weights`, `deviceName` and `deviceState`. After a failure close is
  /// still allowed, and nothing is left behind by it.
  dscc_status (*open)(const char *path, const dscc_open_options &options, const unsigned char *weights,
                      dscc_model &model);
  /// Gives everything back that open got.
  void (*close)(dscc_model &model);
  /// Threads that a run uses, the calling one included.
  int (*threads)(const dscc_model &model);

  /// At least `bytes` bytes, 256-byte aligned; `bytes` is not 0.
  dscc_status (*allocate)(const dscc_model &model, size_t bytes, void *&memory);
  /// Gives them back when the device no longer uses them. Never null.
  void (*release)(const dscc_model &model, void *memory);
  /// Copy from the host and to it; both return when that is done. `bytes` is not 0.
  dscc_status (*write)(const dscc_model &model, void *target, const void *source, size_t bytes);
  dscc_status (*read)(const dscc_model &model, void *target, const void *source, size_t bytes);
  /// Waits for a caller's stream; null: the default stream.
  dscc_status (*wait)(const dscc_model &model, void *stream);

  /// Makes what a context needs to run; after a failure closeQueue is still allowed.
  dscc_status (*openQueue)(dscc_context &context);
  /// Gives it back.
  void (*closeQueue)(dscc_context &context);
  /// Runs the program on the context's bound buffers, on `stream` or, if that is null, on the context's own.
  dscc_status (*run)(dscc_context &context, void *stream);
};

/// CpuDevice.cpp
extern const Device cpuDevice;
/// CudaDevice.cpp
extern const Device cudaDevice;

/// The best first; the last is there on every machine.
struct DeviceList {
  const Device *devices[2]; // all that there are
  /// For loops over all.
  const Device *const *begin() const { return devices; }
  /// Behind the last one.
  const Device *const *end() const { return devices + 2; }
};
/// The kinds of device of this runtime.
inline DeviceList allDevices() { return {{&cudaDevice, &cpuDevice}}; }

/// The first program of the artifact for a kind of device (dscc_device_kind) that `isRunnable`, or null.
template <typename Predicate>
const dscc_program *findProgram(const dscc_model_v2 &table, uint32_t kind, Predicate isRunnable) {
  for (const dscc_program &program : programsOf(table))
    if (program.device == kind && isRunnable(program))
      return &program;
  return nullptr;
}

} // namespace dscc

#endif // DSCC_RUNTIME_DEVICE_H
