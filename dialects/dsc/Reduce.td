#ifndef DSCC_DIALECTS_DSC_REDUCE_TD
#define DSCC_DIALECTS_DSC_REDUCE_TD

include "dialects/dsc/DscDialect.td"
include "dialects/dsc/DscAttributes.td"
include "dialects/dsc/DscInterfaces.td"

/// Folds the given axes, which stay as dims of size 1.
class ReduceOp<string mnemonic, string what> : InferredOp<mnemonic>,
      InferBy<"inferReduce(location, adaptor.getInput(), adaptor.getAxes(), types)"> {
  let role = "Row";
  let weight = 1;
  let rowAxes = "getIntegers(getAxes())";
  let flops = "countElements(dsc::getDims(getInput())) * getFacts().weight";
  let extraClassDefinition = definition;
  let summary = what # " over some axes, which stay as dims of size 1";
  let description = "The " # what # " over `axes`. Reduced dims stay, with size 1; a reshape drops them.\n\n"
    "1. (C1) `axes` are sorted, distinct and in [0, rank).\n\n"
    "```mlir\n%y = dsc." # mnemonic # " %x {axes = [1]} : (tensor<2x4xf32>) -> tensor<2x1xf32>\n```\n";
  let arguments = (ins DataTensor:$input, I64ArrayAttr:$axes);
  let results = (outs DataTensor:$result);
}
let precision = "Sensitive", accumulates = 1 in {
def ReduceSumOp : ReduceOp<"reduce_sum", "sum">;
def ReduceProdOp : ReduceOp<"reduce_prod", "product">;
def ReduceMeanOp : ReduceOp<"reduce_mean", "mean">;
}
def ReduceMaxOp : ReduceOp<"reduce_max", "maximum (as of `dsc.max`: NaN wins)">;
def ReduceMinOp : ReduceOp<"reduce_min", "minimum (as of `dsc.min`: NaN wins)">;

/// Where along one axis the extreme element is.
class ArgOp<string mnemonic, string what> : InferredOp<mnemonic>,
      InferBy<"inferArg(location, adaptor.getInput(), adaptor.getAxis(), types)"> {
  let role = "Row";
  let weight = 1;
  let flops = "countElements(dsc::getDims(getInput())) * getFacts().weight";
  let extraClassDefinition = definition;
  let summary = "index of the " # what # " along one axis, which stays with size 1";
  let description = "The i64 index of the " # what # " along `axis`; the first such, or with `select_last` the last.\n"
    "A NaN is more extreme than any number; all NaNs are equal, and so are 0 and -0. Along an axis without elements it is 0.\n\n1. (C1) `axis` is in [0, rank).\n\n"
    "```mlir\n%y = dsc." # mnemonic # " %x {axis = 1 : i64} : (tensor<2x4xf32>) -> tensor<2x1xi64>\n```\n";
  let arguments = (ins DataTensor:$input, I64Attr:$axis, UnitAttr:$select_last);
  let results = (outs DataTensor:$result);
}
def ArgMaxOp : ArgOp<"arg_max", "maximum">;
def ArgMinOp : ArgOp<"arg_min", "minimum">;

/// Folds along one axis and keeps what it has at each place.
class CumulativeOp<string mnemonic, string what> : InferredOp<mnemonic>,
      InferBy<"inferAlongAxis(location, adaptor.getInput(), adaptor.getAxis(), types)"> {
  let role = "Row";
  let precision = "Sensitive";
  let accumulates = 1;
  let weight = 1;
  let extraClassDefinition = definition;
  let summary = "running " # what # " along one axis";
  let description = "With `exclusive` the element itself does not count; with `reverse` it runs from the end.\n\n"
    "1. (C1) `axis` is in [0, rank).\n\n"
    "```mlir\n%y = dsc." # mnemonic # " %x {axis = 0 : i64} : (tensor<4xf32>) -> tensor<4xf32>\n```\n";
  let arguments = (ins DataTensor:$input, I64Attr:$axis, UnitAttr:$exclusive, UnitAttr:$reverse);
  let results = (outs DataTensor:$result);
}
def CumSumOp : CumulativeOp<"cum_sum", "sum">;
def CumProdOp : CumulativeOp<"cum_prod", "product">;

#endif // DSCC_DIALECTS_DSC_REDUCE_TD
