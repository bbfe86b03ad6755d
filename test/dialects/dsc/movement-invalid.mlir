// RUN: dscc-opt %s --split-input-file --verify-diagnostics

// One case for each numbered constraint of Movement.td.

// reshape (C1)
func.func @f(%x0: tensor<2x6xf32>) {
  // expected-error@+1 {{changes the element type}}
  %0 = dsc.reshape %x0 : (tensor<2x6xf32>) -> tensor<3x4xf16>
  return
}

// -----

// reshape (C1)
func.func @f(%x0: tensor<2x6xf32>) {
  // expected-error@+1 {{turns 2 x 6 (12 elements) into 3 x 5 (15 elements)}}
  %0 = dsc.reshape %x0 : (tensor<2x6xf32>) -> tensor<3x5xf32>
  return
}

// -----

// transpose (C1)
func.func @f(%x0: tensor<2x3xf32>) {
  // expected-error@+2 {{has a permutation that is not one of 2 dims}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.transpose %x0 {permutation = [1, 1]} : (tensor<2x3xf32>) -> tensor<3x3xf32>
  return
}

// -----

// transpose (C1)
func.func @f(%x0: tensor<2x3xf32>) {
  // expected-error@+2 {{has a permutation that is not one of 2 dims}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.transpose %x0 {permutation = [0, -1]} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

// transpose (C1)
func.func @f(%x0: tensor<2x3xf32>) {
  // expected-error@+2 {{permutes 1 of 2 dims}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.transpose %x0 {permutation = [1]} : (tensor<2x3xf32>) -> tensor<3xf32>
  return
}

// -----

// slice (C1)
func.func @f(%x0: tensor<8xf32>) {
  // expected-error@+2 {{has 2 starts, 1 sizes and 1 steps for 1 dims}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.slice %x0 {starts = #dsc.dims<1, 0>, sizes = #dsc.dims<3>, steps = [2]} : (tensor<8xf32>) -> tensor<3xf32>
  return
}

// -----

// slice (C1)
func.func @f(%x0: tensor<8xf32>) {
  // expected-error@+2 {{has a step of 0}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.slice %x0 {starts = #dsc.dims<1>, sizes = #dsc.dims<3>, steps = [0]} : (tensor<8xf32>) -> tensor<3xf32>
  return
}

// -----

// concat (C1)
func.func @f() {
  // expected-error@+2 {{joins nothing}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.concat {axis = 0 : i64} : () -> tensor<0xf32>
  return
}

// -----

// concat (C1)
func.func @f(%x0: tensor<2xf32>, %x1: tensor<2x3xf32>) {
  // expected-error@+2 {{joins tensors of different rank or element type}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.concat %x0, %x1 {axis = 0 : i64} : (tensor<2xf32>, tensor<2x3xf32>) -> tensor<4xf32>
  return
}

// -----

// concat (C2)
func.func @f(%x0: tensor<2x3xf32>, %x1: tensor<2x4xf32>) {
  // expected-error@+2 {{joins 2 x 3 and 2 x 4 along axis 0, but dim 1 differs}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.concat %x0, %x1 {axis = 0 : i64} : (tensor<2x3xf32>, tensor<2x4xf32>) -> tensor<4x3xf32>
  return
}

// -----

// concat (C3)
func.func @f(%x0: tensor<2xf32>, %x1: tensor<3xf32>) {
  // expected-error@+2 {{has axis 1 for tensors of rank 1}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.concat %x0, %x1 {axis = 1 : i64} : (tensor<2xf32>, tensor<3xf32>) -> tensor<5xf32>
  return
}

// -----

// concat (C3)
func.func @f(%x0: tensor<2xf32>, %x1: tensor<3xf32>) {
  // expected-error@+2 {{has axis -1 for tensors of rank 1}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.concat %x0, %x1 {axis = -1 : i64} : (tensor<2xf32>, tensor<3xf32>) -> tensor<5xf32>
  return
}

// -----

// pad (C1)
func.func @f(%x0: tensor<4x4xf32>, %x1: tensor<f32>) {
  // expected-error@+2 {{has 1 low and 2 high pads for 2 dims}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.pad %x0, %x1 {lows = #dsc.dims<1>, highs = #dsc.dims<1, 2>} : (tensor<4x4xf32>, tensor<f32>) -> tensor<5x5xf32>
  return
}

// -----

// pad (C2)
func.func @f(%x0: tensor<4xf32>, %x1: tensor<i32>) {
  // expected-error@+1 {{fills up with 'tensor<i32>', which is not one element of 'f32'}}
  %0 = dsc.pad %x0, %x1 {lows = #dsc.dims<1>, highs = #dsc.dims<1>} : (tensor<4xf32>, tensor<i32>) -> tensor<6xf32>
  return
}

// -----

// pad (C2)
func.func @f(%x0: tensor<4xf32>, %x1: tensor<2xf32>) {
  // expected-error@+1 {{fills up with 'tensor<2xf32>', which is not one element of 'f32'}}
  %0 = dsc.pad %x0, %x1 {lows = #dsc.dims<1>, highs = #dsc.dims<1>} : (tensor<4xf32>, tensor<2xf32>) -> tensor<6xf32>
  return
}

// -----

// pad_edge (C1)
func.func @f(%x0: tensor<4x4xf32>) {
  // expected-error@+2 {{has 1 low and 2 high pads for 2 dims}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.pad_edge %x0 {lows = #dsc.dims<1>, highs = #dsc.dims<1, 2>} : (tensor<4x4xf32>) -> tensor<5x5xf32>
  return
}

// -----

// pad_reflect (C1)
func.func @f(%x0: tensor<4x4xf32>) {
  // expected-error@+2 {{has 1 low and 2 high pads for 2 dims}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.pad_reflect %x0 {lows = #dsc.dims<1>, highs = #dsc.dims<1, 2>} : (tensor<4x4xf32>) -> tensor<5x5xf32>
  return
}

// -----

// pad_wrap (C1)
func.func @f(%x0: tensor<4x4xf32>) {
  // expected-error@+2 {{has 1 low and 2 high pads for 2 dims}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.pad_wrap %x0 {lows = #dsc.dims<1>, highs = #dsc.dims<1, 2>} : (tensor<4x4xf32>) -> tensor<5x5xf32>
  return
}

// -----

// expand (C1)
func.func @f(%x0: tensor<3x2xf32>) {
  // expected-error@+1 {{cannot repeat 3 x 2 to 2 x 3 x 4}}
  %0 = dsc.expand %x0 : (tensor<3x2xf32>) -> tensor<2x3x4xf32>
  return
}

// -----

// expand (C1)
func.func @f(%x0: tensor<3x1xf32>) {
  // expected-error@+1 {{cannot repeat 3 x 1 to 3 x 4}}
  %0 = dsc.expand %x0 : (tensor<3x1xf32>) -> tensor<3x4xf16>
  return
}

// -----

// tile (C1)
func.func @f(%x0: tensor<2x3xf32>) {
  // expected-error@+2 {{has 1 counts for 2 dims}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.tile %x0 {repeats = #dsc.dims<2>} : (tensor<2x3xf32>) -> tensor<4x3xf32>
  return
}

// -----

// unpack (C1)
func.func @f(%x0: tensor<1x5x16xf32>) {
  // expected-error@+1 {{makes 'tensor<5xf32>' of 'tensor<1x5x16xf32>', which must have one dim more than a matrix and the same element type}}
  %0 = dsc.unpack %x0 : (tensor<1x5x16xf32>) -> tensor<5xf32>
  return
}

// -----

// unpack (C1)
func.func @f(%x0: tensor<1x5x16xf32>) {
  // expected-error@+1 {{must have one dim more than a matrix and the same element type}}
  %0 = dsc.unpack %x0 : (tensor<1x5x16xf32>) -> tensor<5x16xf16>
  return
}

// -----

// unpack (C2)
func.func @f(%x0: tensor<2x5x16xf32>) {
  // expected-error@+1 {{cannot find the columns of 5 x 33 in panels of 2 x 5 x 16}}
  %0 = dsc.unpack %x0 : (tensor<2x5x16xf32>) -> tensor<5x33xf32>
  return
}

// -----

// unpack (C2)
func.func @f(%x0: tensor<3x2x5x16xf32>) {
  // expected-error@+1 {{cannot find the columns of 4 x 5 x 32 in panels of 3 x 2 x 5 x 16}}
  %0 = dsc.unpack %x0 : (tensor<3x2x5x16xf32>) -> tensor<4x5x32xf32>
  return
}

// -----

// unpack (C2)
func.func @f(%x0: tensor<1x5x?xf32, #dsc.dims<1, 5, "n">>) {
  // expected-error@+1 {{cannot find the columns of 5 x n in panels of 1 x 5 x n}}
  %0 = dsc.unpack %x0 : (tensor<1x5x?xf32, #dsc.dims<1, 5, "n">>) -> tensor<5x?xf32, #dsc.dims<5, "n">>
  return
}
