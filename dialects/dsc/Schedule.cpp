#include "dialects/dsc/Dsc.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"

using namespace mlir;
using namespace dscc;
using namespace dscc::dsc;

ScheduleAttr ScheduleAttr::get(MLIRContext *context, StringRef emitter, ArrayRef<Parameter> parameters) {
  Builder builder(context);
  SmallVector<NamedAttribute> entries;
  for (auto [name, value] : parameters)
    entries.push_back(builder.getNamedAttr(name, builder.getI64IntegerAttr(value)));
  return get(context, builder.getStringAttr(emitter), builder.getDictionaryAttr(entries), StringAttr(), 0);
}

std::optional<int64_t> ScheduleAttr::lookup(StringRef name) const {
  auto value = getParameters().getAs<IntegerAttr>(name);
  return value ? std::optional<int64_t>(value.getInt()) : std::nullopt;
}

ScheduleAttr ScheduleAttr::where(const DimExpr &dim, int64_t most) const {
  return get(getContext(), getEmitter(), getParameters(), StringAttr::get(getContext(), dim.str()), most);
}

ScheduleAttr ScheduleAttr::everywhere() const {
  return get(getContext(), getEmitter(), getParameters(), StringAttr(), 0);
}

std::optional<DimExpr> ScheduleAttr::getCondition() const {
  return getDim() ? std::optional<DimExpr>(DimExpr::parse(getDim().getValue())) : std::nullopt;
}

Attribute ScheduleAttr::parse(AsmParser &parser, Type) {
  StringRef emitter;
  NamedAttrList parameters;
  std::string dim;
  int64_t most = 0;
  if (parser.parseLess() || parser.parseKeyword(&emitter))
    return {};
  while (succeeded(parser.parseOptionalComma())) {
    if (succeeded(parser.parseOptionalString(&dim))) {
      if (parser.parseKeyword("up_to") || parser.parseInteger(most))
        return {};
      break;
    }
    StringRef name;
    int64_t value;
    if (parser.parseKeyword(&name) || parser.parseEqual() || parser.parseInteger(value))
      return {};
    // schedule (C1)
    if (parameters.get(name)) {
      parser.emitError(parser.getCurrentLocation(), "has the parameter '") << name << "' twice";
      return {};
    }
    parameters.append(name, parser.getBuilder().getI64IntegerAttr(value));
  }
  if (parser.parseGreater())
    return {};
  Builder &builder = parser.getBuilder();
  return ScheduleAttr::getChecked([&] { return parser.emitError(parser.getNameLoc()); }, parser.getContext(),
                                  builder.getStringAttr(emitter), parameters.getDictionary(parser.getContext()),
                                  dim.empty() ? StringAttr() : builder.getStringAttr(dim), most);
}

void ScheduleAttr::print(AsmPrinter &printer) const {
  printer << '<' << getEmitter().getValue();
  for (NamedAttribute parameter : getParameters())
    printer << ", " << parameter.getName().getValue() << " = " << cast<IntegerAttr>(parameter.getValue()).getInt();
  if (getDim())
    printer << ", " << getDim() << " up_to " << getMost();
  printer << '>';
}

LogicalResult ScheduleAttr::verify(function_ref<InFlightDiagnostic()> emitError, StringAttr, DictionaryAttr,
                                   StringAttr dim, int64_t) {
  if (!dim)
    return success();
  // schedule (C2)
  DimExpr expression = DimExpr::parse(dim.getValue());
  if (!expression.isValid() || expression.isConstant() || expression.str() != dim.getValue())
    return emitError() << "'" << dim.getValue() << "' is no dim expression in normal form";
  return success();
}
