// Recursive descent over the text, without a separate lexer: PTX is a list of words.
//
// The first error ends the parse: it is kept, and the cursor moves to the end of the text, so that every loop ends.

#ifndef DSCC_TOOLS_SIMULATOR_PTX_PARSER_H
#define DSCC_TOOLS_SIMULATOR_PTX_PARSER_H

#include "tools/simulator/ptx/Constants.h"
#include "tools/simulator/ptx/Ptx.h"

namespace dscc::sim {

/// Scopes, operands and initial values nested deeper than this are no compiler's output.
inline constexpr int maxDepth = 64;

/// Reads one module's text.
class Parser {
public:
  /// The text has to outlive `module`, which is empty at first.
  Parser(llvm::StringRef text, PtxModule &module) : text(text), module(module) {}
  /// Reads all of it: the error, or an empty string.
  std::string run();

private:
  // Characters and words.
  void fail(const llvm::Twine &what);
  char peek(size_t ahead = 0) const { return at + ahead < text.size() ? text[at + ahead] : '\0'; }
  void skipBlanks();
  void skipLine();
  void skipTo(char stop);
  bool take(char c);
  void expect(char c);
  llvm::StringRef takeWord();
  llvm::StringRef takeDirective();
  int64_t takeCount();
  int64_t takeInteger();
  Constant takeConstant();
  bool isAtEnd() { return skipBlanks(), at >= text.size(); }

  // Operands.
  Operand takeOperand(int depth = 0);
  Operand takeVector(char close, int depth);
  Operand takeAddress(int depth);
  void expandVectors(const Function &function, int scope, bool isFour, Operand &operand);

  // Declarations (Declarations.cpp).
  Variable takeVariable(llvm::StringRef space);
  void takeReference(Variable &variable, unsigned elementBytes, std::string name, int64_t addend);
  int64_t convertFloat(const Operand &value, llvm::StringRef type);
  void takeMaskedReference(Variable &variable, int64_t &mask);
  /// What a variable is made of, from the outside: its dimensions, and the lanes of its vectors.
  struct Shape {
    std::vector<uint64_t> counts; // 0, of the first: as many as there are initial values
    unsigned elementBytes = 1;
    llvm::StringRef type; // of an element
  };
  void takeInitialValue(Variable &variable, const Shape &shape);
  void takeInitialList(Variable &variable, const Shape &shape, size_t level);
  void takeInitialElement(Variable &variable, const Shape &shape);
  void takeAttribute();
  void takeRegisters(Scope &scope);
  void takeBuffers(Scope &scope, llvm::StringRef space);
  void takeScoped(Function &function, int scope, llvm::StringRef space);
  void takeParameters(std::vector<Variable> &parameters);
  void takeFunctionDirectives(Function &function);
  void takeFunction(bool isEntry);
  void takePragma();
  void mergeGlobals();
  void replaceAliases();

  // Bodies.
  void takeBody(Function &function, int scope, int depth);
  void takeStatement(Function &function, int scope);
  bool takeDeclaration(Function &function, int scope, llvm::StringRef word);
  void takeLabelled(Function &function, llvm::StringRef word);
  void takeModuleDirective(llvm::StringRef word);

  llvm::StringRef text;
  size_t at = 0;
  int line = 1;
  bool isCall = false;   // of the statement that is being read
  bool isExtern = false; // of the declaration that is being read
  std::string error;
  PtxModule &module;
};

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_PTX_PARSER_H
