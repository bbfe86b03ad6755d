#ifndef DSCC_DIALECTS_DSC_INTERFACES_TD
#define DSCC_DIALECTS_DSC_INTERFACES_TD

include "mlir/IR/OpBase.td"

def ElementwiseOpInterface : OpInterface<"ElementwiseOpInterface"> {
  let cppNamespace = "::dscc::dsc";
  let description = [{
    Each element of the one result depends on the elements of the operands at the same place, after NumPy
    broadcasting. passes/kernels/ScalarCode.cpp says what each such op computes.
  }];
}

#endif // DSCC_DIALECTS_DSC_INTERFACES_TD
