// RUN: dscc-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(dsc-fold-scale-into-conv,canonicalize))' | FileCheck %s

// Batch normalization behind a convolution with a bias: filter [2] * 3 = 6, shift 1 * 3 + 4 = 7; one add is left.
// CHECK-LABEL: @batch_norm
func.func @batch_norm(%x: tensor<1x1x4xf32>) -> tensor<1x2x4xf32> {
  // CHECK-DAG: %[[FILTER:.*]] = dsc.constant dense<{{.*}}6.{{0+}}e+00{{.*}}1.2{{0+}}e+01{{.*}}> : tensor<2x1x1xf32>
  // CHECK-DAG: %[[SHIFT:.*]] = dsc.constant dense<{{.*}}7.{{0+}}e+00{{.*}}8.{{0+}}e+00{{.*}}> : tensor<1x2x1xf32>
  // CHECK: %[[CONV:.*]] = dsc.conv %{{.*}}, %[[FILTER]]
  // CHECK-NEXT: dsc.add %[[CONV]], %[[SHIFT]]
  // CHECK-NEXT: return
  %w = dsc.constant dense<[[[2.0]], [[3.0]]]> : tensor<2x1x1xf32>
  %b = dsc.constant dense<1.0> : tensor<1x2x1xf32>
  %factor = dsc.constant dense<[[[3.0], [4.0]]]> : tensor<1x2x1xf32>
  %shift = dsc.constant dense<4.0> : tensor<1x2x1xf32>
  %0 = dsc.conv %x, %w {strides = [1], dilations = [1], pads = [0, 0], groups = 1} : (tensor<1x1x4xf32>, tensor<2x1x1xf32>) -> tensor<1x2x4xf32>
  %1 = dsc.add %0, %b : (tensor<1x2x4xf32>, tensor<1x2x1xf32>) -> tensor<1x2x4xf32>
  %2 = dsc.mul %1, %factor : (tensor<1x2x4xf32>, tensor<1x2x1xf32>) -> tensor<1x2x4xf32>
  %3 = dsc.add %2, %shift : (tensor<1x2x4xf32>, tensor<1x2x1xf32>) -> tensor<1x2x4xf32>
  return %3 : tensor<1x2x4xf32>
}

// -----

// A factor along the spatial dim is none of the filter's, and a shared convolution is wanted unscaled.
// CHECK-LABEL: @declines
func.func @declines(%x: tensor<1x1x2xf32>) -> (tensor<1x1x2xf32>, tensor<1x1x2xf32>, tensor<1x1x2xf32>) {
  // CHECK-COUNT-2: dsc.mul
  %w = dsc.constant dense<2.0> : tensor<1x1x1xf32>
  %along = dsc.constant dense<[[[3.0, 4.0]]]> : tensor<1x1x2xf32>
  %factor = dsc.constant dense<3.0> : tensor<1x1x1xf32>
  %0 = dsc.conv %x, %w {strides = [1], dilations = [1], pads = [0, 0], groups = 1} : (tensor<1x1x2xf32>, tensor<1x1x1xf32>) -> tensor<1x1x2xf32>
  %1 = dsc.mul %0, %along : (tensor<1x1x2xf32>, tensor<1x1x2xf32>) -> tensor<1x1x2xf32>
  %2 = dsc.relu %x : (tensor<1x1x2xf32>) -> tensor<1x1x2xf32>
  %3 = dsc.conv %2, %w {strides = [1], dilations = [1], pads = [0, 0], groups = 1} : (tensor<1x1x2xf32>, tensor<1x1x1xf32>) -> tensor<1x1x2xf32>
  %4 = dsc.mul %3, %factor : (tensor<1x1x2xf32>, tensor<1x1x1xf32>) -> tensor<1x1x2xf32>
  return %1, %3, %4 : tensor<1x1x2xf32>, tensor<1x1x2xf32>, tensor<1x1x2xf32>
}
