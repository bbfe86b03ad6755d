// The passes of the stage `canonical`, in the order a model meets them.

#ifndef DSCC_PASSES_CANONICAL_PASSES_TD
#define DSCC_PASSES_CANONICAL_PASSES_TD

include "mlir/Pass/PassBase.td"

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

#endif // DSCC_PASSES_CANONICAL_PASSES_TD
