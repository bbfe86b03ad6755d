// Brings constants into the panels that schedules want.
//
//     %w = dsc.constant : 768x768                    %p = dsc.constant : 48x768x16
//     %y = dsc.group (%x, %w) {packed = 1}    ==>    %y = dsc.group (%x, %p) {packed = 1}
//       matmul %a, %b                                  %m = dsc.unpack %b : (48x768x16) -> 768x768
//                                                      matmul %a, %m
//
// All targets' graphs are done together. Which constants are packed is decided first, by the groups whose schedules
// want it; then every group that reads one of them and can read panels is given the panels, so that a constant is
// stored once. Where another reader cannot, as a table of which elements are read one by one, both forms are stored;
// candidates are made so that this does not happen within one target.

#include "dialects/dsc/Targets.h"
#include "passes/Journal.h"
#include "passes/Passes.h"
#include "passes/canonical/Evaluate.h"
#include "passes/kernels/Emitters.h"
#include "passes/kernels/Panels.h"

#include "llvm/ADT/Statistic.h"

using namespace mlir;

namespace dscc {

#define GEN_PASS_DEF_PACKCONSTANTS
#include "passes/Passes.h.inc"

#define DEBUG_TYPE "dsc-pack-constants"
ALWAYS_ENABLED_STATISTIC(numPacked, "Constants packed");
ALWAYS_ENABLED_STATISTIC(numReaders, "Groups that read panels");
ALWAYS_ENABLED_STATISTIC(numTwice, "Packed constants that others read as they were");

using kernels::ColumnOperand;
using kernels::MatrixShape;

namespace {
struct PackConstants : impl::PackConstantsBase<PackConstants> {
  using PackConstantsBase::PackConstantsBase;

  void runOnOperation() override;

private:
  void findWanted(dsc::GroupOp group, const Journal &journal);
  void rewriteReaders(dsc::ConstantOp constant, const MatrixShape &shape);
  void readPanels(dsc::GroupOp group, unsigned number, Value panels, const MatrixShape &shape);

  llvm::DenseMap<Attribute, MatrixShape> wanted; // by the constant's value
};
} // namespace

/// The groups of each target, in the order of the graphs.
static void forEachMain(ModuleOp top, function_ref<void(func::FuncOp)> body) {
  top.walk([&](func::FuncOp function) {
    if (!function.isExternal())
      body(function);
  });
}

void PackConstants::findWanted(dsc::GroupOp group, const Journal &journal) {
  if (kernels::findUnpack(group))
    return;
  ColumnOperand operand;
  Verdict verdict = kernels::findColumnOperand(group, operand);
  if (!llvm::any_of(group.getSchedules(), kernels::isPacked)) {
    if (!kernels::findContraction(group) || !journal.wants(group))
      return;
    verdict = verdict ? kernels::isPackable(group, operand) : verdict;
    journal.tell(group) << "reads no panels: " << (verdict ? "its schedule wants none" : verdict.why());
    return;
  }
  if (!verdict) {
    group.emitOpError("has a schedule that wants a packed constant, but ") << verdict.why();
    return signalPassFailure();
  }
  ElementsAttr constant = operand.constant.getValue();
  auto [known, isNew] = wanted.try_emplace(constant, operand.shape);
  numPacked += isNew;
  if (known->second != operand.shape) {
    group.emitOpError("has a schedule that wants a packed constant, which another group wants by other columns");
    return signalPassFailure();
  }
  if (journal.wants(group))
    journal.tell(group) << "reads panels in place of " << constant.getType();
}

/// Whether the group is to read the panels. On a CPU, lanes that compute columns of a product read them one by one
/// unless the schedule says otherwise.
static bool readsPanels(dsc::GroupOp group, unsigned number, const MatrixShape &shape) {
  if (!kernels::canReadPanels(group, number, shape))
    return false;
  const Target *target = kernels::targetOf(group);
  bool isLanes = target && target->device == Device::Cpu && kernels::findContraction(group);
  return !isLanes || llvm::all_of(group.getSchedules(), kernels::isPacked);
}

/// The constant in panels, under the same dims for whoever reads it.
static dsc::PanelsAttr packedForm(ElementsAttr constant, const MatrixShape &shape) {
  SmallVector<int64_t> dims = {shape.matrices, shape.rows, shape.columns};
  if (shape.transposed)
    std::swap(dims[1], dims[2]);
  if (shape.matrices == 1)
    dims.erase(dims.begin());
  auto type = RankedTensorType::get(dims, constant.getElementType());
  return dsc::PanelsAttr::get(constant.getContext(), reshapeConstant(constant, type), shape.transposed);
}

/// Puts the panels in the place of input `number`, and the matrices that they hold in that of the body's argument.
void PackConstants::readPanels(dsc::GroupOp group, unsigned number, Value panels, const MatrixShape &shape) {
  // A kernel is called after what the model has.
  if (!group->hasAttr("label"))
    group->setAttr("label", StringAttr::get(&getContext(), kernels::labelOf(group)));
  BlockArgument argument = group.getBody().getArgument(number);
  auto matrices = cast<RankedTensorType>(argument.getType());
  SmallVector<OpOperand *> uses = llvm::to_vector(llvm::make_pointer_range(argument.getUses()));
  Location location = uses.front()->getOwner()->getLoc();
  SmallVector<int64_t> dims(matrices.getShape());
  if (shape.transposed)
    std::swap(dims[dims.size() - 1], dims[dims.size() - 2]);
  OpBuilder b = OpBuilder::atBlockBegin(&group.getBody().front());
  auto type = RankedTensorType::get(dims, matrices.getElementType());
  Value matrix = dsc::UnpackOp::create(b, location, type, argument);
  auto product = dyn_cast_or_null<dsc::MatmulOp>(kernels::findContraction(group));
  if (shape.transposed && product) {
    product.setTransposeRhs(false);
    for (Operation *cast = uses.front()->getOwner(); cast != product; cast = *cast->user_begin())
      cast->getResult(0).setType(dsc::makeTensor(dsc::getDims(matrix), dsc::getElementType(cast->getResult(0))));
  } else if (shape.transposed) {
    // Rows that are looked up are columns of the matrix.
    matrix = dsc::TransposeOp::create(b, location, matrix, b.getI64ArrayAttr({1, 0}));
  }
  for (OpOperand *use : uses)
    use->set(matrix);
  // Inside, the panels have the dims that the matrices had.
  SmallVector<int64_t> panelDims(dims);
  panelDims.back() = dsc::PanelsAttr::columns;
  panelDims.insert(panelDims.end() - 2, shape.panels());
  argument.setType(RankedTensorType::get(panelDims, matrices.getElementType()));
  group.getInputsMutable()[number].set(panels);
  ++numReaders;
}

/// Gives the panels to all groups that can read them, through views too.
void PackConstants::rewriteReaders(dsc::ConstantOp constant, const MatrixShape &shape) {
  OpBuilder b(constant);
  Value panels = dsc::ConstantOp::create(b, constant.getLoc(), packedForm(constant.getValue(), shape));
  bool hasOthers = false;
  SmallVector<Operation *> forms = {constant}; // the constant and its views
  for (size_t i = 0; i < forms.size(); ++i)
    for (OpOperand *use : llvm::to_vector(llvm::make_pointer_range(forms[i]->getUses()))) {
      auto group = dyn_cast<dsc::GroupOp>(use->getOwner());
      if (isa<dsc::ReshapeOp>(use->getOwner()))
        forms.push_back(use->getOwner());
      else if (group && readsPanels(group, use->getOperandNumber(), shape))
        readPanels(group, use->getOperandNumber(), panels, shape);
      else
        hasOthers = true;
    }
  for (Operation *form : llvm::reverse(forms))
    if (form->use_empty())
      form->erase();
  numTwice += hasOthers;
}

void PackConstants::runOnOperation() {
  wanted.clear();
  Journal journal(explained);
  forEachMain(getOperation(), [&](func::FuncOp main) {
    for (auto group : main.getOps<dsc::GroupOp>())
      findWanted(group, journal);
  });
  forEachMain(getOperation(), [&](func::FuncOp main) {
    for (auto constant : llvm::make_early_inc_range(main.getOps<dsc::ConstantOp>()))
      if (auto known = wanted.find(constant.getValue()); known != wanted.end())
        rewriteReaders(constant, known->second);
  });
}

} // namespace dscc
