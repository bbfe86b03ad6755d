// The table of the driver's entry points.

#ifndef DSCC_TOOLS_SIMULATOR_DRIVER_PROCADDRESS_H
#define DSCC_TOOLS_SIMULATOR_DRIVER_PROCADDRESS_H

#include "llvm/ADT/ArrayRef.h"

namespace dscc::sim {

/// A function that the library exports.
struct EntryPoint {
  const char *symbol; // "cuMemAlloc_v2"
  const char *name;   // "cuMemAlloc"
  int version;        // of CUDA that brought it: 3020
  void *address;      // of the function in this library
};
/// Those of one name stand together, older ones first.
llvm::ArrayRef<EntryPoint> entryPoints();
/// The variant of an entry point whose default stream is the thread's; null if it has none.
void *findPerThread(const char *symbol);

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_DRIVER_PROCADDRESS_H
