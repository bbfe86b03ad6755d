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

def ScheduleAttr : AttrDef<DscDialect, "Schedule"> {
  let mnemonic = "schedule";
  let summary = "how a group becomes a kernel: the emitter, and all that it is to know";
  let description = [{
    The emitter's name, its parameters, and perhaps a condition: where a group has a list of schedules, a run takes the
    first whose dim is at most the number behind it. What parameters an emitter has, and which it can write, is said in
    passes/kernels; emission reads them and nothing else.

    ```
    #dsc.schedule<tiles, rows = 6, vectors = 2>
    #dsc.schedule<tiles, rows = 1, vectors = 4, "seq" up_to 4>
    ```

    1. (C1) Names are different. 2. (C2) The dim is an expression in normal form, and no number.
  }];
  let parameters = (ins "::mlir::StringAttr":$emitter, "::mlir::DictionaryAttr":$parameters,
                        "::mlir::StringAttr":$dim, "int64_t":$most);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// One parameter of an emitter and its value.
    using Parameter = std::pair<::llvm::StringRef, int64_t>;
    static ScheduleAttr get(::mlir::MLIRContext *context, ::llvm::StringRef emitter,
                            ::llvm::ArrayRef<Parameter> parameters);
    /// The value of a parameter; nothing if the schedule lacks it.
    std::optional<int64_t> lookup(::llvm::StringRef name) const;
    /// The same for runs in which `dim` is at most `most`.
    ScheduleAttr where(const ::dscc::DimExpr &dim, int64_t most) const;
    /// The same for all runs.
    ScheduleAttr everywhere() const;
    /// What is compared with getMost(); nothing if it is for all runs.
    std::optional<::dscc::DimExpr> getCondition() const;
  }];
}

def PanelsAttr : AttrDef<DscDialect, "Panels", [ElementsAttrInterface]> {
  let mnemonic = "panels";
  let summary = "a constant's matrices in panels of columns, as dsc.unpack reads them";
  let description = [{
    The last two dims of `matrices` are those of a matrix, or, where it lies `transposed`, of its transpose. The bytes
    stay where they are until the artifact is written: only then they are packed, panel by panel.

    ```
    #dsc.panels<dense_resource<w> : tensor<768x40xf32>>                is a tensor<3x768x16xf32>
    #dsc.panels<dense_resource<w> : tensor<40x768xf32>, transposed>    too
    ```

    1. (C1) `matrices` is a tensor of rank 2 or more. 2. (C2) It lists its elements, each of whole bytes.
  }];
  let parameters = (ins "::mlir::ElementsAttr":$matrices, "bool":$transposed);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Columns of a panel: as many as lanes of 32 bits in the widest register.
    static constexpr int64_t columns = 16;
    /// [.., panels, rows, columns of a panel].
    ::mlir::RankedTensorType getType() const;
    bool isSplat() const { return false; }
  }];
}

#endif // DSCC_DIALECTS_DSC_ATTRIBUTES_TD
