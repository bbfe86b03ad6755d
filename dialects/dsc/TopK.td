#ifndef DSCC_DIALECTS_DSC_TOPK_TD
#define DSCC_DIALECTS_DSC_TOPK_TD

include "dialects/dsc/DscDialect.td"
include "dialects/dsc/DscAttributes.td"
include "dialects/dsc/DscInterfaces.td"

def TopKOp : InferredOp<"top_k"> {
  let summary = "the first elements along one axis in descending order, and where they were";
  let description = [{
    Along `axis`, the `k` largest elements from the largest on, and their i64 indices; with `smallest` the smallest from
    the smallest on. Of equal elements the one with the lower index comes first. A NaN is larger than any number; all
    NaNs are equal, and so are 0 and -0.

    1. (C1) `axis` is in [0, rank).
    2. (C2) `k` is one dim, which is not more than the axis has where both are numbers. (Where they are not, whoever makes
       the op has the run check it.)

    ```mlir
    %v, %i = dsc.top_k %x {axis = 1 : i64, k = #dsc.dims<3>} : (tensor<2x8xf32>) -> (tensor<2x3xf32>, tensor<2x3xi64>)
    ```
  }];
  let arguments = (ins DataTensor:$input, I64Attr:$axis, DimsAttr:$k, UnitAttr:$smallest);
  let results = (outs DataTensor:$values, DataTensor:$indices);
  let weight = 1;
}

#endif // DSCC_DIALECTS_DSC_TOPK_TD
