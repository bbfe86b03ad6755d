#include "passes/fusion/Rules.h"

using namespace mlir;

namespace dscc {

llvm::ArrayRef<FusionRule> allFusionRules() {
  static constexpr FusionRule rules[] = {
      {"hero-into-epilogue", fusesAsEpilogue},
      {"duplicable-into-any", fusesAsDuplicable},
      {"elementwise-into-elementwise", fusesIntoElementwise},
      {"elementwise-into-movement", fusesIntoMovement},
      {"cast-into-product", fusesCastIntoProduct},
      {"chain-into-recurrence", fusesIntoRecurrence},
      {"chain-into-rows", fusesAsPrologue},
  };
  return rules;
}

bool isElementwise(Operation *op) { return isa<dsc::ElementwiseOpInterface>(op); }

bool isMovement(Operation *op) {
  return isa<dsc::TransposeOp, dsc::SliceOp, dsc::PadOp, dsc::PadEdgeOp, dsc::PadReflectOp, dsc::PadWrapOp,
             dsc::ExpandOp, dsc::TileOp, dsc::ConcatOp, dsc::GatherOp, dsc::GatherElementsOp, dsc::GatherNdOp,
             dsc::ResizeOp>(op) ||
         isUnitReshape(op);
}

bool isHero(Operation *op) {
  return isa<dsc::MatmulOp, dsc::ConvOp, dsc::ConvTransposeOp, dsc::MaxPoolOp, dsc::ArgMaxPoolOp, dsc::AveragePoolOp,
             dsc::ReduceSumOp, dsc::ReduceProdOp, dsc::ReduceMaxOp, dsc::ReduceMinOp, dsc::ReduceMeanOp, dsc::ArgMaxOp,
             dsc::ArgMinOp, dsc::CumSumOp, dsc::CumProdOp, dsc::SoftmaxOp, dsc::LogSoftmaxOp, dsc::LayerNormOp,
             dsc::RmsNormOp, dsc::RecurrenceOp>(op);
}

bool isSplat(Operation *op) {
  auto constant = dyn_cast<dsc::ConstantOp>(op);
  return constant && constant.getValue().getNumElements() > 0 && constant.getValue().isSplat();
}

bool isUnitReshape(Operation *op) {
  auto reshape = dyn_cast<dsc::ReshapeOp>(op);
  if (!reshape)
    return false;
  auto withoutUnits = [](Value value) {
    dsc::Dims dims = dsc::getDims(value);
    llvm::erase_if(dims, [](const DimExpr &dim) { return dim.isConstant(1); });
    return dims;
  };
  return withoutUnits(reshape.getInput()) == withoutUnits(reshape.getResult());
}

bool isCheap(Operation *op) {
  return isElementwise(op) &&
         isa<dsc::AbsOp, dsc::NegOp, dsc::SignOp, dsc::FloorOp, dsc::CeilOp, dsc::RoundOp, dsc::TruncOp, dsc::ReluOp,
             dsc::AddOp, dsc::SubOp, dsc::MulOp, dsc::MinOp, dsc::MaxOp, dsc::AndOp, dsc::OrOp, dsc::XorOp, dsc::NotOp,
             dsc::ShiftLeftOp, dsc::ShiftRightOp, dsc::EqualOp, dsc::LessOp, dsc::LessEqualOp, dsc::IsNanOp,
             dsc::IsInfOp, dsc::WhereOp, dsc::CastOp, dsc::BitcastOp>(op);
}

bool isDuplicable(Operation *op) {
  return isSplat(op) || isa<dsc::DimsOp, dsc::IotaOp, dsc::ExpandOp>(op) || isUnitReshape(op);
}

bool sameDims(Value a, Value b) { return dsc::getDims(a) == dsc::getDims(b); }

} // namespace dscc
