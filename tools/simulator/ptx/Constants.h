// Constants and expressions of constants: integers of 64 bits with C's operators, and floats.

#ifndef DSCC_TOOLS_SIMULATOR_PTX_CONSTANTS_H
#define DSCC_TOOLS_SIMULATOR_PTX_CONSTANTS_H

#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <string>

namespace dscc::sim {

/// The value of a literal or an expression: PTX ISA, "Constants".
struct Constant {
  enum class Kind { Signed, Unsigned, Double, Single }; // Single: 0f3F800000, which stands alone
  Kind kind = Kind::Signed;                             // the type that literals and operators have given it
  uint64_t bits = 0;                                    // of an integer or a double of 64 bits; of a Single the low 32

  /// Where an integer has to stand, such a constant is an error.
  bool isFloat() const { return kind == Kind::Double || kind == Kind::Single; }
};

/// True if a constant or an expression begins at `at`; a name behind a sign is none.
bool beginsConstant(llvm::StringRef text, size_t at);

/// Reads an expression and moves `at` behind it. Empty if all is well, else what is wrong.
std::string readConstant(llvm::StringRef text, size_t &at, Constant &constant);

/// Reads one literal, or nothing: false if none stands there.
bool readLiteral(llvm::StringRef text, size_t &at, Constant &constant);

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_PTX_CONSTANTS_H
