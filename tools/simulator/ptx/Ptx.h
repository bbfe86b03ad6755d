// PTX text as a tree: the module's variables and functions, each a list of statements in nested scopes.
//
// Names are not resolved: whether `p` is a register, a parameter or a variable depends on the scopes, which only the
// translation knows. Line numbers are kept everywhere, because they are what reports cite.

#ifndef DSCC_TOOLS_SIMULATOR_PTX_PTX_H
#define DSCC_TOOLS_SIMULATOR_PTX_PTX_H

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace dscc::sim {

struct Operand {
  enum class Kind { Name, Integer, Float, Address, Vector };
  Kind kind = Kind::Name;
  std::string name;           // Name; the base of an Address, empty if that is a number
  std::string second;         // of the pair `d|p`
  bool isNegated = false;     // `!p`
  bool isMinus = false;       // `-r`
  int64_t integer = 0;        // Integer; an Address's offset, or one behind a Name: `x+4`; a Float's bits
  unsigned floatBits = 0;     // Float: 32 or 64
  std::vector<Operand> parts; // Vector; what follows the base in an Address: [map, {x, y}]
};

struct Statement {
  bool isLabel = false;
  int line = 0;
  int scope = 0;                            // index into Function::scopes
  std::string text;                         // the label, or the instruction's whole name
  llvm::SmallVector<llvm::StringRef> parts; // the name cut at its points: ld, global, v4, b32
  std::string predicate;                    // `@p`, without the @
  bool isPredicateNegated = false;
  std::vector<Operand> operands;

  bool has(llvm::StringRef part) const;
};

/// A variable or a parameter.
struct Variable {
  std::string name;   // of one within a function, where all functions keep theirs: `kernel$2$name`
  std::string plain;  // as it is written
  std::string space;  // ".shared", ".param", ...
  uint64_t bytes = 0; // 0: `.extern .shared x[]`
  uint32_t align = 1;
  bool isPredicate = false; // of a .reg
  bool isExtern = false;
  std::vector<uint8_t> initial;
  struct Reference { // the address of a variable or function in `initial`: 8 bytes
    uint64_t offset;
    std::string name;
    int64_t addend = 0;
  };
  std::vector<Reference> references;
  int line = 0;
};

struct Scope {
  struct RegisterRange {
    unsigned bits;
    unsigned count; // `%r<9>` declares %r0 to %r8
  };
  int parent = -1;
  llvm::StringMap<unsigned> registers; // their bits
  llvm::StringMap<RegisterRange> ranges;
  llvm::StringMap<unsigned> vectors;      // `.reg .v4 .b32 V`: the parts, V.x and so on, are registers
  std::vector<Variable> buffers;          // .local, and `.param` buffers of calls
  llvm::StringMap<std::string> variables; // .shared, .global and .const: what the module calls them

  /// Bits of the register that is declared just here; 0 if there is none.
  unsigned findRegister(llvm::StringRef name) const;
  bool hasBuffer(llvm::StringRef name) const;
};

struct Function {
  std::string name;
  int line = 0;
  bool isEntry = false, isDefined = false;
  std::vector<Variable> results, parameters;
  std::vector<Scope> scopes;
  std::vector<Statement> statements;
  std::map<std::string, std::vector<std::string>> branchTargets; // of brx.idx, by their label
  uint32_t maxThreads = 0, maxRegisters = 0, maxClusterBlocks = 0;
  uint32_t requiredBlock[3] = {0, 0, 0}, cluster[3] = {0, 0, 0};
  bool needsCluster = false, countsClusters = false; // .explicitcluster, .blocksareclusters

  /// The module's name of the variable that `name` means in a scope: the name itself unless a scope declares it.
  std::string resolve(int scope, const std::string &name) const;
};

struct PtxModule {
  std::string target; // "sm_80", "sm_90a"
  std::vector<Variable> shared, globals;
  std::vector<Function> functions;
  std::map<std::string, std::string> aliases; // of functions
};

/// Reads a module. Empty if all is well, else a sentence that begins with the line. The tree refers to `text`, which
/// has to outlive it.
std::string parsePtx(llvm::StringRef text, PtxModule &module);

/// Bytes of a type without its point, as "b32" or "f16x2"; 0 if there is none of that name.
unsigned countTypeBytes(llvm::StringRef type);

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_PTX_PTX_H
