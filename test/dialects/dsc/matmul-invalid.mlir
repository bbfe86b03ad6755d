// RUN: dscc-opt %s --split-input-file --verify-diagnostics

// One case for each numbered constraint of Matmul.td.

// matmul (C1)
func.func @f(%a: tensor<3xf32>, %b: tensor<3x4xf32>) {
  // expected-error@+2 {{multiplies 3 by 3 x 4, but both must have rank 2 or more}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.matmul %a, %b : (tensor<3xf32>, tensor<3x4xf32>) -> tensor<4xf32>
  return
}

// -----

// matmul (C1)
func.func @f(%a: tensor<2x3xf32>, %b: tensor<3x4xf16>) {
  // expected-error@+2 {{has operands of element types 'f32' and 'f16', which must be equal}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.matmul %a, %b : (tensor<2x3xf32>, tensor<3x4xf16>) -> tensor<2x4xf32>
  return
}

// -----

// matmul (C2)
func.func @f(%a: tensor<2x3xf32>, %b: tensor<4x5xf32>) {
  // expected-error@+2 {{multiplies 2 x 3 by 4 x 5: the inner sizes 3 and 4 differ}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.matmul %a, %b : (tensor<2x3xf32>, tensor<4x5xf32>) -> tensor<2x5xf32>
  return
}

// -----

// matmul (C2)
func.func @f(%a: tensor<2x3xf32>, %b: tensor<3x4xf32>) {
  // expected-error@+2 {{multiplies 2 x 3 by 4 x 3: the inner sizes 3 and 4 differ}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.matmul %a, %b {transpose_rhs} : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

// matmul (C3)
func.func @f(%a: tensor<2x2x3xf32>, %b: tensor<3x3x4xf32>) {
  // expected-error@+2 {{cannot broadcast the leading dims of 2 x 2 x 3 and 3 x 3 x 4}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.matmul %a, %b : (tensor<2x2x3xf32>, tensor<3x3x4xf32>) -> tensor<2x2x4xf32>
  return
}

// -----

// matmul (C4)
func.func @f(%a: tensor<2x3xf32>, %b: tensor<3x4xf32>) {
  // expected-error@+2 {{accumulates in 'tensor<2xf32>', which is no element type}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.matmul %a, %b {accumulator = tensor<2xf32>} : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  return
}
