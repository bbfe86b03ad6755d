#include "dialects/dsc/Dsc.h"

#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace dscc::dsc;

LogicalResult ResizeOp::verify() {
  // resize (C1)
  size_t rank = dsc::getDims(getInput()).size();
  if (dsc::getDims(getResult()).size() != rank || getScales().size() != rank)
    return emitOpError("has an input of rank ") << rank << ", a result of rank " << dsc::getDims(getResult()).size()
                                                << " and " << getScales().size() << " scales";
  if (getElementType(getInput()) != getElementType(getResult()))
    return emitOpError("turns elements of type ")
           << getElementType(getInput()) << " into " << getElementType(getResult()) << ", but resizing keeps the type";
  // resize (C2)
  auto isOneOf = [](StringRef name, ArrayRef<StringRef> names) { return llvm::is_contained(names, name); };
  if (!isOneOf(getMode(), {"nearest", "linear", "cubic"}))
    return emitOpError("has the mode '") << getMode() << "'; known are nearest, linear and cubic";
  if (!isOneOf(getCoordinates(), {"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners",
                                  "asymmetric", "tf_half_pixel_for_nn"}))
    return emitOpError("has the unknown coordinate transformation '") << getCoordinates() << "'";
  if (!isOneOf(getRounding(), {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"}))
    return emitOpError("has the unknown rounding '") << getRounding() << "'";
  return success();
}
