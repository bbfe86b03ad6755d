// RUN: dscc-opt %s --split-input-file --verify-diagnostics

// One case for each numbered constraint of Pool.td.

// max_pool (C1)
func.func @f(%x0: tensor<1x3x8xf32>) {
  // expected-error@+2 {{has 1 window sizes, 2 strides, 1 dilations and 2 pads for an input of rank 3}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.max_pool %x0 {window = [2], strides = [2, 2], dilations = [1], pads = [0, 0]} : (tensor<1x3x8xf32>) -> tensor<1x3x4xf32>
  return
}

// -----

// max_pool (C1)
func.func @f(%x0: tensor<3xf32>) {
  // expected-error@+2 {{has 1 window sizes, 1 strides, 1 dilations and 2 pads for an input of rank 1}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.max_pool %x0 {window = [2], strides = [2], dilations = [1], pads = [0, 0]} : (tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

// max_pool (C2)
func.func @f(%x0: tensor<1x3x8xf32>) {
  // expected-error@+2 {{has a window, stride or dilation that is not positive}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.max_pool %x0 {window = [2], strides = [0], dilations = [1], pads = [0, 0]} : (tensor<1x3x8xf32>) -> tensor<1x3x4xf32>
  return
}

// -----

// max_pool (C2)
func.func @f(%x0: tensor<1x3x2xf32>) {
  // expected-error@+2 {{has a window of 4 that does not fit spatial dim 0}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.max_pool %x0 {window = [4], strides = [1], dilations = [1], pads = [0, 0]} : (tensor<1x3x2xf32>) -> tensor<1x3x0xf32>
  return
}

// -----

// average_pool (C1)
func.func @f(%x0: tensor<1x3x8xf32>) {
  // expected-error@+2 {{has 1 window sizes, 2 strides, 1 dilations and 2 pads for an input of rank 3}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.average_pool %x0 {window = [2], strides = [2, 2], dilations = [1], pads = [0, 0]} : (tensor<1x3x8xf32>) -> tensor<1x3x4xf32>
  return
}

// -----

// average_pool (C1)
func.func @f(%x0: tensor<3xf32>) {
  // expected-error@+2 {{has 1 window sizes, 1 strides, 1 dilations and 2 pads for an input of rank 1}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.average_pool %x0 {window = [2], strides = [2], dilations = [1], pads = [0, 0]} : (tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

// average_pool (C2)
func.func @f(%x0: tensor<1x3x8xf32>) {
  // expected-error@+2 {{has a window, stride or dilation that is not positive}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.average_pool %x0 {window = [2], strides = [0], dilations = [1], pads = [0, 0]} : (tensor<1x3x8xf32>) -> tensor<1x3x4xf32>
  return
}

// -----

// average_pool (C2)
func.func @f(%x0: tensor<1x3x2xf32>) {
  // expected-error@+2 {{has a window of 4 that does not fit spatial dim 0}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.average_pool %x0 {window = [4], strides = [1], dilations = [1], pads = [0, 0]} : (tensor<1x3x2xf32>) -> tensor<1x3x0xf32>
  return
}

// -----

// sum_windows (C1)
func.func @f(%x0: tensor<1x12x4x4xf32>) {
  // expected-error@+2 {{has 2 window sizes, 2 strides, 2 dilations, 4 pads and 1 sizes for an input of rank 4}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.sum_windows %x0 {window = [2, 2], strides = [2, 2], dilations = [1, 1], pads = [0, 0, 0, 0], sizes = [8]} : (tensor<1x12x4x4xf32>) -> tensor<1x3x8x8xf32>
  return
}

// -----

// sum_windows (C2)
func.func @f(%x0: tensor<1x12x4x4xf32>) {
  // expected-error@+2 {{has a window, stride or dilation that is not positive}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.sum_windows %x0 {window = [2, 2], strides = [0, 2], dilations = [1, 1], pads = [0, 0, 0, 0], sizes = [8, 8]} : (tensor<1x12x4x4xf32>) -> tensor<1x3x8x8xf32>
  return
}

// -----

// sum_windows (C2)
func.func @f(%x0: tensor<1x12x4x4xf32>) {
  // expected-error@+2 {{has a window of more elements than 64 bits count}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.sum_windows %x0 {window = [4294967296, 4294967296], strides = [2, 2], dilations = [1, 1], pads = [0, 0, 0, 0], sizes = [8, 8]} : (tensor<1x12x4x4xf32>) -> tensor<1x3x8x8xf32>
  return
}

// -----

// sum_windows (C2)
func.func @f(%x0: tensor<1x13x4x4xf32>) {
  // expected-error@+2 {{has 13 channels, which are no multiple of the 4 elements of the window}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.sum_windows %x0 {window = [2, 2], strides = [2, 2], dilations = [1, 1], pads = [0, 0, 0, 0], sizes = [8, 8]} : (tensor<1x13x4x4xf32>) -> tensor<1x3x8x8xf32>
  return
}

// -----

// sum_windows (C3)
func.func @f(%x0: tensor<1x12x4x4xf32>) {
  // expected-error@+2 {{has 4 places along spatial dim 1, where 10 elements have 5 windows}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.sum_windows %x0 {window = [2, 2], strides = [2, 2], dilations = [1, 1], pads = [0, 0, 0, 0], sizes = [8, 10]} : (tensor<1x12x4x4xf32>) -> tensor<1x3x8x8xf32>
  return
}
