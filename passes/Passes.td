// Every pass, in the order a model meets them. compiler/Pipeline.cpp says why.

#ifndef DSCC_PASSES_TD
#define DSCC_PASSES_TD

include "mlir/Pass/PassBase.td"

//===-- Any time --------------------------------------------------------------------------------------------------===//

def VerifyStage : Pass<"dsc-verify-stage", "mlir::ModuleOp"> {
  let summary = "Check what must hold at the end of a stage";
  let description = [{
    In:  a module at the end of `stage`.  Out: the same; an error names the first op that breaks a promise.

    With `stage=grouped`:
    ```mlir
    module {
      func.func private @main(tensor<4xf32>) -> tensor<4xf32>
      module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
        func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
          %y = dsc.relu %x : (tensor<4xf32>) -> tensor<4xf32>
          return %y : tensor<4xf32>
        }
      }
    }
    ```
    is refused with
    ```
    'dsc.relu' op is outside any dsc.group, so no kernel computes it
    ```
  }];
  let options = [Option<"stage", "stage", "std::string", "", "The stage that has just ended, e.g. 'grouped'">];
}

//===-- canonical -------------------------------------------------------------------------------------------------===//

def EvaluateShapes : Pass<"dsc-evaluate-shapes", "mlir::func::FuncOp"> {
  let summary = "Compute sizes from named dims and constants";
  let description = [{
    In:  a flat graph.  Out: the same; a small tensor of integers whose elements are expressions of the named dims and
    constants, for all their values, is a `dsc.dims` or a `dsc.constant`. The importer does so too for each node, so that
    shapes are known while the graph is being built; the pass finds what later passes have made known.

    ```mlir
    %0 = dsc.dims <"n", 8> : tensor<2xi64>
    %1 = dsc.constant dense<2> : tensor<i64>
    %2 = dsc.mul %0, %1 : (tensor<2xi64>, tensor<i64>) -> tensor<2xi64>
    ```
    becomes
    ```mlir
    %2 = dsc.dims <"2*n", 16> : tensor<2xi64>
    ```

    Counts: `numEvaluated` (ops replaced by known sizes).
  }];
  // Elementwise ops are evaluated by way of a kernel's code.
  let dependentDialects = ["dsc::DscDialect", "mlir::arith::ArithDialect", "mlir::func::FuncDialect",
                           "mlir::math::MathDialect"];
}

def FoldConstants : Pass<"dsc-fold-constants", "mlir::func::FuncOp"> {
  let summary = "Compute what depends on constants only";
  let description = [{
    In:  a flat graph.  Out: the same; ops on constants are constants, within a budget of bytes.

    ```mlir
    %w = dsc.constant dense<[[1.0, 2.0]]> : tensor<1x2xf32>
    %t = dsc.transpose %w {permutation = [1, 0]} : (tensor<1x2xf32>) -> tensor<2x1xf32>
    ```
    becomes
    ```mlir
    %t = dsc.constant dense<[[1.0], [2.0]]> : tensor<2x1xf32>
    ```

    Counts: `numFolded` (ops replaced by constants), `numBytes` (bytes of new constants).
  }];
  let options = [Option<"budget", "budget", "int64_t", "268435456", "Bytes that all folded constants may take">];
  // Elementwise ops are evaluated by way of a kernel's code.
  let dependentDialects = ["dsc::DscDialect", "mlir::arith::ArithDialect", "mlir::func::FuncDialect",
                           "mlir::math::MathDialect"];
}

def SimplifyGraph : Pass<"dsc-simplify-graph", "mlir::func::FuncOp"> {
  let summary = "Apply identities that make the graph smaller or cheaper";
  let description = [{
    In:  a flat graph.  Out: the same, with transposes joined and taken into products, casts joined, powers and
    divisions by constants expanded, gathers of known neighbours turned into slices.

    ```mlir
    %t = dsc.transpose %b {permutation = [1, 0]} : (tensor<4x3xf32>) -> tensor<3x4xf32>
    %y = dsc.matmul %a, %t : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
    ```
    becomes
    ```mlir
    %y = dsc.matmul %a, %b {transpose_rhs} : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<2x4xf32>
    ```
  }];
  let options = [Option<"reciprocals", "reciprocals", "bool", "false",
                        "Multiply by 1/c instead of dividing by c even where the last bit may differ">];
  let dependentDialects = ["dsc::DscDialect"];
}

def FoldScaleIntoConv : Pass<"dsc-fold-scale-into-conv", "mlir::func::FuncOp"> {
  let summary = "Fold batch normalization into the filter of its convolution";
  let description = [{
    In:  a flat graph with constants folded.  Out: the same; constant factors a channel behind a convolution are gone,
    and of several constant shifts one is left.

    ```mlir
    %w = dsc.constant dense<3.0> : tensor<1x1x1xf32>
    %a = dsc.constant dense<2.0> : tensor<1x1x1xf32>
    %c = dsc.conv %x, %w {strides = [1], dilations = [1], pads = [0, 0], groups = 1} : (tensor<1x1x4xf32>, tensor<1x1x1xf32>) -> tensor<1x1x4xf32>
    %y = dsc.mul %c, %a : (tensor<1x1x4xf32>, tensor<1x1x1xf32>) -> tensor<1x1x4xf32>
    ```
    becomes
    ```mlir
    %w = dsc.constant dense<6.0> : tensor<1x1x1xf32>
    %y = dsc.conv %x, %w {strides = [1], dilations = [1], pads = [0, 0], groups = 1} : (tensor<1x1x4xf32>, tensor<1x1x1xf32>) -> tensor<1x1x4xf32>
    ```

    Counts: `numFolded` (factors folded into filters).
  }];
  let dependentDialects = ["dsc::DscDialect"];
}

def RecomposeNormalization : Pass<"dsc-recompose-normalization", "mlir::func::FuncOp"> {
  let summary = "Recognise layer and RMS normalization in what exporters write";
  let description = [{
    In:  a flat graph.  Out: the same; (x - mean) / sqrt(variance + epsilon) is `dsc.layer_norm`, and
    x / sqrt(mean of squares + epsilon) is `dsc.rms_norm`, where the means run over the trailing dims.

    ```mlir
    %epsilon = dsc.constant dense<9.765625e-04> : tensor<f32>
    %s = dsc.mul %x, %x : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
    %m = dsc.reduce_mean %s {axes = [1]} : (tensor<2x4xf32>) -> tensor<2x1xf32>
    %e = dsc.add %m, %epsilon : (tensor<2x1xf32>, tensor<f32>) -> tensor<2x1xf32>
    %d = dsc.sqrt %e : (tensor<2x1xf32>) -> tensor<2x1xf32>
    %y = dsc.div %x, %d : (tensor<2x4xf32>, tensor<2x1xf32>) -> tensor<2x4xf32>
    ```
    becomes
    ```mlir
    %y = dsc.rms_norm %x {axis = 1, epsilon = 9.765625e-04} : (tensor<2x4xf32>) -> tensor<2x4xf32>
    ```

    Counts: `numLayerNorms` (layer normalizations recognised), `numRmsNorms` (RMS normalizations recognised).
  }];
  let dependentDialects = ["dsc::DscDialect"];
}

def RecomposeVariance : Pass<"dsc-recompose-variance", "mlir::func::FuncOp"> {
  let summary = "Centre the data before their variance is computed";
  let description = [{
    In:  a flat graph.  Out: the same; mean(x * x) - mean(x)^2 is mean((x - mean(x))^2), which keeps its digits where the
    mean is large beside the spread.

    ```mlir
    %m = dsc.reduce_mean %x {axes = [1]} : (tensor<2x4xf32>) -> tensor<2x1xf32>
    %n = dsc.mul %m, %m : (tensor<2x1xf32>, tensor<2x1xf32>) -> tensor<2x1xf32>
    %s = dsc.mul %x, %x : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
    %t = dsc.reduce_mean %s {axes = [1]} : (tensor<2x4xf32>) -> tensor<2x1xf32>
    %v = dsc.sub %t, %n : (tensor<2x1xf32>, tensor<2x1xf32>) -> tensor<2x1xf32>
    ```
    becomes
    ```mlir
    %m = dsc.reduce_mean %x {axes = [1]} : (tensor<2x4xf32>) -> tensor<2x1xf32>
    %d = dsc.sub %x, %m : (tensor<2x4xf32>, tensor<2x1xf32>) -> tensor<2x4xf32>
    %s = dsc.mul %d, %d : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
    %v = dsc.reduce_mean %s {axes = [1]} : (tensor<2x4xf32>) -> tensor<2x1xf32>
    ```

    Counts: `numVariances` (variances rewritten).
  }];
  let dependentDialects = ["dsc::DscDialect"];
}

def RecomposeGelu : Pass<"dsc-recompose-gelu", "mlir::func::FuncOp"> {
  let summary = "Recognise GELU in what exporters write";
  let description = [{
    In:  a flat graph.  Out: the same; x / 2 * (1 + erf(x / sqrt 2)) is `dsc.gelu`, and its approximation by tanh is
    `dsc.gelu_tanh`, whatever the order of the factors.

    ```mlir
    %sqrt_half = dsc.constant dense<0.707106769> : tensor<f32>
    %one = dsc.constant dense<1.0> : tensor<f32>
    %half = dsc.constant dense<0.5> : tensor<f32>
    %u = dsc.mul %x, %sqrt_half : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
    %e = dsc.erf %u : (tensor<4xf32>) -> tensor<4xf32>
    %s = dsc.add %e, %one : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
    %p = dsc.mul %x, %s : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    %y = dsc.mul %p, %half : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
    ```
    becomes
    ```mlir
    %y = dsc.gelu %x : (tensor<4xf32>) -> tensor<4xf32>
    ```

    Counts: `numGelus` (GELUs recognised).
  }];
  let dependentDialects = ["dsc::DscDialect"];
}

//===-- split -----------------------------------------------------------------------------------------------------===//

def SplitTargets : Pass<"dsc-split-targets", "mlir::ModuleOp"> {
  let summary = "Give each target a module of its own";
  let description = [{
    In:  @main in the top module.  Out: one nested module a target with a copy of @main; the top module keeps the
    signature as a declaration. From here on targets go separate ways.

    With `targets=cuda_sm80`:
    ```mlir
    func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
      %0 = dsc.relu %x : (tensor<4xf32>) -> tensor<4xf32>
      return %0 : tensor<4xf32>
    }
    ```
    becomes
    ```mlir
    func.func private @main(tensor<4xf32>) -> tensor<4xf32>
    module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
      func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
        %0 = dsc.relu %x : (tensor<4xf32>) -> tensor<4xf32>
        return %0 : tensor<4xf32>
      }
    }
    ```
  }];
  let options = [ListOption<"targets", "targets", "std::string", "Names of entries of dialects/dsc/Targets.cpp">];
}

//===-- typed -----------------------------------------------------------------------------------------------------===//

def AssignPrecision : Pass<"dsc-assign-precision", "mlir::ModuleOp"> {
  let summary = "Turn f32 values into narrower ones where that does no harm";
  let description = [{
    In:  canonical graphs, one a target.  Out: the same, in which values are f16 or bf16 but for the interface and for
    sensitive ops, with casts between. A constant that several targets want in the same type is converted once.

    With `precision=fp16`:
    ```mlir
    func.func @main(%x: tensor<2x4xf32>, %w: tensor<4x2xf32>) -> tensor<2x2xf32> {
      %0 = dsc.matmul %x, %w : (tensor<2x4xf32>, tensor<4x2xf32>) -> tensor<2x2xf32>
      return %0 : tensor<2x2xf32>
    }
    ```
    becomes
    ```mlir
    func.func @main(%x: tensor<2x4xf32>, %w: tensor<4x2xf32>) -> tensor<2x2xf32> {
      %0 = dsc.cast %w : (tensor<4x2xf32>) -> tensor<4x2xf16>
      %1 = dsc.cast %x : (tensor<2x4xf32>) -> tensor<2x4xf16>
      %2 = dsc.matmul %1, %0 : (tensor<2x4xf16>, tensor<4x2xf16>) -> tensor<2x2xf16>
      %3 = dsc.cast %2 : (tensor<2x2xf16>) -> tensor<2x2xf32>
      return %3 : tensor<2x2xf32>
    }
    ```

    Counts: `numCasts` (casts inserted at run time).
  }];
  let options = [Option<"precision", "precision", "std::string", "\"fp32\"", "fp32, fp16 or bf16">];
  let dependentDialects = ["dsc::DscDialect"];
}

//===-- grouped ---------------------------------------------------------------------------------------------------===//

def PlaceWindows : Pass<"dsc-place-windows", "mlir::func::FuncOp"> {
  let summary = "Let those who make a join's parts write them where they belong";
  let description = [{
    In:  a flat list of `dsc` ops.  Out: the same; `in_place` is on each `dsc.concat` that no kernel is to compute, because
    the groups that make its operands will write into its parts, and on each `dsc.slice` of unit steps that strides can
    describe. What cannot be written in its place (an input, a constant, an output, one of several results, what is at home in another
    join, or twice in this one) has a slice or a smaller concat of its own, which is copied. Parts of one tensor that meet again in a join
    are that tensor, and a join that begins like an earlier one in place continues it.

    ```mlir
    %p = dsc.conv %x, %w {strides = [1], dilations = [1], pads = [0, 0], groups = 1} : (tensor<2x3x8xf32>, tensor<4x3x1xf32>) -> tensor<2x4x8xf32>
    %q = dsc.conv %x, %v {strides = [1], dilations = [1], pads = [0, 0], groups = 1} : (tensor<2x3x8xf32>, tensor<5x3x1xf32>) -> tensor<2x5x8xf32>
    %c = dsc.concat %p, %q, %x {axis = 1} : (tensor<2x4x8xf32>, tensor<2x5x8xf32>, tensor<2x3x8xf32>) -> tensor<2x12x8xf32>
    ```
    becomes
    ```mlir
    %p = dsc.conv %x, %w {strides = [1], dilations = [1], pads = [0, 0], groups = 1} : (tensor<2x3x8xf32>, tensor<4x3x1xf32>) -> tensor<2x4x8xf32>
    %q = dsc.conv %x, %v {strides = [1], dilations = [1], pads = [0, 0], groups = 1} : (tensor<2x3x8xf32>, tensor<5x3x1xf32>) -> tensor<2x5x8xf32>
    %s = dsc.slice %x {starts = #dsc.dims<0, 0, 0>, sizes = #dsc.dims<2, 3, 8>, steps = [1, 1, 1]} : (tensor<2x3x8xf32>) -> tensor<2x3x8xf32>
    %c = dsc.concat %p, %q, %s {axis = 1, in_place} : (tensor<2x4x8xf32>, tensor<2x5x8xf32>, tensor<2x3x8xf32>) -> tensor<2x12x8xf32>
    ```

    A join stays a kernel if no operand has bytes of its own anyway, if more copies would be left than operands are written in
    place, or if its only user computes it as it reads it and an operand would have to be copied. With `explain` a remark at
    each join says what was decided, and why.

    Counts: `numJoins` (joins that are written by those who make their parts), `numParts` (results that are written
    straight into a join), `numCopied` (parts of such joins that are copied or computed there), `numDeclined` (joins that
    stay kernels).
  }];
  let options = [Option<"explained", "explain", "std::string", "\"\"",
                        "Remark on what was decided at joins of nodes whose name matches">];
  let dependentDialects = ["dsc::DscDialect"];
}

def FuseGroups : Pass<"dsc-fuse-groups", "mlir::func::FuncOp"> {
  let summary = "Cut the graph into groups that run as one kernel each";
  let description = [{
    In:  a flat list of `dsc` ops.  Out: every op that computes is inside a `dsc.group`; constants and reshapes, which
    are views, stay outside, and so do concats in place, and slices in place that no group computes on its way. `windows`
    on groups, and on concats in place, names the strides of what lies in a part of another tensor.

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

    Slices of one value that stay alone, as of a Split, share a group with several results if their dims are equal.

    Counts: `numGroups` (groups formed), `numFused` (ops that share a group with another), `numParts` (slices that share a
    group with another of the same value).
  }];
  let options = [Option<"fuse", "fuse", "bool", "true", "If false, each op is a group of its own">,
                 Option<"explained", "explain", "std::string", "\"\"",
                        "Tell of the nodes whose name matches this regular expression why they are fused or not">];
  let dependentDialects = ["dsc::DscDialect"];
}

//===-- scheduled -------------------------------------------------------------------------------------------------===//

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
    their ways, and the least estimate wins. A product whose rows or columns only a run knows may get a list, each but
    the last with a condition. A group that has a schedule keeps it.

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
  let options = [Option<"explained", "explain", "std::string", "\"\"",
                        "Tell of groups with nodes whose name matches this regular expression what was chosen and why">];
  let dependentDialects = ["dsc::DscDialect"];
}

//===-- placed ----------------------------------------------------------------------------------------------------===//

def PlanMemory : Pass<"dsc-plan-memory", "mlir::func::FuncOp"> {
  let summary = "Give each group's results a place in one arena";
  let description = [{
    In:  groups.  Out: `places` and `outputs` on each group, and the table `dsc.arena` of places on the function: the
    bytes of each as an expression over the named dims, its live range, and which places it lies on.

    ```mlir
    func.func @main(%x: tensor<?xf32, #dsc.dims<"n">>) -> tensor<?xf32, #dsc.dims<"n">> {
      %0 = dsc.group (%x) : (tensor<?xf32, #dsc.dims<"n">>) -> tensor<?xf32, #dsc.dims<"n">> {
      ^bb0(%a: tensor<?xf32, #dsc.dims<"n">>):
        %2 = dsc.relu %a : (tensor<?xf32, #dsc.dims<"n">>) -> tensor<?xf32, #dsc.dims<"n">>
        dsc.yield %2 : tensor<?xf32, #dsc.dims<"n">>
      }
      %1 = dsc.group (%0) : (tensor<?xf32, #dsc.dims<"n">>) -> tensor<?xf32, #dsc.dims<"n">> {
      ^bb0(%a: tensor<?xf32, #dsc.dims<"n">>):
        %2 = dsc.exp %a : (tensor<?xf32, #dsc.dims<"n">>) -> tensor<?xf32, #dsc.dims<"n">>
        dsc.yield %2 : tensor<?xf32, #dsc.dims<"n">>
      }
      return %1 : tensor<?xf32, #dsc.dims<"n">>
    }
    ```
    becomes
    ```mlir
    func.func @main(%x: tensor<?xf32, #dsc.dims<"n">>) -> tensor<?xf32, #dsc.dims<"n">>
        attributes {dsc.arena = [{above = array<i64>, bytes = #dsc.dims<"64*floordiv(4*n + 63, 64)">, live = array<i64: 0, 1>} ]} {
      %0 = dsc.group (%x) {outputs = [-1], places = array<i64: 0>} : (tensor<?xf32, #dsc.dims<"n">>) -> tensor<?xf32, #dsc.dims<"n">> {
      ^bb0(%a: tensor<?xf32, #dsc.dims<"n">>):
        %2 = dsc.relu %a : (tensor<?xf32, #dsc.dims<"n">>) -> tensor<?xf32, #dsc.dims<"n">>
        dsc.yield %2 : tensor<?xf32, #dsc.dims<"n">>
      }
      %1 = dsc.group (%0) {outputs = [0], places = array<i64: -1>} : (tensor<?xf32, #dsc.dims<"n">>) -> tensor<?xf32, #dsc.dims<"n">> {
      ^bb0(%a: tensor<?xf32, #dsc.dims<"n">>):
        %2 = dsc.exp %a : (tensor<?xf32, #dsc.dims<"n">>) -> tensor<?xf32, #dsc.dims<"n">>
        dsc.yield %2 : tensor<?xf32, #dsc.dims<"n">>
      }
      return %1 : tensor<?xf32, #dsc.dims<"n">>
    }
    ```

    Counts: `numBuffers` (buffers in the arena), `numInPlace` (results that take over an input's bytes), `numDirect`
    (results written straight into an output), `arenaBytes` (bytes of arena at the nominal dims), `maxLiveBytes`
    (most bytes live at once at the nominal dims).
  }];
  let options = [Option<"inPlace", "in-place", "bool", "true", "Let results take over the bytes of dying inputs">,
                 Option<"share", "share", "bool", "true", "Let results that are not live at once share bytes">];
  let dependentDialects = ["dsc::DscDialect"];
}

//===-- emitted ---------------------------------------------------------------------------------------------------===//

def EmitKernels : Pass<"dsc-emit-kernels", "mlir::ModuleOp"> {
  let summary = "Write a kernel for each group, and a launch in its place";
  let description = [{
    In:  one target's module whose groups are scheduled and placed.  Out: `dsc.launch`es in @main, and the kernels as
    `llvm.func`s: in the module itself for a CPU, in a `gpu.module` for CUDA. Groups whose bodies and schedules read the
    same get one kernel. Its name says what it computes, and ends in digits that are made from that text; the ONNX nodes
    are the locations of its launches.

    ```mlir
    module @cpu_v4 attributes {dsc.target = "cpu_v4"} {
      func.func @main(%x: tensor<16xf32>) -> tensor<16xf32> attributes {dsc.arena = []} {
        %y = dsc.group (%x) {schedule = #dsc.schedule<elementwise, width = 16>, places = array<i64: -1>, outputs = [0]}
           : (tensor<16xf32>) -> tensor<16xf32> {
        ^bb0(%a: tensor<16xf32>):
          %1 = dsc.relu %a : (tensor<16xf32>) -> tensor<16xf32>
          dsc.yield %1 : tensor<16xf32>
        }
        return %y : tensor<16xf32>
      }
    }
    ```
    becomes
    ```mlir
    module @cpu_v4 attributes {dsc.target = "cpu_v4"} {
      func.func @main(%x: tensor<16xf32>) -> tensor<16xf32> attributes {dsc.arena = []} {
        %y = dsc.launch @k0 (%x) {grid = #dsc.dims<1, 1, 1>, symbols = [], places = array<i64: -1>, outputs = [0]}
           : (tensor<16xf32>) -> tensor<16xf32>
        return %y : tensor<16xf32>
      }
      llvm.func @k0(%block: !llvm.ptr, %args: !llvm.ptr) attributes {dsc.kernel = {scratch = 0 : i64}} {
        %zero = arith.constant dense<0.0> : vector<16xf32>
        %rows_per_block = arith.constant 512 : index
        %one = arith.constant 1 : index
        %number = llvm.load %block : !llvm.ptr -> i64
        %index = arith.index_cast %number : i64 to index
        %0 = llvm.load %args : !llvm.ptr -> !llvm.ptr
        %x = llvm.load %0 : !llvm.ptr -> !llvm.ptr
        %1 = llvm.getelementptr %args[1] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
        %2 = llvm.load %1 : !llvm.ptr -> !llvm.ptr
        %y = llvm.load %2 : !llvm.ptr -> !llvm.ptr
        %first = arith.muli %index, %rows_per_block : index
        %3 = arith.addi %first, %rows_per_block : index
        %last = arith.minsi %3, %one : index
        scf.for %row = %first to %last step %one {
          %4 = llvm.load %x {alignment = 4 : i64} : !llvm.ptr -> vector<16xf32>
          %5 = arith.maximumf %4, %zero : vector<16xf32>
          llvm.store %5, %y {alignment = 4 : i64} : vector<16xf32>, !llvm.ptr
        }
        llvm.return
      }
    }
    ```

    Counts: `numKernels` (kernels written), `numShared` (groups that share a kernel with an equal one).
  }];
  let dependentDialects = ["dsc::DscDialect", "mlir::arith::ArithDialect", "mlir::gpu::GPUDialect",
                           "mlir::LLVM::LLVMDialect", "mlir::NVVM::NVVMDialect", "mlir::math::MathDialect",
                           "mlir::scf::SCFDialect", "mlir::vector::VectorDialect"];
}

def UnrollLoops : Pass<"dsc-unroll-loops", "mlir::ModuleOp"> {
  let summary = "Repeat the bodies of innermost loops as often as the registers allow";
  let description = [{
    In:  one target's module with kernels.  Out: the same; innermost loops do several rounds at once, or have gone if
    their few rounds are known. Results stay the same to the last bit.

    ```mlir
    module @cpu_v4 attributes {dsc.target = "cpu_v4"} {
      func.func @kernel(%p: !llvm.ptr, %f: f32) {
        %from = arith.constant 0 : index
        %to = arith.constant 2 : index
        %one = arith.constant 1 : index
        scf.for %i = %from to %to step %one {
          llvm.store %f, %p : f32, !llvm.ptr
        }
        return
      }
    }
    ```
    becomes
    ```mlir
    module @cpu_v4 attributes {dsc.target = "cpu_v4"} {
      func.func @kernel(%p: !llvm.ptr, %f: f32) {
        llvm.store %f, %p : f32, !llvm.ptr
        llvm.store %f, %p : f32, !llvm.ptr
        return
      }
    }
    ```

    Counts: `numUnrolled` (loops unrolled by a factor), `numRemoved` (loops unrolled completely), `numDeclined` (loops
    that registers or size do not allow to unroll).
  }];
  let dependentDialects = ["mlir::scf::SCFDialect", "mlir::arith::ArithDialect"];
}

//===-- streamed --------------------------------------------------------------------------------------------------===//

def BuildProgram : Pass<"dsc-build-program", "mlir::ModuleOp"> {
  let summary = "Turn the launches into a host program";
  let description = [{
    In:  @main of each nested module holds launches.  Out: @main is replaced by `llvm.func`s @run and @arena_bytes, the
    constants are listed in `dsc.weights` and the launches, with the ONNX nodes that each computes, in `dsc.launches`;
    `dsc.arena_bytes` tells people how large the arena is, and the top module has @dims.

    ```mlir
    module {
      func.func private @main(tensor<4xf32>) -> tensor<4xf32>
      module @cpu_v4 attributes {dsc.target = "cpu_v4"} {
        llvm.func @scale(!llvm.ptr, !llvm.ptr) attributes {dsc.kernel = {}}
        func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> attributes {dsc.arena = []} {
          %w = dsc.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
          %y = dsc.launch @scale (%x, %w) {grid = #dsc.dims<1, 1, 1>, symbols = [], places = array<i64: -1>, outputs = [0]}
             : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
          return %y : tensor<4xf32>
        }
      }
    }
    ```
    becomes
    ```mlir
    module {
      func.func private @main(tensor<4xf32>) -> tensor<4xf32>
      module @cpu_v4 attributes {dsc.arena_bytes = "0", dsc.launches = [{kernel = @scale, nodes = ""} ],
                                 dsc.target = "cpu_v4",
                                 dsc.weights = [dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>]} {
        llvm.func @scale(!llvm.ptr, !llvm.ptr) attributes {dsc.kernel = {}}
        llvm.func @run(!llvm.ptr) -> i32
        llvm.func @arena_bytes(!llvm.ptr) -> i64
      }
      llvm.func @dims(!llvm.ptr, !llvm.ptr)
    }
    ```
    where the bodies of the new functions are left out.

    Counts: `numLaunches` (kernels launched by a run), `numCopies` (copies made by a run).
  }];
  let dependentDialects = ["dsc::DscDialect", "mlir::LLVM::LLVMDialect", "mlir::arith::ArithDialect"];
}

#endif // DSCC_PASSES_TD
