// What a kernel is made from: the text by which equal groups are known, and what their code takes from outside.

#ifndef DSCC_PASSES_KERNELS_WORK_H
#define DSCC_PASSES_KERNELS_WORK_H

#include "passes/kernels/KernelBuilder.h"

namespace dscc::kernels {

/// All that a kernel is made from, as text: the body and its schedule, without names, places and locations.
std::string describeWork(dsc::GroupOp group, dsc::ScheduleAttr schedule);
/// The named dims that anything inside depends on, in the order of their names.
std::vector<std::string> symbolsOf(dsc::GroupOp group);
/// Tells the builder where the group's inputs are: `pointers` begins with one for each.
void bindTensors(KernelBuilder &k, dsc::GroupOp group, llvm::ArrayRef<Value> pointers);
/// How a group is written that stands beside others, where the group that they are in is written by `schedule`. It has
/// as many schedules as that one, or one for all runs.
dsc::ScheduleAttr scheduleOfPart(dsc::GroupOp part, dsc::ScheduleAttr schedule);

} // namespace dscc::kernels

#endif // DSCC_PASSES_KERNELS_WORK_H
