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
  Kind kind = Kind::Bits; // Bits is that of b8 to b128, and of pred
  unsigned bits = 32;     // of one lane; 1 for pred
  bool isPair = false;    // two lanes, the first one in the lower bits

  /// Bits of a register that holds it.
  unsigned width() const { return isPair ? 2 * bits : bits; }
  /// Whether values have LLVM's float types; if not, integers.
  bool isFloat() const { return kind == Kind::Float || kind == Kind::Bfloat; }
  /// Whether it is widened by its sign.
  bool isSigned() const { return kind == Kind::Signed; }
};
/// None if it is no type; nor are tf32 and types of 8-bit floats, which only some instructions know.
std::optional<PtxType> parseType(llvm::StringRef text);

/// Where the variables of a module lie in the shared window.
struct SharedLayout {
  /// One variable.
  struct Range {
    uint32_t begin, bytes; // offset in the window, and size
    std::string name;      // as it is written in PTX
  };
  std::vector<Range> ranges; // in order; the dynamic part is none of them
  uint32_t staticBytes = 0;  // not used: Kernel::staticShared is
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
  llvm::Value *place = nullptr;       // a pointer to it, in the function that is translated
  const Variable *variable = nullptr; // as the PTX declares it
  bool isInput = false;               // of the function that is translated
};

/// Whether an instruction's name may have this word behind its opcode. Words.cpp.
bool isKnownWord(llvm::StringRef word);
struct Site;                     // of exec/Statistics.h
struct FunctionOps;              // of exec/MicroOps.h
enum AccessKind : uint8_t;       // of exec/Statistics.h
enum InstructionClass : uint8_t; // of exec/Statistics.h

/// Adds what a matrix instruction computes, a thread of those that take part. Statistics.cpp.
void countMatrixFlop(Site &site, const Statement &s);

/// Matrix instructions of one kind that have been met and not yet made. Their operands are in `buffer`; a lane waits
/// for its warp once for all of them, instead of once for each.
struct MatrixQueue {
  unsigned count = 0;                 // at most 16 products, or 8 loads
  uint32_t key = 0;                   // shape and types: one for all
  int line = 0;                       // of the first
  llvm::AllocaInst *buffer = nullptr; // on the stack: ProductRegisters, or MatrixRow; null at first
  std::vector<Operand> results;       // where the results of each go, in order
  std::set<std::string> names;        // of the results' registers
};

/// How one instruction is translated; rows of a table a family.
struct Instruction {
  llvm::StringLiteral opcode;                                   // the name's first part
  void (*translate)(FunctionTranslator &t, const Statement &s); // writes its code, or calls fail
};
/// Arithmetic.cpp: arithmetic on integers and floats, comparisons, selections.
llvm::ArrayRef<Instruction> arithmeticInstructions();
/// Bits.cpp: logic, shifts, fields of bits, counts.
llvm::ArrayRef<Instruction> bitInstructions();
/// Conversion.cpp: cvt, mov and cvta.
llvm::ArrayRef<Instruction> conversionInstructions();
/// Memory.cpp: loads, stores, atomics, fences, and what asks or tells about addresses.
llvm::ArrayRef<Instruction> memoryInstructions();
/// Collectives.cpp: barriers of a block and of a cluster, and collectives of a warp.
llvm::ArrayRef<Instruction> collectiveInstructions();
/// Matrices.cpp: ldmatrix, stmatrix, movmatrix and mma.
llvm::ArrayRef<Instruction> matrixInstructions();
/// Async.cpp: cp, which is cp.async and cp.async.bulk.
llvm::ArrayRef<Instruction> asyncInstructions();
/// Mbarrier.cpp: mbarrier, from init to inval.
llvm::ArrayRef<Instruction> mbarrierInstructions();
/// Clusters.cpp: mapa and getctarank.
llvm::ArrayRef<Instruction> clusterInstructions();
/// Wgmma.cpp: wgmma.mma_async, its fences, groups and waits.
llvm::ArrayRef<Instruction> wgmmaInstructions();
/// Control.cpp: branches, ret, exit and trap, and what has no effect here.
llvm::ArrayRef<Instruction> controlInstructions();
/// Calls.cpp: calls by name, and through a register.
llvm::ArrayRef<Instruction> callInstructions();
/// Carries.cpp: addc, subc and madc, which take a carry.
llvm::ArrayRef<Instruction> carryInstructions();
/// Video.cpp: the video instructions, vadd to vset4.
llvm::ArrayRef<Instruction> videoInstructions();
/// Wmma.cpp: wmma.load, wmma.mma and wmma.store.
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
  std::string key;   // their names and their scope
  Operand registers; // a vector, in the order of the instruction
  int scope;         // in which the names mean them
  bool isInput;      // A
  llvm::AllocaInst *words = nullptr,
                   *state = nullptr; // while wgmma is under way: accumulators, and the execution's WgmmaSet
  std::set<size_t> overlapping;      // other accumulators with some of these registers
};
std::vector<AccumulatorSet> findAccumulators(const Function &function); // Wgmma.cpp

/// State and services while a function is translated.
class FunctionTranslator {
public:
  /// For one function, once. What it gets by reference has to outlive it; `sharedOffsets` are by the module's names,
  /// and `error` is empty at first.
  FunctionTranslator(const Function &function, const PtxModule &ptx, llvm::Module &module, CheckLevel check,
                     const std::map<std::string, uint64_t> &sharedOffsets, std::string &error);
  /// Writes the body into `target`.
  void run(llvm::Function *target);

  /// Notes the first error, at the current line.
  void fail(const llvm::Twine &what);

  // Types and constants.
  /// The type of registers of so many bits.
  llvm::Type *integer(unsigned bits) { return llvm::Type::getIntNTy(context, bits); }
  /// The type of a host address, of whatever state space it is in PTX.
  llvm::PointerType *pointer() { return llvm::PointerType::get(context, 0); }
  llvm::Type *typeOf(PtxType type); // float types, pairs included
  /// A constant, of which the low 32 bits count.
  llvm::Value *i32(int64_t value) { return b.getInt32(uint32_t(value)); }
  /// The current line, as the execution's functions take it.
  llvm::Value *site() { return b.getInt32(line); }
  /// The last type that the instruction's name has; .b32 if none.
  PtxType typeOf(const Statement &s);

  // Operands.
  /// The operand as an integer of so many bits: a register, cut or widened; a constant; the parts of a vector, packed;
  /// or an address that a name stands for.
  llvm::Value *read(const Operand &operand, unsigned bits, bool isSigned = false);
  llvm::Value *read(const Operand &operand, PtxType type); // a float value for float types
  /// To a register, cut or widened to its size, or to the parts of a vector. `_` takes anything.
  void write(const Operand &operand, llvm::Value *value, bool isSigned = false);
  /// The same to a register by its name, such as p of `d|p`.
  void writePredicate(const std::string &name, llvm::Value *value);
  /// Whether it is a .pred register.
  bool isPredicate(const Operand &operand);
  /// read, where a register's value is not used yet: accumulators may be under way.
  llvm::Value *readQuietly(const Operand &operand, unsigned bits);
  /// write, to a register of another scope.
  void writeIn(int scope, const Operand &operand, llvm::Value *value);
  /// The set of a key, as Wgmma.cpp makes it of names and a scope; null if there is none.
  const AccumulatorSet *findAccumulators(const std::string &key) const;
  /// An integer, cut to so many bits, or widened by zeros or its sign.
  llvm::Value *resize(llvm::Value *value, unsigned bits, bool isSigned = false);
  /// A special register that is constant for a thread, by its place in Lane::special.
  llvm::Value *special(uint32_t index);
  /// The host address that an address operand means in `space` (global, shared, param, ... or empty: generic).
  llvm::Value *address(const Operand &operand, llvm::StringRef space);
  /// The host address of the block's shared window.
  llvm::Value *sharedBase();
  /// The address of a field of the Lane, by its offset.
  llvm::Value *laneField(size_t offset);

  /// Calls one of the execution's functions; the lane comes first.
  llvm::Value *call(llvm::StringRef name, llvm::Type *result, llvm::ArrayRef<llvm::Value *> arguments);
  /// As call, and the kernel needs a fiber a thread.
  llvm::Value *collective(llvm::StringRef name, llvm::Type *result, llvm::ArrayRef<llvm::Value *> arguments);
  /// Stores the parts of a vector operand into a buffer of 32-bit words.
  llvm::Value *spread(llvm::StringRef role, const Operand &operand);
  /// Reads them back from such a buffer.
  void gather(const Operand &operand, llvm::Value *buffer);
  /// Bytes on the thread's stack, aligned to 16: the same ones at each call for a role and a size.
  llvm::AllocaInst *buffer(llvm::StringRef role, unsigned bytes = 64);
  /// Of the statement that is translated.
  int currentLine() const { return line; }
  /// Looks at an access before it is made, if accesses are checked.
  void check(llvm::Value *address, unsigned bytes, bool isStore);
  // Statistics: nothing unless they are wanted. Statistics.cpp.
  /// Notes an access of the current instruction. check and its like do so themselves.
  void countAccess(llvm::Value *address, llvm::Value *bytes, AccessKind kind, llvm::StringRef space);
  /// Notes that the current instruction is about to call a function.
  void countCall();
  /// Notes what the current instruction tells others, or waits for: an mbarrier's address, and a value of 64 bits.
  void countEvent(llvm::Value *address, llvm::Value *value);

  // Matrices (Matrices.cpp).
  /// Makes the products that have been put off: one meeting of the warp, behind which their results are registers.
  void makeProducts();
  /// Likewise the loads of matrices.
  void makeLoads();
  MatrixQueue products, loads; // put off until somebody wants a result, or they must come first

  // Control flow.
  /// Where a branch to the label goes; the scopes around the statement know it, or it is an error.
  llvm::BasicBlock *label(const std::string &name);
  /// Writes into this block from now on, which joins the function if it has not.
  void open(llvm::BasicBlock *block);
  /// The labels of a .branchtargets list, by the label before it; null if there is none.
  const std::vector<std::string> *branchTargets(const std::string &label);

  // Parameters (Parameters.cpp).
  /// A parameter, a .param buffer or a .local variable, as the scopes around the statement know it; or null.
  const ParameterPlace *findParameter(const std::string &name) const;
  /// The host address of an access to .param: a named place is looked at here, one in a register while the kernel runs.
  llvm::Value *parameterAddress(const Operand &operand, unsigned bytes, bool isStore);
  /// Gives the caller what the registers among the results hold.
  void storeResults();
  /// Whether the scopes around the statement know it as a register; special registers are none.
  bool isRegister(const std::string &name) { return findRegister(name); }
  /// Its definition, else a declaration; null if the module has neither.
  const Function *findFunction(const std::string &name) const;

  /// Counts a branch back, so that endless loops come to an end.
  void tick();
  /// Whether the label stands before the statement, in whatever scope.
  bool isBackward(const std::string &label) const { return openedLabels.count(label); }

  llvm::LLVMContext &context;                   // of the module that is written
  llvm::IRBuilder<> b;                          // where the next instruction goes
  llvm::Function *target = nullptr;             // the function that is written; null before run
  llvm::Value *lane = nullptr;                  // its first argument, the thread's Lane
  bool hasCollectives = false;                  // after run: its kernels need a fiber for each thread
  bool ordersUnits = false;                     // after run: it has fences that release, beyond the cluster
  const bool countsAll = settings().statistics; // whether statistics are wanted
  uint32_t liveRegisters = 0;                   // after run, if they are: what a thread needs of registers
  bool looksAgain = false;       // volatile loads or atomics: in a loop, the thread may wait for another of its block
  std::set<std::string> callees; // after run: functions that it calls, anyFunction among them
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
  // MicroOps.cpp: adds the instruction to the segment.
  void addOp(const Statement &s, InstructionClass instructionClass);
  void addRegisters(const Operand &operand, Site &site, uint8_t &count);
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
  Site *segment = nullptr;    // under way
  FunctionOps *ops = nullptr; // if statistics are wanted
  uint32_t currentOp = 0;     // of the segment: the current statement's
  llvm::DenseMap<const llvm::AllocaInst *, uint32_t> registerNumbers;
  llvm::StringMap<uint32_t> labelPlaces;     // how many instructions stand before the label
  std::vector<llvm::CallInst *> reportCalls; // whose position is not known yet
  bool hasLoops = false;
};

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_TRANSLATE_TRANSLATOR_H
