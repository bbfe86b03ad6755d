#ifndef DSCC_DIALECTS_DSC_SCATTER_TD
#define DSCC_DIALECTS_DSC_SCATTER_TD

include "dialects/dsc/DscDialect.td"
include "dialects/dsc/DscAttributes.td"
include "dialects/dsc/DscInterfaces.td"

def ScatterElementsOp : InferredOp<"scatter_elements"> {
  let summary = "replaces single elements along one axis by index";
  let description = [{
    The result is data, but for each place [i, j, ..] of the updates the element of data at [i, j, ..] with the index
    along `axis` replaced by indices[i, j, ..] is joined with the update: replaced, or as `reduction` says. Of several
    updates of one element the last along `axis` replaces it. Negative indices count from the end; an index out of
    range changes nothing.

    1. (C1) `axis` is in [0, rank). 2. (C2) Indices are i32 or i64. 3. (C3) `reduction` is none, add, mul, max or min.
    4. (C4) Data, indices and updates have one rank, data and updates one element type.

    ```mlir
    %y = dsc.scatter_elements %x, %i, %u {axis = 1 : i64, reduction = "none"}
         : (tensor<2x3xf32>, tensor<2x1xi64>, tensor<2x1xf32>) -> tensor<2x3xf32>
    ```
  }];
  let arguments = (ins DataTensor:$data, DataTensor:$indices, DataTensor:$updates, I64Attr:$axis,
                       StrAttr:$reduction);
  let results = (outs DataTensor:$result);
}

def ScatterNdOp : InferredOp<"scatter_nd"> {
  let summary = "replaces slices by index tuples";
  let description = [{
    The result is data, but for each tuple in the last dim of the indices the slice of data that it names is joined with
    the slice of the updates at the tuple's place, as in scatter_elements. Of several updates of one slice the last
    replaces it.

    1. (C1) The indices' last dim is static. 2. (C2) Indices are i32 or i64. 3. (C3) `reduction` is none, add, mul, max
    or min. 4. (C4) The updates have the indices' dims but the last, then data's dims that no tuple names.

    ```mlir
    %y = dsc.scatter_nd %x, %i, %u {reduction = "add"}
         : (tensor<4x3xf32>, tensor<2x1xi64>, tensor<2x3xf32>) -> tensor<4x3xf32>
    ```
  }];
  let arguments = (ins DataTensor:$data, DataTensor:$indices, DataTensor:$updates, StrAttr:$reduction);
  let results = (outs DataTensor:$result);
}

#endif // DSCC_DIALECTS_DSC_SCATTER_TD
