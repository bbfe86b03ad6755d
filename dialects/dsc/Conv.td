#ifndef DSCC_DIALECTS_DSC_CONV_TD
#define DSCC_DIALECTS_DSC_CONV_TD

include "dialects/dsc/DscDialect.td"
include "dialects/dsc/DscAttributes.td"
include "dialects/dsc/DscInterfaces.td"

def ConvOp : InferredOp<"conv"> {
  let role = "Product";
  let precision = "Narrow";
  let accumulates = 1;
  let weight = 2;
  let flops = "countFlops(getOperation(), orderOf(getOperation()).countTerms(getFilter()))";
  let summary = "convolution over the spatial dims";
  let description = [{
    Input [N, C, spatial...], filter [M, C/groups, window...], result [N, M, spatial'...]. With `channels_last`, which
    ChooseLayouts sets, they are [N, spatial..., C], [window..., C/groups, M] and [N, spatial'..., M]. `pads` holds all
    low pads, then all high pads.

    1. (C1) Input and filter have the same rank, at least 3, and one element type.
    2. (C2) C is groups times the filter's channels; groups divides M.
    3. (C3) One stride, dilation and pair of pads for each spatial dim; strides and dilations are positive.
    4. (C4) The filter's dims are numbers, and the window fits the padded input.

    ```mlir
    %y = dsc.conv %x, %w {strides = [1, 1], dilations = [1, 1], pads = [1, 1, 1, 1], groups = 1}
       : (tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>) -> tensor<1x4x8x8xf32>
    ```
  }];
  let arguments = (ins DataTensor:$input, DataTensor:$filter, I64ArrayAttr:$strides, I64ArrayAttr:$dilations,
                       I64ArrayAttr:$pads, I64Attr:$groups, UnitAttr:$channels_last);
  let results = (outs DataTensor:$result);
}

def ConvTransposeOp : InferredOp<"conv_transpose"> {
  let role = "Product";
  let precision = "Narrow";
  let accumulates = 1;
  let weight = 2;
  // Each element of the input meets one row of the filter.
  let flops = "countElements(dsc::getDims(getInput())) * countRest(getFilter()) * getFacts().weight";
  let summary = "transposed convolution over the trailing dims";
  let description = [{
    Input [N, C, spatial...], filter [C, M/groups, window...], result [N, M, spatial'...], where
    spatial' = (spatial - 1) * stride + (window - 1) * dilation + 1 - pads + output_padding.

    1. (C1), 2. (C2) and 3. (C3) as for `dsc.conv`, with the filter's first two dims exchanged, and one output padding
    for each spatial dim.
    4. (C4) The filter's dims are numbers.

    ```mlir
    %y = dsc.conv_transpose %x, %w {strides = [2, 2], dilations = [1, 1], pads = [0, 0, 0, 0],
         output_padding = [0, 0], groups = 1} : (tensor<1x3x4x4xf32>, tensor<3x2x2x2xf32>) -> tensor<1x2x8x8xf32>
    ```
  }];
  let arguments = (ins DataTensor:$input, DataTensor:$filter, I64ArrayAttr:$strides, I64ArrayAttr:$dilations,
                       I64ArrayAttr:$pads, I64ArrayAttr:$output_padding, I64Attr:$groups);
  let results = (outs DataTensor:$result);
}

#endif // DSCC_DIALECTS_DSC_CONV_TD
