#ifndef DSCC_DIALECTS_DSC_INTERFACES_TD
#define DSCC_DIALECTS_DSC_INTERFACES_TD

include "mlir/IR/OpBase.td"

def OpFacts : OpInterface<"OpFacts"> {
  let cppNamespace = "::dscc::dsc";
  let description = [{
    What passes ask of any op, so that none of them keeps a list of ops. Every op has it; what an op answers stands in
    its entry, in the fields of DscOp.
  }];
  let methods = [
    StaticInterfaceMethod<"What holds for every op of this name.", "::dscc::dsc::Facts", "getFacts">,
    InterfaceMethod<"The axes of the first operand along which elements are seen together, if kernels do so row by row.",
                    "std::optional<::llvm::SmallVector<int64_t>>", "getRowAxes">,
    InterfaceMethod<"How many floating-point operations it takes, in additions.", "::dscc::DimExpr", "getFlops">,
    InterfaceMethod<"How many bytes it reads and writes if it runs alone.", "::dscc::DimExpr", "getBytes">,
  ];
}

#endif // DSCC_DIALECTS_DSC_INTERFACES_TD
