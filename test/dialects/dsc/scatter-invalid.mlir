// RUN: dscc-opt %s --split-input-file --verify-diagnostics

// One case for each numbered constraint of Scatter.td.

// scatter_elements (C1)
func.func @f(%x: tensor<2x3xf32>, %i: tensor<2x1xi64>, %u: tensor<2x1xf32>) {
  // expected-error@+2 {{has axis 2 for data of rank 2}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.scatter_elements %x, %i, %u {axis = 2 : i64, reduction = "none"}
    : (tensor<2x3xf32>, tensor<2x1xi64>, tensor<2x1xf32>) -> tensor<2x3xf32>
  return
}

// -----

// scatter_elements (C2)
func.func @f(%x: tensor<2x3xf32>, %i: tensor<2x1xi16>, %u: tensor<2x1xf32>) {
  // expected-error@+2 {{has indices of element type 'i16', which must be i32 or i64}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.scatter_elements %x, %i, %u {axis = 1 : i64, reduction = "none"}
    : (tensor<2x3xf32>, tensor<2x1xi16>, tensor<2x1xf32>) -> tensor<2x3xf32>
  return
}

// -----

// scatter_elements (C3)
func.func @f(%x: tensor<2x3xf32>, %i: tensor<2x1xi64>, %u: tensor<2x1xf32>) {
  // expected-error@+2 {{has the unknown reduction 'mean'}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.scatter_elements %x, %i, %u {axis = 1 : i64, reduction = "mean"}
    : (tensor<2x3xf32>, tensor<2x1xi64>, tensor<2x1xf32>) -> tensor<2x3xf32>
  return
}

// -----

// scatter_elements (C4)
func.func @f(%x: tensor<2x3xf32>, %i: tensor<2x1xi64>, %u: tensor<2xf32>) {
  // expected-error@+2 {{has data of rank 2, indices of rank 2 and updates of rank 1}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.scatter_elements %x, %i, %u {axis = 1 : i64, reduction = "none"}
    : (tensor<2x3xf32>, tensor<2x1xi64>, tensor<2xf32>) -> tensor<2x3xf32>
  return
}

// -----

// scatter_elements (C4)
func.func @f(%x: tensor<2x3xf32>, %i: tensor<2x1xi64>, %u: tensor<2x1xf64>) {
  // expected-error@+2 {{has data of element type 'f32' and updates of 'f64'}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.scatter_elements %x, %i, %u {axis = 1 : i64, reduction = "none"}
    : (tensor<2x3xf32>, tensor<2x1xi64>, tensor<2x1xf64>) -> tensor<2x3xf32>
  return
}

// -----

// scatter_nd (C1)
func.func @f(%x: tensor<4xf32>, %i: tensor<2x?xi64, #dsc.dims<2, "k">>, %u: tensor<2xf32>) {
  // expected-error@+2 {{has indices 2 x k, whose last dim must be a number}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.scatter_nd %x, %i, %u {reduction = "none"}
    : (tensor<4xf32>, tensor<2x?xi64, #dsc.dims<2, "k">>, tensor<2xf32>) -> tensor<4xf32>
  return
}

// -----

// scatter_nd (C2)
func.func @f(%x: tensor<4x3xf32>, %i: tensor<2x1xi1>, %u: tensor<2x3xf32>) {
  // expected-error@+2 {{has indices of element type 'i1', which must be i32 or i64}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.scatter_nd %x, %i, %u {reduction = "none"}
    : (tensor<4x3xf32>, tensor<2x1xi1>, tensor<2x3xf32>) -> tensor<4x3xf32>
  return
}

// -----

// scatter_nd (C3)
func.func @f(%x: tensor<4x3xf32>, %i: tensor<2x1xi64>, %u: tensor<2x3xf32>) {
  // expected-error@+2 {{has the unknown reduction 'sum'}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.scatter_nd %x, %i, %u {reduction = "sum"}
    : (tensor<4x3xf32>, tensor<2x1xi64>, tensor<2x3xf32>) -> tensor<4x3xf32>
  return
}

// -----

// scatter_nd (C4)
func.func @f(%x: tensor<4x3xf32>, %i: tensor<2x1xi64>, %u: tensor<2xf32>) {
  // expected-error@+2 {{has updates 2 for data 4 x 3 and indices 2 x 1}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.scatter_nd %x, %i, %u {reduction = "none"}
    : (tensor<4x3xf32>, tensor<2x1xi64>, tensor<2xf32>) -> tensor<4x3xf32>
  return
}

// -----

// scatter_nd (C4)
func.func @f(%x: tensor<4x3xf32>, %i: tensor<2x1xi64>, %u: tensor<2x4xf32>) {
  // expected-error@+2 {{has updates 2 x 4 for data 4 x 3 and indices 2 x 1}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.scatter_nd %x, %i, %u {reduction = "none"}
    : (tensor<4x3xf32>, tensor<2x1xi64>, tensor<2x4xf32>) -> tensor<4x3xf32>
  return
}

// -----

// scatter_nd (C4)
func.func @f(%x: tensor<4x3xf32>, %i: tensor<2x3xi64>, %u: tensor<2xf32>) {
  // expected-error@+2 {{has updates 2 for data 4 x 3 and indices 2 x 3}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.scatter_nd %x, %i, %u {reduction = "none"}
    : (tensor<4x3xf32>, tensor<2x3xi64>, tensor<2xf32>) -> tensor<4x3xf32>
  return
}

// -----

// scatter_nd (C4)
func.func @f(%x: tensor<4x3xf32>, %i: tensor<2x1xi64>, %u: tensor<2x3xf16>) {
  // expected-error@+2 {{has data of element type 'f32' and updates of 'f16'}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.scatter_nd %x, %i, %u {reduction = "none"}
    : (tensor<4x3xf32>, tensor<2x1xi64>, tensor<2x3xf16>) -> tensor<4x3xf32>
  return
}
