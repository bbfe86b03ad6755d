// The journey of a model through the compiler, told in order.
//
// A step is an action; the stage it ends in is a state. After each step VerifyStage checks what that stage promises, so
// a pass may rely on every promise made above it and on nothing else.

#include "compiler/Pipeline.h"

#include "dialects/dsc/Targets.h"
#include "passes/Passes.h"

#include "mlir/Transforms/Passes.h"
#include "llvm/ADT/STLExtras.h"

namespace dscc {

using namespace mlir;

/// True unless the user has left the pass out: --disable=NAME, its name without "dsc-".
static bool isEnabled(const CompileOptions &options, llvm::StringRef pass) {
  assert(llvm::is_contained(optionalPasses(), pass) && "a pass that can be left out is in the list");
  return !llvm::is_contained(options.disabledPasses, pass);
}

/// The passes of one function, each of which may be disabled.
static void addEnabled(OpPassManager &pm, const CompileOptions &options, std::unique_ptr<Pass> pass) {
  if (isEnabled(options, pass->getArgument().drop_front(strlen("dsc-"))))
    pm.addNestedPass<func::FuncOp>(std::move(pass));
}

static void tidy(OpPassManager &pm) {
  pm.addNestedPass<func::FuncOp>(createCanonicalizerPass());
  pm.addNestedPass<func::FuncOp>(createCSEPass());
}

static void foldConstants(OpPassManager &pm, const CompileOptions &options) {
  addEnabled(pm, options, createEvaluateShapes());
  FoldConstantsOptions folding;
  folding.budget = options.budgets.foldedBytes;
  addEnabled(pm, options, createFoldConstants(folding));
}

static void canonicalize(OpPassManager &pm, const CompileOptions &options) {
  SimplifyGraphOptions simplification;
  simplification.reciprocals = options.optLevel >= 2;
  foldConstants(pm, options);
  tidy(pm);
  // Before SimplifyGraph, which rewrites the powers and quotients that the recognisers look for.
  addEnabled(pm, options, createRecomposeGelu());
  // Before RecomposeNormalization, which knows the centred form only.
  addEnabled(pm, options, createRecomposeVariance());
  addEnabled(pm, options, createRecomposeNormalization());
  addEnabled(pm, options, createFoldScaleIntoConv());
  addEnabled(pm, options, createSimplifyGraph(simplification));
  foldConstants(pm, options);
  tidy(pm);
}

/// Whether the target gets a program: a CPU level that was asked for, the generation of a chip that was, or the one
/// whose PTX serves all other chips.
static bool isWanted(const Target &target, const CompileOptions &options) {
  if (target.device == Device::Cpu)
    return options.cpu && llvm::is_contained(options.cpuLevels, target.level);
  bool hasChip = llvm::any_of(options.archs, [&](llvm::StringRef name) {
    const Chip *chip = findChip(name);
    return chip && chip->target == target.name;
  });
  return options.cuda && (hasChip || target.servesLaterChips);
}

/// One program a target, best first, as the runtime tries them.
static void splitTargets(OpPassManager &pm, const CompileOptions &options) {
  SplitTargetsOptions split;
  for (const Target &target : allTargets())
    if (isWanted(target, options))
      split.targets.push_back(target.name.str());
  pm.addPass(createSplitTargets(split));
}

static OpPassManager &eachMain(OpPassManager &pm) { return pm.nest<ModuleOp>().nest<func::FuncOp>(); }

static void assignTypes(OpPassManager &pm, const CompileOptions &options) {
  AssignPrecisionOptions assignment;
  if (options.precision != Precision::Fp32)
    assignment.precision = options.precision == Precision::Fp16 ? "fp16" : "bf16";
  if (isEnabled(options, "assign-precision"))
    pm.addPass(createAssignPrecision(assignment));
  OpPassManager &each = pm.nest<ModuleOp>();
  // Joins the casts between neighbours.
  addEnabled(each, options, createSimplifyGraph());
  tidy(each);
}

static void chooseLayouts(OpPassManager &pm, const CompileOptions &options) {
  if (!isEnabled(options, "choose-layouts"))
    return;
  ChooseLayoutsOptions layouts;
  layouts.explained = options.explainLayouts;
  // All targets together, so that a filter that several of them want moved is moved, and stored, once.
  pm.addPass(createChooseLayouts(layouts));
  OpPassManager &each = pm.nest<ModuleOp>();
  // Joins transposes that meet now.
  addEnabled(each, options, createSimplifyGraph());
  tidy(each);
}

static void fuseGroups(OpPassManager &pm, const CompileOptions &options) {
  FuseGroupsOptions fusion;
  fusion.fuse = isEnabled(options, "fuse-groups");
  fusion.explained = options.explainFusion;
  // Before fusion, which would take joins into the kernels of those who read them.
  PlaceWindowsOptions windows;
  windows.explained = options.explainFusion;
  addEnabled(pm.nest<ModuleOp>(), options, createPlaceWindows(windows));
  // After joins, whose parts are taken then.
  PlaceTransposesOptions transposes;
  transposes.explained = options.explainFusion;
  addEnabled(pm.nest<ModuleOp>(), options, createPlaceTransposes(transposes));
  eachMain(pm).addPass(createFuseGroups(fusion));
}

static void scheduleGroups(OpPassManager &pm, const CompileOptions &options) {
  ScheduleGroupsOptions schedule;
  schedule.explained = options.explainSchedule;
  schedule.pack = isEnabled(options, "pack-constants");
  // Before anything is chosen: estimates are made of what emitters will see.
  eachMain(pm).addPass(createPrepareGroups());
  eachMain(pm).addPass(createScheduleGroups(schedule));
  // All targets together, so that a constant that several of them want packed is stored once.
  PackConstantsOptions packing;
  packing.explained = options.explainSchedule;
  if (schedule.pack)
    pm.addPass(createPackConstants(packing));
  // Last: what reads panels, or how many kernels a group has, decides who may share a launch.
  JoinLaunchesOptions joining;
  joining.explained = options.explainSchedule;
  addEnabled(pm.nest<ModuleOp>(), options, createJoinLaunches(joining));
}

static void emitKernels(OpPassManager &pm, const CompileOptions &options) {
  OpPassManager &target = pm.nest<ModuleOp>();
  target.addPass(createEmitKernels());
  // After emission, and the last word about loops: translation forbids all other unrollers.
  if (isEnabled(options, "unroll-loops"))
    target.addPass(createUnrollLoops());
}

static void planMemory(OpPassManager &pm, const CompileOptions &options) {
  PlanMemoryOptions plan;
  plan.share = isEnabled(options, "plan-memory");
  plan.inPlace = plan.share && isEnabled(options, "in-place");
  eachMain(pm).addPass(createPlanMemory(plan));
}

static void buildProgram(OpPassManager &pm, const CompileOptions &options) { pm.addPass(createBuildProgram()); }

llvm::ArrayRef<Step> journey() {
  static const std::vector<Step> steps = {
      {"canonical", canonicalize},
      // From here on targets go separate ways: before types, which a kind of device may choose as suits it.
      {"split", splitTargets},
      {"typed", assignTypes},
      // After types, which decide how much is moved; before fusion, which must see the ops that move.
      {"laidout", chooseLayouts},
      {"grouped", fuseGroups},
      {"scheduled", scheduleGroups},
      // After scheduling, which may add buffers; before emission, because launches carry the offsets.
      {"placed", planMemory},
      {"emitted", emitKernels},
      {"streamed", buildProgram},
  };
  return steps;
}

LogicalResult buildPipeline(OpPassManager &pm, const CompileOptions &options) {
  if (!options.until.empty() && !llvm::is_contained(allStages(), options.until))
    return failure();
  if (options.until == allStages().front())
    return success();
  for (const Step &step : journey()) {
    step.build(pm, options);
    pm.addPass(createVerifyStage({step.stage.str()}));
    if (step.stage == options.until)
      break;
  }
  return success();
}

llvm::ArrayRef<llvm::StringLiteral> optionalPasses() {
  static constexpr llvm::StringLiteral passes[] = {"evaluate-shapes",
                                                   "fold-constants",
                                                   "recompose-gelu",
                                                   "recompose-variance",
                                                   "recompose-normalization",
                                                   "fold-scale-into-conv",
                                                   "simplify-graph",
                                                   "assign-precision",
                                                   "choose-layouts",
                                                   "place-windows",
                                                   "place-transposes",
                                                   "fuse-groups",
                                                   "pack-constants",
                                                   "join-launches",
                                                   "plan-memory",
                                                   "in-place",
                                                   "unroll-loops"};
  return passes;
}

llvm::ArrayRef<llvm::StringLiteral> allStages() {
  static constexpr llvm::StringLiteral stages[] = {"imported", "canonical", "split",      "typed",
                                                   "laidout",  "grouped",   "scheduled",  "placed",
                                                   "emitted",  "streamed",  "translated", "linked"};
  return stages;
}

} // namespace dscc
