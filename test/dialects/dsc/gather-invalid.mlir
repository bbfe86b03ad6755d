// RUN: dscc-opt %s --split-input-file --verify-diagnostics

// One case for each numbered constraint of Gather.td.

// gather (C1)
func.func @f(%x: tensor<5x4xf32>, %i: tensor<2xi64>) {
  // expected-error@+2 {{has axis 2 for data of rank 2}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.gather %x, %i {axis = 2 : i64} : (tensor<5x4xf32>, tensor<2xi64>) -> tensor<5x4xf32>
  return
}

// -----

// gather (C1)
func.func @f(%x: tensor<5x4xf32>, %i: tensor<2xi64>) {
  // expected-error@+2 {{has axis -1 for data of rank 2}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.gather %x, %i {axis = -1 : i64} : (tensor<5x4xf32>, tensor<2xi64>) -> tensor<5x4xf32>
  return
}

// -----

// gather (C2)
func.func @f(%x: tensor<5x4xf32>, %i: tensor<2xi8>) {
  // expected-error@+2 {{has indices of element type 'i8', which must be i32 or i64}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.gather %x, %i {axis = 0 : i64} : (tensor<5x4xf32>, tensor<2xi8>) -> tensor<2x4xf32>
  return
}

// -----

// gather_elements (C1)
func.func @f(%x: tensor<5x4xf32>, %i: tensor<2x4xi64>) {
  // expected-error@+2 {{has axis 2 for data of rank 2}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.gather_elements %x, %i {axis = 2 : i64} : (tensor<5x4xf32>, tensor<2x4xi64>) -> tensor<2x4xf32>
  return
}

// -----

// gather_elements (C2)
func.func @f(%x: tensor<5x4xf32>, %i: tensor<2x4xui32>) {
  // expected-error@+2 {{has indices of element type 'ui32', which must be i32 or i64}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.gather_elements %x, %i {axis = 0 : i64} : (tensor<5x4xf32>, tensor<2x4xui32>) -> tensor<2x4xf32>
  return
}

// -----

// gather_elements (C3)
func.func @f(%x: tensor<5x4xf32>, %i: tensor<2xi64>) {
  // expected-error@+2 {{has data of rank 2 and indices of rank 1}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.gather_elements %x, %i {axis = 0 : i64} : (tensor<5x4xf32>, tensor<2xi64>) -> tensor<2xf32>
  return
}

// -----

// gather_nd (C1)
func.func @f(%x: tensor<2x2xf32>, %i: tensor<3x?xi64, #dsc.dims<3, "k">>) {
  // expected-error@+2 {{has indices 3 x k, whose last dim must be a number}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.gather_nd %x, %i {batch_dims = 0 : i64}
    : (tensor<2x2xf32>, tensor<3x?xi64, #dsc.dims<3, "k">>) -> tensor<3xf32>
  return
}

// -----

// gather_nd (C1)
func.func @f(%x: tensor<2x2xf32>, %i: tensor<i64>) {
  // expected-error@+2 {{has indices scalar, whose last dim must be a number}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.gather_nd %x, %i {batch_dims = 0 : i64} : (tensor<2x2xf32>, tensor<i64>) -> tensor<3xf32>
  return
}

// -----

// gather_nd (C2)
func.func @f(%x: tensor<2x2xf32>, %i: tensor<3x1xi64>) {
  // expected-error@+2 {{has batch dim 0 of 2 in the data and of 3 in the indices}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.gather_nd %x, %i {batch_dims = 1 : i64} : (tensor<2x2xf32>, tensor<3x1xi64>) -> tensor<3xf32>
  return
}

// -----

// gather_nd (C3)
func.func @f(%x: tensor<2x2xf32>, %i: tensor<3x2xf32>) {
  // expected-error@+2 {{has indices of element type 'f32', which must be i32 or i64}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.gather_nd %x, %i {batch_dims = 0 : i64} : (tensor<2x2xf32>, tensor<3x2xf32>) -> tensor<3xf32>
  return
}

// -----

// gather_nd (C4)
func.func @f(%x: tensor<2x2xf32>, %i: tensor<2x3xi64>) {
  // expected-error@+2 {{indexes 3 dims after 0 batch dims of data with rank 2}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.gather_nd %x, %i {batch_dims = 0 : i64} : (tensor<2x2xf32>, tensor<2x3xi64>) -> tensor<2xf32>
  return
}

// -----

// gather_nd (C4)
func.func @f(%x: tensor<2x2xf32>, %i: tensor<2x1xi64>) {
  // expected-error@+2 {{indexes 1 dims after -1 batch dims of data with rank 2}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.gather_nd %x, %i {batch_dims = -1 : i64} : (tensor<2x2xf32>, tensor<2x1xi64>) -> tensor<2xf32>
  return
}
