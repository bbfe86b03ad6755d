// Convolutions that stay as the model has them, and why.
// RUN: dscc-opt %s --split-input-file --dsc-choose-layouts='explain=.*' --verify-diagnostics | FileCheck %s

// CHECK-NOT: channels_last

module @cpu_v4 attributes {dsc.target = "cpu_v4"} {
func.func @main(%x: tensor<1x64x28x28xf32>, %w: tensor<64x64x3x3xf32>) -> tensor<1x64x28x28xf32> {
  // expected-remark@+1 {{cpu_v4: has its channels where the model has them: its filter is no constant whose bytes are at hand}}
  %0 = dsc.conv %x, %w {strides = [1, 1], dilations = [1, 1], pads = [1, 1, 1, 1], groups = 1}
     : (tensor<1x64x28x28xf32>, tensor<64x64x3x3xf32>) -> tensor<1x64x28x28xf32>
  return %0 : tensor<1x64x28x28xf32>
}
}

// -----

// A few multiplications for each element: less than it takes to move what they read and make.
module @cpu_v4 attributes {dsc.target = "cpu_v4"} {
func.func @main(%x: tensor<1x8x28x28xf32>) -> tensor<1x8x28x28xf32> {
  %w = dsc.constant dense<1.0> : tensor<8x8x1x1xf32>
  // expected-remark@+1 {{cpu_v4: has its channels where the model has them: moving what it reads and makes would take longer than it saves}}
  %0 = dsc.conv %x, %w {strides = [1, 1], dilations = [1, 1], pads = [0, 0, 0, 0], groups = 1}
     : (tensor<1x8x28x28xf32>, tensor<8x8x1x1xf32>) -> tensor<1x8x28x28xf32>
  return %0 : tensor<1x8x28x28xf32>
}
}

// -----

module @cpu_v4 attributes {dsc.target = "cpu_v4"} {
func.func @main(%x: tensor<1x64x28x28xf32>) -> tensor<1x64x28x28xf32> {
  %w = dsc.constant dense<1.0> : tensor<64x4x3x3xf32>
  // expected-remark@+1 {{cpu_v4: has its channels where the model has them: its groups make fewer channels than a register has lanes}}
  %0 = dsc.conv %x, %w {strides = [1, 1], dilations = [1, 1], pads = [1, 1, 1, 1], groups = 16}
     : (tensor<1x64x28x28xf32>, tensor<64x4x3x3xf32>) -> tensor<1x64x28x28xf32>
  return %0 : tensor<1x64x28x28xf32>
}
}
