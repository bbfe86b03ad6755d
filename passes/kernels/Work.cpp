#include "passes/kernels/Work.h"

#include "dialects/dsc/Windows.h"
#include "passes/kernels/Emitters.h"
#include "passes/kernels/Lay.h"

using namespace mlir;

namespace dscc::kernels {

dsc::ScheduleAttr scheduleOfPart(dsc::GroupOp part, dsc::ScheduleAttr schedule) {
  SmallVector<dsc::ScheduleAttr> own = part.getSchedules();
  size_t way = schedule.lookup("way").value_or(0);
  return own[std::min(way, own.size() - 1)].everywhere();
}

std::string describeWork(dsc::GroupOp group, dsc::ScheduleAttr schedule) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << schedule << (group.getWorkspace().isConstant(0) ? "\n" : " with a workspace\n");
  if (SmallVector<dsc::GroupOp> parts = dsc::partsOf(group); !parts.empty()) {
    for (dsc::GroupOp part : parts) {
      for (Value input : part.getInputs())
        stream << cast<BlockArgument>(input).getArgNumber() << " ";
      stream << describeWork(part, scheduleOfPart(part, schedule));
    }
    return text;
  }
  // Of the group itself nothing else counts; and its region begins to number its values anew.
  Block &body = group.getBody().front();
  AsmState state(group, OpPrintingFlags().useLocalScope());
  for (BlockArgument argument : body.getArguments())
    stream << argument.getType() << "\n";
  // Where a window begins is in the pointer; its strides are in the code. So is, where operands of products are copied
  // in pieces, whether it begins with one.
  const Target *target = targetOf(group);
  bool copiesPieces = target && target->device == Device::Cuda && findContraction(group);
  for (size_t tensor = 0; tensor < group.getNumOperands() + group.getNumResults(); ++tensor) {
    if (std::optional<Strided> window = findStrided(group, tensor))
      stream << tensor << " " << dsc::DimsAttr::get(group.getContext(), window->strides) << "\n";
    if (copiesPieces && !beginsWithPiece(group, tensor))
      stream << tensor << " begins between pieces\n";
  }
  for (Operation &op : body) {
    op.print(stream, state);
    stream << "\n";
  }
  return text;
}

std::vector<std::string> symbolsOf(dsc::GroupOp group) {
  std::vector<std::string> symbols;
  auto visitType = [&](Type type) {
    for (const DimExpr &dim : dsc::getDims(type))
      dim.collectSymbols(symbols);
  };
  for (size_t tensor = 0; tensor < group.getNumOperands() + group.getNumResults(); ++tensor)
    if (std::optional<Strided> window = findStrided(group, tensor))
      for (const DimExpr &stride : window->strides)
        stride.collectSymbols(symbols);
  group.getBody().walk([&](Operation *op) {
    for (Type type : op->getOperandTypes())
      visitType(type);
    for (Type type : op->getResultTypes())
      visitType(type);
    for (NamedAttribute attribute : op->getAttrs())
      if (auto dims = dyn_cast<dsc::DimsAttr>(attribute.getValue()))
        for (const DimExpr &dim : dims.getDims())
          dim.collectSymbols(symbols);
  });
  llvm::sort(symbols);
  return symbols;
}

void bindTensors(KernelBuilder &k, dsc::GroupOp group, ArrayRef<Value> pointers) {
  for (auto [argument, pointer] : llvm::zip(group.getBody().getArguments(), pointers)) {
    k.pointers[argument] = pointer;
    if (std::optional<Strided> window = findStrided(group, argument.getArgNumber()))
      k.windows[argument] = *window;
  }
}

} // namespace dscc::kernels
