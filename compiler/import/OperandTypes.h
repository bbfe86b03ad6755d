// Which element types an operator's inputs may have, and which of them must be equal.
//
//     Where       "bool, T=any, T"              a boolean, then two of one type
//     Slice       "any, I=index, I, I, I"
//     Max         "T=numbers..."                any number of inputs of one type
//
// One entry an input, in order. An entry is a sum of type names, of ONNX's own (float, int64) or of kinds (floats); a
// name before it makes all inputs of that name equal. The last entry holds for all further inputs if it ends in "...".

#ifndef DSCC_COMPILER_IMPORT_OPERANDTYPES_H
#define DSCC_COMPILER_IMPORT_OPERANDTYPES_H

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/ArrayRef.h"

#include <string>

namespace dscc {

/// What is wrong with the types of the inputs, as "has input 1 ('w') of type int64, but ..."; empty if nothing is.
/// A null type is an input that is left out. `names` are for the sentence.
std::string whyNotOperands(llvm::StringRef types, llvm::ArrayRef<mlir::Type> operands,
                           llvm::ArrayRef<std::string> names);

} // namespace dscc

#endif // DSCC_COMPILER_IMPORT_OPERANDTYPES_H
