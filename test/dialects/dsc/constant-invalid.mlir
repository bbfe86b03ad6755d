// RUN: dscc-opt %s --split-input-file --verify-diagnostics

// One case for each numbered constraint of Constant.td.

// dims (C1)
func.func @f() {
  // expected-error@+1 {{has type 'tensor<2xf32>', which must be an integer tensor of rank 0 or 1}}
  %0 = dsc.dims <2, 3> : tensor<2xf32>
  return
}

// -----

// dims (C1)
func.func @f() {
  // expected-error@+1 {{has type 'tensor<1x2xi64>', which must be an integer tensor of rank 0 or 1}}
  %0 = dsc.dims <2, 3> : tensor<1x2xi64>
  return
}

// -----

// dims (C1)
func.func @f() {
  // expected-error@+1 {{has 2 dims for 3 elements}}
  %0 = dsc.dims <2, 3> : tensor<3xi64>
  return
}

// -----

// iota (C1)
func.func @f() {
  // expected-error@+2 {{has axis 2 and type 'tensor<2x3xi64>'}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.iota {axis = 2 : i64, type = tensor<2x3xi64>} : () -> tensor<2x3xi64>
  return
}

// -----

// iota (C1)
func.func @f() {
  // expected-error@+2 {{has axis -1 and type 'tensor<2x3xi64>'}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.iota {axis = -1 : i64, type = tensor<2x3xi64>} : () -> tensor<2x3xi64>
  return
}

// -----

// panels (C1)
func.func @f() {
  // expected-error@+1 {{has panels of dense<1.000000e+00> : tensor<4xf32>, in which there is no matrix}}
  %0 = dsc.constant #dsc.panels<dense<1.0> : tensor<4xf32>>
  return
}

// -----

// panels (C2)
func.func @f() {
  // expected-error@+1 {{has panels of dense<1.000000e+00> : tensor<4x4xf32>, which lists no elements of whole bytes}}
  %0 = dsc.constant #dsc.panels<dense<1.0> : tensor<4x4xf32>>
  return
}

// -----

// panels (C2)
func.func @f() {
  // expected-error@+1 {{which lists no elements of whole bytes}}
  %0 = dsc.constant #dsc.panels<dense<[[true, false], [true, true]]> : tensor<2x2xi1>, transposed>
  return
}
