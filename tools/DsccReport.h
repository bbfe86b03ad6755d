// What `dscc -v` tells: a table for people, or one line of JSON with --diagnostics=json.

#ifndef DSCC_TOOLS_DSCCREPORT_H
#define DSCC_TOOLS_DSCCREPORT_H

#include "compiler/Compile.h"
#include "tools/DsccOptions.h"

namespace dscc {

/// Prints what was made of the model.
void printReport(const CommandLine &line, const CompileReport &report, llvm::raw_ostream &stream);

} // namespace dscc

#endif // DSCC_TOOLS_DSCCREPORT_H
