// Copies that land later.

#include "runtime/simulator/translate/Translator.h"

namespace dscc::sim {

using namespace llvm;

/// cp.async.{ca,cg}.shared.global [to], [from], bytes[, source bytes]; and its groups.
static void translateCp(FunctionTranslator &t, const Statement &s) {
  if (s.parts.size() < 2 || s.parts[1] != "async" || s.has("bulk") || s.has("mbarrier"))
    return t.fail("the simulator does not know the instruction `" + s.text + "`");
  if (s.has("commit_group"))
    return void(t.call("dscc_sim_copy_commit", t.b.getVoidTy(), {}));
  if (s.has("wait_group") || s.has("wait_all")) {
    Value *left = s.has("wait_all") ? t.i32(-1) : t.read(s.operands[0], 32);
    return void(t.call("dscc_sim_copy_wait", t.b.getVoidTy(), {left}));
  }
  if (s.operands.size() < 3)
    return t.fail("`cp.async` has too few operands");
  Value *bytes = t.read(s.operands[2], 32);
  Value *sourceBytes = bytes;
  if (s.operands.size() > 3) {
    sourceBytes = t.read(s.operands[3], 32);
    // With a predicate instead of a size, true means that the source is ignored.
    if (s.has("ignore-src"))
      sourceBytes = t.b.CreateSelect(t.read(s.operands[3], 1), t.i32(0), bytes);
  }
  t.call("dscc_sim_copy_async", t.b.getVoidTy(),
         {t.address(s.operands[0], "shared"), t.address(s.operands[1], "global"), bytes, sourceBytes, t.site()});
}

ArrayRef<Instruction> asyncInstructions() {
  static constexpr Instruction rows[] = {{"cp", translateCp}};
  return rows;
}

} // namespace dscc::sim
