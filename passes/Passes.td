// Every pass, in the order a model meets them. compiler/Pipeline.cpp says why.

#ifndef DSCC_PASSES_TD
#define DSCC_PASSES_TD

include "mlir/Pass/PassBase.td"

//===-- Any time --------------------------------------------------------------------------------------------------===//

def VerifyStage : Pass<"dsc-verify-stage", "mlir::ModuleOp"> {
  let summary = "Check what must hold at the end of a stage";
  let description = [{
    In:  a module at the end of `stage`.  Out: the same; an error names the first op that breaks a promise.
  }];
  let options = [Option<"stage", "stage", "std::string", "", "The stage that has just ended, e.g. 'grouped'">];
}

//===-- canonical -------------------------------------------------------------------------------------------------===//

//===-- typed -----------------------------------------------------------------------------------------------------===//

//===-- laidout ---------------------------------------------------------------------------------------------------===//

def SplitTargets : Pass<"dsc-split-targets", "mlir::ModuleOp"> {
  let summary = "Give each target a module of its own";
  let description = [{
    In:  @main in the top module.  Out: one nested module a target with a copy of @main; the top module keeps the
    signature as a declaration. From here on targets go separate ways.

    ```mlir
    func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
      %0 = dsc.relu %x : (tensor<4xf32>) -> tensor<4xf32>
      return %0 : tensor<4xf32>
    }
    ```
    becomes
    ```mlir
    func.func private @main(tensor<4xf32>) -> tensor<4xf32>
    module @cuda attributes {dsc.target = "cuda"} {
      func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
        %0 = dsc.relu %x : (tensor<4xf32>) -> tensor<4xf32>
        return %0 : tensor<4xf32>
      }
    }
    ```
  }];
  let options = [ListOption<"targets", "targets", "std::string", "Names of rows of dialects/dsc/Targets.cpp">];
}

//===-- grouped ---------------------------------------------------------------------------------------------------===//

def FuseGroups : Pass<"dsc-fuse-groups", "mlir::func::FuncOp"> {
  let summary = "Cut the graph into groups that run as one kernel each";
  let description = [{
    In:  a flat list of `dsc` ops.  Out: every op that computes is inside a `dsc.group`; constants and reshapes, which
    are views, stay outside.

    ```mlir
    %0 = dsc.add %a, %b : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    %1 = dsc.relu %0 : (tensor<4xf32>) -> tensor<4xf32>
    ```
    becomes
    ```mlir
    %1 = dsc.group (%a, %b) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%c: tensor<4xf32>, %d: tensor<4xf32>):
      %2 = dsc.add %c, %d : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
      %3 = dsc.relu %2 : (tensor<4xf32>) -> tensor<4xf32>
      dsc.yield %3 : tensor<4xf32>
    }
    ```
  }];
  let options = [Option<"fuse", "fuse", "bool", "true", "If false, each op is a group of its own">];
  let statistics = [Statistic<"numGroups", "groups", "Groups formed">,
                    Statistic<"numFused", "fused", "Ops that share a group with another">];
  let dependentDialects = ["dsc::DscDialect"];
}

//===-- placed ----------------------------------------------------------------------------------------------------===//

def PlanMemory : Pass<"dsc-plan-memory", "mlir::func::FuncOp"> {
  let summary = "Give each group's results a place in one arena";
  let description = [{
    In:  groups.  Out: `offsets` and `outputs` on each group, `dsc.arena` (an expression over the named dims) and
    `dsc.max_live` (its lower bound at one assignment) on the function.

    ```mlir
    %0 = dsc.group (%x) : (tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%a: tensor<4xf32>):
      %2 = dsc.relu %a : (tensor<4xf32>) -> tensor<4xf32>
      dsc.yield %2 : tensor<4xf32>
    }
    ```
    becomes
    ```mlir
    %0 = dsc.group (%x) {offsets = #dsc.dims<0>, outputs = [-1]} : (tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%a: tensor<4xf32>):
      %2 = dsc.relu %a : (tensor<4xf32>) -> tensor<4xf32>
      dsc.yield %2 : tensor<4xf32>
    }
    ```
  }];
  let options = [Option<"inPlace", "in-place", "bool", "true", "Let results take over the bytes of dying inputs">];
  let statistics = [Statistic<"numBuffers", "buffers", "Buffers in the arena">,
                    Statistic<"numInPlace", "in-place", "Results that take over an input's bytes">,
                    Statistic<"numDirect", "direct", "Results written straight into an output">,
                    Statistic<"arenaBytes", "arena-bytes", "Bytes of arena at the nominal dims">,
                    Statistic<"maxLiveBytes", "max-live-bytes", "Most bytes live at once at the nominal dims">];
  let dependentDialects = ["dsc::DscDialect"];
}

//===-- streamed --------------------------------------------------------------------------------------------------===//

def BuildProgram : Pass<"dsc-build-program", "mlir::ModuleOp"> {
  let summary = "Turn the launches into a host program";
  let description = [{
    In:  @main of each nested module holds launches.  Out: @main is replaced by `llvm.func`s @run and @arena_bytes, the
    constants are listed in `dsc.weights`, and the top module has @dims.

    ```mlir
    module @cuda attributes {dsc.target = "cuda"} {
      func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
        return %x : tensor<4xf32>
      }
    }
    ```
    becomes
    ```mlir
    module @cuda attributes {dsc.target = "cuda", dsc.arena = "0", dsc.weights = []} {
      llvm.func @run(%args: !llvm.ptr) -> i32
      llvm.func @arena_bytes(%symbols: !llvm.ptr) -> i64
    }
    ```
  }];
  let statistics = [Statistic<"numLaunches", "launches", "Kernels launched by a run">,
                    Statistic<"numCopies", "copies", "Copies made by a run">];
  let dependentDialects = ["dsc::DscDialect", "mlir::LLVM::LLVMDialect", "mlir::arith::ArithDialect"];
}

#endif // DSCC_PASSES_TD
