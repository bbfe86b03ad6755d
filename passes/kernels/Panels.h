// Constants whose columns lie in panels, so that a kernel's lanes read them as one stream.
//
//     columns ->                            panel 0       panel 1
//   r  a b c d e f            r  a b c d    e f . .       A kernel that computes some columns goes down their panels:
//   o  g h i j k l     ==>    o  g h i j    k l . .       neighbours in memory, where a row of the matrix would have
//   w  m n o p q r            w  m n o p    q r . .       been a step away. `.` is padding.
//
// The width of panels depends on nothing, so all schedules and all CPUs share what is packed.

#ifndef DSCC_PASSES_KERNELS_PANELS_H
#define DSCC_PASSES_KERNELS_PANELS_H

#include "dialects/dsc/Dsc.h"
#include "passes/Journal.h"

namespace dscc::kernels {

/// Matrices in memory, one after the other.
struct MatrixShape {
  /// How many there are, and the size of each.
  int64_t matrices, rows, columns;
  /// Whether a matrix lies column by column.
  bool transposed;

  /// Of each matrix; the last may be filled up.
  int64_t panels() const;
  /// Elements of a panel.
  int64_t panelElements() const { return rows * dsc::PanelsAttr::columns; }
  /// Elements of all panels.
  int64_t packedElements() const;
  /// The same matrices in the same order.
  bool operator==(const MatrixShape &) const = default;
};

/// How the matrices of a constant in panels lie.
MatrixShape shapeOf(dsc::PanelsAttr panels);
/// Writes panels of matrices of elements of `width` bytes, as many as there is room for, from `first` on, counted over
/// all matrices. What is no element becomes 0.
void packPanels(llvm::ArrayRef<char> matrices, const MatrixShape &shape, size_t width, int64_t first,
                llvm::MutableArrayRef<char> panels);

/// A constant that a group's product reads along its columns, by way of casts at most.
struct ColumnOperand {
  /// Which input of the group it is.
  unsigned number = 0;
  /// What the input is, or a view of.
  dsc::ConstantOp constant;
  /// How its elements lie.
  MatrixShape shape = {};
};

/// What the product, or the convolution with channels last, reads along its columns; null for any other op, and where
/// columns of one panel may be of several groups.
mlir::Value findColumns(mlir::Operation *hero);
/// Whether the schedule wants a constant of its group in panels.
bool isPacked(dsc::ScheduleAttr schedule);
/// Finds the constant that the group's product reads along its columns.
Verdict findColumnOperand(dsc::GroupOp group, ColumnOperand &operand);
/// Whether it is worth to have it in panels: it grows little, and whoever else in the function reads it can read
/// panels.
Verdict isPackable(dsc::GroupOp group, ColumnOperand operand);
/// Whether the group, which reads the constant as its input `number`, reads panels of this shape as well: it multiplies
/// by the same matrices, or looks up some of their columns.
bool canReadPanels(dsc::GroupOp group, unsigned number, const MatrixShape &shape);
/// The op by which the group's product reads panels; null if it reads none.
dsc::UnpackOp findUnpack(dsc::GroupOp group);

} // namespace dscc::kernels

#endif // DSCC_PASSES_KERNELS_PANELS_H
