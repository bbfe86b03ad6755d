#include "dialects/dsc/Dsc.h"

using namespace mlir;
using namespace dscc::dsc;

/// group (C4), launch (C2): `places` and `outputs` have a number for each result.
static LogicalResult verifyPlaces(Operation *op) {
  size_t results = op->getNumResults();
  if (Attribute value = op->getAttr("places")) {
    auto places = dyn_cast<DenseI64ArrayAttr>(value);
    if (!places || size_t(places.size()) != results ||
        llvm::any_of(places.asArrayRef(), [](int64_t place) { return place < -1; }))
      return op->emitOpError("has the places ") << value << " for " << results << " results";
  }
  if (Attribute value = op->getAttr("outputs")) {
    auto outputs = dyn_cast<ArrayAttr>(value);
    auto isOutput = [](Attribute attribute) {
      auto number = dyn_cast<IntegerAttr>(attribute);
      return number && number.getType().isSignlessInteger(64) && number.getInt() >= -1;
    };
    if (!outputs || outputs.size() != results || !llvm::all_of(outputs, isOutput))
      return op->emitOpError("has the outputs ") << value << " for " << results << " results";
  }
  return success();
}

LogicalResult GroupOp::verify() {
  Block &block = getBody().front();
  // group (C1)
  if (block.getArgumentTypes() != getInputs().getTypes())
    return emitOpError("has inputs ") << getInputs().getTypes() << " but a body that takes "
                                      << block.getArgumentTypes();
  // group (C2)
  auto yield = dyn_cast<YieldOp>(block.getTerminator());
  if (!yield)
    return emitOpError("must end in dsc.yield");
  if (yield.getOperandTypes() != getResultTypes())
    return emitOpError("yields ") << yield.getOperandTypes() << " but returns " << getResultTypes();
  // group (C3)
  Attribute schedule = (*this)->getAttr("schedule");
  if (schedule && !isa<DictionaryAttr>(schedule))
    return emitOpError("has the schedule ") << schedule << ", which is no dictionary";
  return verifyPlaces(*this);
}

LogicalResult LaunchOp::verify() {
  // launch (C1)
  if (getGrid().size() != 3)
    return emitOpError("has a grid of ") << getGrid().size() << " counts, which must be 3";
  return verifyPlaces(*this);
}
