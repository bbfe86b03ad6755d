#include "tools/simulator/Latencies.h"

#include "llvm/ADT/STLExtras.h"

namespace dscc::sim {

static constexpr uint32_t KiB = 1024;

// Sources, by number:
//   [1] Luo et al., "Benchmarking and Dissecting the Nvidia Hopper GPU Architecture", arXiv 2402.13499, and its sequel
//       arXiv 2501.12084: L1, shared memory, L2 and DRAM of A100, RTX 4090 and H100 by pointer chasing; mma.sync and
//       wgmma (mma.sync reaches 62 % of Hopper's peak; wgmma m64n256k16 takes 128 clocks, and the fewest are 32);
//       copies by the tensor memory accelerator, 170 clocks beside the load.
//   [2] Abdelkhalik et al., "Demystifying the Nvidia Ampere Architecture through Microbenchmarking and
//       Instruction-level Analysis", arXiv 2208.11174: dependent add, mul and fma take 4 clocks; f64; conversions.
//   [3] Sun et al., "Dissecting Tensor Cores via Microbenchmarks", arXiv 2206.02874: mma.sync m16n8k16 of f16 takes 33
//       clocks on A100, 16 of which are two turns of the unit; its peak is reached.
//   [4] Zhang et al., "A Study of Single and Multi-device Synchronization Methods in Nvidia GPUs", arXiv 2004.05371: a
//       barrier of a block takes 22 clocks, a shuffle 22.
//   [5] CUDA C++ programming guide, arithmetic throughput by compute capability: 64 integer operations, 16 conversions
//       (64 from 8.6 on) and 16 special functions a clock.
//   [6] NVIDIA's white paper: 5,120 bytes a clock from A100's L2. DeepGEMM's model of H100 has 8 TB/s, which are 4,370
//       bytes a clock of the data sheet and 6,150 of the 1.3 GHz that it takes; between them, what fits the steps of
//       test/tools/simulator/ladder.py best. None for sm_86 and sm_89: half of what their multiprocessors can take, a
//       quarter.
//   [7] Copies at 89.6 % of the data sheet's bandwidth on H200, 90 % on A100 and 92 % on Ada.
// What all of them have is said once, in Latencies.h: arithmetic, conversions and special functions by [2], shuffles
// and barriers of a block by [4], products by [3], shared memory, bulk copies and clusters by [1] (a load from another
// block's shared memory takes 180), intervals by [5], the share of DRAM by [7].
// Of these numbers the 4 clocks of [2] were read in its text; those of [1], [3] and [4] have yet to be compared with
// the papers' tables. sm_86 has been measured by few: its latencies are those of sm_80, clocks of DRAM by the time on
// GDDR6 ([1], RTX 4090).
static constexpr Latencies table[] = {
    {.chip = "sm_80",
     .f64 = 8,                // [2]
     .l1 = 38,                // [1]
     .l2 = 262,               // [1]
     .dram = 466,             // [1]
     .conversionInterval = 8, // [5]
     .l2BytesPerClock = 5120, // [6]
     .l1Bytes = 192 * KiB},
    {.chip = "sm_86", .f64 = 36, .l1 = 38, .l2 = 262, .dram = 466, .l2BytesPerClock = 72 * 32, .l1Bytes = 128 * KiB},
    {.chip = "sm_89",
     .f64 = 36,
     .l1 = 43,     // [1]
     .l2 = 273,    // [1]
     .dram = 541,  // [1]
     .shared = 30, // [1]
     .l2BytesPerClock = 142 * 16,
     .l1Bytes = 128 * KiB},
    {.chip = "sm_90",
     .f64 = 8,
     .l1 = 41,                // [1]
     .l2 = 263,               // [1]
     .dram = 479,             // [1]
     .mmaShare = 0.62,        // [1]
     .l2BytesPerClock = 5300, // [6]
     .l1Bytes = 256 * KiB},
};

const Latencies &latenciesOf(llvm::StringRef chip) {
  return *llvm::find_if(table, [&](const Latencies &row) { return row.chip == chip; });
}

} // namespace dscc::sim
