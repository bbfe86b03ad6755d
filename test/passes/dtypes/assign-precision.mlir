// RUN: dscc-opt %s --split-input-file --dsc-assign-precision=precision=fp16 | FileCheck %s
// RUN: dscc-opt %s --split-input-file --dsc-assign-precision=precision=fp32 | FileCheck %s --check-prefix=FP32

// FP32-LABEL: @product
// FP32-NOT: f16
// FP32-LABEL: @variance

// The interface keeps its types; weights are converted now, and stay finite: the largest f16 is 65504.
// CHECK-LABEL: @product
func.func @product(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  // CHECK-DAG: %[[X:.*]] = dsc.cast %{{.*}} : (tensor<1x2xf32>) -> tensor<1x2xf16>
  // CHECK-DAG: %[[W:.*]] = dsc.constant dense<{{\[\[}}1.{{0+}}e+00, -6.550400e+04], [0.{{0+}}e+00, 2.{{0+}}e+00]]> : tensor<2x2xf16>
  // CHECK: %[[Y:.*]] = dsc.matmul %[[X]], %[[W]]
  // CHECK: %[[Z:.*]] = dsc.relu %[[Y]] : (tensor<1x2xf16>)
  // CHECK: dsc.cast %[[Z]] : (tensor<1x2xf16>) -> tensor<1x2xf32>
  %w = dsc.constant dense<[[1.0, -3.0e38], [0.0, 2.0]]> : tensor<2x2xf32>
  %0 = dsc.matmul %x, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %1 = dsc.relu %0 : (tensor<1x2xf32>) -> tensor<1x2xf32>
  return %1 : tensor<1x2xf32>
}

// -----

// A variance keeps its digits until it scales a narrow tensor.
// CHECK-LABEL: @variance
func.func @variance(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  // CHECK: %[[X:.*]] = dsc.cast %{{.*}} -> tensor<2x4xf16>
  // CHECK: %[[D:.*]] = dsc.relu %[[X]]
  // CHECK: %[[V:.*]] = dsc.reduce_mean %{{.*}} : (tensor<2x4xf32>)
  // CHECK: dsc.add %[[V]], %{{.*}} : (tensor<2x1xf32>, tensor<f32>)
  // CHECK: %[[Q:.*]] = dsc.div %{{.*}} -> tensor<2x4xf32>
  // CHECK-NEXT: %[[N:.*]] = dsc.cast %[[Q]] : (tensor<2x4xf32>) -> tensor<2x4xf16>
  // CHECK-NEXT: dsc.relu %[[N]]
  %epsilon = dsc.constant dense<1.0e-05> : tensor<f32>
  %d = dsc.relu %x : (tensor<2x4xf32>) -> tensor<2x4xf32>
  %v = dsc.reduce_mean %d {axes = [1]} : (tensor<2x4xf32>) -> tensor<2x1xf32>
  %e = dsc.add %v, %epsilon : (tensor<2x1xf32>, tensor<f32>) -> tensor<2x1xf32>
  %r = dsc.sqrt %e : (tensor<2x1xf32>) -> tensor<2x1xf32>
  %q = dsc.div %d, %r : (tensor<2x4xf32>, tensor<2x1xf32>) -> tensor<2x4xf32>
  %y = dsc.relu %q : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----

// Integers are none of its business.
// CHECK-LABEL: @integers
func.func @integers(%x: tensor<4xi64>) -> tensor<4xi64> {
  // CHECK-NOT: dsc.cast
  %0 = dsc.add %x, %x : (tensor<4xi64>, tensor<4xi64>) -> tensor<4xi64>
  return %0 : tensor<4xi64>
}

// -----

// Positions exceed what an f16 can count to, so they stay f32.
// CHECK-LABEL: @positions
func.func @positions(%x: tensor<4xi64>) -> tensor<4xf32> {
  // CHECK-NOT: f16
  // CHECK: dsc.mul {{.*}} -> tensor<4xf32>
  // CHECK-NOT: f16
  %0 = dsc.cast %x : (tensor<4xi64>) -> tensor<4xf32>
  %1 = dsc.mul %0, %0 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %1 : tensor<4xf32>
}

// -----

// What the model computes in f16 already stays so, sensitive or not.
// CHECK-LABEL: @native
func.func @native(%x: tensor<4xf16>) -> tensor<4xf16> {
  // CHECK-NEXT: dsc.exp %{{.*}} : (tensor<4xf16>) -> tensor<4xf16>
  // CHECK-NEXT: return
  %0 = dsc.exp %x : (tensor<4xf16>) -> tensor<4xf16>
  return %0 : tensor<4xf16>
}

// -----

// What several targets want in the same type is converted once, so that it is one weight.
// CHECK-LABEL: module @one
// CHECK: dsc.constant dense_resource<[[WEIGHT:.*]]> : tensor<80xf16>
// CHECK-LABEL: module @other
// CHECK: dsc.constant dense_resource<[[WEIGHT]]> : tensor<80xf16>
module @one {
  func.func @main(%x: tensor<80xf32>) -> tensor<80xf32> {
    %w = dsc.constant dense_resource<w> : tensor<80xf32>
    %0 = dsc.mul %x, %w : (tensor<80xf32>, tensor<80xf32>) -> tensor<80xf32>
    return %0 : tensor<80xf32>
  }
}
module @other {
  func.func @main(%x: tensor<80xf32>) -> tensor<80xf32> {
    %w = dsc.constant dense_resource<w> : tensor<80xf32>
    %0 = dsc.mul %x, %w : (tensor<80xf32>, tensor<80xf32>) -> tensor<80xf32>
    return %0 : tensor<80xf32>
  }
}

{-#
  dialect_resources: {
    builtin: {
      w: "0x040000000000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f0000803f"
    }
  }
#-}
