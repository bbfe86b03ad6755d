#ifndef DSCC_DIALECTS_DSC_GATHER_TD
#define DSCC_DIALECTS_DSC_GATHER_TD

include "dialects/dsc/DscDialect.td"
include "dialects/dsc/DscAttributes.td"
include "dialects/dsc/DscInterfaces.td"

def GatherOp : InferredOp<"gather"> {
  let role = "Movement";
  let summary = "takes slices along one axis by index";
  let description = [{
    Result dims: the data's before `axis`, all of the indices', the data's after `axis`. Negative indices count from
    the end; an index out of range yields an unspecified element, never a fault.

    1. (C1) `axis` is in [0, rank). 2. (C2) Indices are i32 or i64.

    ```mlir
    %y = dsc.gather %x, %i {axis = 0 : i64} : (tensor<5x4xf32>, tensor<2xi64>) -> tensor<2x4xf32>
    ```
  }];
  let arguments = (ins DataTensor:$data, DataTensor:$indices, I64Attr:$axis);
  let results = (outs DataTensor:$result);
}

def GatherElementsOp : InferredOp<"gather_elements"> {
  let role = "Movement";
  let summary = "takes single elements along one axis by index";
  let description = [{
    Result[i, j, ..] is data with the index along `axis` replaced by indices[i, j, ..].

    1. (C1) `axis` is in [0, rank). 2. (C2) Indices are i32 or i64. 3. (C3) Data and indices have one rank.

    ```mlir
    %y = dsc.gather_elements %x, %i {axis = 1 : i64} : (tensor<2x2xf32>, tensor<2x3xi64>) -> tensor<2x3xf32>
    ```
  }];
  let arguments = (ins DataTensor:$data, DataTensor:$indices, I64Attr:$axis);
  let results = (outs DataTensor:$result);
}

def GatherNdOp : InferredOp<"gather_nd"> {
  let role = "Movement";
  let summary = "takes slices by index tuples";
  let description = [{
    The last dim of the indices holds a tuple of length k that indexes data's dims batch_dims .. batch_dims + k - 1.

    1. (C1) The indices' last dim is static. 2. (C2) The first `batch_dims` dims of both agree. 3. (C3) Indices are i32
    or i64. 4. (C4) Data has as many dims as batch dims and tuples name.

    ```mlir
    %y = dsc.gather_nd %x, %i {batch_dims = 0 : i64} : (tensor<2x2xf32>, tensor<3x2xi64>) -> tensor<3xf32>
    ```
  }];
  let arguments = (ins DataTensor:$data, DataTensor:$indices, I64Attr:$batch_dims);
  let results = (outs DataTensor:$result);
}

#endif // DSCC_DIALECTS_DSC_GATHER_TD
