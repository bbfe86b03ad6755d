// The words that may follow an opcode. What the simulator has not heard of may change what an instruction means, so it
// refuses it; that a word goes with just this opcode is left to the opcode's own row.

#include "tools/simulator/translate/Translator.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"

namespace dscc::sim {

using namespace llvm;

/// m16n8k16, m64n256k16, m8n8, 2d.
static bool isShape(StringRef word) {
  bool isDims = word.size() == 2 && word[0] >= '1' && word[0] <= '5' && word[1] == 'd';
  return isDims || (word.consume_front("m") && all_of(word, [](char c) { return isDigit(c) || c == 'n' || c == 'k'; }));
}

bool isKnownWord(StringRef word) {
  static const StringSet<> words = {
      // types and vectors
      "b8", "b16", "b32", "b64", "b128", "s8", "s16", "s32", "s64", "u8", "u16", "u32", "u64", "f16", "f32", "f64",
      "bf16", "f16x2", "bf16x2", "f32x2", "u16x2", "s16x2", "tf32", "e4m3", "e5m2", "e4m3x2", "e5m2x2", "pred", "v2",
      "v4", "v8",
      // arithmetic
      "rn", "rz", "rm", "rp", "rna", "rni", "rzi", "rmi", "rpi", "ftz", "noftz", "sat", "satfinite", "relu", "approx",
      "full", "lo", "hi", "wide", "cc", "NaN", "xorsign", "abs", "shiftamt", "wrap", "clamp", "l", "r", "po", "shr7",
      "shr15", "pack", "f4e", "b4e", "rc8", "ecl", "ecr", "rc16",
      // comparison
      "eq", "ne", "lt", "le", "gt", "ge", "ls", "hs", "equ", "neu", "ltu", "leu", "gtu", "geu", "num", "nan", "finite",
      "infinite", "number", "notanumber", "normal", "subnormal", "and", "or", "xor",
      // memory: spaces, order, scopes, caches
      "global", "shared", "shared::cta", "shared::cluster", "local", "const", "param", "weak", "volatile", "relaxed",
      "acquire", "release", "acq_rel", "sc", "gl", "cta", "cluster", "gpu", "sys", "ca", "cg", "cs", "cv", "lu", "wb",
      "wt", "nc", "L1", "L2", "evict_last", "evict_normal", "unified", "fractional",
      // atomics and collectives
      "add", "min", "max", "inc", "dec", "exch", "cas", "sync", "arrive", "red", "popc", "warp", "aligned", "up",
      "down", "bfly", "idx", "all", "any", "uni", "ballot",
      // matrices
      "row", "col", "trans", "x1", "x2", "x4", "load", "store", "mma", "a", "b", "c", "d", "mma_async", "fence",
      "commit_group", "wait_group",
      // copies and barriers beside the threads
      "async", "bulk", "tensor", "bulk_group", "wait_all", "mbarrier", "mbarrier::complete_tx::bytes",
      "multicast::cluster", "tile", "im2col", "im2col_no_offs", "read", "reduce", "prefetch", "tensormap", "noinc",
      "init", "inval", "test_wait", "try_wait", "parity", "arrive_drop", "expect_tx", "complete_tx", "noComplete",
      "pending_count", "proxy", "alias", "tensormap::generic", "mbarrier_init", "async::generic",
      "sync_restrict::shared::cta", "sync_restrict::shared::cluster", "range", "cvt", "mmio", "param::entry",
      "param::func", "mask", "u2", "s2", "u4", "s4",
      // control
      "to", "launch_dependents", "wait"};
  return words.contains(word) || word.starts_with("L1::") || word.starts_with("L2::") || isShape(word);
}

} // namespace dscc::sim
