// PTX to LLVM IR, one function for each `.entry` and `.func`.
//
//     .reg .b32 %r<3>;              %r1 = alloca i32         Registers have a width and no type: each is a slot, and
//     the add.f32 %r1, %r2, 1.0;  ==>   ... bitcast, fadd        instruction's own type decides. SROA makes values of
//     them.
//
// Addresses of .shared are offsets into the block's window, as on the GPU; all others are addresses of the host. An
// entry becomes `void f(Lane *, void **arguments)` with cuLaunchKernel's kernelParams; a function takes pointers to its
// parameters' and results' buffers. What the hardware does in one piece (collectives, async copies) is called by name.

#ifndef DSCC_TOOLS_SIMULATOR_TRANSLATE_TRANSLATOR_H
#define DSCC_TOOLS_SIMULATOR_TRANSLATE_TRANSLATOR_H

#include "tools/simulator/Machine.h"
#include "tools/simulator/ptx/Ptx.h"

#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Module.h"

#include <set>

namespace dscc::sim {

/// The type at the end of an instruction's name: `f16x2` is a pair of 16-bit floats.
struct PtxType {
  enum class Kind { Bits, Signed, Unsigned, Float, Bfloat };
  Kind kind = Kind::Bits;
  unsigned bits = 32; // of one lane; 1 for pred
  bool isPair = false;

  unsigned width() const { return isPair ? 2 * bits : bits; }
  bool isFloat() const { return kind == Kind::Float || kind == Kind::Bfloat; }
  bool isSigned() const { return kind == Kind::Signed; }
};
std::optional<PtxType> parseType(llvm::StringRef text);

/// Where the variables of a module lie in the shared window.
struct SharedLayout {
  struct Range {
    uint32_t begin, bytes;
    std::string name;
  };
  std::vector<Range> ranges; // in order; the dynamic part is none of them
  uint32_t staticBytes = 0;
};

/// What a translated module offers, beside its code.
struct TranslatedModule {
  std::vector<Kernel> kernels;                                    // without entry
  std::map<std::string, uint64_t> globals;                        // bytes, by name
  std::map<std::string, std::vector<SharedLayout::Range>> shared; // by kernel
};

/// Translates all of `ptx` into `module`. Empty if all is well, else a sentence that begins with the PTX line.
std::string translate(const PtxModule &ptx, llvm::Module &module, CheckLevel check, TranslatedModule &result);

class FunctionTranslator;

/// A parameter or a buffer of a call: where it lies, and what is declared.
struct ParameterPlace {
  llvm::Value *place = nullptr;
  const Variable *variable = nullptr;
  bool isInput = false; // of the function that is translated
};

/// Whether an instruction's name may have this word behind its opcode. Words.cpp.
bool isKnownWord(llvm::StringRef word);
struct Site;
enum AccessKind : uint8_t;

/// Matrix instructions of one kind that have been met and not yet made. Their operands are in `buffer`; a lane waits
/// for its warp once for all of them, instead of once for each.
struct MatrixQueue {
  unsigned count = 0;
  uint32_t key = 0; // shape and types: one for all
  int line = 0;     // of the first
  llvm::AllocaInst *buffer = nullptr;
  std::vector<Operand> results;
  std::set<std::string> names; // of the results' registers
};

/// How one instruction is translated; rows of a table a family.
struct Instruction {
  llvm::StringLiteral opcode;
  void (*translate)(FunctionTranslator &t, const Statement &s);
};
llvm::ArrayRef<Instruction> arithmeticInstructions();
llvm::ArrayRef<Instruction> bitInstructions();
llvm::ArrayRef<Instruction> conversionInstructions();
llvm::ArrayRef<Instruction> memoryInstructions();
llvm::ArrayRef<Instruction> collectiveInstructions();
llvm::ArrayRef<Instruction> matrixInstructions();
llvm::ArrayRef<Instruction> asyncInstructions();
llvm::ArrayRef<Instruction> mbarrierInstructions();
llvm::ArrayRef<Instruction> clusterInstructions();
llvm::ArrayRef<Instruction> wgmmaInstructions();
llvm::ArrayRef<Instruction> controlInstructions();
llvm::ArrayRef<Instruction> callInstructions();
llvm::ArrayRef<Instruction> carryInstructions();
llvm::ArrayRef<Instruction> videoInstructions();
llvm::ArrayRef<Instruction> wmmaInstructions();
/// add, sub and mad with `.cc`, of which the tables know the opcode only.
void translateCarry(FunctionTranslator &t, const Statement &s);

/// The state space that the instruction names; empty: generic. Memory.cpp.
llvm::StringRef stateSpaceOf(const Statement &s);
/// Why ptxas would refuse the instruction in a module of this `.target`; empty if it would not. Requirements.cpp.
std::string findFormError(const Statement &s, llvm::StringRef target);
/// How the name of an mma or wmma.mma says to round, as exec/Rounding.h takes it. Matrices.cpp.
int productRounding(const Statement &s);

/// Among the callees of a function that calls through a register.
inline constexpr llvm::StringLiteral anyFunction = "*";

/// Registers that one wgmma, or several, add to, or take A from.
struct AccumulatorSet {
  std::string key; // their names and their scope
  Operand registers;
  int scope;
  bool isInput; // A
  llvm::AllocaInst *words = nullptr,
                   *state = nullptr; // while wgmma is under way: accumulators, and the execution's WgmmaSet
  std::set<size_t> overlapping;      // other accumulators with some of these registers
};
std::vector<AccumulatorSet> findAccumulators(const Function &function); // Wgmma.cpp

/// State and services while a function is translated.
class FunctionTranslator {
public:
  FunctionTranslator(const Function &function, const PtxModule &ptx, llvm::Module &module, CheckLevel check,
                     const std::map<std::string, uint64_t> &sharedOffsets, std::string &error);
  /// Writes the body into `target`.
  void run(llvm::Function *target);

  /// Notes the first error, at the current line.
  void fail(const llvm::Twine &what);

  // Types and constants.
  llvm::Type *integer(unsigned bits) { return llvm::Type::getIntNTy(context, bits); }
  llvm::PointerType *pointer() { return llvm::PointerType::get(context, 0); }
  llvm::Type *typeOf(PtxType type); // float types, pairs included
  llvm::Value *i32(int64_t value) { return b.getInt32(uint32_t(value)); }
  llvm::Value *site() { return b.getInt32(line); }
  /// The last type that the instruction's name has; .b32 if none.
  PtxType typeOf(const Statement &s);

  // Operands.
  llvm::Value *read(const Operand &operand, unsigned bits, bool isSigned = false);
  llvm::Value *read(const Operand &operand, PtxType type); // a float value for float types
  void write(const Operand &operand, llvm::Value *value, bool isSigned = false);
  void writePredicate(const std::string &name, llvm::Value *value);
  /// Whether it is a .pred register.
  bool isPredicate(const Operand &operand);
  /// read, where a register's value is not used yet: accumulators may be under way.
  llvm::Value *readQuietly(const Operand &operand, unsigned bits);
  /// write, to a register of another scope.
  void writeIn(int scope, const Operand &operand, llvm::Value *value);
  const AccumulatorSet *findAccumulators(const std::string &key) const;
  llvm::Value *resize(llvm::Value *value, unsigned bits, bool isSigned = false);
  llvm::Value *special(uint32_t index);
  /// The host address that an address operand means in `space` (global, shared, param, ... or empty: generic).
  llvm::Value *address(const Operand &operand, llvm::StringRef space);
  llvm::Value *sharedBase();
  llvm::Value *laneField(size_t offset);

  /// Calls one of the execution's functions; the lane comes first.
  llvm::Value *call(llvm::StringRef name, llvm::Type *result, llvm::ArrayRef<llvm::Value *> arguments);
  /// As call, and the kernel needs a fiber a thread.
  llvm::Value *collective(llvm::StringRef name, llvm::Type *result, llvm::ArrayRef<llvm::Value *> arguments);
  /// Stores the parts of a vector operand into a buffer of 32-bit words, or reads them back.
  llvm::Value *spread(llvm::StringRef role, const Operand &operand);
  void gather(const Operand &operand, llvm::Value *buffer);
  llvm::AllocaInst *buffer(llvm::StringRef role, unsigned bytes = 64);
  int currentLine() const { return line; }
  /// Looks at an access before it is made, if accesses are checked.
  void check(llvm::Value *address, unsigned bytes, bool isStore);
  // Statistics: nothing unless they are wanted. Statistics.cpp.
  /// Notes an access of the current instruction. check and its like do so themselves.
  void countAccess(llvm::Value *address, llvm::Value *bytes, AccessKind kind, llvm::StringRef space);
  /// Notes that the current instruction is about to call a function.
  void countCall();

  // Matrices (Matrices.cpp).
  void makeProducts();
  void makeLoads();
  MatrixQueue products, loads;

  // Control flow.
  llvm::BasicBlock *label(const std::string &name);
  void open(llvm::BasicBlock *block);
  const std::vector<std::string> *branchTargets(const std::string &label);

  // Parameters (Parameters.cpp).
  const ParameterPlace *findParameter(const std::string &name) const;
  /// The host address of an access to .param: a named place is looked at here, one in a register while the kernel runs.
  llvm::Value *parameterAddress(const Operand &operand, unsigned bytes, bool isStore);
  /// Gives the caller what the registers among the results hold.
  void storeResults();
  bool isRegister(const std::string &name) { return findRegister(name); }
  const Function *findFunction(const std::string &name) const;

  /// Counts a branch back, so that endless loops come to an end.
  void tick();
  bool isBackward(const std::string &label) const { return openedLabels.count(label); }

  llvm::LLVMContext &context;
  llvm::IRBuilder<> b;
  llvm::Function *target = nullptr;
  llvm::Value *lane = nullptr;
  bool hasCollectives = false;
  bool ordersUnits = false;
  const bool countsAll = settings().statistics;
  bool looksAgain = false; // volatile loads or atomics: in a loop, the thread may wait for another of its block
  std::set<std::string> callees;
  std::vector<AccumulatorSet> accumulators; // of wgmma

private:
  void prepareAccumulators();
  /// Looks whether a register is an accumulator that wgmma may still write.
  void checkAccumulator(const llvm::AllocaInst *slot, bool isWrite);
  llvm::AllocaInst *slot(llvm::Type *type, unsigned align);
  llvm::AllocaInst *findRegister(const std::string &name);
  llvm::Value *symbolAddress(const std::string &name);
  llvm::Value *readSpecial(llvm::StringRef name); // null if there is no such special register
  void bindParameters();
  void translate(const Statement &s);
  void makeMatricesBefore(const Statement &s, const Instruction *instruction);
  // Statistics.cpp: before an instruction, within its predicate, and when the function is complete.
  void countSegment(const Statement &s);
  void countPredicated(const Statement &s);
  void resolvePositions();
  llvm::CallInst *report(llvm::StringRef callee, llvm::Value *what, llvm::ArrayRef<llvm::Value *> more = {});

  const Function &function;
  const PtxModule &ptx;
  llvm::Module &module;
  CheckLevel checks;
  const std::map<std::string, uint64_t> &sharedOffsets;
  std::string &error;
  int line = 0, scope = 0;
  llvm::BasicBlock *entry = nullptr;
  std::vector<llvm::StringMap<llvm::AllocaInst *>> registers; // by scope
  std::vector<llvm::StringMap<ParameterPlace>> callBuffers;   // and local variables, by scope
  std::vector<llvm::StringMap<llvm::BasicBlock *>> labels;    // by scope
  std::map<std::string, ParameterPlace> parameters;
  std::map<std::string, llvm::AllocaInst *> buffers;
  std::set<std::string> openedLabels;
  llvm::DenseMap<const llvm::AllocaInst *, llvm::SmallVector<size_t, 1>> setsOfSlots;
  std::map<std::string, size_t> accumulatorSets; // by key
  bool isQuiet = false;                          // accumulators may be used
  const Statement *current = nullptr;
  Site *segment = nullptr;                   // under way
  std::vector<llvm::CallInst *> reportCalls; // whose position is not known yet
  bool hasLoops = false;
};

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_TRANSLATE_TRANSLATOR_H
