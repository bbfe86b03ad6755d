// RUN: dscc-opt %s --dsc-place-windows=explain=^ --split-input-file --verify-diagnostics | FileCheck %s
// RUN: dscc-opt %s --dsc-place-windows=explain=^ --dsc-fuse-groups --split-input-file --verify-diagnostics | FileCheck %s --check-prefix=GROUPS

// Both operands are made by kernels of their own, which write into the parts. A concat in place needs no group.
// CHECK-LABEL: @parts
// GROUPS-LABEL: @parts
func.func @parts(%x: tensor<2x4xf32>, %w: tensor<4x3xf32>, %v: tensor<4x5xf32>) -> tensor<2x8xf32> {
  // GROUPS: windows = [unit, unit, {offset = #dsc.dims<0>, strides = #dsc.dims<8, 1>}]
  // GROUPS: windows = [unit, unit, {offset = #dsc.dims<3>, strides = #dsc.dims<8, 1>}]
  // GROUPS-NOT: dsc.group
  %0 = dsc.matmul %x, %w : (tensor<2x4xf32>, tensor<4x3xf32>) -> tensor<2x3xf32>
  %1 = dsc.matmul %x, %v : (tensor<2x4xf32>, tensor<4x5xf32>) -> tensor<2x5xf32>
  // CHECK: dsc.concat {{.*}}in_place
  // expected-remark@+1 {{is in place}}
  %2 = dsc.concat %0, %1 {axis = 1} : (tensor<2x3xf32>, tensor<2x5xf32>) -> tensor<2x8xf32>
  return %2 : tensor<2x8xf32>
}

// -----

// Others read a part through strides, a view under other dims included; what follows a hero element by element is the
// hero's. Along the first axis a part is like any other tensor, but for where it begins.
// CHECK-LABEL: @read_elsewhere
// GROUPS-LABEL: @read_elsewhere
func.func @read_elsewhere(%x: tensor<?x4xf32, #dsc.dims<"n", 4>>, %w: tensor<4x4xf32>)
    -> (tensor<?x4xf32, #dsc.dims<"2*n", 4>>, tensor<?x2x2xf32, #dsc.dims<"n", 2, 2>>) {
  // GROUPS: dsc.group{{.*}}-> tensor<?x4xf32
  // GROUPS: windows = [unit, unit, {offset = #dsc.dims<"4*n">, strides = #dsc.dims<4, 1>}]
  // GROUPS: windows = [{offset = #dsc.dims<"4*n">, strides = #dsc.dims<4, 2, 1>}, unit]
  %0 = dsc.matmul %x, %w : (tensor<?x4xf32, #dsc.dims<"n", 4>>, tensor<4x4xf32>) -> tensor<?x4xf32, #dsc.dims<"n", 4>>
  %1 = dsc.sigmoid %0 : (tensor<?x4xf32, #dsc.dims<"n", 4>>) -> tensor<?x4xf32, #dsc.dims<"n", 4>>
  %2 = dsc.mul %0, %1 : (tensor<?x4xf32, #dsc.dims<"n", 4>>, tensor<?x4xf32, #dsc.dims<"n", 4>>) -> tensor<?x4xf32, #dsc.dims<"n", 4>>
  %3 = dsc.matmul %x, %w : (tensor<?x4xf32, #dsc.dims<"n", 4>>, tensor<4x4xf32>) -> tensor<?x4xf32, #dsc.dims<"n", 4>>
  %4 = dsc.reshape %3 : (tensor<?x4xf32, #dsc.dims<"n", 4>>) -> tensor<?x2x2xf32, #dsc.dims<"n", 2, 2>>
  %5 = dsc.exp %4 : (tensor<?x2x2xf32, #dsc.dims<"n", 2, 2>>) -> tensor<?x2x2xf32, #dsc.dims<"n", 2, 2>>
  // CHECK: dsc.concat {{.*}}in_place
  // expected-remark@+1 {{is in place}}
  %6 = dsc.concat %2, %3 {axis = 0} : (tensor<?x4xf32, #dsc.dims<"n", 4>>, tensor<?x4xf32, #dsc.dims<"n", 4>>) -> tensor<?x4xf32, #dsc.dims<"2*n", 4>>
  return %6, %5 : tensor<?x4xf32, #dsc.dims<"2*n", 4>>, tensor<?x2x2xf32, #dsc.dims<"n", 2, 2>>
}

// -----

// A join is a part of another one, along another axis and under other dims: parts of parts.
// CHECK-LABEL: @nested
// GROUPS-LABEL: @nested
func.func @nested(%x: tensor<2x4xf32>, %w: tensor<4x6xf32>) -> tensor<2x2x8xf32> {
  // GROUPS: windows = [unit, unit, {offset = #dsc.dims<0>, strides = #dsc.dims<16, 1>}]
  // GROUPS: windows = [unit, unit, {offset = #dsc.dims<8>, strides = #dsc.dims<16, 1>}]
  // GROUPS: windows = [unit, {offset = #dsc.dims<6>, strides = #dsc.dims<16, 8, 1>}]
  // GROUPS: dsc.concat {{.*}}windows = [{offset = #dsc.dims<0>, strides = #dsc.dims<16, 1>}]
  // GROUPS: dsc.concat {{.*}}in_place} :
  %0 = dsc.matmul %x, %w : (tensor<2x4xf32>, tensor<4x6xf32>) -> tensor<2x6xf32>
  %1 = dsc.matmul %x, %w : (tensor<2x4xf32>, tensor<4x6xf32>) -> tensor<2x6xf32>
  %2 = dsc.reshape %0 : (tensor<2x6xf32>) -> tensor<2x1x6xf32>
  %3 = dsc.reshape %1 : (tensor<2x6xf32>) -> tensor<2x1x6xf32>
  // expected-remark@+1 {{is in place}}
  %4 = dsc.concat %2, %3 {axis = 1} : (tensor<2x1x6xf32>, tensor<2x1x6xf32>) -> tensor<2x2x6xf32>
  %5 = dsc.reshape %x : (tensor<2x4xf32>) -> tensor<2x2x2xf32>
  %6 = dsc.exp %5 : (tensor<2x2x2xf32>) -> tensor<2x2x2xf32>
  // CHECK-COUNT-2: in_place
  // expected-remark@+1 {{is in place}}
  %7 = dsc.concat %4, %6 {axis = 2} : (tensor<2x2x6xf32>, tensor<2x2x2xf32>) -> tensor<2x2x8xf32>
  return %7 : tensor<2x2x8xf32>
}

// -----

// What begins like an earlier join goes on where that ends, so that all of them are parts of the last one.
// CHECK-LABEL: @dense
func.func @dense(%x: tensor<2x4xf32>, %w: tensor<4x4xf32>, %v: tensor<8x4xf32>, %u: tensor<12x4xf32>) -> tensor<2x16xf32> {
  %0 = dsc.matmul %x, %w : (tensor<2x4xf32>, tensor<4x4xf32>) -> tensor<2x4xf32>
  %1 = dsc.matmul %x, %w : (tensor<2x4xf32>, tensor<4x4xf32>) -> tensor<2x4xf32>
  // CHECK: %[[TWO:.*]] = dsc.concat %{{.*}}, %{{.*}} {axis = 1 : i64, in_place}
  // expected-remark@+1 {{is in place}}
  %2 = dsc.concat %0, %1 {axis = 1} : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x8xf32>
  %3 = dsc.matmul %2, %v : (tensor<2x8xf32>, tensor<8x4xf32>) -> tensor<2x4xf32>
  // CHECK: %[[THREE:.*]] = dsc.concat %[[TWO]], %{{.*}} {axis = 1 : i64, in_place}
  // expected-remark@+1 {{is in place}}
  %4 = dsc.concat %0, %1, %3 {axis = 1} : (tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x12xf32>
  %5 = dsc.matmul %4, %u : (tensor<2x12xf32>, tensor<12x4xf32>) -> tensor<2x4xf32>
  // CHECK: dsc.concat %[[THREE]], %{{.*}} {axis = 1 : i64, in_place}
  // expected-remark@+1 {{is in place}}
  %6 = dsc.concat %0, %1, %3, %5 {axis = 1} : (tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x16xf32>
  return %6 : tensor<2x16xf32>
}

// -----

// Parts of a tensor that meet again are that tensor; the product reads its part where it lies.
// CHECK-LABEL: @split
// GROUPS-LABEL: @split
func.func @split(%x: tensor<2x4xf32>, %w: tensor<4x6xf32>, %v: tensor<3x3xf32>) -> tensor<2x9xf32> {
  // CHECK: %[[ALL:.*]] = dsc.matmul
  // GROUPS: windows = [unit, unit, {offset = #dsc.dims<0>, strides = #dsc.dims<9, 1>}]
  // GROUPS: windows = [{offset = #dsc.dims<3>, strides = #dsc.dims<9, 1>}, unit, {offset = #dsc.dims<6>, strides = #dsc.dims<9, 1>}]
  // GROUPS-NOT: dsc.group
  %0 = dsc.matmul %x, %w : (tensor<2x4xf32>, tensor<4x6xf32>) -> tensor<2x6xf32>
  %1 = dsc.slice %0 {starts = #dsc.dims<0, 0>, sizes = #dsc.dims<2, 3>, steps = [1, 1]} : (tensor<2x6xf32>) -> tensor<2x3xf32>
  // CHECK: dsc.slice {{.*}}in_place
  %2 = dsc.slice %0 {starts = #dsc.dims<0, 3>, sizes = #dsc.dims<2, 3>, steps = [1, 1]} : (tensor<2x6xf32>) -> tensor<2x3xf32>
  %3 = dsc.matmul %2, %v : (tensor<2x3xf32>, tensor<3x3xf32>) -> tensor<2x3xf32>
  // CHECK: dsc.concat %[[ALL]], %{{.*}} {axis = 1 : i64, in_place}
  // expected-remark@+1 {{is in place}}
  %4 = dsc.concat %1, %2, %3 {axis = 1} : (tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x9xf32>
  return %4 : tensor<2x9xf32>
}

// -----

// An input, a value that is there twice, one that is returned as well, and one that is at home elsewhere are copied to
// their parts; neighbours by one kernel, into which goes what a join computes on its way.
// CHECK-LABEL: @copies
// GROUPS-LABEL: @copies
func.func @copies(%x: tensor<2x4xf32>, %w: tensor<4x4xf32>) -> (tensor<2x28xf32>, tensor<2x4xf32>, tensor<2x8xf32>) {
  %0 = dsc.matmul %x, %w : (tensor<2x4xf32>, tensor<4x4xf32>) -> tensor<2x4xf32>
  %1 = dsc.matmul %x, %w : (tensor<2x4xf32>, tensor<4x4xf32>) -> tensor<2x4xf32>
  %2 = dsc.matmul %x, %w : (tensor<2x4xf32>, tensor<4x4xf32>) -> tensor<2x4xf32>
  %3 = dsc.matmul %x, %w : (tensor<2x4xf32>, tensor<4x4xf32>) -> tensor<2x4xf32>
  // CHECK: %[[HOME:.*]] = dsc.concat {{.*}}in_place
  // expected-remark@+1 {{is in place}}
  %4 = dsc.concat %0, %1 {axis = 1} : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x8xf32>
  %5 = dsc.exp %x : (tensor<2x4xf32>) -> tensor<2x4xf32>
  // CHECK: %[[COPIED:.*]] = dsc.concat %arg0, %{{.*}}, %{{.*}}, %[[TWICE:.*]], %[[TWICE]] {axis = 1 : i64} :
  // CHECK: dsc.concat %{{.*}}, %[[COPIED]] {axis = 1 : i64, in_place}
  // GROUPS: windows = [unit, unit, {offset = #dsc.dims<4>, strides = #dsc.dims<8, 1>}, {offset = #dsc.dims<4>, strides = #dsc.dims<28, 1>}]
  // GROUPS: dsc.concat {{.*}}in_place
  // expected-remark@+1 {{is in place}}
  %6 = dsc.concat %3, %x, %2, %1, %5, %5, %5 {axis = 1} : (tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x28xf32>
  return %6, %2, %4 : tensor<2x28xf32>, tensor<2x4xf32>, tensor<2x8xf32>
}

// -----

// Nothing is won where all operands lie elsewhere, or are computed by the join's kernel.
// CHECK-LABEL: @nothing
// CHECK-NOT: in_place
func.func @nothing(%x: tensor<2x4xf32>, %y: tensor<2x4xf32>) -> tensor<2x8xf32> {
  %0 = dsc.relu %x : (tensor<2x4xf32>) -> tensor<2x4xf32>
  // expected-remark@+1 {{stays a kernel: no operand has bytes of its own that could be the join's}}
  %1 = dsc.concat %0, %y {axis = 1} : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x8xf32>
  return %1 : tensor<2x8xf32>
}

// -----

// Between each two parts an input: three copies for two operands in place.
// CHECK-LABEL: @many_copies
// CHECK-NOT: in_place
func.func @many_copies(%x: tensor<2x4xf32>, %w: tensor<4x4xf32>) -> tensor<2x20xf32> {
  %0 = dsc.matmul %x, %w : (tensor<2x4xf32>, tensor<4x4xf32>) -> tensor<2x4xf32>
  %1 = dsc.matmul %x, %w : (tensor<2x4xf32>, tensor<4x4xf32>) -> tensor<2x4xf32>
  // expected-remark@+1 {{stays a kernel: more copies would be left than operands are written in place}}
  %2 = dsc.concat %x, %0, %x, %1, %x {axis = 1} : (tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x20xf32>
  return %2 : tensor<2x20xf32>
}

// -----

// The only user would read the join as it is computed, and no byte of it would be written: so a copy is one too many.
// CHECK-LABEL: @never_stored
// CHECK-NOT: in_place
func.func @never_stored(%x: tensor<2x4xf32>, %w: tensor<4x4xf32>) -> tensor<2x8xf32> {
  %0 = dsc.matmul %x, %w : (tensor<2x4xf32>, tensor<4x4xf32>) -> tensor<2x4xf32>
  // expected-remark@+1 {{stays a kernel: its only user computes it as it reads it}}
  %1 = dsc.concat %0, %x {axis = 1} : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x8xf32>
  %2 = dsc.exp %1 : (tensor<2x8xf32>) -> tensor<2x8xf32>
  return %2 : tensor<2x8xf32>
}

// -----

// No strides show a part of rows as one row: the reshape makes the part a copy, and so does one that makes it.
// CHECK-LABEL: @reshapes
func.func @reshapes(%x: tensor<2x4xf32>, %w: tensor<4x4xf32>) -> (tensor<2x16xf32>, tensor<8xf32>) {
  %0 = dsc.matmul %x, %w : (tensor<2x4xf32>, tensor<4x4xf32>) -> tensor<2x4xf32>
  %1 = dsc.matmul %x, %w : (tensor<2x4xf32>, tensor<4x4xf32>) -> tensor<2x4xf32>
  %2 = dsc.matmul %w, %w : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %3 = dsc.reshape %2 : (tensor<4x4xf32>) -> tensor<2x8xf32>
  // CHECK: %[[COPY:.*]] = dsc.concat %{{.*}}, %{{.*}} {axis = 1 : i64} :
  // CHECK: dsc.concat %{{.*}}, %[[COPY]] {axis = 1 : i64, in_place}
  // expected-remark@+1 {{is in place}}
  %4 = dsc.concat %0, %1, %3 {axis = 1} : (tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x8xf32>) -> tensor<2x16xf32>
  %5 = dsc.reshape %1 : (tensor<2x4xf32>) -> tensor<8xf32>
  %6 = dsc.exp %5 : (tensor<8xf32>) -> tensor<8xf32>
  return %4, %6 : tensor<2x16xf32>, tensor<8xf32>
}

// -----

// Slices are views but where they skip, are returned, or are shown under dims that need them whole.
// CHECK-LABEL: @slices
func.func @slices(%x: tensor<4x4xf32>, %w: tensor<2x2xf32>) -> (tensor<4x2xf32>, tensor<4x2xf32>, tensor<4x2xf32>, tensor<4x2xf32>) {
  // CHECK: dsc.slice %arg0 {in_place
  %0 = dsc.slice %x {starts = #dsc.dims<0, 1>, sizes = #dsc.dims<4, 2>, steps = [1, 1]} : (tensor<4x4xf32>) -> tensor<4x2xf32>
  // CHECK: dsc.slice %arg0 {sizes
  %1 = dsc.slice %x {starts = #dsc.dims<0, 0>, sizes = #dsc.dims<4, 2>, steps = [1, 2]} : (tensor<4x4xf32>) -> tensor<4x2xf32>
  // CHECK: dsc.slice %arg0 {sizes
  %2 = dsc.slice %x {starts = #dsc.dims<0, 2>, sizes = #dsc.dims<4, 2>, steps = [1, 1]} : (tensor<4x4xf32>) -> tensor<4x2xf32>
  // CHECK: dsc.slice %arg0 {sizes
  %3 = dsc.slice %x {starts = #dsc.dims<2, 0>, sizes = #dsc.dims<2, 4>, steps = [1, 1]} : (tensor<4x4xf32>) -> tensor<2x4xf32>
  // CHECK: dsc.slice %arg0 {sizes
  %4 = dsc.slice %x {starts = #dsc.dims<0, 0>, sizes = #dsc.dims<4, 2>, steps = [1, 1]} : (tensor<4x4xf32>) -> tensor<4x2xf32>
  %5 = dsc.matmul %0, %w : (tensor<4x2xf32>, tensor<2x2xf32>) -> tensor<4x2xf32>
  %6 = dsc.matmul %1, %w : (tensor<4x2xf32>, tensor<2x2xf32>) -> tensor<4x2xf32>
  %7 = dsc.reshape %3 : (tensor<2x4xf32>) -> tensor<4x2xf32>
  %8 = dsc.reshape %4 : (tensor<4x2xf32>) -> tensor<8xf32>
  %9 = dsc.exp %8 : (tensor<8xf32>) -> tensor<8xf32>
  %10 = dsc.reshape %9 : (tensor<8xf32>) -> tensor<4x2xf32>
  return %5, %6, %2, %7 : tensor<4x2xf32>, tensor<4x2xf32>, tensor<4x2xf32>, tensor<4x2xf32>
}

// -----

// Where the part begins is a sum of 80 products, too long a formula: it is copied as if nobody had marked it.
// CHECK-LABEL: @long_formula
// CHECK-NOT: in_place
func.func @long_formula(%x: tensor<?x?xf32, #dsc.dims<"n", "p + q">>, %w: tensor<?x2xf32, #dsc.dims<"p + q", 2>>) -> tensor<4x2xf32> {
  %0 = dsc.slice %x {starts = #dsc.dims<"a00 + a01 + a02 + a03 + a04 + a05 + a06 + a07 + a08 + a09 + a10 + a11 + a12 + a13 + a14 + a15 + a16 + a17 + a18 + a19 + a20 + a21 + a22 + a23 + a24 + a25 + a26 + a27 + a28 + a29 + a30 + a31 + a32 + a33 + a34 + a35 + a36 + a37 + a38 + a39", 0>, sizes = #dsc.dims<4, "p + q">, steps = [1, 1]}
      : (tensor<?x?xf32, #dsc.dims<"n", "p + q">>) -> tensor<4x?xf32, #dsc.dims<4, "p + q">>
  %1 = dsc.matmul %0, %w : (tensor<4x?xf32, #dsc.dims<4, "p + q">>, tensor<?x2xf32, #dsc.dims<"p + q", 2>>) -> tensor<4x2xf32>
  return %1 : tensor<4x2xf32>
}

// -----

// Where only the inputs make an operand's dims those of the whole, a kernel joins them: one that is copied could not be
// proven to fill its part either.
// CHECK-LABEL: @maybe_others
// CHECK: dsc.concat
// CHECK-NOT: in_place
func.func @maybe_others(%x: tensor<?x3xf32, #dsc.dims<"n", 3>>, %y: tensor<?x4xf32, #dsc.dims<"m", 4>>, %f: tensor<3x5xf32>)
    -> tensor<?x9xf32, #dsc.dims<"n", 9>> {
  %0 = dsc.matmul %x, %f : (tensor<?x3xf32, #dsc.dims<"n", 3>>, tensor<3x5xf32>) -> tensor<?x5xf32, #dsc.dims<"n", 5>>
  // expected-remark@+1 {{stays a kernel: only inputs that fit make an operand's dims those of the whole}}
  %1 = dsc.concat %0, %y {axis = 1 : i64} : (tensor<?x5xf32, #dsc.dims<"n", 5>>, tensor<?x4xf32, #dsc.dims<"m", 4>>) -> tensor<?x9xf32, #dsc.dims<"n", 9>>
  return %1 : tensor<?x9xf32, #dsc.dims<"n", 9>>
}
