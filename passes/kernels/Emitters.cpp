#include "passes/kernels/Emitters.h"

using namespace mlir;

namespace dscc::kernels {

int64_t Kernel::scheduled(StringRef name, int64_t otherwise) const {
  auto value = schedule.getAs<IntegerAttr>(name);
  return value ? value.getInt() : otherwise;
}

Operation *findContraction(dsc::GroupOp group) {
  for (Operation &op : group.getBody().front().without_terminator())
    if (isa<dsc::MatmulOp, dsc::ConvOp>(op))
      return &op;
  return nullptr;
}

ArrayRef<KernelEmitter> allKernelEmitters() {
  static constexpr KernelEmitter emitters[] = {
      {"shared_tiles", scheduleSharedTiles, emitSharedTiles},
      {"tiles", scheduleTiles, emitTiles},
      {"rows", scheduleRows, emitRows},
      {"elementwise", scheduleElementwise, emitElementwise},
  };
  return emitters;
}

const KernelEmitter *findKernelEmitter(StringRef name) {
  for (const KernelEmitter &emitter : allKernelEmitters())
    if (emitter.name == name)
      return &emitter;
  return nullptr;
}

} // namespace dscc::kernels
