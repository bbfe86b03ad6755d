// Special registers that are not numbers of the launch.

#include "tools/simulator/Chips.h"
#include "tools/simulator/exec/Block.h"
#include "tools/simulator/translate/Translator.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/IR/Intrinsics.h"

namespace dscc::sim {

using namespace llvm;

/// %envreg7 and the like: the prefix, and a number below `count`.
static bool isNumbered(StringRef name, StringRef prefix, unsigned count) {
  unsigned number;
  return name.consume_front(prefix) && (name.size() == 1 || !name.starts_with("0")) && !name.getAsInteger(10, number) &&
         number < count;
}

Value *FunctionTranslator::readSpecial(StringRef name) {
  static constexpr StringLiteral fourths[] = {"%tid.w",       "%ntid.w",       "%ctaid.w",         "%nctaid.w",
                                              "%clusterid.w", "%nclusterid.w", "%cluster_ctaid.w", "%cluster_nctaid.w"};
  if (is_contained(fourths, name))
    return b.getInt32(0);
  // The driver's own; without a graph 0. Nothing counts for the performance monitors.
  if (isNumbered(name, "%envreg", 32) || isNumbered(name, "%pm", 8))
    return b.getInt32(0);
  if (name == "%current_graph_exec" || (name.ends_with("_64") && isNumbered(name.drop_back(3), "%pm", 8)))
    return b.getInt64(0);
  if (name == "%clock" || name == "%clock_hi" || name == "%clock64") {
    Value *clock = b.CreateIntrinsic(Intrinsic::readcyclecounter, {});
    return name == "%clock64" ? clock : resize(name == "%clock" ? clock : b.CreateLShr(clock, 32), 32);
  }
  if (name == "%globaltimer" || name == "%globaltimer_lo" || name == "%globaltimer_hi") {
    Value *timer = call("dscc_sim_global_timer", b.getInt64Ty(), {});
    return name == "%globaltimer" ? timer : resize(name == "%globaltimer_lo" ? timer : b.CreateLShr(timer, 32), 32);
  }
  if (name == "%lanemask_eq" || name == "%lanemask_le" || name == "%lanemask_lt" || name == "%lanemask_ge" ||
      name == "%lanemask_gt")
    return call(("dscc_sim_" + name.drop_front()).str(), b.getInt32Ty(), {});
  // The system's share of shared memory lies behind the kernel's.
  if (name == "%reserved_smem_offset_cap")
    return b.getInt32(reservedShared);
  if (name == "%reserved_smem_offset_end")
    return special(AggregateSharedBytes);
  if (name == "%reserved_smem_offset_begin" || isNumbered(name, "%reserved_smem_offset_", 2))
    return special(TotalSharedBytes);
  return nullptr;
}

} // namespace dscc::sim
