// The attributes of the dialect on modules, functions and their arguments (DscDialect.td lists them). MLIR asks for
// each of them wherever it verifies, so that passes may rely on their form, and hand-written IR gets a sentence.
//
// What relates an attribute to more than its own module's attributes is left to passes/VerifyStage.cpp.

#include "dialects/dsc/Dsc.h"
#include "dialects/dsc/Targets.h"
#include "dialects/dsc/TensorMaps.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/StringSet.h"

#include <limits>

using namespace mlir;
using namespace dscc;
using namespace dscc::dsc;

/// `attribute` as a dictionary if it has all these texts and numbers, else null.
static DictionaryAttr readRow(Attribute attribute, std::initializer_list<StringRef> texts,
                              std::initializer_list<StringRef> numbers) {
  auto row = dyn_cast<DictionaryAttr>(attribute);
  bool complete = row && llvm::all_of(texts, [&](StringRef name) { return bool(row.getAs<StringAttr>(name)); }) &&
                  llvm::all_of(numbers, [&](StringRef name) {
                    auto number = row.getAs<IntegerAttr>(name);
                    return number && number.getType().isSignlessInteger(64);
                  });
  return complete ? row : DictionaryAttr();
}

static LogicalResult verifySymbols(Operation *op, Attribute value) {
  auto rows = dyn_cast<ArrayAttr>(value);
  if (!rows)
    return op->emitOpError("has a dsc.symbols that is no list");
  llvm::StringSet<> names;
  for (auto [index, attribute] : llvm::enumerate(rows)) {
    DictionaryAttr row = readRow(attribute, {"name"}, {"min", "max", "input", "axis"});
    if (!row)
      return op->emitOpError("has a row ") << index << " of dsc.symbols that is not {name, min, max, input, axis}";
    auto number = [&](StringRef field) { return row.getAs<IntegerAttr>(field).getInt(); };
    StringRef name = row.getAs<StringAttr>("name").getValue();
    if (DimExpr::parse(name).asSymbol() != name.str())
      return op->emitOpError("has the dim '") << name << "' in dsc.symbols, which is no name";
    if (!names.insert(name).second)
      return op->emitOpError("has the dim '") << name << "' in dsc.symbols twice";
    if (number("min") < 0 || number("max") < number("min"))
      return op->emitOpError("has the dim '")
             << name << "' in dsc.symbols with bounds " << number("min") << " and " << number("max");
    if (number("input") < 0 || number("axis") < 0)
      return op->emitOpError("has the dim '")
             << name << "' in dsc.symbols at axis " << number("axis") << " of input " << number("input");
  }
  return success();
}

/// True if the module lists each name of `dim`.
static bool knowsNames(Operation *op, const DimExpr &dim) {
  std::vector<std::string> names;
  dim.collectSymbols(names);
  auto symbols = op->getAttrOfType<ArrayAttr>("dsc.symbols");
  return llvm::all_of(names, [&](const std::string &name) {
    return symbols && llvm::any_of(symbols, [&](Attribute attribute) {
             DictionaryAttr row = readRow(attribute, {"name"}, {});
             return row && row.getAs<StringAttr>("name").getValue() == name;
           });
  });
}

static LogicalResult verifyRelations(Operation *op, Attribute value) {
  auto rows = dyn_cast<ArrayAttr>(value);
  if (!rows)
    return op->emitOpError("has a dsc.relations that is no list");
  for (auto [index, attribute] : llvm::enumerate(rows)) {
    DictionaryAttr row = readRow(attribute, {"kind", "lhs", "rhs", "node"}, {});
    if (!row)
      return op->emitOpError("has a row ") << index << " of dsc.relations that is not {kind, lhs, rhs, node}";
    StringRef kind = row.getAs<StringAttr>("kind").getValue();
    if (!llvm::is_contained({"equal", "broadcast", "multiple"}, kind))
      return op->emitOpError("has a relation of kind '") << kind << "'; known are equal, broadcast and multiple";
    for (StringRef side : {"lhs", "rhs"}) {
      StringRef text = row.getAs<StringAttr>(side).getValue();
      DimExpr dim = DimExpr::parse(text);
      if (!dim.isValid())
        return op->emitOpError("has a relation of '") << text << "', which is no dim expression";
      if (!knowsNames(op, dim))
        return op->emitOpError("has a relation of '") << text << "', with a name that dsc.symbols lacks";
    }
  }
  return success();
}

static LogicalResult verifyTarget(Operation *op, Attribute value) {
  auto name = dyn_cast<StringAttr>(value);
  if (name && findTarget(name.getValue()))
    return success();
  return op->emitOpError("is for the target ") << value << ", which is no row of the table of targets";
}

static LogicalResult verifyWeights(Operation *op, Attribute value) {
  auto list = dyn_cast<ArrayAttr>(value);
  if (!list)
    return op->emitOpError("has a dsc.weights that is no list");
  for (auto [index, weight] : llvm::enumerate(list)) {
    auto elements = dyn_cast<ElementsAttr>(weight);
    if (!elements || !isa<DenseElementsAttr, DenseResourceElementsAttr, PanelsAttr>(weight) ||
        !isElementType(elements.getElementType()))
      return op->emitOpError("has a weight ") << index << " that is no dense constant of ONNX's numbers";
  }
  return success();
}

/// Its rows are checked by those who read them, with the function's groups at hand (passes/memory/Places.cpp).
static LogicalResult verifyArena(Operation *op, Attribute value) {
  return isa<ArrayAttr>(value) ? success() : op->emitOpError("has a dsc.arena that is no list");
}

/// The most blocks of a cluster that every chip with clusters can run.
static constexpr int64_t maxClusterBlocks = 8;

static LogicalResult verifyKernel(Operation *op, Attribute value) {
  auto facts = dyn_cast<DictionaryAttr>(value);
  auto isCount = [](Attribute attribute, int64_t least, int64_t most) {
    auto number = dyn_cast<IntegerAttr>(attribute);
    return number && number.getType().isSignlessInteger(64) && number.getInt() >= least && number.getInt() <= most;
  };
  auto isKnown = [&](NamedAttribute fact) {
    StringRef name = fact.getName();
    if (name == "shared" || name == "scratch")
      return isCount(fact.getValue(), 0, std::numeric_limits<uint32_t>::max());
    if (name == "overlaps")
      return isa<UnitAttr>(fact.getValue());
    int64_t most = name == "threads" ? 1024 : name == "cluster" ? maxClusterBlocks : 0;
    auto counts = dyn_cast<ArrayAttr>(fact.getValue());
    return most && counts && counts.size() == 3 &&
           llvm::all_of(counts, [&](Attribute count) { return isCount(count, 1, most); });
  };
  if (!facts || !llvm::all_of(facts, isKnown))
    return op->emitOpError("has a dsc.kernel ")
           << value << ", which is not {threads, cluster, shared, scratch, overlaps}";
  return success();
}

static LogicalResult verifyLaunches(Operation *op, Attribute value) {
  auto rows = dyn_cast<ArrayAttr>(value);
  if (!rows)
    return op->emitOpError("has a dsc.launches that is no list");
  llvm::StringSet<> kernels;
  op->walk([&](FunctionOpInterface function) {
    if (function->hasAttr("dsc.kernel"))
      kernels.insert(function.getName());
  });
  for (auto [index, attribute] : llvm::enumerate(rows)) {
    DictionaryAttr row = readRow(attribute, {"nodes"}, {});
    auto kernel = row ? row.getAs<FlatSymbolRefAttr>("kernel") : FlatSymbolRefAttr();
    if (!kernel)
      return op->emitOpError("has a row ") << index << " of dsc.launches that is not {kernel, nodes}";
    if (!kernels.contains(kernel.getValue()))
      return op->emitOpError("has a launch ") << index << " of the kernel " << kernel << ", which it lacks";
  }
  return success();
}

static LogicalResult verifyServices(Operation *op, Attribute value) {
  auto names = dyn_cast<ArrayAttr>(value);
  auto isService = [](Attribute name) {
    auto text = dyn_cast<StringAttr>(name);
    return text && llvm::is_contained({"launch", "copy", "encode_tensor_map"}, text.getValue());
  };
  if (names && llvm::all_of(names, isService))
    return success();
  return op->emitOpError("has the dsc.services ") << value << ", which are no services of the runtime";
}

/// What the artifact holds of each map of the program; launches have the rest.
static LogicalResult verifyTensorMaps(Operation *op, Attribute value) {
  auto rows = dyn_cast<ArrayAttr>(value);
  auto isMap = [](Attribute attribute) {
    auto row = dyn_cast<DictionaryAttr>(attribute);
    auto element = row ? row.getAs<TypeAttr>("element") : TypeAttr();
    auto box = row ? row.getAs<DenseI64ArrayAttr>("box") : DenseI64ArrayAttr();
    Attribute pixels = row ? row.get("pixels") : Attribute();
    return element && isElementType(element.getValue()) && box && !box.empty() && size_t(box.size()) <= maxMapRank &&
           row.getAs<IntegerAttr>("swizzle") && (!pixels || (readMapPixels(pixels) && box.size() == 2));
  };
  if (rows && llvm::all_of(rows, isMap))
    return success();
  return op->emitOpError("has the dsc.tensor_maps ") << value << ", which are not {element, box, swizzle, pixels}";
}

static LogicalResult verifyText(Operation *op, Attribute value) {
  return isa<StringAttr>(value) ? success() : op->emitOpError("has the name ") << value << ", which is no text";
}

/// The value of an input that a caller leaves out.
static LogicalResult verifyDefault(Operation *op, Attribute value) {
  return isa<ElementsAttr>(value) ? success()
                                  : op->emitOpError("has the default ") << value << ", which is no constant";
}

namespace {
/// Where an attribute may stand, and what it must be.
struct AttributeRule {
  StringLiteral name;
  bool (*belongsTo)(Operation *op);
  LogicalResult (*verify)(Operation *op, Attribute value);
};
} // namespace

static bool isModule(Operation *op) { return isa<ModuleOp>(op); }
static bool isFunction(Operation *op) { return isa<FunctionOpInterface>(op); }

static constexpr AttributeRule rules[] = {
    {"dsc.symbols", isModule, verifySymbols},
    {"dsc.relations", isModule, verifyRelations},
    {"dsc.stage", isModule, verifyText},
    {"dsc.target", isModule, verifyTarget},
    {"dsc.weights", isModule, verifyWeights},
    {"dsc.arena", isFunction, verifyArena},
    {"dsc.kernel", isFunction, verifyKernel},
    {"dsc.arena_bytes", isModule, verifyText},
    {"dsc.launches", isModule, verifyLaunches},
    {"dsc.services", isModule, verifyServices},
    {"dsc.tensor_maps", isModule, verifyTensorMaps},
};

LogicalResult DscDialect::verifyOperationAttribute(Operation *op, NamedAttribute attribute) {
  auto rule =
      llvm::find_if(rules, [&](const AttributeRule &one) { return one.name == attribute.getName().getValue(); });
  if (rule == std::end(rules))
    return op->emitOpError("has the attribute '") << attribute.getName().getValue() << "', which the dialect lacks";
  if (!rule->belongsTo(op))
    return op->emitOpError("has the attribute '") << attribute.getName().getValue() << "', which belongs elsewhere";
  return rule->verify(op, attribute.getValue());
}

static LogicalResult verifyName(Operation *op, NamedAttribute attribute) {
  if (attribute.getName() == "dsc.name")
    return verifyText(op, attribute.getValue());
  return op->emitOpError("has an argument or result with the attribute '")
         << attribute.getName().getValue() << "', which belongs elsewhere";
}

LogicalResult DscDialect::verifyRegionArgAttribute(Operation *op, unsigned, unsigned, NamedAttribute attribute) {
  if (attribute.getName() == "dsc.default")
    return verifyDefault(op, attribute.getValue());
  return verifyName(op, attribute);
}

LogicalResult DscDialect::verifyRegionResultAttribute(Operation *op, unsigned, unsigned, NamedAttribute attribute) {
  return verifyName(op, attribute);
}
