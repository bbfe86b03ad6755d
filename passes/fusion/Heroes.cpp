#include "passes/fusion/Rules.h"

using namespace mlir;
using namespace dscc;

/// A hero takes the elementwise ops that follow it as its epilogue, if they keep its dims.
Verdict dscc::fusesAsEpilogue(Operation *producer, Operation *consumer, const GroupDraft &group) {
  if (!isHero(producer))
    return Verdict::declined("the producer is no hero");
  if (group.hero)
    return Verdict::declined("the group has a hero already");
  if (!group.epilogue.contains(consumer))
    return Verdict::declined(
        "the consumer, or what follows it, is not elementwise with the dims of the group's result");
  return Verdict::acceptedIf(sameDims(producer->getResult(0), group.root()->getResult(0)),
                             "the hero's dims are not those of the group's result");
}

/// Rows and windows are fed by chains that are computed as they are read. What could be another hero's epilogue stays
/// there, where it is computed once.
Verdict dscc::fusesAsPrologue(Operation *producer, Operation *consumer, const GroupDraft &group) {
  dsc::Role role = dsc::factsOf(consumer).role;
  if (role != dsc::Role::Window && role != dsc::Role::Row)
    return Verdict::declined("the consumer reads no windows or rows");
  if (group.anchored->contains(producer))
    return Verdict::declined("the producer can be the epilogue of another hero");
  // Windows overlap: only what is cheap may be computed once for each of them.
  if (role == dsc::Role::Window)
    return Verdict::acceptedIf(isCheap(producer) || isUnitReshape(producer),
                               "the producer is costly, and windows overlap");
  return Verdict::acceptedIf(isElementwise(producer) || isMovement(producer),
                             "the producer is neither elementwise nor a movement");
}

/// A convolution with channels last takes each number of an image by itself, so a first layer reads the model's input
/// as it lies: few channels are few streams. Rows of zeros for what lies outside would have to be neighbours.
Verdict dscc::fusesTransposeIntoConvolution(Operation *producer, Operation *consumer, const GroupDraft &group) {
  constexpr int64_t fewChannels = 8;
  auto conv = dyn_cast<dsc::ConvOp>(consumer);
  if (!conv || !conv.getChannelsLast())
    return Verdict::declined("the consumer is no convolution with channels last");
  if (!isa<dsc::TransposeOp>(producer) || producer->getResult(0) != conv.getInput())
    return Verdict::declined("the producer is no transpose of the image");
  DimExpr channels = dsc::getDims(conv.getInput()).back();
  if (!channels.isConstant() || channels.constant() > fewChannels || conv.getGroups() != 1)
    return Verdict::declined("the image has many channels, or groups of them");
  return Verdict::acceptedIf(llvm::all_of(dsc::getIntegers(conv.getPads()), [](int64_t pad) { return pad == 0; }),
                             "the image has pads");
}

/// Products read each element many times, so only a conversion may stand between memory and them.
Verdict dscc::fusesCastIntoProduct(Operation *producer, Operation *consumer, const GroupDraft &group) {
  if (dsc::factsOf(consumer).role != dsc::Role::Product)
    return Verdict::declined("the consumer is no product");
  if (!isa<dsc::CastOp>(producer))
    return Verdict::declined("the producer is no cast, and products read each element many times");
  return Verdict::acceptedIf(!group.anchored->contains(producer), "the cast can be the epilogue of another hero");
}
