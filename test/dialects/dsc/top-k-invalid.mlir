// RUN: dscc-opt %s --split-input-file --verify-diagnostics

// One case for each numbered constraint of TopK.td.

// top_k (C1)
func.func @f(%x: tensor<2x4xf32>) {
  // expected-error@+2 {{has axis 2, which is outside [0, 2)}}
  // expected-error@+1 {{failed to infer returned types}}
  %v, %i = dsc.top_k %x {axis = 2 : i64, k = #dsc.dims<3>} : (tensor<2x4xf32>) -> (tensor<2x3xf32>, tensor<2x3xi64>)
  return
}

// -----

// top_k (C2)
func.func @f(%x: tensor<2x4xf32>) {
  // expected-error@+2 {{has 2 values of k, which must be one}}
  // expected-error@+1 {{failed to infer returned types}}
  %v, %i = dsc.top_k %x {axis = 1 : i64, k = #dsc.dims<3, 3>} : (tensor<2x4xf32>) -> (tensor<2x3xf32>, tensor<2x3xi64>)
  return
}

// -----

// top_k (C2)
func.func @f(%x: tensor<2x4xf32>) {
  // expected-error@+2 {{takes 5 elements of 4}}
  // expected-error@+1 {{failed to infer returned types}}
  %v, %i = dsc.top_k %x {axis = 1 : i64, k = #dsc.dims<5>} : (tensor<2x4xf32>) -> (tensor<2x5xf32>, tensor<2x5xi64>)
  return
}

// -----

// Both results have the dims that k makes.
func.func @f(%x: tensor<2x4xf32>) {
  // expected-error@+2 {{inferred type(s) 'tensor<2x3xf32>', 'tensor<2x3xi64>' are incompatible with return type(s) of operation 'tensor<2x3xf32>', 'tensor<2x3xi32>'}}
  // expected-error@+1 {{failed to infer returned types}}
  %v, %i = dsc.top_k %x {axis = 1 : i64, k = #dsc.dims<3>} : (tensor<2x4xf32>) -> (tensor<2x3xf32>, tensor<2x3xi32>)
  return
}
