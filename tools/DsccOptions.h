// The command line of `dscc`.

#ifndef DSCC_TOOLS_DSCCOPTIONS_H
#define DSCC_TOOLS_DSCCOPTIONS_H

#include "compiler/CompileOptions.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/raw_ostream.h"

namespace dscc {

/// What the words on the command line come to.
struct CommandLine {
  CompileOptions compile;             // all but `ptxas` and `compilerId`, which no flag holds
  bool help = false, version = false; // --help, --version: a model need not be named
  bool jsonDiagnostics = false;       // --diagnostics=json: an object a line on the standard error
  bool noReproducer = false;          // --no-reproducer: a breakdown leaves no file behind
  bool dependencies = false;          // -MD or -MF: a make rule is written after the output
  std::string dependencyFile;         // -MF, else the output's name with .d; empty without a rule
  std::string cudaPath;               // --cuda-path: the folder that has bin/ptxas; empty: to be searched for
  std::vector<std::string> errors;    // each a sentence; none: the rest is valid
};

/// Reads the arguments after the program's name. `@file` stands for the words in a file. Never fails: what is wrong is
/// in `errors`, unknown options and missing values first.
CommandLine readCommandLine(llvm::ArrayRef<const char *> arguments);

/// Prints what --help prints: usage, the options by group, the exit codes.
void printHelp(llvm::raw_ostream &stream);

} // namespace dscc

#endif // DSCC_TOOLS_DSCCOPTIONS_H
