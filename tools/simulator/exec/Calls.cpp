// Calls while they happen: pointers that point to functions, stacks that are deep enough, assertions, the heap.

#include "tools/simulator/exec/Faults.h"
#include "tools/simulator/exec/Runtime.h"

#include "llvm/ADT/StringExtras.h"

#include <cstring>

namespace dscc::sim {

/// What a report needs of a stack, beside the frame that has just begun.
static constexpr ptrdiff_t stackReserve = 16 << 10;

static void *findFunction(Lane *lane, void *pointer, void **functions, uint32_t count, int site) {
  if (llvm::is_contained(llvm::ArrayRef(functions, count), pointer))
    return pointer;
  reports().add(*lane, "call of no function",
                "a call goes to 0x" + llvm::utohexstr(reinterpret_cast<uintptr_t>(pointer)) +
                    ", which is none of the module's " + std::to_string(count) + " functions with as many parameters",
                site, invalidPc);
  abandon(*lane);
}

static void enterFunction(Lane *lane, int site) {
  const Block &block = *lane->block;
  const char *bottom = block.stacks + (block.hasFibers ? block.stackBytes * lane->thread : 0);
  ptrdiff_t left = static_cast<const char *>(__builtin_frame_address(0)) - bottom;
  if (left >= stackReserve + 2 * ptrdiff_t(block.kernel->localBytes))
    return;
  reports().add(*lane, "stack overflow",
                "calls are nested too deeply for a stack of " + std::to_string(block.stackBytes) +
                    " bytes; is a recursion without an end?",
                site, hardwareStackError);
  abandon(*lane);
}

/// The text at a device address, as far as it is memory of the device.
std::string textAt(const char *address) {
  std::optional<std::pair<char *, size_t>> found = memory::find(address);
  if (!found)
    return "?";
  size_t left = size_t(found->first + found->second - address);
  return std::string(address, strnlen(address, left));
}

/// __assertfail(expression, file, line, function, bytes of a character): pointers to the parameters' buffers.
static void failAssertion(Lane *lane, const char *const *expression, const char *const *file, const uint32_t *line,
                          const char *const *function, const uint64_t *, int site) {
  reports().add(*lane, "assertion failed",
                "`" + textAt(*expression) + "` does not hold in " + textAt(*function) + ", " + textAt(*file) + ":" +
                    std::to_string(*line),
                site, assertFailed);
  abandon(*lane);
}

/// brx.idx beyond its list.
static void branchToNothing(Lane *lane, uint32_t index, uint32_t count, int site) {
  reports().add(*lane, "branch to no target",
                "index " + std::to_string(index) + " into a list of " + std::to_string(count) + " labels", site,
                invalidPc);
  abandon(*lane);
}

/// malloc and free of a kernel: pointers to the buffers of result and parameter.
static void allocateOnHeap(Lane *, void **result, const uint64_t *bytes, int) { *result = memory::allocate(*bytes); }

static void freeOnHeap(Lane *lane, void *const *address, int site) {
  if (!*address || memory::release(*address))
    return;
  reports().add(*lane, "invalid free",
                "0x" + llvm::utohexstr(reinterpret_cast<uintptr_t>(*address)) +
                    " is not the beginning of an allocation",
                site, illegalAddress);
  abandon(*lane);
}

llvm::ArrayRef<Callee> callCallees() {
  static const Callee list[] = {{"dscc_sim_find_function", reinterpret_cast<void *>(findFunction)},
                                {"dscc_sim_no_target", reinterpret_cast<void *>(branchToNothing)},
                                {"dscc_sim_enter_function", reinterpret_cast<void *>(enterFunction)},
                                {"dscc_sim_assert_fail", reinterpret_cast<void *>(failAssertion)},
                                {"dscc_sim_malloc", reinterpret_cast<void *>(allocateOnHeap)},
                                {"dscc_sim_free", reinterpret_cast<void *>(freeOnHeap)}};
  return list;
}

} // namespace dscc::sim
