// A launch's parameters as memory: their generic addresses are those that kernels see, and nobody writes there.

#include "tools/simulator/exec/Faults.h"
#include "tools/simulator/exec/Runtime.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

namespace dscc::sim {

bool isInParameters(const Block &block, const char *address, size_t bytes) {
  for (auto [index, size] : llvm::enumerate(block.kernel->parameterBytes)) {
    auto *begin = static_cast<const char *>(block.arguments[index]);
    if (address >= begin && bytes <= size && size_t(address - begin) <= size - bytes)
      return true;
  }
  return false;
}

static uint32_t isParameter(Lane *lane, const char *address) { return isInParameters(*lane->block, address, 1); }

/// ld.param and st.param by an address in a register. The parameters of functions are on the stack.
static void checkParameter(Lane *lane, const char *address, uint32_t bytes, int isStore, int site) {
  if (isOnStack(*lane->block, address) || (!isStore && isInParameters(*lane->block, address, bytes)))
    return;
  reports().add(*lane, "out-of-bounds access",
                std::string(isStore ? "store" : "load") + " of " + std::to_string(bytes) + " bytes at 0x" +
                    llvm::utohexstr(reinterpret_cast<uintptr_t>(address)) + ", which is in no parameter",
                site, illegalAddress);
  abandon(*lane);
}

llvm::ArrayRef<Callee> parameterCallees() {
  static const Callee list[] = {{"dscc_sim_is_parameter", reinterpret_cast<void *>(isParameter)},
                                {"dscc_sim_check_parameter", reinterpret_cast<void *>(checkParameter)}};
  return list;
}

} // namespace dscc::sim
