// Every pass, in the order a model meets them; those of large stages have files of their own. compiler/Pipeline.cpp says
// why.

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

include "passes/canonical/Passes.td"

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

//===-- laidout ---------------------------------------------------------------------------------------------------===//

def ChooseLayouts : Pass<"dsc-choose-layouts", "mlir::ModuleOp"> {
  let summary = "Put the channels of images last where a target's kernels want them there";
  let description = [{
    In:  typed graphs, one a target.  Out: the same, in which convolutions with constant filters, and what lies between
    them, have their channels last (`channels_last`), where the target wants that (dialects/dsc/Targets.h) and it moves
    fewer bytes than it saves. Transposes stand where a value is wanted in both orders; which ops are on which side is
    a minimum cut. Filters are transposed here, each once for all targets. A transposed convolution becomes one that
    makes, for each pixel, all pixels of the result that lie between it and the next.

    ```mlir
    module @cpu_v4 attributes {dsc.target = "cpu_v4"} {
      func.func @main(%x: tensor<1x64x28x28xf32>) -> tensor<1x1x1x64xf32> {
        %w = dsc.constant dense<1.0> : tensor<64x64x3x3xf32>
        %0 = dsc.conv %x, %w {strides = [1, 1], dilations = [1, 1], pads = [1, 1, 1, 1], groups = 1}
           : (tensor<1x64x28x28xf32>, tensor<64x64x3x3xf32>) -> tensor<1x64x28x28xf32>
        %1 = dsc.relu %0 : (tensor<1x64x28x28xf32>) -> tensor<1x64x28x28xf32>
        %2 = dsc.reduce_mean %1 {axes = [2, 3]} : (tensor<1x64x28x28xf32>) -> tensor<1x64x1x1xf32>
        %3 = dsc.reshape %2 : (tensor<1x64x1x1xf32>) -> tensor<1x1x1x64xf32>
        return %3 : tensor<1x1x1x64xf32>
      }
    }
    ```
    becomes
    ```mlir
    module @cpu_v4 attributes {dsc.target = "cpu_v4"} {
      func.func @main(%x: tensor<1x64x28x28xf32>) -> tensor<1x1x1x64xf32> {
        %0 = dsc.transpose %x {permutation = [0, 2, 3, 1]} : (tensor<1x64x28x28xf32>) -> tensor<1x28x28x64xf32>
        %w = dsc.constant dense<1.0> : tensor<3x3x64x64xf32>
        %1 = dsc.conv %0, %w {channels_last, strides = [1, 1], dilations = [1, 1], pads = [1, 1, 1, 1], groups = 1}
           : (tensor<1x28x28x64xf32>, tensor<3x3x64x64xf32>) -> tensor<1x28x28x64xf32>
        %2 = dsc.relu %1 : (tensor<1x28x28x64xf32>) -> tensor<1x28x28x64xf32>
        %3 = dsc.reduce_mean %2 {axes = [1, 2]} : (tensor<1x28x28x64xf32>) -> tensor<1x1x1x64xf32>
        %4 = dsc.reshape %3 : (tensor<1x1x1x64xf32>) -> tensor<1x64x1x1xf32>
        %5 = dsc.reshape %4 : (tensor<1x64x1x1xf32>) -> tensor<1x1x1x64xf32>
        return %5 : tensor<1x1x1x64xf32>
      }
    }
    ```

    Counts: `numConvolutions` (convolutions with channels last), `numConversions` (transposes between the orders),
    `numLeft` (convolutions that stay as they were).
  }];
  let options = [Option<"explained", "explain", "std::string", "\"\"",
                        "Tell of the nodes whose name matches this regular expression in which order they are and why">];
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

def PlaceTransposes : Pass<"dsc-place-transposes", "mlir::func::FuncOp"> {
  let summary = "Let those who make or read a transposed tensor take other steps through it";
  let description = [{
    In:  a flat list of `dsc` ops, joins placed.  Out: the same; `in_place` is on each `dsc.transpose` that no kernel is to
    compute. As `unit` it is a view: whoever reads it walks through its input. As `"home"` it owns bytes, and whoever makes
    its input writes there.

    ```mlir
    %p = dsc.matmul %x, %w : (tensor<5x8xf32>, tensor<8x8xf32>) -> tensor<5x8xf32>
    %h = dsc.reshape %p : (tensor<5x8xf32>) -> tensor<5x2x4xf32>
    %t = dsc.transpose %h {permutation = [1, 0, 2]} : (tensor<5x2x4xf32>) -> tensor<2x5x4xf32>
    %q = dsc.matmul %t, %v : (tensor<2x5x4xf32>, tensor<2x4x4xf32>) -> tensor<2x5x4xf32>
    %u = dsc.transpose %q {permutation = [1, 0, 2]} : (tensor<2x5x4xf32>) -> tensor<5x2x4xf32>
    %y = dsc.reshape %u : (tensor<5x2x4xf32>) -> tensor<5x8xf32>
    ```
    becomes
    ```mlir
    %p = dsc.matmul %x, %w : (tensor<5x8xf32>, tensor<8x8xf32>) -> tensor<5x8xf32>
    %h = dsc.reshape %p : (tensor<5x8xf32>) -> tensor<5x2x4xf32>
    %t = dsc.transpose %h {in_place, permutation = [1, 0, 2]} : (tensor<5x2x4xf32>) -> tensor<2x5x4xf32>
    %q = dsc.matmul %t, %v : (tensor<2x5x4xf32>, tensor<2x4x4xf32>) -> tensor<2x5x4xf32>
    %u = dsc.transpose %q {in_place = "home", permutation = [1, 0, 2]} : (tensor<2x5x4xf32>) -> tensor<5x2x4xf32>
    %y = dsc.reshape %u : (tensor<5x2x4xf32>) -> tensor<5x8xf32>
    ```

    A transpose stays as it is if its only user computes it as it reads it, if the last dim of its input becomes another
    one, or if it is a part of a join. It is no view if it is returned, or shown under dims for which there are no strides,
    and no home if others read its input too, or if that is made by no kernel of its own. With `explain` a remark at each
    transpose says what was decided, and why.

    Counts: `numViews` (transposes whose readers walk through the input), `numHomes` (transposes that are written by those who
    make their input), `numDeclined` (transposes that are left to kernels).
  }];
  let options = [Option<"explained", "explain", "std::string", "\"\"",
                        "Remark on what was decided at transposes of nodes whose name matches">];
  let dependentDialects = ["dsc::DscDialect"];
}

def FuseGroups : Pass<"dsc-fuse-groups", "mlir::func::FuncOp"> {
  let summary = "Cut the graph into groups that run as one kernel each";
  let description = [{
    In:  a flat list of `dsc` ops.  Out: every op that computes is inside a `dsc.group`; constants and reshapes, which
    are views, stay outside, and so do concats in place, and slices and transposes in place that no group computes on its
    way. `windows` on groups, on concats in place and on transposes that are homes names the strides of what lies within
    another tensor.

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

    Attention, two products with a softmax between them, is one group where the target has matrix instructions for its
    type: the moves before it that only turn coordinates, a transpose behind it, and all that is done to the scores included.

    Slices of one value that stay alone, as of a Split, share a group with several results if their dims are equal. A cheap
    op that feeds rows and is wanted behind them too, as a residual sum is, becomes their group's second result; so does a
    move, as a join is, that an elementwise op of the same dims follows.

    Counts: `numGroups` (groups formed), `numFused` (ops that share a group with another), `numAttentions` (groups that
    are attention as a whole), `numSeconds` (groups that write a value that they read, too), `numParts` (slices that share
    a group with another of the same value).
  }];
  let options = [Option<"fuse", "fuse", "bool", "true", "If false, each op is a group of its own">,
                 Option<"explained", "explain", "std::string", "\"\"",
                        "Tell of the nodes whose name matches this regular expression why they are fused or not">];
  let dependentDialects = ["dsc::DscDialect"];
}

//===-- scheduled -------------------------------------------------------------------------------------------------===//

include "passes/schedule/Passes.td"

//===-- placed ----------------------------------------------------------------------------------------------------===//

def PlanMemory : Pass<"dsc-plan-memory", "mlir::func::FuncOp"> {
  let summary = "Give each group's results a place in one arena";
  let description = [{
    In:  groups.  Out: `places` and `outputs` on each group, `workspace` and `workspace_place` on those whose
    kernels hand something on, and the table `dsc.arena` of places on the function: the
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
    same share their kernel, or several of them. Its name says what it computes, and ends in digits that are made from that text; the ONNX nodes
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
    constants are listed in `dsc.weights` and the launches, with the ONNX nodes that each computes, in `dsc.launches`, and the services of the runtime that @run calls in `dsc.services`;
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
                                 dsc.services = ["launch"], dsc.target = "cpu_v4",
                                 dsc.weights = [dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>]} {
        llvm.func @scale(!llvm.ptr, !llvm.ptr) attributes {dsc.kernel = {}}
        llvm.func @run(!llvm.ptr) -> i32
        llvm.func @arena_bytes(i32, !llvm.ptr) -> i64
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
