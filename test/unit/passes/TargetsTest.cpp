// What the table of targets promises to those who look at its fields.

#include "dialects/dsc/Targets.h"

#include "llvm/ADT/STLExtras.h"

#include <gtest/gtest.h>

namespace dscc {

TEST(Targets, EveryChipRunsKernelsOfACudaTarget) {
  for (const Chip &chip : allChips()) {
    SCOPED_TRACE(chip.name.str());
    const Target *target = findTarget(chip.target);
    ASSERT_TRUE(target);
    EXPECT_EQ(target->device, Device::Cuda);
    EXPECT_LE(target->level, chip.sm);
    EXPECT_LE(chip.sm, chip.lastSm);
    // No machine code outlives its major version.
    EXPECT_EQ(chip.sm / 10, chip.lastSm / 10);
  }
}

TEST(Targets, OneServesLaterChipsAndStandsLast) {
  llvm::ArrayRef<Target> all = allTargets();
  EXPECT_EQ(llvm::count_if(all, [](const Target &target) { return target.servesLaterChips; }), 1);
  // A program that others could be chosen before would hide them.
  EXPECT_TRUE(all.back().servesLaterChips);
  for (const Target &target : all) {
    EXPECT_EQ(target.device == Device::Cuda, target.gpu != nullptr) << target.name.str();
    if (target.device == Device::Cuda)
      EXPECT_GE(target.level, all.back().level) << target.name.str();
  }
}

TEST(Targets, DefaultChipsAreInTheTable) {
  std::vector<std::string> names = defaultChips();
  EXPECT_EQ(names, (std::vector<std::string>{"sm_80", "sm_86", "sm_89", "sm_90a"}));
  for (const std::string &name : names)
    EXPECT_TRUE(findChip(name)) << name;
  EXPECT_FALSE(findChip("sm_90"));
}

/// What a generation says that there is fits its smallest chip.
TEST(Targets, LimitsOfGenerations) {
  const Gpu &sm80 = *findTarget("cuda_sm80")->gpu, &sm90 = *findTarget("cuda_sm90a")->gpu;
  EXPECT_EQ(sm80.sharedPerBlock, 99 * 1024);
  EXPECT_EQ(sm90.sharedPerBlock, 227 * 1024);
  for (const Gpu *gpu : {&sm80, &sm90}) {
    EXPECT_EQ(gpu->sharedPerBlock + 1024, gpu->sharedPerMultiprocessor);
    for (const MatrixUnit &unit : {gpu->f16, gpu->tf32, gpu->int8, gpu->fp8})
      EXPECT_EQ(unit.instruction == MatrixInstruction::None, unit.flopPerClock == 0);
  }
  EXPECT_EQ(sm80.f16.instruction, MatrixInstruction::Mma);
  EXPECT_EQ(sm90.f16.instruction, MatrixInstruction::Wgmma);
  EXPECT_FALSE(sm80.hasTensorMaps || sm80.hasClusters || sm80.hasProgrammaticLaunch);
  EXPECT_TRUE(sm90.hasTensorMaps && sm90.hasClusters && sm90.hasProgrammaticLaunch);
}

} // namespace dscc
