#ifndef DSCC_DIALECTS_DSC_POOL_TD
#define DSCC_DIALECTS_DSC_POOL_TD

include "dialects/dsc/DscDialect.td"
include "dialects/dsc/DscAttributes.td"
include "dialects/dsc/DscInterfaces.td"

/// A window slides over the spatial dims of [N, C, spatial...], or with `channels_last` of [N, spatial..., C].
class PoolOp<string mnemonic, string what> : InferredOp<mnemonic> {
  let role = "Window";
  let weight = 1;
  let flops = "countFlops(getOperation(), countPlaces(getWindow()))";
  let summary = what # " of each window";
  let results = (outs DataTensor:$result);
}

def MaxPoolOp : PoolOp<"max_pool", "maximum"> {
  let precision = "Narrow";
  let description = [{
    Pads never win: they count as -infinity. A NaN wins, as in `dsc.max`. With `channels_last`, which ChooseLayouts sets,
    the image is [N, spatial..., C] and not [N, C, spatial...].

    1. (C1) One window size, stride, dilation and pair of pads for each spatial dim.
    2. (C2) Windows, strides and dilations are positive, and each window fits the padded input.

    ```mlir
    %y = dsc.max_pool %x {window = [2, 2], strides = [2, 2], dilations = [1, 1], pads = [0, 0, 0, 0]}
       : (tensor<1x3x8x8xf32>) -> tensor<1x3x4x4xf32>
    ```
  }];
  let arguments = (ins DataTensor:$input, I64ArrayAttr:$window, I64ArrayAttr:$strides, I64ArrayAttr:$dilations,
                       I64ArrayAttr:$pads, UnitAttr:$ceil_mode, UnitAttr:$channels_last);
}

def ArgMaxPoolOp : PoolOp<"arg_max_pool", "maximum, and the place of the maximum,"> {
  let description = [{
    What `dsc.max_pool` finds, and its i64 place: the number of the element in the whole input, row-major. Of several the
    first; a NaN wins. -1 where a window holds nothing but pads.

    1. (C1) and 2. (C2) as for `dsc.max_pool`.

    ```mlir
    %y, %i = dsc.arg_max_pool %x {window = [2, 2], strides = [2, 2], dilations = [1, 1], pads = [0, 0, 0, 0]}
           : (tensor<1x3x8x8xf32>) -> (tensor<1x3x4x4xf32>, tensor<1x3x4x4xi64>)
    ```
  }];
  let results = (outs DataTensor:$result, DataTensor:$places);
  let arguments = (ins DataTensor:$input, I64ArrayAttr:$window, I64ArrayAttr:$strides, I64ArrayAttr:$dilations,
                       I64ArrayAttr:$pads, UnitAttr:$ceil_mode);
}

def AveragePoolOp : PoolOp<"average_pool", "mean"> {
  let precision = "Narrow";
  let accumulates = 1;
  let description = [{
    With `count_include_pad` the divisor is the window's size within the padded input, else the number of elements that
    are not pads. `channels_last` is as for `dsc.max_pool`.

    1. (C1) and 2. (C2) as for `dsc.max_pool`.

    ```mlir
    %y = dsc.average_pool %x {window = [2, 2], strides = [2, 2], dilations = [1, 1], pads = [0, 0, 0, 0]}
       : (tensor<1x3x8x8xf32>) -> tensor<1x3x4x4xf32>
    ```
  }];
  let arguments = (ins DataTensor:$input, I64ArrayAttr:$window, I64ArrayAttr:$strides, I64ArrayAttr:$dilations,
                       I64ArrayAttr:$pads, UnitAttr:$ceil_mode, UnitAttr:$count_include_pad,
                       UnitAttr:$channels_last);
}

def SumWindowsOp : InferredOp<"sum_windows"> {
  let role = "Window";
  let accumulates = 1;
  let weight = 1;
  let flops = "countFlops(getOperation(), countPlaces(getWindow()))";
  let summary = "image of which the windows are the parts, where they overlap their sum";
  let description = [{
    The way back from windows to an image [N, C, sizes...]: the input [N, C * window, places...] has a channel for each
    channel of the image and each element of the window, row-major, and a place for each window. What windows have of the
    pads is dropped.

    1. (C1) One window size, stride, dilation, pair of pads and size for each spatial dim.
    2. (C2) Windows, strides and dilations are positive, and the input has a channel for each element of the window.
    3. (C3) The input has as many places as the padded image has windows.

    ```mlir
    %y = dsc.sum_windows %x {window = [2, 2], strides = [2, 2], dilations = [1, 1], pads = [0, 0, 0, 0], sizes = [8, 8]}
       : (tensor<1x12x4x4xf32>) -> tensor<1x3x8x8xf32>
    ```
  }];
  let arguments = (ins DataTensor:$input, I64ArrayAttr:$window, I64ArrayAttr:$strides, I64ArrayAttr:$dilations,
                       I64ArrayAttr:$pads, I64ArrayAttr:$sizes);
  let results = (outs DataTensor:$result);
}

#endif // DSCC_DIALECTS_DSC_POOL_TD
