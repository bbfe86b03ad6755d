#include "dialects/dsc/Nodes.h"

#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace dscc {

static void collect(Location location, llvm::SetVector<StringRef> &nodes) {
  llvm::TypeSwitch<LocationAttr>(location)
      .Case<NameLoc>([&](NameLoc name) { nodes.insert(name.getName().getValue()); })
      .Case<FusedLoc>([&](FusedLoc fused) {
        for (Location part : fused.getLocations())
          collect(part, nodes);
      })
      .Case<CallSiteLoc>([&](CallSiteLoc call) { collect(call.getCallee(), nodes); });
}

SmallVector<StringRef> collectNodes(Location location) {
  llvm::SetVector<StringRef> nodes;
  collect(location, nodes);
  return SmallVector<StringRef>(nodes.getArrayRef());
}

} // namespace dscc
