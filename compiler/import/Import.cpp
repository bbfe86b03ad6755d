#include "compiler/import/Import.h"

#include "compiler/import/GraphImporter.h"
#include "compiler/import/OnnxFile.h"
#include "dialects/dsc/Dsc.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <google/protobuf/stubs/logging.h>

using namespace mlir;

namespace dscc {

static constexpr int64_t newestIrVersion = 13;

static ExitCode importFile(const OnnxFile &file, const CompileOptions &options, MLIRContext &context,
                           Problems &problems, CompileReport &report, OwningOpRef<ModuleOp> &module) {
  if (file.model.ir_version() > newestIrVersion) {
    (void)problems.unsupported("the model has IR version " + Twine(file.model.ir_version()) + ", newer than " +
                               Twine(newestIrVersion));
    return problems.code();
  }
  std::optional<Signature> signature = readSignature(file.model.graph(), context, options, problems);
  if (!signature)
    return problems.code();
  ExternalData external(options.input, file.bytes->getBufferSize(), options.budgets.modelBytes, report.dependencies,
                        problems);
  TensorData tensors(context, file, external, options.budgets, problems);
  OwningOpRef<ModuleOp> made = ModuleOp::create(NameLoc::get(StringAttr::get(&context, "main")));
  GraphImporter importer(*made, file, tensors, options, problems);
  if (failed(importer.importMain(*signature)))
    return problems.code();
  report.nodes = importer.countNodes();
  module = std::move(made);
  return ExitCode::Ok;
}

ExitCode importModel(const CompileOptions &options, MLIRContext &context, CompileListener &listener,
                     CompileReport &report, OwningOpRef<ModuleOp> &module) {
  context.loadDialect<dsc::DscDialect, func::FuncDialect>();
  // What protobuf has to say about damaged files it would say on standard error.
  google::protobuf::LogSilencer silencer;
  Problems problems(listener);
  std::unique_ptr<OnnxFile> file = readOnnxFile(options.input, options.budgets.modelBytes, problems);
  return file ? importFile(*file, options, context, problems, report, module) : problems.code();
}

} // namespace dscc
