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

/// An operand as it is written: what a name means is not known yet.
struct Operand {
  enum class Kind { Name, Integer, Float, Address, Vector };
  Kind kind = Kind::Name;     // which of the rest counts
  std::string name;           // Name; the base of an Address, empty if that is a number
  std::string second;         // of the pair `d|p`
  bool isNegated = false;     // `!p`
  bool isMinus = false;       // `-r`
  int64_t integer = 0;        // Integer; an Address's offset, or one behind a Name: `x+4`; a Float's bits
  unsigned floatBits = 0;     // Float: 32 or 64
  std::vector<Operand> parts; // Vector; what follows the base in an Address: [map, {x, y}]
};

/// A label, or an instruction with its predicate.
struct Statement {
  bool isLabel = false;                     // then only line, scope and text count
  int line = 0;                             // of the text, from 1: the label's, or that of the instruction's name
  int scope = 0;                            // index into Function::scopes
  std::string text;                         // the label, or the instruction's whole name
  llvm::SmallVector<llvm::StringRef> parts; // the name cut at its points: ld, global, v4, b32
  std::string predicate;                    // `@p`, without the @
  bool isPredicateNegated = false;          // `@!p`
  std::vector<Operand> operands;            // in order; a vector's register has become its parts

  /// Whether one of the name's parts is just that: `has("sat")` of add.sat.s32.
  bool has(llvm::StringRef part) const;
};

/// A variable or a parameter.
struct Variable {
  std::string name;             // of one within a function, where all functions keep theirs: `kernel$2$name`
  std::string plain;            // as it is written
  std::string space;            // ".shared", ".param", ...
  uint64_t bytes = 0;           // 0: `.extern .shared x[]`
  uint32_t align = 1;           // of its beginning, in bytes: a power of two up to 1024
  bool isPredicate = false;     // of a .reg
  bool isExtern = false;        // a declaration only: a definition takes its place
  std::vector<uint8_t> initial; // as many as `bytes`, or none: zeros
  struct Reference {            // the address of a variable or function in `initial`: 8 bytes
    uint64_t offset;            // of the address from the beginning of `initial`, in bytes
    std::string name;           // as the module calls what is meant
    int64_t addend = 0;         // bytes behind its beginning
  };
  std::vector<Reference> references; // in the order of their offsets, each with 8 bytes of its own
  int line = 0;                      // of the text, where it is declared
};

/// What is declared between a pair of braces.
struct Scope {
  /// Registers that differ by the number behind their name.
  struct RegisterRange {
    unsigned bits;  // of each of them
    unsigned count; // `%r<9>` declares %r0 to %r8
  };
  int parent = -1;                        // index into Function::scopes; -1: it is the body
  llvm::StringMap<unsigned> registers;    // their bits
  llvm::StringMap<RegisterRange> ranges;  // by what stands before the `<`
  llvm::StringMap<unsigned> vectors;      // `.reg .v4 .b32 V`: the parts, V.x and so on, are registers
  std::vector<Variable> buffers;          // .local, and `.param` buffers of calls
  llvm::StringMap<std::string> variables; // .shared, .global and .const: what the module calls them

  /// Bits of the register that is declared just here; 0 if there is none.
  unsigned findRegister(llvm::StringRef name) const;
  /// Whether a buffer of that name is declared just here.
  bool hasBuffer(llvm::StringRef name) const;
};

/// An .entry or a .func, defined or only declared.
struct Function {
  std::string name;                                              // as it is written: kernels are looked up by it
  int line = 0;                                                  // of the text, where .entry or .func stands
  bool isEntry = false, isDefined = false;                       // it is a kernel; it has a body
  std::vector<Variable> results, parameters;                     // in order, each a .param or a .reg
  std::vector<Scope> scopes;                                     // that of the body first; none without a body
  std::vector<Statement> statements;                             // of all scopes, in the order of the text
  std::map<std::string, std::vector<std::string>> branchTargets; // of brx.idx, by their label
  /// .maxntid or .reqntid, multiplied out; .maxnreg; .maxclusterrank. 0: not said.
  uint32_t maxThreads = 0, maxRegisters = 0, maxClusterBlocks = 0;
  /// .reqntid; .reqnctapercluster. 0: not said.
  uint32_t requiredBlock[3] = {0, 0, 0}, cluster[3] = {0, 0, 0};
  bool needsCluster = false, countsClusters = false; // .explicitcluster, .blocksareclusters

  /// The module's name of the variable that `name` means in a scope: the name itself unless a scope declares it.
  std::string resolve(int scope, const std::string &name) const;
};

/// All that a module's text says.
struct PtxModule {
  std::string target;                         // "sm_80", "sm_90a"
  std::vector<Variable> shared, globals;      // .shared; .global and .const, each of them once
  std::vector<Function> functions;            // declarations too, in the order of the text
  std::map<std::string, std::string> aliases; // of functions
};

/// Reads a module. Empty if all is well, else a sentence that begins with the line. The tree refers to `text`, which
/// has to outlive it.
std::string parsePtx(llvm::StringRef text, PtxModule &module);

/// Bytes of a type without its point, as "b32" or "f16x2"; 0 if there is none of that name.
unsigned countTypeBytes(llvm::StringRef type);

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_PTX_PTX_H
