// From MLIR's diagnostics to ours: who, what, and the values, at the ONNX node's name.

#ifndef DSCC_COMPILER_DIAGNOSTICS_H
#define DSCC_COMPILER_DIAGNOSTICS_H

#include "compiler/CompileListener.h"

#include "mlir/IR/Diagnostics.h"

namespace dscc {

/// The ONNX node's name that a location carries; several, joined by ';', for merged ops; else empty.
std::string nodeNameOf(mlir::Location location);

/// The same in the user's terms; notes are joined to the message.
Diagnostic translateDiagnostic(mlir::Diagnostic &diagnostic);

/// While it lives, what MLIR has to say goes to the listener.
class DiagnosticForwarder {
public:
  /// Both must outlive it. What is told meanwhile reaches no handler that was there before.
  DiagnosticForwarder(mlir::MLIRContext &context, CompileListener &listener);

  /// True if an error named a node of the model.
  bool sawNode() const { return named; }

private:
  bool named = false;
  mlir::ScopedDiagnosticHandler handler;
};

} // namespace dscc

#endif // DSCC_COMPILER_DIAGNOSTICS_H
