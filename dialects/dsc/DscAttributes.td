#ifndef DSCC_DIALECTS_DSC_ATTRIBUTES_TD
#define DSCC_DIALECTS_DSC_ATTRIBUTES_TD

include "dialects/dsc/DscDialect.td"

def DimsAttr : AttrDef<DscDialect, "Dims", [
    DeclareAttrInterfaceMethods<VerifiableTensorEncoding, ["verifyEncoding"]>]> {
  let mnemonic = "dims";
  let summary = "a list of dims, each a number or an expression over the model's named dims";
  let description = [{
    As the encoding of a tensor type it spells out every `?`. As an attribute of an op it carries sizes, starts, or
    whatever else is counted in dims.

    ```
    tensor<?x3x?xf32, #dsc.dims<"batch", 3, "floordiv(h, 2)">>
    ```

    1. (C1) Each text is a dim expression in normal form.
    2. (C2) As an encoding it has as many entries as the tensor has dims.
    3. (C3) As an encoding an entry is a number exactly where the tensor's dim is static, and it is that number.
  }];
  let parameters = (ins ArrayRefParameter<"::mlir::Attribute">:$entries);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    static DimsAttr get(::mlir::MLIRContext *context, ::llvm::ArrayRef<::dscc::DimExpr> dims);
    ::llvm::SmallVector<::dscc::DimExpr> getDims() const;
    size_t size() const { return getEntries().size(); }
  }];
  let skipDefaultBuilders = 0;
}

#endif // DSCC_DIALECTS_DSC_ATTRIBUTES_TD
