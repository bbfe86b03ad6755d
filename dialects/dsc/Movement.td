#ifndef DSCC_DIALECTS_DSC_MOVEMENT_TD
#define DSCC_DIALECTS_DSC_MOVEMENT_TD

include "dialects/dsc/DscDialect.td"
include "dialects/dsc/DscAttributes.td"
include "dialects/dsc/DscInterfaces.td"

def ReshapeOp : DscOp<"reshape", [Pure]> {
  let role = "View";
  let summary = "the same elements in row-major order under other dims";
  let description = [{
    1. (C1) Input and result have one element type and as many elements.

    ```mlir
    %y = dsc.reshape %x : (tensor<2x6xf32>) -> tensor<3x4xf32>
    ```
  }];
  let arguments = (ins DataTensor:$input);
  let results = (outs DataTensor:$result);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def TransposeOp : InferredOp<"transpose"> {
  let role = "Movement";
  let readsOnce = 1;
  let summary = "permutes the dims";
  let description = [{
    Result dim i is input dim permutation[i].

    1. (C1) `permutation` is one of 0 .. rank-1.

    ```mlir
    %y = dsc.transpose %x {permutation = [1, 0]} : (tensor<2x3xf32>) -> tensor<3x2xf32>
    ```
  }];
  let arguments = (ins DataTensor:$input, I64ArrayAttr:$permutation);
  let results = (outs DataTensor:$result);
  let hasFolder = 1;
}

def SliceOp : InferredOp<"slice"> {
  let role = "Movement";
  let readsOnce = 1;
  let summary = "a regular part of a tensor";
  let description = [{
    Result element i along a dim is input element start + i * step; steps may be negative. Starts and sizes are in
    range: who makes this op has clamped them.

    1. (C1) One start, size and step for each dim; no step is 0. 2. (C2) Where dim, start and size are numbers, the
    first and the last element taken are elements of the input.

    ```mlir
    %y = dsc.slice %x {starts = #dsc.dims<1>, sizes = #dsc.dims<3>, steps = [2]} : (tensor<8xf32>) -> tensor<3xf32>
    ```
  }];
  let arguments = (ins DataTensor:$input, DimsAttr:$starts, DimsAttr:$sizes, I64ArrayAttr:$steps);
  let results = (outs DataTensor:$result);
  let hasFolder = 1;
}

def ConcatOp : InferredOp<"concat"> {
  let role = "Movement";
  let readsOnce = 1;
  let summary = "joins tensors along one axis";
  let description = [{
    1. (C1) At least one operand; all have one rank and element type. 2. (C2) All dims but `axis` agree. 3. (C3) `axis`
    is in [0, rank).

    ```mlir
    %y = dsc.concat %a, %b {axis = 0 : i64} : (tensor<2xf32>, tensor<3xf32>) -> tensor<5xf32>
    ```
  }];
  let arguments = (ins Variadic<DataTensor>:$inputs, I64Attr:$axis);
  let results = (outs DataTensor:$result);
  let hasFolder = 1;
}

class PadLikeOp<string mnemonic, string what> : InferredOp<mnemonic>,
      InferBy<"inferPad(location, adaptor.getInput(), adaptor.getLows(), adaptor.getHighs(), types)"> {
  let role = "Movement";
  let extraClassDefinition = definition;
  let summary = "grows a tensor at its borders, " # what;
  let description = "Adds `lows[i]` elements before and `highs[i]` after dim i, " # what # ".\n\n"
    "1. (C1) One low and one high for each dim. Negative ones have been turned into slices.\n";
  let results = (outs DataTensor:$result);
}
def PadOp : PadLikeOp<"pad", "filled with a scalar"> {
  let readsOnce = 1;
  let description = [{
    Adds `lows[i]` elements before and `highs[i]` after dim i, filled with a scalar.

    1. (C1) One low and one high for each dim. Negative ones have been turned into slices.
    2. (C2) `value` is one element of the input's type.
  }];
  let hasVerifier = 1;
  let arguments = (ins DataTensor:$input, DataTensor:$value, DimsAttr:$lows, DimsAttr:$highs);
}
def PadEdgeOp : PadLikeOp<"pad_edge", "repeating the border element"> {
  let arguments = (ins DataTensor:$input, DimsAttr:$lows, DimsAttr:$highs);
}
def PadReflectOp : PadLikeOp<"pad_reflect", "mirrored at the border element"> {
  let arguments = (ins DataTensor:$input, DimsAttr:$lows, DimsAttr:$highs);
}
def PadWrapOp : PadLikeOp<"pad_wrap", "taken from the other end"> {
  let arguments = (ins DataTensor:$input, DimsAttr:$lows, DimsAttr:$highs);
}

def ExpandOp : DscOp<"expand", [Pure]> {
  let role = "Movement";
  let duplicable = 1;
  let summary = "repeats along dims of size 1";
  let description = [{
    1. (C1) The input's dims broadcast to the result's (NumPy), and the element types agree.

    ```mlir
    %y = dsc.expand %x : (tensor<3x1xf32>) -> tensor<2x3x4xf32>
    ```
  }];
  let arguments = (ins DataTensor:$input);
  let results = (outs DataTensor:$result);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def TileOp : InferredOp<"tile"> {
  let role = "Movement";
  let summary = "repeats the whole tensor along each dim";
  let description = [{
    1. (C1) One count for each dim.

    ```mlir
    %y = dsc.tile %x {repeats = #dsc.dims<2, 1>} : (tensor<2x3xf32>) -> tensor<4x3xf32>
    ```
  }];
  let arguments = (ins DataTensor:$input, DimsAttr:$repeats);
  let results = (outs DataTensor:$result);
}

def UnpackOp : DscOp<"unpack", [Pure]> {
  let role = "Movement";
  let readsOnce = 1;
  let summary = "the matrices that lie in panels of columns";
  let description = [{
    Result element [.., r, c] is input element [.., c floordiv w, r, c mod w], where w is the input's last dim, the width
    of a panel. What the last panel has beyond the last column belongs to nothing. PackConstants makes it, inside groups,
    where a kernel reads a constant by panels.

    1. (C1) The result has rank 2 or more, the input one more, and both have one element type.
    2. (C2) With the result's last dims [r, c], the input's are [c / w rounded up, r, w]; all dims before them agree, and
       w is a number from 1 on.

    ```mlir
    %w = dsc.unpack %p : (tensor<3x768x16xf32>) -> tensor<768x40xf32>
    ```
  }];
  let arguments = (ins DataTensor:$input);
  let results = (outs DataTensor:$result);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

#endif // DSCC_DIALECTS_DSC_MOVEMENT_TD
