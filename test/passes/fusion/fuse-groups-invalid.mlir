// RUN: dscc-opt %s --dsc-fuse-groups --verify-diagnostics

// A slice that was marked by hand, although it is shown under dims that no strides describe.
func.func @main(%x: tensor<4x4xf32>, %w: tensor<1x1xf32>) -> tensor<8x1xf32> {
  %0 = dsc.slice %x {in_place, starts = #dsc.dims<0, 1>, sizes = #dsc.dims<4, 2>, steps = [1, 1]} : (tensor<4x4xf32>) -> tensor<4x2xf32>
  %1 = dsc.reshape %0 : (tensor<4x2xf32>) -> tensor<8x1xf32>
  // expected-error@+1 {{has a tensor of type 'tensor<8x1xf32>' in a window that no strides describe}}
  %2 = dsc.matmul %1, %w : (tensor<8x1xf32>, tensor<1x1xf32>) -> tensor<8x1xf32>
  return %2 : tensor<8x1xf32>
}
