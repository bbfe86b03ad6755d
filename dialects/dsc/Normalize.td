#ifndef DSCC_DIALECTS_DSC_NORMALIZE_TD
#define DSCC_DIALECTS_DSC_NORMALIZE_TD

include "dialects/dsc/DscDialect.td"
include "dialects/dsc/DscAttributes.td"
include "dialects/dsc/DscInterfaces.td"

/// Rows along `axis` are turned into weights.
class SoftmaxLikeOp<string mnemonic, string what, string floats> : InferredOp<mnemonic>,
      InferBy<"inferAlongAxis(location, adaptor.getInput(), adaptor.getAxis(), types)"> {
  let role = "Row";
  let precision = floats;
  let accumulates = 1;
  let weight = 20;
  let rowAxes = "::llvm::SmallVector<int64_t>{int64_t(getAxis())}";
  let extraClassDefinition = definition;
  let summary = what # " along one axis";
  let description = what # " along `axis`, computed after subtracting the row's maximum.\n\n1. (C1) `axis` is in [0, rank).\n\n"
    "```mlir\n%y = dsc." # mnemonic # " %x {axis = 1 : i64} : (tensor<2x4xf32>) -> tensor<2x4xf32>\n```\n";
  let arguments = (ins DataTensor:$input, I64Attr:$axis);
  let results = (outs DataTensor:$result);
}
def SoftmaxOp : SoftmaxLikeOp<"softmax", "exp(x) / sum(exp(x))", "Narrow">;
def LogSoftmaxOp : SoftmaxLikeOp<"log_softmax", "x - log(sum(exp(x)))", "Sensitive">;

def LayerNormOp : InferredOp<"layer_norm">,
      InferBy<"inferAlongAxis(location, adaptor.getInput(), adaptor.getAxis(), types)"> {
  let role = "Row";
  let precision = "Narrow";
  let accumulates = 1;
  let weight = 7;
  let rowAxes = "axesFrom(getInput(), getAxis())";
  let extraClassDefinition = definition;
  let summary = "zero mean and unit variance over the trailing dims";
  let description = [{
    (x - mean) / sqrt(variance + epsilon) over the dims from `axis` on; scale and bias are separate ops.

    1. (C1) `axis` is in [0, rank).

    ```mlir
    %y = dsc.layer_norm %x {axis = 1 : i64, epsilon = 1.0e-05 : f64} : (tensor<2x4xf32>) -> tensor<2x4xf32>
    ```
  }];
  let arguments = (ins DataTensor:$input, I64Attr:$axis, F64Attr:$epsilon);
  let results = (outs DataTensor:$result);
}

def RmsNormOp : InferredOp<"rms_norm">,
      InferBy<"inferAlongAxis(location, adaptor.getInput(), adaptor.getAxis(), types)"> {
  let role = "Row";
  let precision = "Narrow";
  let accumulates = 1;
  let weight = 4;
  let rowAxes = "axesFrom(getInput(), getAxis())";
  let extraClassDefinition = definition;
  let summary = "unit mean square over the trailing dims";
  let description = [{
    x / sqrt(mean(x * x) + epsilon) over the dims from `axis` on; the scale is a separate op.

    1. (C1) `axis` is in [0, rank).

    ```mlir
    %y = dsc.rms_norm %x {axis = 1 : i64, epsilon = 1.0e-05 : f64} : (tensor<2x4xf32>) -> tensor<2x4xf32>
    ```
  }];
  let arguments = (ins DataTensor:$input, I64Attr:$axis, F64Attr:$epsilon);
  let results = (outs DataTensor:$result);
}

#endif // DSCC_DIALECTS_DSC_NORMALIZE_TD
