// RUN: dscc-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(dsc-evaluate-shapes))' | FileCheck %s

// What a model does to flatten all but the first axis: Shape, Gather, Concat.
// CHECK-LABEL: @flatten
func.func @flatten() -> tensor<2xi64> {
  // CHECK: %[[R:.*]] = dsc.dims <"n", "64*h"> : tensor<2xi64>
  // CHECK-NEXT: return %[[R]]
  %shape = dsc.dims <"n", 64, "h"> : tensor<3xi64>
  %zero = dsc.constant dense<[0]> : tensor<1xi64>
  %tail = dsc.slice %shape {starts = #dsc.dims<1>, sizes = #dsc.dims<2>, steps = [1]} : (tensor<3xi64>) -> tensor<2xi64>
  %n = dsc.gather %shape, %zero {axis = 0 : i64} : (tensor<3xi64>, tensor<1xi64>) -> tensor<1xi64>
  %size = dsc.reduce_prod %tail {axes = [0]} : (tensor<2xi64>) -> tensor<1xi64>
  %r = dsc.concat %n, %size {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
  return %r : tensor<2xi64>
}

// -----

// Quotients of sizes are floors, because no size is negative; minimum and maximum stay expressions.
// CHECK-LABEL: @arithmetic
func.func @arithmetic() -> (tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) {
  // CHECK-DAG: dsc.dims <"floordiv(h, 2)"> : tensor<1xi64>
  // CHECK-DAG: dsc.dims <"min(h, w)"> : tensor<1xi64>
  // CHECK-DAG: dsc.dims <"h + 3"> : tensor<1xi64>
  %h = dsc.dims <"h"> : tensor<1xi64>
  %w = dsc.dims <"w"> : tensor<1xi64>
  %two = dsc.constant dense<2> : tensor<i64>
  %three = dsc.constant dense<3> : tensor<i64>
  %0 = dsc.div %h, %two : (tensor<1xi64>, tensor<i64>) -> tensor<1xi64>
  %1 = dsc.min %h, %w : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  %2 = dsc.add %h, %three : (tensor<1xi64>, tensor<i64>) -> tensor<1xi64>
  return %0, %1, %2 : tensor<1xi64>, tensor<1xi64>, tensor<1xi64>
}

// -----

// The guard around Expand: a target of -1 keeps the size. Equal, Where.
// CHECK-LABEL: @keeps
func.func @keeps() -> tensor<2xi64> {
  // CHECK: dsc.dims <"n", 7> : tensor<2xi64>
  // CHECK-NEXT: return
  %shape = dsc.dims <"n", 3> : tensor<2xi64>
  %target = dsc.constant dense<[-1, 7]> : tensor<2xi64>
  %minus = dsc.constant dense<-1> : tensor<i64>
  %is = dsc.equal %target, %minus : (tensor<2xi64>, tensor<i64>) -> tensor<2xi1>
  %r = dsc.where %is, %shape, %target : (tensor<2xi1>, tensor<2xi64>, tensor<2xi64>) -> tensor<2xi64>
  return %r : tensor<2xi64>
}

// -----

// Scales in floating point: 5 * 2.5 rounded down.
// CHECK-LABEL: @scales
func.func @scales() -> tensor<1xi64> {
  // CHECK: dsc.constant dense<12> : tensor<1xi64>
  // CHECK-NEXT: return
  %size = dsc.constant dense<[5]> : tensor<1xi64>
  %scale = dsc.constant dense<[2.5]> : tensor<1xf32>
  %0 = dsc.cast %size : (tensor<1xi64>) -> tensor<1xf32>
  %1 = dsc.mul %0, %scale : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xf32>
  %2 = dsc.floor %1 : (tensor<1xf32>) -> tensor<1xf32>
  %3 = dsc.cast %2 : (tensor<1xf32>) -> tensor<1xi64>
  return %3 : tensor<1xi64>
}

// -----

// Declined: the answer depends on n, the elements are data, a size by 0, and a size that may not fit.
// CHECK-LABEL: @declines
func.func @declines(%x: tensor<1xi64>) -> (tensor<1xi1>, tensor<1xi64>, tensor<1xi64>, tensor<1xi8>) {
  // CHECK-DAG: dsc.equal
  // CHECK-DAG: dsc.add
  // CHECK-DAG: dsc.div
  // CHECK-DAG: dsc.cast
  %n = dsc.dims <"n"> : tensor<1xi64>
  %seven = dsc.constant dense<7> : tensor<1xi64>
  %zero = dsc.constant dense<0> : tensor<1xi64>
  %0 = dsc.equal %n, %seven : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi1>
  %1 = dsc.add %n, %x : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  %2 = dsc.div %n, %zero : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  %3 = dsc.cast %n : (tensor<1xi64>) -> tensor<1xi8>
  return %0, %1, %2, %3 : tensor<1xi1>, tensor<1xi64>, tensor<1xi64>, tensor<1xi8>
}

// -----

// Tensors of more than 256 elements are data.
// CHECK-LABEL: @large
func.func @large() -> tensor<257xi64> {
  // CHECK: dsc.add
  %a = dsc.constant dense<1> : tensor<257xi64>
  %0 = dsc.add %a, %a : (tensor<257xi64>, tensor<257xi64>) -> tensor<257xi64>
  return %0 : tensor<257xi64>
}
