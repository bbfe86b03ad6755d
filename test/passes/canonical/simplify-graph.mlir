// RUN: dscc-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(dsc-simplify-graph))' | FileCheck %s
// RUN: dscc-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(dsc-simplify-graph{reciprocals=true}))' | FileCheck %s --check-prefix=FAST

// A transpose of the last two dims becomes a flag; one of the leading dims does not.
// CHECK-LABEL: @matmul
func.func @matmul(%a: tensor<2x3xf32>, %b: tensor<4x3xf32>) -> tensor<2x4xf32> {
  // CHECK-NEXT: dsc.matmul %{{.*}}, %{{.*}} {transpose_rhs}
  %t = dsc.transpose %b {permutation = [1, 0]} : (tensor<4x3xf32>) -> tensor<3x4xf32>
  %0 = dsc.matmul %a, %t : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}
// CHECK-LABEL: @heads
func.func @heads(%a: tensor<5x2x3xf32>, %b: tensor<3x5x4xf32>) -> tensor<5x2x4xf32> {
  // CHECK-NEXT: dsc.transpose
  // CHECK-NEXT: dsc.matmul %{{.*}}, %{{.*}} :
  %t = dsc.transpose %b {permutation = [1, 0, 2]} : (tensor<3x5x4xf32>) -> tensor<5x3x4xf32>
  %0 = dsc.matmul %a, %t : (tensor<5x2x3xf32>, tensor<5x3x4xf32>) -> tensor<5x2x4xf32>
  return %0 : tensor<5x2x4xf32>
}

// -----

// Two transposes that undo each other vanish.
// CHECK-LABEL: @undone
func.func @undone(%a: tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
  // CHECK-NEXT: return
  %0 = dsc.transpose %a {permutation = [1, 2, 0]} : (tensor<2x3x4xf32>) -> tensor<3x4x2xf32>
  %1 = dsc.transpose %0 {permutation = [2, 0, 1]} : (tensor<3x4x2xf32>) -> tensor<2x3x4xf32>
  return %1 : tensor<2x3x4xf32>
}

// -----

// f16 to f32 loses nothing, f32 to f16 does.
// CHECK-LABEL: @casts
func.func @casts(%a: tensor<4xf16>, %b: tensor<4xf32>) -> (tensor<4xf16>, tensor<4xf32>) {
  // CHECK-NEXT: %[[NARROW:.*]] = dsc.cast %{{.*}} : (tensor<4xf32>) -> tensor<4xf16>
  // CHECK-NEXT: dsc.cast %[[NARROW]]
  // CHECK-NEXT: return
  %0 = dsc.cast %a : (tensor<4xf16>) -> tensor<4xf32>
  %1 = dsc.cast %0 : (tensor<4xf32>) -> tensor<4xf16>
  %2 = dsc.cast %b : (tensor<4xf32>) -> tensor<4xf16>
  %3 = dsc.cast %2 : (tensor<4xf16>) -> tensor<4xf32>
  return %1, %3 : tensor<4xf16>, tensor<4xf32>
}

// -----

// Small powers are products; a root stays a power.
// CHECK-LABEL: @powers
func.func @powers(%a: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  // CHECK-DAG: dsc.mul %[[X:.*]], %[[X]]
  // CHECK-DAG: dsc.pow
  %two = dsc.constant dense<2.0> : tensor<f32>
  %half = dsc.constant dense<0.5> : tensor<f32>
  %0 = dsc.pow %a, %two : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %1 = dsc.pow %a, %half : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  return %0, %1 : tensor<4xf32>, tensor<4xf32>
}

// -----

// A quarter is exact; a sixth is not, and waits for permission.
// CHECK-LABEL: @quotients
// FAST-LABEL: @quotients
func.func @quotients(%a: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  // CHECK: dsc.mul
  // CHECK: dsc.div
  // FAST-NOT: dsc.div
  %four = dsc.constant dense<4.0> : tensor<f32>
  %six = dsc.constant dense<6.0> : tensor<f32>
  %0 = dsc.div %a, %four : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %1 = dsc.div %a, %six : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  return %0, %1 : tensor<4xf32>, tensor<4xf32>
}

// -----

// Known neighbours are a slice, counted from the end as well; what skips, is out of range or not known stays.
// CHECK-LABEL: @gather_of_neighbours
func.func @gather_of_neighbours(%x: tensor<3x5xf32>, %y: tensor<?x5xf32, #dsc.dims<"n", 5>>, %i: tensor<i64>)
    -> (tensor<5xf32>, tensor<3x2xf32>, tensor<3x2xf32>, tensor<5xf32>, tensor<5xf32>, tensor<5xf32>) {
  %one = dsc.constant dense<1> : tensor<i64>
  %last = dsc.constant dense<[-2, 4]> : tensor<2xi64>
  %apart = dsc.constant dense<[0, 2]> : tensor<2xi64>
  %outside = dsc.constant dense<3> : tensor<i64>
  // CHECK: dsc.slice %arg0 {sizes = #dsc.dims<1, 5>, starts = #dsc.dims<1, 0>, steps = [1, 1]}
  %0 = dsc.gather %x, %one {axis = 0} : (tensor<3x5xf32>, tensor<i64>) -> tensor<5xf32>
  // CHECK: dsc.slice %arg0 {sizes = #dsc.dims<3, 2>, starts = #dsc.dims<0, 3>, steps = [1, 1]}
  %1 = dsc.gather %x, %last {axis = 1} : (tensor<3x5xf32>, tensor<2xi64>) -> tensor<3x2xf32>
  // CHECK-COUNT-4: dsc.gather
  %2 = dsc.gather %x, %apart {axis = 1} : (tensor<3x5xf32>, tensor<2xi64>) -> tensor<3x2xf32>
  %3 = dsc.gather %x, %outside {axis = 0} : (tensor<3x5xf32>, tensor<i64>) -> tensor<5xf32>
  %4 = dsc.gather %y, %one {axis = 0} : (tensor<?x5xf32, #dsc.dims<"n", 5>>, tensor<i64>) -> tensor<5xf32>
  %5 = dsc.gather %x, %i {axis = 0} : (tensor<3x5xf32>, tensor<i64>) -> tensor<5xf32>
  return %0, %1, %2, %3, %4, %5 : tensor<5xf32>, tensor<3x2xf32>, tensor<3x2xf32>, tensor<5xf32>, tensor<5xf32>, tensor<5xf32>
}
