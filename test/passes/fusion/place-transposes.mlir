// RUN: dscc-opt %s --dsc-place-windows --dsc-place-transposes=explain=^ --split-input-file --verify-diagnostics | FileCheck %s
// RUN: dscc-opt %s --dsc-place-windows --dsc-place-transposes=explain=^ --dsc-fuse-groups --split-input-file --verify-diagnostics | FileCheck %s --check-prefix=GROUPS

// Heads of attention, at any length: split, they are read where they lie; merged, they are written where they belong. A
// key whose last dim is another one is left to a kernel.
// CHECK-LABEL: @heads
// GROUPS-LABEL: @heads
func.func @heads(%x: tensor<?x8xf32, #dsc.dims<"s", 8>>, %w: tensor<8x8xf32>) -> tensor<?x8xf32, #dsc.dims<"s", 8>> {
  %0 = dsc.matmul %x, %w : (tensor<?x8xf32, #dsc.dims<"s", 8>>, tensor<8x8xf32>) -> tensor<?x8xf32, #dsc.dims<"s", 8>>
  %1 = dsc.reshape %0 : (tensor<?x8xf32, #dsc.dims<"s", 8>>) -> tensor<?x2x4xf32, #dsc.dims<"s", 2, 4>>
  // CHECK: dsc.transpose {{.*}}in_place, permutation = [1, 0, 2]
  // expected-remark@+1 {{is a view}}
  %2 = dsc.transpose %1 {permutation = [1, 0, 2]} : (tensor<?x2x4xf32, #dsc.dims<"s", 2, 4>>) -> tensor<2x?x4xf32, #dsc.dims<2, "s", 4>>
  %3 = dsc.matmul %x, %w : (tensor<?x8xf32, #dsc.dims<"s", 8>>, tensor<8x8xf32>) -> tensor<?x8xf32, #dsc.dims<"s", 8>>
  %4 = dsc.reshape %3 : (tensor<?x8xf32, #dsc.dims<"s", 8>>) -> tensor<?x2x4xf32, #dsc.dims<"s", 2, 4>>
  // CHECK: dsc.transpose {{.*}}{permutation = [1, 2, 0]}
  // expected-remark@+1 {{stays a kernel: its last dim is another one than the input's}}
  %5 = dsc.transpose %4 {permutation = [1, 2, 0]} : (tensor<?x2x4xf32, #dsc.dims<"s", 2, 4>>) -> tensor<2x4x?xf32, #dsc.dims<2, 4, "s">>
  // GROUPS: windows = [{offset = #dsc.dims<0>, strides = #dsc.dims<4, 8, 1>}, unit, unit]
  %6 = dsc.matmul %2, %5 : (tensor<2x?x4xf32, #dsc.dims<2, "s", 4>>, tensor<2x4x?xf32, #dsc.dims<2, 4, "s">>) -> tensor<2x?x?xf32, #dsc.dims<2, "s", "s">>
  // GROUPS: windows = [unit, {offset = #dsc.dims<0>, strides = #dsc.dims<4, 8, 1>}, {offset = #dsc.dims<0>, strides = #dsc.dims<4, 8, 1>}]
  %7 = dsc.matmul %6, %2 : (tensor<2x?x?xf32, #dsc.dims<2, "s", "s">>, tensor<2x?x4xf32, #dsc.dims<2, "s", 4>>) -> tensor<2x?x4xf32, #dsc.dims<2, "s", 4>>
  // CHECK: dsc.transpose {{.*}}in_place = "home", permutation = [1, 0, 2]
  // expected-remark@+1 {{is written in place; no view: it is shown under dims for which there are no strides}}
  %8 = dsc.transpose %7 {permutation = [1, 0, 2]} : (tensor<2x?x4xf32, #dsc.dims<2, "s", 4>>) -> tensor<?x2x4xf32, #dsc.dims<"s", 2, 4>>
  %9 = dsc.reshape %8 : (tensor<?x2x4xf32, #dsc.dims<"s", 2, 4>>) -> tensor<?x8xf32, #dsc.dims<"s", 8>>
  %10 = dsc.matmul %9, %w : (tensor<?x8xf32, #dsc.dims<"s", 8>>, tensor<8x8xf32>) -> tensor<?x8xf32, #dsc.dims<"s", 8>>
  return %10 : tensor<?x8xf32, #dsc.dims<"s", 8>>
}

// -----

// An input is a tensor in memory like any other; so is a part of one, and what is read twice.
// CHECK-LABEL: @inputs
// GROUPS-LABEL: @inputs
func.func @inputs(%x: tensor<5x4x6xf32>, %w: tensor<3x3xf32>) -> (tensor<4x5x3xf32>, tensor<4x5x3xf32>) {
  %0 = dsc.slice %x {starts = #dsc.dims<0, 0, 3>, sizes = #dsc.dims<5, 4, 3>, steps = [1, 1, 1]} : (tensor<5x4x6xf32>) -> tensor<5x4x3xf32>
  // CHECK: dsc.transpose {{.*}}in_place, permutation = [1, 0, 2]
  // expected-remark@+1 {{is a view}}
  %1 = dsc.transpose %0 {permutation = [1, 0, 2]} : (tensor<5x4x3xf32>) -> tensor<4x5x3xf32>
  // GROUPS-COUNT-2: windows = [{offset = #dsc.dims<3>, strides = #dsc.dims<6, 24, 1>}
  %2 = dsc.matmul %1, %w : (tensor<4x5x3xf32>, tensor<3x3xf32>) -> tensor<4x5x3xf32>
  %3 = dsc.exp %1 : (tensor<4x5x3xf32>) -> tensor<4x5x3xf32>
  return %2, %3 : tensor<4x5x3xf32>, tensor<4x5x3xf32>
}

// -----

// What is returned is written in place, straight into the output.
// CHECK-LABEL: @returned
func.func @returned(%x: tensor<5x4x6xf32>, %w: tensor<6x6xf32>) -> tensor<4x5x6xf32> {
  %0 = dsc.matmul %x, %w : (tensor<5x4x6xf32>, tensor<6x6xf32>) -> tensor<5x4x6xf32>
  // CHECK: dsc.transpose {{.*}}in_place = "home"
  // expected-remark@+1 {{is written in place; no view: it is returned}}
  %1 = dsc.transpose %0 {permutation = [1, 0, 2]} : (tensor<5x4x6xf32>) -> tensor<4x5x6xf32>
  return %1 : tensor<4x5x6xf32>
}

// -----

// The sigmoid's kernel computes the transpose as it reads it, as does that of rows.
// CHECK-LABEL: @computed
// CHECK-NOT: in_place
func.func @computed(%x: tensor<5x4x6xf32>, %w: tensor<6x6xf32>) -> (tensor<4x5x6xf32>, tensor<4x5x6xf32>) {
  %0 = dsc.matmul %x, %w : (tensor<5x4x6xf32>, tensor<6x6xf32>) -> tensor<5x4x6xf32>
  // expected-remark@+1 {{stays a kernel: its only user computes it as it reads it}}
  %1 = dsc.transpose %0 {permutation = [1, 0, 2]} : (tensor<5x4x6xf32>) -> tensor<4x5x6xf32>
  %2 = dsc.sigmoid %1 : (tensor<4x5x6xf32>) -> tensor<4x5x6xf32>
  // expected-remark@+1 {{stays a kernel: its only user computes it as it reads it}}
  %3 = dsc.transpose %0 {permutation = [1, 0, 2]} : (tensor<5x4x6xf32>) -> tensor<4x5x6xf32>
  %4 = dsc.softmax %3 {axis = 2} : (tensor<4x5x6xf32>) -> tensor<4x5x6xf32>
  return %2, %4 : tensor<4x5x6xf32>, tensor<4x5x6xf32>
}

// -----

// Where the last dim is another one, lanes would gather; others read the input too; an input of the function is written
// by nobody; and a shuffle of pixels has no strides on either side.
// CHECK-LABEL: @neither
// CHECK-NOT: in_place
func.func @neither(%x: tensor<5x4x6xf32>, %w: tensor<6x6xf32>, %f: tensor<8x3x1x1xf32>, %i: tensor<1x3x5x7xf32>)
    -> (tensor<6x4x5xf32>, tensor<4x5x6xf32>, tensor<5x4x6xf32>, tensor<4x5x6xf32>, tensor<1x2x5x2x14xf32>) {
  %0 = dsc.matmul %x, %w : (tensor<5x4x6xf32>, tensor<6x6xf32>) -> tensor<5x4x6xf32>
  // expected-remark@+1 {{stays a kernel: its last dim is another one than the input's}}
  %1 = dsc.transpose %0 {permutation = [2, 1, 0]} : (tensor<5x4x6xf32>) -> tensor<6x4x5xf32>
  // expected-remark@+1 {{stays a kernel; no view: it is returned; not written in place: others read its input, too}}
  %2 = dsc.transpose %0 {permutation = [1, 0, 2]} : (tensor<5x4x6xf32>) -> tensor<4x5x6xf32>
  // expected-remark@+1 {{not written in place: no kernel of its own makes its input}}
  %3 = dsc.transpose %x {permutation = [1, 0, 2]} : (tensor<5x4x6xf32>) -> tensor<4x5x6xf32>
  %4 = dsc.conv %i, %f {strides = [1, 1], dilations = [1, 1], pads = [0, 0, 0, 0], groups = 1} : (tensor<1x3x5x7xf32>, tensor<8x3x1x1xf32>) -> tensor<1x8x5x7xf32>
  %5 = dsc.reshape %4 : (tensor<1x8x5x7xf32>) -> tensor<1x2x2x2x5x7xf32>
  // expected-remark@+1 {{not written in place: its input is made under dims for which there are no strides}}
  %6 = dsc.transpose %5 {permutation = [0, 1, 4, 2, 3, 5]} : (tensor<1x2x2x2x5x7xf32>) -> tensor<1x2x5x2x2x7xf32>
  %7 = dsc.reshape %6 : (tensor<1x2x5x2x2x7xf32>) -> tensor<1x2x5x2x14xf32>
  return %1, %2, %0, %3, %7 : tensor<6x4x5xf32>, tensor<4x5x6xf32>, tensor<5x4x6xf32>, tensor<4x5x6xf32>, tensor<1x2x5x2x14xf32>
}

// -----

// A part of a join is the join's.
// CHECK-LABEL: @joined
func.func @joined(%x: tensor<4x5x6xf32>, %w: tensor<6x6xf32>) -> tensor<10x4x6xf32> {
  %0 = dsc.matmul %x, %w : (tensor<4x5x6xf32>, tensor<6x6xf32>) -> tensor<4x5x6xf32>
  // CHECK: dsc.transpose {{.*}}{permutation
  // expected-remark@+1 {{stays a kernel: it is a part of a join}}
  %1 = dsc.transpose %0 {permutation = [1, 0, 2]} : (tensor<4x5x6xf32>) -> tensor<5x4x6xf32>
  %5 = dsc.matmul %x, %w : (tensor<4x5x6xf32>, tensor<6x6xf32>) -> tensor<4x5x6xf32>
  %6 = dsc.reshape %5 : (tensor<4x5x6xf32>) -> tensor<5x4x6xf32>
  // CHECK: dsc.concat {{.*}}in_place
  %7 = dsc.concat %1, %6 {axis = 0} : (tensor<5x4x6xf32>, tensor<5x4x6xf32>) -> tensor<10x4x6xf32>
  return %7 : tensor<10x4x6xf32>
}
