// RUN: dscc-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(dsc-recompose-variance,canonicalize))' | FileCheck %s

// CHECK-LABEL: @means
func.func @means(%x: tensor<2x4xf32>) -> tensor<2x1xf32> {
  // CHECK: %[[MEAN:.*]] = dsc.reduce_mean %[[X:.*]] {axes = [1]}
  // CHECK-NEXT: %[[D:.*]] = dsc.sub %[[X]], %[[MEAN]]
  // CHECK-NEXT: %[[S:.*]] = dsc.mul %[[D]], %[[D]]
  // CHECK-NEXT: %[[V:.*]] = dsc.reduce_mean %[[S]] {axes = [1]}
  // CHECK-NEXT: return %[[V]]
  %m = dsc.reduce_mean %x {axes = [1]} : (tensor<2x4xf32>) -> tensor<2x1xf32>
  %n = dsc.mul %m, %m : (tensor<2x1xf32>, tensor<2x1xf32>) -> tensor<2x1xf32>
  %s = dsc.mul %x, %x : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  %t = dsc.reduce_mean %s {axes = [1]} : (tensor<2x4xf32>) -> tensor<2x1xf32>
  %v = dsc.sub %t, %n : (tensor<2x1xf32>, tensor<2x1xf32>) -> tensor<2x1xf32>
  return %v : tensor<2x1xf32>
}

// -----

// Sums times 1/4, with unit dims dropped, as JAX exports it.
// CHECK-LABEL: @scaled_sums
func.func @scaled_sums(%x: tensor<2x4xf32>) -> tensor<2xf32> {
  // CHECK: %[[QUARTER:.*]] = dsc.constant dense<2.500000e-01>
  // CHECK: %[[SUM:.*]] = dsc.reduce_sum %[[X:.*]] {axes = [1]}
  // CHECK: %[[MEAN:.*]] = dsc.mul %[[SUM]], %[[QUARTER]]
  // CHECK: %[[D:.*]] = dsc.sub %[[X]], %[[MEAN]]
  // CHECK: %[[S:.*]] = dsc.mul %[[D]], %[[D]]
  // CHECK: %[[T:.*]] = dsc.reduce_sum %[[S]] {axes = [1]}
  // CHECK: %[[V:.*]] = dsc.mul %[[T]], %[[QUARTER]]
  // CHECK: %[[R:.*]] = dsc.reshape %[[V]]
  // CHECK-NEXT: return %[[R]]
  %quarter = dsc.constant dense<0.25> : tensor<f32>
  %a = dsc.reduce_sum %x {axes = [1]} : (tensor<2x4xf32>) -> tensor<2x1xf32>
  %b = dsc.reshape %a : (tensor<2x1xf32>) -> tensor<2xf32>
  %m = dsc.mul %b, %quarter : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %n = dsc.mul %m, %m : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %s = dsc.mul %x, %x : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  %t = dsc.reduce_sum %s {axes = [1]} : (tensor<2x4xf32>) -> tensor<2x1xf32>
  %u = dsc.reshape %t : (tensor<2x1xf32>) -> tensor<2xf32>
  %w = dsc.mul %u, %quarter : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %v = dsc.sub %w, %n : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %v : tensor<2xf32>
}

// -----

// The sums are not means: 1/3 is not 1/4.
// CHECK-LABEL: @other_scale
func.func @other_scale(%x: tensor<2x4xf32>) -> tensor<2x1xf32> {
  // CHECK: %[[V:.*]] = dsc.sub %{{.*}}, %{{.*}} : (tensor<2x1xf32>, tensor<2x1xf32>)
  // CHECK-NEXT: return %[[V]]
  %third = dsc.constant dense<0.3333333333> : tensor<f32>
  %a = dsc.reduce_sum %x {axes = [1]} : (tensor<2x4xf32>) -> tensor<2x1xf32>
  %m = dsc.mul %a, %third : (tensor<2x1xf32>, tensor<f32>) -> tensor<2x1xf32>
  %n = dsc.mul %m, %m : (tensor<2x1xf32>, tensor<2x1xf32>) -> tensor<2x1xf32>
  %s = dsc.mul %x, %x : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  %t = dsc.reduce_sum %s {axes = [1]} : (tensor<2x4xf32>) -> tensor<2x1xf32>
  %w = dsc.mul %t, %third : (tensor<2x1xf32>, tensor<f32>) -> tensor<2x1xf32>
  %v = dsc.sub %w, %n : (tensor<2x1xf32>, tensor<2x1xf32>) -> tensor<2x1xf32>
  return %v : tensor<2x1xf32>
}

// -----

// Means of two different tensors.
// CHECK-LABEL: @other_tensor
func.func @other_tensor(%x: tensor<2x4xf32>, %z: tensor<2x4xf32>) -> tensor<2x1xf32> {
  // CHECK: %[[V:.*]] = dsc.sub %{{.*}}, %{{.*}} : (tensor<2x1xf32>, tensor<2x1xf32>)
  // CHECK-NEXT: return %[[V]]
  %m = dsc.reduce_mean %z {axes = [1]} : (tensor<2x4xf32>) -> tensor<2x1xf32>
  %n = dsc.mul %m, %m : (tensor<2x1xf32>, tensor<2x1xf32>) -> tensor<2x1xf32>
  %s = dsc.mul %x, %x : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  %t = dsc.reduce_mean %s {axes = [1]} : (tensor<2x4xf32>) -> tensor<2x1xf32>
  %v = dsc.sub %t, %n : (tensor<2x1xf32>, tensor<2x1xf32>) -> tensor<2x1xf32>
  return %v : tensor<2x1xf32>
}

// -----

// The mean of 0 and 1 is 0 in integers, so that their variance is not what centring makes of it.
// CHECK-LABEL: @integers
func.func @integers(%x: tensor<2x4xi32>) -> tensor<2x1xi32> {
  // CHECK: %[[V:.*]] = dsc.sub %{{.*}}, %{{.*}} : (tensor<2x1xi32>, tensor<2x1xi32>)
  // CHECK-NEXT: return %[[V]]
  %m = dsc.reduce_mean %x {axes = [1]} : (tensor<2x4xi32>) -> tensor<2x1xi32>
  %n = dsc.mul %m, %m : (tensor<2x1xi32>, tensor<2x1xi32>) -> tensor<2x1xi32>
  %s = dsc.mul %x, %x : (tensor<2x4xi32>, tensor<2x4xi32>) -> tensor<2x4xi32>
  %t = dsc.reduce_mean %s {axes = [1]} : (tensor<2x4xi32>) -> tensor<2x1xi32>
  %v = dsc.sub %t, %n : (tensor<2x1xi32>, tensor<2x1xi32>) -> tensor<2x1xi32>
  return %v : tensor<2x1xi32>
}

// -----

// The power repeats the mean of one row for three.
// CHECK-LABEL: @repeated
func.func @repeated(%x: tensor<1x4xf32>) -> tensor<3x1xf32> {
  // CHECK: %[[V:.*]] = dsc.sub %{{.*}}, %{{.*}} : (tensor<3x1xf32>, tensor<3x1xf32>)
  // CHECK-NEXT: return %[[V]]
  %two = dsc.constant dense<2.0> : tensor<3x1xf32>
  %m = dsc.reduce_mean %x {axes = [1]} : (tensor<1x4xf32>) -> tensor<1x1xf32>
  %n = dsc.pow %m, %two : (tensor<1x1xf32>, tensor<3x1xf32>) -> tensor<3x1xf32>
  %s = dsc.mul %x, %x : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
  %t = dsc.reduce_mean %s {axes = [1]} : (tensor<1x4xf32>) -> tensor<1x1xf32>
  %u = dsc.expand %t : (tensor<1x1xf32>) -> tensor<3x1xf32>
  %v = dsc.sub %u, %n : (tensor<3x1xf32>, tensor<3x1xf32>) -> tensor<3x1xf32>
  return %v : tensor<3x1xf32>
}
