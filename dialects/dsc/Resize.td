#ifndef DSCC_DIALECTS_DSC_RESIZE_TD
#define DSCC_DIALECTS_DSC_RESIZE_TD

include "dialects/dsc/DscDialect.td"
include "dialects/dsc/DscAttributes.td"
include "dialects/dsc/DscInterfaces.td"

def ResizeOp : DscOp<"resize", [Pure]> {
  let role = "Movement";
  let weight = 8;
  let summary = "samples a tensor at other dims";
  let description = [{
    ONNX's Resize for modes "nearest", "linear" and "cubic"; the coordinate transformation and the rounding of nearest
    carry ONNX's names. `scales` holds the factor of each dim (result over input) as the model gives it, or NaN where
    it follows from the dims. Dims with equal size on both sides are copied.

    1. (C1) Input and result have one rank and element type; one scale for each dim.
    2. (C2) The names of mode, coordinates and rounding are ONNX's.

    ```mlir
    %y = dsc.resize %x {mode = "nearest", coordinates = "asymmetric", rounding = "floor", scales = [1.0, 1.0, 2.0, 2.0],
         cubic_a = -0.75 : f64} : (tensor<1x1x2x2xf32>) -> tensor<1x1x4x4xf32>
    ```
  }];
  let arguments = (ins DataTensor:$input, StrAttr:$mode, StrAttr:$coordinates, StrAttr:$rounding, F64ArrayAttr:$scales,
                       F64Attr:$cubic_a, UnitAttr:$exclude_outside);
  let results = (outs DataTensor:$result);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

#endif // DSCC_DIALECTS_DSC_RESIZE_TD
