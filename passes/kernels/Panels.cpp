#include "passes/kernels/Panels.h"

#include "passes/canonical/Evaluate.h"
#include "passes/kernels/Emitters.h"
#include "passes/kernels/Window.h"

#include "llvm/Support/MathExtras.h"

#include <cstring>

using namespace mlir;

namespace dscc::kernels {

static constexpr int64_t panelColumns = dsc::PanelsAttr::columns;
/// A constant may grow by so many bytes, or by a quarter.
static constexpr int64_t smallGrowth = 4096;

int64_t MatrixShape::panels() const { return llvm::divideCeil(columns, panelColumns); }
int64_t MatrixShape::packedElements() const { return matrices * panels() * panelElements(); }

MatrixShape shapeOf(dsc::PanelsAttr panels) {
  ArrayRef<int64_t> dims = cast<RankedTensorType>(panels.getMatrices().getShapedType()).getShape();
  int64_t rows = dims[dims.size() - 2], columns = dims.back();
  int64_t matrices = llvm::product_of(dims.drop_back(2));
  return panels.getTransposed() ? MatrixShape{matrices, columns, rows, true}
                                : MatrixShape{matrices, rows, columns, false};
}

//===-- Bytes ---------------------------------------------------------------------------------------------------===//

/// Rows that are copied before the next panel's turn, so that both sides stay within reach of a cache.
static constexpr int64_t strip = 16;

/// Some panels of one matrix of `columns`, from column `begin` to before `end`.
template <class T>
static void packMatrix(const char *from, char *to, const MatrixShape &shape, int64_t begin, int64_t end) {
  int64_t rowStep = shape.transposed ? 1 : shape.columns, columnStep = shape.transposed ? shape.rows : 1;
  for (int64_t top = 0; top < shape.rows; top += strip)
    for (int64_t left = begin; left < end; left += panelColumns) {
      int64_t bottom = std::min(shape.rows, top + strip), count = std::min(panelColumns, shape.columns - left);
      for (int64_t row = top; row < bottom; ++row) {
        const char *source = from + (row * rowStep + left * columnStep) * sizeof(T);
        char *place = to + ((left - begin) * shape.rows + row * panelColumns) * sizeof(T);
        if (columnStep == 1)
          std::memcpy(place, source, count * sizeof(T));
        else
          for (int64_t column = 0; column < count; ++column)
            std::memcpy(place + column * sizeof(T), source + column * columnStep * sizeof(T), sizeof(T));
        std::memset(place + count * sizeof(T), 0, (panelColumns - count) * sizeof(T));
      }
    }
}

template <class T>
static void packAll(ArrayRef<char> matrices, const MatrixShape &shape, int64_t first, MutableArrayRef<char> panels) {
  int64_t end = first + panels.size() / (shape.panelElements() * sizeof(T));
  for (int64_t panel = first; panel < end;) {
    int64_t matrix = panel / shape.panels(), begin = panel % shape.panels();
    int64_t count = std::min(end - panel, shape.panels() - begin);
    packMatrix<T>(matrices.data() + matrix * shape.rows * shape.columns * sizeof(T),
                  panels.data() + (panel - first) * shape.panelElements() * sizeof(T), shape, begin * panelColumns,
                  (begin + count) * panelColumns);
    panel += count;
  }
}

void packPanels(ArrayRef<char> matrices, const MatrixShape &shape, size_t width, int64_t first,
                MutableArrayRef<char> panels) {
  assert(int64_t(matrices.size()) == shape.matrices * shape.rows * shape.columns * int64_t(width) &&
         "the bytes are those of all elements");
  assert(panels.size() % (shape.panelElements() * width) == 0 && "there is room for whole panels");
  switch (width) {
  case 1: return packAll<uint8_t>(matrices, shape, first, panels);
  case 2: return packAll<uint16_t>(matrices, shape, first, panels);
  case 4: return packAll<uint32_t>(matrices, shape, first, panels);
  case 8: return packAll<uint64_t>(matrices, shape, first, panels);
  default: llvm_unreachable("elements of other widths are not packed");
  }
}

//===-- Operands ------------------------------------------------------------------------------------------------===//

Value findColumns(Operation *hero) {
  if (auto product = dyn_cast_or_null<dsc::MatmulOp>(hero))
    return product.getRhs();
  auto conv = dyn_cast_or_null<dsc::ConvOp>(hero);
  if (!conv || !conv.getChannelsLast() || isDepthwise(conv))
    return {};
  int64_t made = dsc::getDims(conv.getFilter()).back().constant() / int64_t(conv.getGroups());
  return conv.getGroups() == 1 || made % panelColumns == 0 ? conv.getFilter() : Value();
}

/// Whether the columns lie row by row, one after the other.
static bool areTransposed(Operation *hero) {
  auto product = dyn_cast<dsc::MatmulOp>(hero);
  return product && product.getTransposeRhs();
}

/// True for what may stand between memory and a hero's columns: conversions, and the view of a filter as a matrix.
static bool isOnTheWay(Operation *op) { return isa_and_nonnull<dsc::CastOp, dsc::ReshapeOp>(op); }

/// What a hero's columns are made of.
static Value beneath(Value value) {
  while (isOnTheWay(value.getDefiningOp()))
    value = value.getDefiningOp()->getOperand(0);
  return value;
}

bool isPacked(dsc::ScheduleAttr schedule) { return schedule.lookup("packed").value_or(0) != 0; }

dsc::UnpackOp findUnpack(dsc::GroupOp group) {
  Value columns = findColumns(findContraction(group));
  return columns ? beneath(columns).getDefiningOp<dsc::UnpackOp>() : dsc::UnpackOp();
}

/// The matrices of a tensor of static dims.
static std::optional<MatrixShape> shapeOf(Value tensor, bool transposed) {
  dsc::Dims dims = dsc::getDims(tensor);
  if (dims.size() < 2 || !llvm::all_of(dims, [](const DimExpr &dim) { return dim.isConstant(); }))
    return std::nullopt;
  int64_t first = dims[dims.size() - 2].constant(), second = dims.back().constant();
  int64_t matrices = dsc::countElements(ArrayRef(dims).drop_back(2)).constant();
  return transposed ? MatrixShape{matrices, second, first, true} : MatrixShape{matrices, first, second, false};
}

/// True if all that reads `value` are casts and views, one user each, and in the end the hero, as its columns.
static bool leadsOnlyTo(Value value, Operation *hero) {
  while (value.hasOneUse() && isOnTheWay(*value.user_begin()))
    value = value.user_begin()->getResult(0);
  return value.hasOneUse() && value == findColumns(hero) && value != hero->getOperand(0);
}

/// How the product of the group sees its right side, if that is an input which nothing else in the group reads.
static std::optional<std::pair<unsigned, MatrixShape>> findColumnInput(dsc::GroupOp group) {
  Operation *hero = findContraction(group);
  Value columns = findColumns(hero);
  auto argument = columns ? dyn_cast<BlockArgument>(beneath(columns)) : BlockArgument();
  if (!argument || !leadsOnlyTo(argument, hero))
    return std::nullopt;
  std::optional<MatrixShape> shape = shapeOf(argument, areTransposed(hero));
  // A view of the columns is one of a matrix.
  bool isViewed = dsc::getDims(argument) != dsc::getDims(columns);
  if (!shape || (isViewed && (shape->matrices != 1 || isa<dsc::MatmulOp>(hero))))
    return std::nullopt;
  return std::pair(argument.getArgNumber(), *shape);
}

static dsc::ConstantOp findConstant(Value value) {
  while (auto view = value.getDefiningOp<dsc::ReshapeOp>())
    value = view.getInput();
  return value.getDefiningOp<dsc::ConstantOp>();
}

Verdict findColumnOperand(dsc::GroupOp group, ColumnOperand &operand) {
  if (!findColumns(findContraction(group)))
    return Verdict::declined("there is no product of matrices");
  auto input = findColumnInput(group);
  if (!input)
    return Verdict::declined("the right side is no input of known dims that the product alone reads");
  operand = {input->first, findConstant(group.getInputs()[input->first]), input->second};
  if (!operand.constant)
    return Verdict::declined("the right side is no constant");
  ElementsAttr value = operand.constant.getValue();
  if (value.empty())
    return Verdict::declined("the constant has no elements");
  if (value.isSplat() || value.getElementType().getIntOrFloatBitWidth() % 8 != 0)
    return Verdict::declined("the elements of the constant are all equal, or no whole bytes");
  return Verdict::acceptedIf(getBytes(value).has_value(), "the bytes of the constant are not at hand");
}

/// True if the group looks up columns of the matrices: rows of a constant that lies column by column.
static bool looksUpColumns(dsc::GroupOp group, unsigned number, const MatrixShape &shape) {
  BlockArgument argument = group.getBody().getArgument(number);
  return !argument.use_empty() && shape.transposed && shape.matrices == 1 && dsc::getDims(argument).size() == 2 &&
         shapeOf(argument, true) == shape && llvm::all_of(argument.getUses(), [](OpOperand &use) {
           auto gather = dyn_cast<dsc::GatherOp>(use.getOwner());
           return gather && use.getOperandNumber() == 0 && gather.getAxis() == 0;
         });
}

bool canReadPanels(dsc::GroupOp group, unsigned number, const MatrixShape &shape) {
  auto input = findColumnInput(group);
  bool multiplies = input && input->first == number && input->second == shape;
  return multiplies || looksUpColumns(group, number, shape);
}

/// Whether every user of a constant, or of a view of it, is a group that reads panels.
static bool allReadPanels(Value value, const MatrixShape &shape) {
  return llvm::all_of(value.getUses(), [&](OpOperand &use) {
    if (auto view = dyn_cast<dsc::ReshapeOp>(use.getOwner()))
      return allReadPanels(view.getResult(), shape);
    auto group = dyn_cast<dsc::GroupOp>(use.getOwner());
    return group && canReadPanels(group, use.getOperandNumber(), shape);
  });
}

Verdict isPackable(dsc::GroupOp group, ColumnOperand operand) {
  int64_t elements = operand.shape.matrices * operand.shape.rows * operand.shape.columns;
  int64_t growth = operand.shape.packedElements() - elements;
  int64_t width = operand.constant.getValue().getElementType().getIntOrFloatBitWidth() / 8;
  if (growth * width > smallGrowth && growth > elements / 4)
    return Verdict::declined("filled up to whole panels the constant would grow by more than a quarter");
  return Verdict::acceptedIf(allReadPanels(operand.constant.getResult(), operand.shape),
                             "the constant would be stored twice, because others read it another way");
}

} // namespace dscc::kernels
