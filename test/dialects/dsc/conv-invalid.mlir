// RUN: dscc-opt %s --split-input-file --verify-diagnostics

// One case for each numbered constraint of Conv.td.

// conv (C1)
func.func @f(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x3xf32>) {
  // expected-error@+2 {{has an input 1 x 3 x 8 x 8 and a filter 4 x 3 x 3, which must have one rank, at least 3}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.conv %x, %w {strides = [1, 1], dilations = [1, 1], pads = [0, 0, 0, 0], groups = 1}
    : (tensor<1x3x8x8xf32>, tensor<4x3x3xf32>) -> tensor<1x4x6x6xf32>
  return
}

// -----

// conv (C1)
func.func @f(%x: tensor<1x3xf32>, %w: tensor<4x3xf32>) {
  // expected-error@+2 {{has an input 1 x 3 and a filter 4 x 3, which must have one rank, at least 3}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.conv %x, %w {strides = [], dilations = [], pads = [], groups = 1}
    : (tensor<1x3xf32>, tensor<4x3xf32>) -> tensor<1x4xf32>
  return
}

// -----

// conv (C1)
func.func @f(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x3x3xf16>) {
  // expected-error@+2 {{has an input of element type 'f32' and a filter of 'f16', which must be equal}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.conv %x, %w {strides = [1, 1], dilations = [1, 1], pads = [0, 0, 0, 0], groups = 1}
    : (tensor<1x3x8x8xf32>, tensor<4x3x3x3xf16>) -> tensor<1x4x6x6xf32>
  return
}

// -----

// conv (C2)
func.func @f(%x: tensor<1x3x8x8xf32>, %w: tensor<4x2x3x3xf32>) {
  // expected-error@+2 {{has 3 input channels, but 2 groups of 2 filter channels need 4}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.conv %x, %w {strides = [1, 1], dilations = [1, 1], pads = [0, 0, 0, 0], groups = 2}
    : (tensor<1x3x8x8xf32>, tensor<4x2x3x3xf32>) -> tensor<1x4x6x6xf32>
  return
}

// -----

// conv (C2)
func.func @f(%x: tensor<1x6x8x8xf32>, %w: tensor<4x2x3x3xf32>) {
  // expected-error@+2 {{has 4 filters, which 3 groups do not divide}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.conv %x, %w {strides = [1, 1], dilations = [1, 1], pads = [0, 0, 0, 0], groups = 3}
    : (tensor<1x6x8x8xf32>, tensor<4x2x3x3xf32>) -> tensor<1x4x6x6xf32>
  return
}

// -----

// conv (C3)
func.func @f(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x3x3xf32>) {
  // expected-error@+2 {{has 1 strides, 2 dilations and 4 pads for 2 spatial dims}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.conv %x, %w {strides = [1], dilations = [1, 1], pads = [0, 0, 0, 0], groups = 1}
    : (tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>) -> tensor<1x4x6x6xf32>
  return
}

// -----

// conv (C3)
func.func @f(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x3x3xf32>) {
  // expected-error@+2 {{has a stride, dilation or group count that is not positive}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.conv %x, %w {strides = [1, 0], dilations = [1, 1], pads = [0, 0, 0, 0], groups = 1}
    : (tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>) -> tensor<1x4x6x6xf32>
  return
}

// -----

// conv (C4)
func.func @f(%x: tensor<1x3x8xf32>, %w: tensor<?x3x3xf32, #dsc.dims<"m", 3, 3>>) {
  // expected-error@+2 {{has a filter with the dynamic dims m x 3 x 3; the filter's dims must be numbers}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.conv %x, %w {strides = [1], dilations = [1], pads = [0, 0], groups = 1}
    : (tensor<1x3x8xf32>, tensor<?x3x3xf32, #dsc.dims<"m", 3, 3>>) -> tensor<1x?x6xf32, #dsc.dims<1, "m", 6>>
  return
}

// -----

// conv (C4)
func.func @f(%x: tensor<1x3x2xf32>, %w: tensor<4x3x7xf32>) {
  // expected-error@+2 {{has a window of 7 that does not fit 2 elements of spatial dim 0}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.conv %x, %w {strides = [1], dilations = [1], pads = [0, 0], groups = 1}
    : (tensor<1x3x2xf32>, tensor<4x3x7xf32>) -> tensor<1x4x1xf32>
  return
}

// -----

// conv_transpose (C1)
func.func @f(%x: tensor<1x3x4xf32>, %w: tensor<3x2xf32>) {
  // expected-error@+2 {{has an input 1 x 3 x 4 and a filter 3 x 2, which must have one rank, at least 3}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.conv_transpose %x, %w {strides = [2], dilations = [1], pads = [0, 0], output_padding = [0], groups = 1}
    : (tensor<1x3x4xf32>, tensor<3x2xf32>) -> tensor<1x2x8xf32>
  return
}

// -----

// conv_transpose (C1)
func.func @f(%x: tensor<1x3x4xf32>, %w: tensor<3x2x2xi64>) {
  // expected-error@+2 {{has an input of element type 'f32' and a filter of 'i64', which must be equal}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.conv_transpose %x, %w {strides = [2], dilations = [1], pads = [0, 0], output_padding = [0], groups = 1}
    : (tensor<1x3x4xf32>, tensor<3x2x2xi64>) -> tensor<1x2x8xf32>
  return
}

// -----

// conv_transpose (C2)
func.func @f(%x: tensor<1x4x4xf32>, %w: tensor<3x2x2xf32>) {
  // expected-error@+2 {{has 4 input channels, but the filter takes 3}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.conv_transpose %x, %w {strides = [2], dilations = [1], pads = [0, 0], output_padding = [0], groups = 1}
    : (tensor<1x4x4xf32>, tensor<3x2x2xf32>) -> tensor<1x2x8xf32>
  return
}

// -----

// conv_transpose (C2)
func.func @f(%x: tensor<1x3x4xf32>, %w: tensor<3x2x2xf32>) {
  // expected-error@+2 {{has 3 filters, which 2 groups do not divide}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.conv_transpose %x, %w {strides = [2], dilations = [1], pads = [0, 0], output_padding = [0], groups = 2}
    : (tensor<1x3x4xf32>, tensor<3x2x2xf32>) -> tensor<1x4x8xf32>
  return
}

// -----

// conv_transpose (C3)
func.func @f(%x: tensor<1x3x4xf32>, %w: tensor<3x2x2xf32>) {
  // expected-error@+2 {{has 1 strides, 2 dilations and 2 pads for 1 spatial dims}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.conv_transpose %x, %w {strides = [2], dilations = [1, 1], pads = [0, 0], output_padding = [0], groups = 1}
    : (tensor<1x3x4xf32>, tensor<3x2x2xf32>) -> tensor<1x2x8xf32>
  return
}

// -----

// conv_transpose (C3)
func.func @f(%x: tensor<1x3x4xf32>, %w: tensor<3x2x2xf32>) {
  // expected-error@+2 {{has a stride, dilation or group count that is not positive}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.conv_transpose %x, %w {strides = [2], dilations = [1], pads = [0, 0], output_padding = [0], groups = 0}
    : (tensor<1x3x4xf32>, tensor<3x2x2xf32>) -> tensor<1x2x8xf32>
  return
}

// -----

// conv_transpose (C3)
func.func @f(%x: tensor<1x3x4xf32>, %w: tensor<3x2x2xf32>) {
  // expected-error@+2 {{has 2 output paddings for 1 spatial dims}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.conv_transpose %x, %w {strides = [2], dilations = [1], pads = [0, 0], output_padding = [0, 0], groups = 1}
    : (tensor<1x3x4xf32>, tensor<3x2x2xf32>) -> tensor<1x2x8xf32>
  return
}

// -----

// conv_transpose (C4)
func.func @f(%x: tensor<1x3x4xf32>, %w: tensor<3x?x2xf32, #dsc.dims<3, "m", 2>>) {
  // expected-error@+2 {{has a filter with the dynamic dims 3 x m x 2; the filter's dims must be numbers}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.conv_transpose %x, %w {strides = [2], dilations = [1], pads = [0, 0], output_padding = [0], groups = 1}
    : (tensor<1x3x4xf32>, tensor<3x?x2xf32, #dsc.dims<3, "m", 2>>) -> tensor<1x?x8xf32, #dsc.dims<1, "m", 8>>
  return
}

// -----

// conv (C2), with channels last: the image has 8 channels, and the filter takes its last but one dim, 3.
func.func @f(%x: tensor<1x4x4x8xf32>, %w: tensor<3x3x3x5xf32>) {
  // expected-error@+2 {{has 8 input channels, but 1 groups of 3 filter channels need 3}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.conv %x, %w {channels_last, strides = [1, 1], dilations = [1, 1], pads = [0, 0, 0, 0], groups = 1}
    : (tensor<1x4x4x8xf32>, tensor<3x3x3x5xf32>) -> tensor<1x2x2x5xf32>
  return
}

// -----

// conv (C4), with channels last
func.func @f(%x: tensor<1x4x1x3xf32>, %w: tensor<3x3x3x5xf32>) {
  // expected-error@+2 {{has a window of 3 that does not fit 1 elements of spatial dim 1}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.conv %x, %w {channels_last, strides = [1, 1], dilations = [1, 1], pads = [0, 0, 0, 0], groups = 1}
    : (tensor<1x4x1x3xf32>, tensor<3x3x3x5xf32>) -> tensor<1x2x0x5xf32>
  return
}
