#ifndef DSCC_DIALECTS_DSC_DIALECT_TD
#define DSCC_DIALECTS_DSC_DIALECT_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/TensorEncoding.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

include "dialects/dsc/DscInterfaces.td"

def DscDialect : Dialect {
  let name = "dsc";
  let cppNamespace = "::dscc::dsc";
  let summary = "Tensor graphs on their way to one shared object";
  let description = [{
    A value in this dialect is a ranked tensor. A dim is a number or an expression over the model's named dims;
    the expressions stand in the type's encoding, `tensor<?x3xf32, #dsc.dims<"batch", 3>>`. A model enters as a flat
    list of tensor ops, is cut into `dsc.group`s, and leaves as kernels and a host program.

    Signed integers are signless here (`i32`), unsigned ones are `ui8` to `ui64`, booleans are `i1`.

    What a whole module or function needs to say stands in attributes, which are checked wherever a module is read:

    | attribute | on | holds |
    |---|---|---|
    | `dsc.symbols` | the module | the named dims: rows of `name`, `min`, `max`, `input` and `axis`, the bounds, and where an input has it |
    | `dsc.relations` | the module | what the dims of a run must fulfil: rows of `kind` (equal, broadcast or multiple), `lhs`, `rhs` and `node` |
    | `dsc.stage` | the module | the stage that it has reached, in text that `--until` printed |
    | `dsc.target` | a nested module | the target that it is for |
    | `dsc.weights` | a nested module | its constants, in the order of their pointers |
    | `dsc.launches` | a nested module | `{kernel, nodes}` of each launch that its run makes, in their order: the ONNX nodes that it computes |
    | `dsc.services` | a nested module | the services of the runtime that its run calls, by name |
    | `dsc.tensor_maps` | a nested module | `{element, box, swizzle}` of each tensor map that its run encodes, and the `pixels` of one that has them |
    | `dsc.arena` | @main of a target | what lies where in the arena |
    | `dsc.arena_bytes` | a target's module | the arena's size as a formula, for people |
    | `dsc.default` | an argument of @main | its value where a caller leaves it out |
    | `dsc.kernel` | a kernel | `{threads, cluster, shared, scratch, overlaps}`: what a launch of it needs, and whether it waits for the work before it by itself |
    | `dsc.name` | arguments and results of @main | the ONNX name |
  }];
  let useDefaultAttributePrinterParser = 1;
  let hasConstantMaterializer = 1;
  let hasOperationAttrVerify = 1;
  let hasRegionArgAttrVerify = 1;
  let hasRegionResultAttrVerify = 1;
}

/// What tensors are made of: the element types of ONNX.
def DataElement : Type<CPred<"::dscc::dsc::isElementType($_self)">, "number or boolean">;
def DataTensor : RankedTensorOf<[DataElement]>;

/// An op, and the facts about it that passes go by (dialects/dsc/Facts.h says what they mean).
class DscOp<string mnemonic, list<Trait> traits = []> : Op<DscDialect, mnemonic, traits # [OpFacts]> {
  string role = "Opaque";
  string precision = "Follows";
  bit readsOnce = 0;
  bit duplicable = 0;
  bit accumulates = 0;
  int weight = 0;
  // What an op with answers of its own computes them with.
  code rowAxes = "std::nullopt";
  code flops = "countFlops(getOperation())";
  code bytes = "countOperandBytes(getOperation())";
  // Other members of the op's class.
  code declarations = "";
  let extraClassDeclaration =
      "static constexpr Facts getFacts() { return {Role::" # role # ", Precision::" # precision # ", " # readsOnce # ", "
      # duplicable # ", " # accumulates # ", " # weight # "}; }\n"
      "std::optional<::llvm::SmallVector<int64_t>> getRowAxes() { return " # rowAxes # "; }\n"
      "DimExpr getFlops() { return " # flops # "; }\n"
      "DimExpr getBytes() { return " # bytes # "; }\n" # declarations;
}

/// An op whose result type follows from operands and attributes: its family's .cpp infers it, the verifier compares.
class InferredOp<string mnemonic, list<Trait> traits = []>
    : DscOp<mnemonic, traits # [Pure, InferTypeOpAdaptor]> {
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
}

/// The body of inferReturnTypes, for classes of ops that share one.
class InferBy<code expression> {
  code definition = "::llvm::LogicalResult $cppClass::inferReturnTypes(::mlir::MLIRContext *context, "
    "std::optional<::mlir::Location> location, Adaptor adaptor, ::llvm::SmallVectorImpl<::mlir::Type> &types) {\n"
    "  return " # expression # ";\n}\n";
}


#endif // DSCC_DIALECTS_DSC_DIALECT_TD
