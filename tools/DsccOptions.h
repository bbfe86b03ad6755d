// The command line of `dscc`.

#ifndef DSCC_TOOLS_DSCCOPTIONS_H
#define DSCC_TOOLS_DSCCOPTIONS_H

#include "compiler/CompileOptions.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/raw_ostream.h"

namespace dscc {

/// What the words on the command line come to.
struct CommandLine {
  CompileOptions compile;
  bool help = false, version = false;
  bool jsonDiagnostics = false;
  bool noReproducer = false;
  bool dependencies = false;
  std::string dependencyFile;
  std::string cudaPath;
  std::vector<std::string> errors; // each a sentence; none: the rest is valid
};

/// Reads the arguments after the program's name. `@file` stands for the words in a file.
CommandLine readCommandLine(llvm::ArrayRef<const char *> arguments);

/// Prints what --help prints.
void printHelp(llvm::raw_ostream &stream);

} // namespace dscc

#endif // DSCC_TOOLS_DSCCOPTIONS_H
