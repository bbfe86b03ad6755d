// The passes of the stage scheduled, in the order in which groups meet them.

#ifndef DSCC_PASSES_SCHEDULE_PASSES_TD
#define DSCC_PASSES_SCHEDULE_PASSES_TD

include "mlir/Pass/PassBase.td"

def PrepareGroups : Pass<"dsc-prepare-groups", "mlir::func::FuncOp"> {
  let summary = "Bring each group into the shape in which emitters see it";
  let description = [{
    In:  groups.  Out: groups whose bodies have reductions in place of row ops, and as few dims as may be. Inputs and
    results keep their types outside. `label` keeps what the kernel is called where ops were spelled out.

    ```mlir
    func.func @main(%x: tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
      %0 = dsc.group (%x) : (tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
      ^bb0(%a: tensor<2x3x4xf32>):
        %1 = dsc.relu %a : (tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
        dsc.yield %1 : tensor<2x3x4xf32>
      }
      return %0 : tensor<2x3x4xf32>
    }
    ```
    becomes
    ```mlir
    func.func @main(%x: tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
      %0 = dsc.group (%x) : (tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
      ^bb0(%a: tensor<24xf32>):
        %1 = dsc.relu %a : (tensor<24xf32>) -> tensor<24xf32>
        dsc.yield %1 : tensor<24xf32>
      }
      return %0 : tensor<2x3x4xf32>
    }
    ```

    Counts: `numExpanded` (row ops written as reductions), `numJoined` (groups whose dims were joined or dropped).
  }];
}

def ScheduleGroups : Pass<"dsc-schedule-groups", "mlir::func::FuncOp"> {
  let summary = "Choose how each group becomes a kernel";
  let description = [{
    In:  groups of a target's module, prepared.  Out: `schedule` on each group: the emitter that will write it, and that
    emitter's parameters. All emitters of the table in passes/kernels/Emitters.cpp that accept the group compete with all
    their ways, and the least estimate wins. What has rows or columns that only a run knows may get a list, each but
    the last with a condition. A group that has a schedule keeps it. Ways whose kernels hand on more bytes than the
    group's tensors have are left out.

    ```mlir
    module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
      func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
        %0 = dsc.group (%x) : (tensor<4xf32>) -> tensor<4xf32> {
        ^bb0(%a: tensor<4xf32>):
          %1 = dsc.relu %a : (tensor<4xf32>) -> tensor<4xf32>
          dsc.yield %1 : tensor<4xf32>
        }
        return %0 : tensor<4xf32>
      }
    }
    ```
    becomes
    ```mlir
    module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
      func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
        %0 = dsc.group (%x) {schedule = #dsc.schedule<elementwise, width = 4>} : (tensor<4xf32>) -> tensor<4xf32> {
        ^bb0(%a: tensor<4xf32>):
          %1 = dsc.relu %a : (tensor<4xf32>) -> tensor<4xf32>
          dsc.yield %1 : tensor<4xf32>
        }
        return %0 : tensor<4xf32>
      }
    }
    ```

    Counts: `numScheduled` (groups scheduled), `numAlternatives` (schedules that are for some sizes only).
  }];
  let options = [Option<"pack", "pack", "bool", "true", "Let schedules want constants that PackConstants has to pack">,
                 Option<"explained", "explain", "std::string", "\"\"",
                        "Tell of groups with nodes whose name matches this regular expression what was chosen and why">];
  let dependentDialects = ["dsc::DscDialect"];
}

def PackConstants : Pass<"dsc-pack-constants", "mlir::ModuleOp"> {
  let summary = "Bring constants into the panels that schedules want";
  let description = [{
    In:  scheduled groups of all targets.  Out: where a schedule says `packed = 1`, the constant that the group's product
    reads along its columns lies in panels of 16 columns, and a `dsc.unpack` in the body stands for the matrix. Whoever
    else reads the constant reads the panels too, on other targets as well, so that it is stored once: products by the
    same matrices, and groups that look up some of its columns. What cannot is left with the constant as it was. The
    bytes are moved when the artifact is written.

    ```mlir
    %w = dsc.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf32>
    %y = dsc.group (%x, %w) {schedule = #dsc.schedule<tiles, columns_outside = 1, packed = 1, row_tiles = 1, rows = 4, vectors = 1, width = 4>}
       : (tensor<4x2xf32>, tensor<3x2xf32>) -> tensor<4x3xf32> {
    ^bb0(%a: tensor<4x2xf32>, %b: tensor<3x2xf32>):
      %0 = dsc.matmul %a, %b {transpose_rhs} : (tensor<4x2xf32>, tensor<3x2xf32>) -> tensor<4x3xf32>
      dsc.yield %0 : tensor<4x3xf32>
    }
    ```
    becomes
    ```mlir
    %p = dsc.constant #dsc.panels<dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf32>, transposed>
    %y = dsc.group (%x, %p) {label = "matmul", schedule = #dsc.schedule<tiles, columns_outside = 1, packed = 1, row_tiles = 1, rows = 4, vectors = 1, width = 4>}
       : (tensor<4x2xf32>, tensor<1x2x16xf32>) -> tensor<4x3xf32> {
    ^bb0(%a: tensor<4x2xf32>, %b: tensor<1x2x16xf32>):
      %m = dsc.unpack %b : (tensor<1x2x16xf32>) -> tensor<2x3xf32>
      %0 = dsc.matmul %a, %m : (tensor<4x2xf32>, tensor<2x3xf32>) -> tensor<4x3xf32>
      dsc.yield %0 : tensor<4x3xf32>
    }
    ```

    Counts: `numPacked` (constants packed), `numReaders` (groups that read panels), `numTwice` (packed constants that
    others read as they were).
  }];
  let options = [Option<"explained", "explain", "std::string", "\"\"",
                        "Tell of groups with nodes whose name matches this regular expression what they read from panels, or why they do not">];
  let dependentDialects = ["dsc::DscDialect"];
}

def JoinLaunches : Pass<"dsc-join-launches", "mlir::func::FuncOp"> {
  let summary = "Let groups that do not wait for each other share a launch";
  let description = [{
    In:  scheduled groups of a target's module, constants packed.  Out: where the target's launches cost time, groups
    that have all they read at the place of the first of them, and whose blocks are alike, are one group, in whose body
    they stand side by side. Groups whose schedules differ take those of one of them, if that is estimated to cost less
    than the launches that are saved; a schedule that was written by hand stays.

    ```mlir
    module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
      func.func @main(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
        %0 = dsc.group (%x) {schedule = #dsc.schedule<elementwise, width = 4>} : (tensor<4xf32>) -> tensor<4xf32> {
        ^bb0(%a: tensor<4xf32>):
          %1 = dsc.relu %a : (tensor<4xf32>) -> tensor<4xf32>
          dsc.yield %1 : tensor<4xf32>
        }
        %2 = dsc.group (%x) {schedule = #dsc.schedule<elementwise, width = 4>} : (tensor<4xf32>) -> tensor<4xf32> {
        ^bb0(%a: tensor<4xf32>):
          %3 = dsc.sigmoid %a : (tensor<4xf32>) -> tensor<4xf32>
          dsc.yield %3 : tensor<4xf32>
        }
        return %0, %2 : tensor<4xf32>, tensor<4xf32>
      }
    }
    ```
    becomes
    ```mlir
    module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
      func.func @main(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
        %0:2 = dsc.group (%x) {label = "relu_and_sigmoid", schedule = #dsc.schedule<side_by_side, way = 0>}
           : (tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
        ^bb0(%y: tensor<4xf32>):
          %1 = dsc.group (%y) {schedule = #dsc.schedule<elementwise, width = 4>} : (tensor<4xf32>) -> tensor<4xf32> {
          ^bb0(%a: tensor<4xf32>):
            %3 = dsc.relu %a : (tensor<4xf32>) -> tensor<4xf32>
            dsc.yield %3 : tensor<4xf32>
          }
          %2 = dsc.group (%y) {schedule = #dsc.schedule<elementwise, width = 4>} : (tensor<4xf32>) -> tensor<4xf32> {
          ^bb0(%a: tensor<4xf32>):
            %3 = dsc.sigmoid %a : (tensor<4xf32>) -> tensor<4xf32>
            dsc.yield %3 : tensor<4xf32>
          }
          dsc.yield %1, %2 : tensor<4xf32>, tensor<4xf32>
        }
        return %0#0, %0#1 : tensor<4xf32>, tensor<4xf32>
      }
    }
    ```

    Counts: `numJoined` (groups that share a launch with others), `numLaunches` (launches that are shared).
  }];
  let options = [Option<"explained", "explain", "std::string", "\"\"",
                        "Tell of groups with nodes whose name matches this regular expression with whom they share a launch, or why they do not">];
  let dependentDialects = ["dsc::DscDialect"];
}

#endif // DSCC_PASSES_SCHEDULE_PASSES_TD
