#include "compiler/Registration.h"

#include "dialects/dsc/Dsc.h"

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/GPU/GPUToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"

namespace dscc {

void registerDialects(mlir::DialectRegistry &registry) {
  // All of MLIR's, because conversions ask for dialects and interfaces at run time: what is not registered fails late
  // and without a hint. It costs 20 ms of start.
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  registry.insert<dsc::DscDialect>();
  mlir::registerBuiltinDialectTranslation(registry);
  mlir::registerGPUDialectTranslation(registry);
  mlir::registerLLVMDialectTranslation(registry);
  mlir::registerNVVMDialectTranslation(registry);
}

} // namespace dscc
