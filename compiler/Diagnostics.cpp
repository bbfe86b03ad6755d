#include "compiler/Diagnostics.h"

#include "dialects/dsc/Nodes.h"

#include "llvm/ADT/StringExtras.h"

namespace dscc {

std::string nodeNameOf(mlir::Location location) { return llvm::join(collectNodes(location), ";"); }

/// A place in a text file, for modules that were parsed.
static std::string placeOf(mlir::Location location) {
  if (auto file = mlir::dyn_cast<mlir::FileLineColLoc>(location))
    return (file.getFilename().getValue() + ":" + llvm::Twine(file.getLine()) + ":" + llvm::Twine(file.getColumn()) +
            ": ")
        .str();
  return "";
}

Diagnostic translateDiagnostic(mlir::Diagnostic &diagnostic) {
  Diagnostic result;
  switch (diagnostic.getSeverity()) {
  case mlir::DiagnosticSeverity::Error: result.severity = Diagnostic::Severity::Error; break;
  case mlir::DiagnosticSeverity::Warning: result.severity = Diagnostic::Severity::Warning; break;
  default: result.severity = Diagnostic::Severity::Remark; break;
  }
  result.node = nodeNameOf(diagnostic.getLocation());
  std::string text = diagnostic.str();
  // emitOpError begins with "'dsc.matmul' op ".
  llvm::StringRef message = text;
  if (auto [name, rest] = message.split("' op "); !rest.empty() && name.consume_front("'")) {
    result.op = name.str();
    message = rest;
  }
  result.message = placeOf(diagnostic.getLocation()) + message.str();
  for (mlir::Diagnostic &note : diagnostic.getNotes())
    result.message += "; " + note.str();
  return result;
}

DiagnosticForwarder::DiagnosticForwarder(mlir::MLIRContext &context, CompileListener &listener)
    : handler(&context, [this, &listener](mlir::Diagnostic &diagnostic) {
        ::dscc::Diagnostic ours = translateDiagnostic(diagnostic);
        named |= ours.severity == Diagnostic::Severity::Error && !ours.node.empty();
        listener.diagnose(ours);
        return mlir::success();
      }) {}

} // namespace dscc
