// RUN: dscc-opt %s --dsc-fuse-groups --split-input-file | FileCheck %s

// A producer with one user joins its user's group.
// CHECK-LABEL: @chain
// CHECK-SAME: (%[[A:.*]]: tensor<4xf32>, %[[B:.*]]: tensor<4xf32>)
func.func @chain(%a: tensor<4xf32>, %b: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK: dsc.group(%[[A]], %[[B]])
  // CHECK: %[[SUM:.*]] = dsc.add
  // CHECK: dsc.relu %[[SUM]]
  // CHECK-NOT: dsc.group
  %0 = dsc.add %a, %b : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %1 = dsc.relu %0 : (tensor<4xf32>) -> tensor<4xf32>
  return %1 : tensor<4xf32>
}

// -----

// A producer whose users are all in the group joins it, however many they are.
// CHECK-LABEL: @silu
func.func @silu(%x: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK-COUNT-1: dsc.group
  // CHECK-NOT: dsc.group
  %0 = dsc.exp %x : (tensor<4xf32>) -> tensor<4xf32>
  %1 = dsc.sigmoid %0 : (tensor<4xf32>) -> tensor<4xf32>
  %2 = dsc.mul %0, %1 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %2 : tensor<4xf32>
}

// -----

// A producer with users in two groups is computed once, in a group of its own.
// CHECK-LABEL: @shared
func.func @shared(%a: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  // CHECK-COUNT-3: dsc.group
  %0 = dsc.exp %a : (tensor<4xf32>) -> tensor<4xf32>
  %1 = dsc.add %0, %a : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %2 = dsc.relu %0 : (tensor<4xf32>) -> tensor<4xf32>
  return %1, %2 : tensor<4xf32>, tensor<4xf32>
}

// -----

// A splat is computed in the group; a weight is read from memory, through a view that costs nothing.
// CHECK-LABEL: @constants
func.func @constants(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  // CHECK-DAG: %[[BIAS:.*]] = dsc.constant dense<[1.{{.*}}, 2.{{.*}}, 3.{{.*}}]>
  // CHECK: dsc.group(%{{.*}}, %[[BIAS]])
  // CHECK: dsc.constant dense<2.0{{.*}}> : tensor<f32>
  // CHECK: dsc.mul
  %two = dsc.constant dense<2.0> : tensor<f32>
  %bias = dsc.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
  %0 = dsc.mul %x, %two : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %1 = dsc.add %0, %bias : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  return %1 : tensor<2x3xf32>
}

// -----

// A reshape that regroups elements stays outside: it is a view.
// CHECK-LABEL: @view
func.func @view(%x: tensor<2x6xf32>) -> tensor<3x4xf32> {
  // CHECK: %[[EXP:.*]] = dsc.group
  // CHECK: %[[VIEW:.*]] = dsc.reshape %[[EXP]]
  // CHECK: dsc.group(%[[VIEW]])
  %0 = dsc.exp %x : (tensor<2x6xf32>) -> tensor<2x6xf32>
  %1 = dsc.reshape %0 : (tensor<2x6xf32>) -> tensor<3x4xf32>
  %2 = dsc.exp %1 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  return %2 : tensor<3x4xf32>
}

// -----

// An iota with two users is counted twice rather than stored.
// CHECK-LABEL: @twice
func.func @twice(%a: tensor<4xi64>) -> (tensor<4xi64>, tensor<4xi1>) {
  // CHECK-COUNT-2: dsc.iota
  // CHECK-NOT: dsc.iota
  %0 = dsc.iota {axis = 0 : i64, type = tensor<4xi64>} : () -> tensor<4xi64>
  %1 = dsc.add %0, %a : (tensor<4xi64>, tensor<4xi64>) -> tensor<4xi64>
  %2 = dsc.less %0, %a : (tensor<4xi64>, tensor<4xi64>) -> tensor<4xi1>
  return %1, %2 : tensor<4xi64>, tensor<4xi1>
}

// -----

// Dims that are needed in memory are written by a kernel.
// CHECK-LABEL: @dims
func.func @dims() -> tensor<2xi64> {
  // CHECK: dsc.group() : () -> tensor<2xi64>
  // CHECK-NEXT: dsc.dims <"n", 3>
  %0 = dsc.dims <"n", 3> : tensor<2xi64>
  return %0 : tensor<2xi64>
}

// -----

// Each level wants the one before at two places: after three levels, 8 copies, a new group begins.
// CHECK-LABEL: @doubling
func.func @doubling(%s0: tensor<20xf32>) -> tensor<15xf32> {
  // CHECK-COUNT-2: dsc.group
  // CHECK-NOT: dsc.group
  %a0 = dsc.slice %s0 {starts = #dsc.dims<0>, sizes = #dsc.dims<19>, steps = [1]} : (tensor<20xf32>) -> tensor<19xf32>
  %b0 = dsc.slice %s0 {starts = #dsc.dims<1>, sizes = #dsc.dims<19>, steps = [1]} : (tensor<20xf32>) -> tensor<19xf32>
  %s1 = dsc.add %a0, %b0 : (tensor<19xf32>, tensor<19xf32>) -> tensor<19xf32>
  %a1 = dsc.slice %s1 {starts = #dsc.dims<0>, sizes = #dsc.dims<18>, steps = [1]} : (tensor<19xf32>) -> tensor<18xf32>
  %b1 = dsc.slice %s1 {starts = #dsc.dims<1>, sizes = #dsc.dims<18>, steps = [1]} : (tensor<19xf32>) -> tensor<18xf32>
  %s2 = dsc.add %a1, %b1 : (tensor<18xf32>, tensor<18xf32>) -> tensor<18xf32>
  %a2 = dsc.slice %s2 {starts = #dsc.dims<0>, sizes = #dsc.dims<17>, steps = [1]} : (tensor<18xf32>) -> tensor<17xf32>
  %b2 = dsc.slice %s2 {starts = #dsc.dims<1>, sizes = #dsc.dims<17>, steps = [1]} : (tensor<18xf32>) -> tensor<17xf32>
  %s3 = dsc.add %a2, %b2 : (tensor<17xf32>, tensor<17xf32>) -> tensor<17xf32>
  %a3 = dsc.slice %s3 {starts = #dsc.dims<0>, sizes = #dsc.dims<16>, steps = [1]} : (tensor<17xf32>) -> tensor<16xf32>
  %b3 = dsc.slice %s3 {starts = #dsc.dims<1>, sizes = #dsc.dims<16>, steps = [1]} : (tensor<17xf32>) -> tensor<16xf32>
  %s4 = dsc.add %a3, %b3 : (tensor<16xf32>, tensor<16xf32>) -> tensor<16xf32>
  %a4 = dsc.slice %s4 {starts = #dsc.dims<0>, sizes = #dsc.dims<15>, steps = [1]} : (tensor<16xf32>) -> tensor<15xf32>
  %b4 = dsc.slice %s4 {starts = #dsc.dims<1>, sizes = #dsc.dims<15>, steps = [1]} : (tensor<16xf32>) -> tensor<15xf32>
  %s5 = dsc.add %a4, %b4 : (tensor<15xf32>, tensor<15xf32>) -> tensor<15xf32>
  return %s5 : tensor<15xf32>
}

// -----

// Parts of equal dims that nobody takes in are one kernel with a result for each; a part of other dims is one of its own.
// CHECK-LABEL: @split
func.func @split(%x: tensor<4x10xf32>) -> (tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x2xf32>) {
  // CHECK: %[[PARTS:.*]]:2 = dsc.group(%arg0) : (tensor<4x10xf32>) -> (tensor<4x4xf32>, tensor<4x4xf32>) {
  // CHECK-NEXT: ^bb0(%[[X:.*]]: tensor<4x10xf32>):
  // CHECK-NEXT: dsc.slice %[[X]] {{.*}} starts = #dsc.dims<0, 0>
  // CHECK-NEXT: dsc.slice %[[X]] {{.*}} starts = #dsc.dims<0, 4>
  // CHECK-NEXT: dsc.yield
  // CHECK: %[[REST:.*]] = dsc.group(%arg0)
  // CHECK: return %[[PARTS]]#0, %[[PARTS]]#1, %[[REST]]
  %a = dsc.slice %x {starts = #dsc.dims<0, 0>, sizes = #dsc.dims<4, 4>, steps = [1, 1]} : (tensor<4x10xf32>) -> tensor<4x4xf32>
  %b = dsc.slice %x {starts = #dsc.dims<0, 4>, sizes = #dsc.dims<4, 4>, steps = [1, 1]} : (tensor<4x10xf32>) -> tensor<4x4xf32>
  %c = dsc.slice %x {starts = #dsc.dims<0, 8>, sizes = #dsc.dims<4, 2>, steps = [1, 1]} : (tensor<4x10xf32>) -> tensor<4x2xf32>
  return %a, %b, %c : tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x2xf32>
}

// -----

// A part that an elementwise op takes in is read there; what is left is alone.
// CHECK-LABEL: @taken
func.func @taken(%x: tensor<4x8xf32>) -> (tensor<4x4xf32>, tensor<4x4xf32>) {
  // CHECK: dsc.group(%arg0) : (tensor<4x8xf32>) -> tensor<4x4xf32> {
  // CHECK: dsc.relu
  // CHECK: dsc.group(%arg0) : (tensor<4x8xf32>) -> tensor<4x4xf32> {
  // CHECK-NOT: dsc.relu
  %a = dsc.slice %x {starts = #dsc.dims<0, 0>, sizes = #dsc.dims<4, 4>, steps = [1, 1]} : (tensor<4x8xf32>) -> tensor<4x4xf32>
  %0 = dsc.relu %a : (tensor<4x4xf32>) -> tensor<4x4xf32>
  %b = dsc.slice %x {starts = #dsc.dims<0, 4>, sizes = #dsc.dims<4, 4>, steps = [1, 1]} : (tensor<4x8xf32>) -> tensor<4x4xf32>
  return %0, %b : tensor<4x4xf32>, tensor<4x4xf32>
}
