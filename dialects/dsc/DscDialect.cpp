#include "dialects/dsc/Dsc.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace dscc;
using namespace dscc::dsc;

#include "dialects/dsc/DscDialect.cpp.inc"
#include "dialects/dsc/DscInterfaces.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/dsc/DscAttributes.cpp.inc"
#define GET_OP_CLASSES
#include "dialects/dsc/DscOps.cpp.inc"

void DscDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/dsc/DscAttributes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/dsc/DscOps.cpp.inc"
      >();
}

Operation *DscDialect::materializeConstant(OpBuilder &builder, Attribute value, Type type, Location location) {
  if (auto dims = dyn_cast<DimsAttr>(value))
    return DimsOp::create(builder, location, dims, TypeAttr::get(type));
  auto elements = dyn_cast<ElementsAttr>(value);
  if (!elements || elements.getType() != type)
    return nullptr;
  return ConstantOp::create(builder, location, elements);
}

DimsAttr DimsAttr::get(MLIRContext *context, ArrayRef<DimExpr> dims) {
  assert(llvm::all_of(dims, [](const DimExpr &dim) { return dim.isValid(); }) && "what has no value has no text");
  Builder builder(context);
  SmallVector<Attribute> entries;
  for (const DimExpr &dim : dims)
    entries.push_back(dim.isConstant() ? Attribute(builder.getI64IntegerAttr(dim.constant()))
                                       : Attribute(builder.getStringAttr(dim.str())));
  return get(context, entries);
}

SmallVector<DimExpr> DimsAttr::getDims() const {
  return llvm::map_to_vector(getEntries(), [](Attribute entry) {
    if (auto number = dyn_cast<IntegerAttr>(entry))
      return DimExpr(number.getInt());
    return DimExpr::parse(cast<StringAttr>(entry).getValue());
  });
}

Attribute DimsAttr::parse(AsmParser &parser, Type) {
  SmallVector<Attribute> entries;
  auto parseEntry = [&]() -> ParseResult {
    int64_t number;
    if (OptionalParseResult found = parser.parseOptionalInteger(number); found.has_value()) {
      entries.push_back(parser.getBuilder().getI64IntegerAttr(number));
      return *found;
    }
    std::string text;
    if (parser.parseString(&text))
      return failure();
    entries.push_back(parser.getBuilder().getStringAttr(text));
    return success();
  };
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::LessGreater, parseEntry))
    return {};
  return DimsAttr::getChecked([&] { return parser.emitError(parser.getNameLoc()); }, parser.getContext(),
                              ArrayRef<Attribute>(entries));
}

void DimsAttr::print(AsmPrinter &printer) const {
  printer << '<';
  llvm::interleaveComma(getEntries(), printer, [&](Attribute entry) {
    if (auto number = dyn_cast<IntegerAttr>(entry))
      printer << number.getInt();
    else
      printer << entry;
  });
  printer << '>';
}

LogicalResult DimsAttr::verify(function_ref<InFlightDiagnostic()> emitError, ArrayRef<Attribute> entries) {
  for (Attribute entry : entries) {
    auto text = dyn_cast<StringAttr>(entry);
    if (!text)
      continue;
    // dims (C1)
    DimExpr dim = DimExpr::parse(text.getValue());
    if (!dim.isValid())
      return emitError() << "'" << text.getValue() << "' is not a dim expression";
    if (dim.isConstant() || dim.str() != text.getValue())
      return emitError() << "'" << text.getValue() << "' is not in normal form, which is '" << dim.str() << "'";
  }
  return success();
}

LogicalResult DimsAttr::verifyEncoding(ArrayRef<int64_t> shape, Type,
                                       function_ref<InFlightDiagnostic()> emitError) const {
  // dims (C2)
  if (shape.size() != size())
    return emitError() << "has " << size() << " dim expressions for " << shape.size() << " dims";
  for (auto [size, entry] : llvm::zip_equal(shape, getEntries())) {
    // dims (C3)
    auto number = dyn_cast<IntegerAttr>(entry);
    bool negative = number && number.getInt() < 0;
    if (ShapedType::isDynamic(size) ? (number && !negative) : (!number || number.getInt() != size))
      return emitError() << "has the dim expression " << entry << " where the shape says "
                         << (ShapedType::isDynamic(size) ? "'?'" : std::to_string(size));
  }
  return success();
}
