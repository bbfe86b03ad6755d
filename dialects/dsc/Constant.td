#ifndef DSCC_DIALECTS_DSC_CONSTANT_TD
#define DSCC_DIALECTS_DSC_CONSTANT_TD

include "dialects/dsc/DscDialect.td"
include "dialects/dsc/DscAttributes.td"
include "dialects/dsc/DscInterfaces.td"

def ConstantOp : InferredOp<"constant", [ConstantLike]> {
  let role = "Constant";
  let summary = "a tensor known at compile time";
  let description = [{
    Small tensors are dense attributes; weights are resources that point into the mapped model file.

    ```mlir
    %c = dsc.constant dense<1.0> : tensor<4xf32>
    ```
  }];
  let arguments = (ins ElementsAttr:$value);
  let results = (outs DataTensor:$result);
  let assemblyFormat = "attr-dict $value";
  let hasFolder = 1;
}

def DimsOp : InferredOp<"dims", [ConstantLike]> {
  let role = "Source";
  let duplicable = 1;
  let summary = "a small integer tensor whose elements are dim expressions";
  let description = [{
    What Shape and the arithmetic on its result come to: contents that are known but for the named dims.

    1. (C1) As many dims as the result has elements; the result is a scalar or has rank 1 and an integer type.

    ```mlir
    %s = dsc.dims <"batch", 3> : tensor<2xi64>
    ```
  }];
  let arguments = (ins DimsAttr:$dims, TypeAttr:$type);
  let results = (outs DataTensor:$result);
  let assemblyFormat = "$dims attr-dict `:` $type";
  let hasFolder = 1;
}

def IotaOp : InferredOp<"iota"> {
  let role = "Source";
  let precision = "Sensitive";
  let duplicable = 1;
  let summary = "counts along one axis";
  let description = [{
    Element [.., i, ..] is i, where i is the index along `axis`.

    1. (C1) The type is a ranked tensor, and `axis` is in [0, rank).

    ```mlir
    %i = dsc.iota {axis = 1 : i64, type = tensor<2x3xi64>} : () -> tensor<2x3xi64>
    ```
  }];
  let arguments = (ins I64Attr:$axis, TypeAttr:$type);
  let results = (outs DataTensor:$result);
}

#endif // DSCC_DIALECTS_DSC_CONSTANT_TD
