// RUN: dscc-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(dsc-recompose-gelu,canonicalize))' | FileCheck %s

// As PyTorch writes it: x * (1 + erf(x / 1.41421)) * 0.5.
// CHECK-LABEL: @erf
func.func @erf(%x: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK-NEXT: dsc.gelu %
  // CHECK-NEXT: return
  %root = dsc.constant dense<1.41421354> : tensor<f32>
  %one = dsc.constant dense<1.0> : tensor<f32>
  %half = dsc.constant dense<0.5> : tensor<f32>
  %u = dsc.div %x, %root : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %e = dsc.erf %u : (tensor<4xf32>) -> tensor<4xf32>
  %s = dsc.add %e, %one : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %p = dsc.mul %x, %s : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %y = dsc.mul %p, %half : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// The constants stand on the left, and the cube is spelled as products: (0.5 x) (1 + tanh(0.7979 (x + 0.0447 x x x))).
// CHECK-LABEL: @tanh
func.func @tanh(%x: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK-NEXT: dsc.gelu_tanh
  // CHECK-NEXT: return
  %a = dsc.constant dense<0.044715> : tensor<f32>
  %b = dsc.constant dense<0.797884583> : tensor<f32>
  %one = dsc.constant dense<1.0> : tensor<f32>
  %half = dsc.constant dense<0.5> : tensor<f32>
  %h = dsc.mul %half, %x : (tensor<f32>, tensor<4xf32>) -> tensor<4xf32>
  %0 = dsc.mul %a, %x : (tensor<f32>, tensor<4xf32>) -> tensor<4xf32>
  %1 = dsc.mul %0, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %2 = dsc.mul %1, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %3 = dsc.add %x, %2 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %4 = dsc.mul %b, %3 : (tensor<f32>, tensor<4xf32>) -> tensor<4xf32>
  %5 = dsc.tanh %4 : (tensor<4xf32>) -> tensor<4xf32>
  %6 = dsc.add %one, %5 : (tensor<f32>, tensor<4xf32>) -> tensor<4xf32>
  %y = dsc.mul %h, %6 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// The factored form: tanh(x * 0.7979 * (1 + 0.0447 x^2)).
// CHECK-LABEL: @factored
func.func @factored(%x: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK-NEXT: dsc.gelu_tanh
  // CHECK-NEXT: return
  %a = dsc.constant dense<0.044715> : tensor<f32>
  %b = dsc.constant dense<0.797884583> : tensor<f32>
  %one = dsc.constant dense<1.0> : tensor<f32>
  %half = dsc.constant dense<0.5> : tensor<f32>
  %0 = dsc.mul %x, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %1 = dsc.mul %0, %a : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %2 = dsc.add %1, %one : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %3 = dsc.mul %x, %b : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %4 = dsc.mul %3, %2 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %5 = dsc.tanh %4 : (tensor<4xf32>) -> tensor<4xf32>
  %6 = dsc.add %5, %one : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %7 = dsc.mul %x, %6 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %y = dsc.mul %7, %half : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// Another factor inside erf makes another function.
// CHECK-LABEL: @other
func.func @other(%x: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK: dsc.erf
  %root = dsc.constant dense<1.5> : tensor<f32>
  %one = dsc.constant dense<1.0> : tensor<f32>
  %half = dsc.constant dense<0.5> : tensor<f32>
  %u = dsc.div %x, %root : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %e = dsc.erf %u : (tensor<4xf32>) -> tensor<4xf32>
  %s = dsc.add %e, %one : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %p = dsc.mul %x, %s : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %y = dsc.mul %p, %half : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}
