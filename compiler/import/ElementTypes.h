// ONNX's data types and ours.

#ifndef DSCC_COMPILER_IMPORT_ELEMENTTYPES_H
#define DSCC_COMPILER_IMPORT_ELEMENTTYPES_H

#include "mlir/IR/BuiltinTypes.h"

#include <string>

namespace dscc {

/// The element type for a value of TensorProto.DataType; null for strings, complex numbers and unknown values.
mlir::Type elementType(mlir::MLIRContext *context, int32_t dataType);
/// ONNX's name of a value of TensorProto.DataType, in lower case, or the number.
std::string dataTypeName(int32_t dataType);
/// The same of an element type that elementType() makes.
std::string dataTypeName(mlir::Type elementType);
/// How many bits an element takes in a TensorProto.
unsigned storedBits(mlir::Type elementType);

} // namespace dscc

#endif // DSCC_COMPILER_IMPORT_ELEMENTTYPES_H
