// RUN: dscc-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(dsc-recompose-normalization,canonicalize))' | FileCheck %s

// As PyTorch writes it.
// CHECK-LABEL: @layer_norm
func.func @layer_norm(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  // CHECK-NEXT: dsc.layer_norm %{{.*}} {axis = 1 : i64, epsilon = 1.250{{0*}}e-01 : f64}
  // CHECK-NEXT: return
  %two = dsc.constant dense<2.0> : tensor<f32>
  %epsilon = dsc.constant dense<0.125> : tensor<f32>
  %m = dsc.reduce_mean %x {axes = [1]} : (tensor<2x4xf32>) -> tensor<2x1xf32>
  %d = dsc.sub %x, %m : (tensor<2x4xf32>, tensor<2x1xf32>) -> tensor<2x4xf32>
  %s = dsc.pow %d, %two : (tensor<2x4xf32>, tensor<f32>) -> tensor<2x4xf32>
  %v = dsc.reduce_mean %s {axes = [1]} : (tensor<2x4xf32>) -> tensor<2x1xf32>
  %e = dsc.add %v, %epsilon : (tensor<2x1xf32>, tensor<f32>) -> tensor<2x1xf32>
  %r = dsc.sqrt %e : (tensor<2x1xf32>) -> tensor<2x1xf32>
  %y = dsc.div %d, %r : (tensor<2x4xf32>, tensor<2x1xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----

// As Llama exports write it: x * (1 / sqrt(mean(x * x) + epsilon)).
// CHECK-LABEL: @rms_norm
func.func @rms_norm(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  // CHECK-NEXT: dsc.rms_norm %{{.*}} {axis = 1 : i64
  // CHECK-NEXT: return
  %one = dsc.constant dense<1.0> : tensor<f32>
  %epsilon = dsc.constant dense<0.125> : tensor<f32>
  %s = dsc.mul %x, %x : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  %v = dsc.reduce_mean %s {axes = [1]} : (tensor<2x4xf32>) -> tensor<2x1xf32>
  %e = dsc.add %v, %epsilon : (tensor<2x1xf32>, tensor<f32>) -> tensor<2x1xf32>
  %r = dsc.sqrt %e : (tensor<2x1xf32>) -> tensor<2x1xf32>
  %i = dsc.div %one, %r : (tensor<f32>, tensor<2x1xf32>) -> tensor<2x1xf32>
  %y = dsc.mul %x, %i : (tensor<2x4xf32>, tensor<2x1xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----

// Rows along a dim in the middle are not what the op means.
// CHECK-LABEL: @middle
func.func @middle(%x: tensor<2x4x3xf32>) -> tensor<2x4x3xf32> {
  // CHECK-NOT: dsc.rms_norm
  // CHECK: dsc.div
  %epsilon = dsc.constant dense<0.125> : tensor<f32>
  %s = dsc.mul %x, %x : (tensor<2x4x3xf32>, tensor<2x4x3xf32>) -> tensor<2x4x3xf32>
  %v = dsc.reduce_mean %s {axes = [1]} : (tensor<2x4x3xf32>) -> tensor<2x1x3xf32>
  %e = dsc.add %v, %epsilon : (tensor<2x1x3xf32>, tensor<f32>) -> tensor<2x1x3xf32>
  %r = dsc.sqrt %e : (tensor<2x1x3xf32>) -> tensor<2x1x3xf32>
  %y = dsc.div %x, %r : (tensor<2x4x3xf32>, tensor<2x1x3xf32>) -> tensor<2x4x3xf32>
  return %y : tensor<2x4x3xf32>
}
