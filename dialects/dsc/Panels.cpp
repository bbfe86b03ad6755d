#include "dialects/dsc/Dsc.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace dscc;
using namespace dscc::dsc;

Attribute PanelsAttr::parse(AsmParser &parser, Type) {
  ElementsAttr matrices;
  bool transposed = false;
  if (parser.parseLess() || parser.parseAttribute(matrices))
    return {};
  if (succeeded(parser.parseOptionalComma())) {
    if (parser.parseKeyword("transposed"))
      return {};
    transposed = true;
  }
  if (parser.parseGreater())
    return {};
  return parser.getChecked<PanelsAttr>(parser.getContext(), matrices, transposed);
}

void PanelsAttr::print(AsmPrinter &printer) const {
  printer << "<" << getMatrices() << (getTransposed() ? ", transposed>" : ">");
}

LogicalResult PanelsAttr::verify(function_ref<InFlightDiagnostic()> emitError, ElementsAttr matrices, bool) {
  auto type = matrices ? dyn_cast<RankedTensorType>(matrices.getShapedType()) : RankedTensorType();
  // panels (C1)
  if (!type || type.getRank() < 2)
    return emitError() << "has panels of " << matrices << ", in which there is no matrix";
  // panels (C2)
  bool isListed = isa<DenseResourceElementsAttr>(matrices) || (isa<DenseElementsAttr>(matrices) && !matrices.isSplat());
  Type element = type.getElementType();
  if (!isListed || !element.isIntOrFloat() || element.getIntOrFloatBitWidth() % 8 != 0)
    return emitError() << "has panels of " << matrices << ", which lists no elements of whole bytes";
  return success();
}

RankedTensorType PanelsAttr::getType() const {
  auto type = cast<RankedTensorType>(getMatrices().getShapedType());
  SmallVector<int64_t> dims(type.getShape());
  if (getTransposed())
    std::swap(dims[dims.size() - 1], dims[dims.size() - 2]);
  int64_t all = dims.back();
  dims.back() = columns;
  dims.insert(dims.end() - 2, llvm::divideCeil(all, columns));
  return RankedTensorType::get(dims, type.getElementType());
}

LogicalResult UnpackOp::verify() {
  Dims panels = dsc::getDims(getInput()), result = dsc::getDims(getResult());
  // unpack (C1)
  if (result.size() < 2 || panels.size() != result.size() + 1 ||
      getElementType(getInput()) != getElementType(getResult()))
    return emitOpError("makes ") << getResult().getType() << " of " << getInput().getType()
                                 << ", which must have one dim more than a matrix and the same element type";
  // unpack (C2)
  const DimExpr &width = panels.back(), &rows = result[result.size() - 2], &columns = result.back();
  Dims wanted(result.begin(), result.end() - 2);
  if (width.isConstant() && width.constant() >= 1)
    wanted.append({DimExpr::ceilDiv(columns, width.constant()), rows, width});
  if (wanted != panels)
    return emitOpError("cannot find the columns of ")
           << describeDims(result) << " in panels of " << describeDims(panels);
  return success();
}
