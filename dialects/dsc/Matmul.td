#ifndef DSCC_DIALECTS_DSC_MATMUL_TD
#define DSCC_DIALECTS_DSC_MATMUL_TD

include "dialects/dsc/DscDialect.td"
include "dialects/dsc/DscAttributes.td"
include "dialects/dsc/DscInterfaces.td"

def MatmulOp : InferredOp<"matmul"> {
  let role = "Product";
  let precision = "Narrow";
  let accumulates = 1;
  let weight = 2;
  let flops = "countFlops(getOperation(), dsc::getDims(getLhs()).rbegin()[getTransposeLhs() ? 1 : 0])";
  let summary = "product of the last two dims, the leading dims broadcast";
  let description = [{
    NumPy's matmul for operands of rank 2 and more. With `transpose_lhs` or `transpose_rhs` that operand's last two
    dims are exchanged first.

    1. (C1) Both have rank 2 or more and one element type.
    2. (C2) The inner sizes agree.
    3. (C3) The leading dims broadcast.
    4. (C4) `accumulator`, the type of the result if it is not the operands', is an element type.

    ```mlir
    %y = dsc.matmul %a, %b : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
    ```
  }];
  let arguments = (ins DataTensor:$lhs, DataTensor:$rhs, UnitAttr:$transpose_lhs, UnitAttr:$transpose_rhs,
                       OptionalAttr<TypeAttr>:$accumulator);
  let results = (outs DataTensor:$result);
}

#endif // DSCC_DIALECTS_DSC_MATMUL_TD
