// RUN: dscc-opt %s --split-input-file --verify-diagnostics

// One case for each numbered constraint of Normalize.td.

// softmax (C1)
func.func @f(%x0: tensor<2x4xf32>) {
  // expected-error@+2 {{has axis 2, which is outside [0, 2)}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.softmax %x0 {axis = 2 : i64} : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

// softmax (C1)
func.func @f(%x0: tensor<2x4xf32>) {
  // expected-error@+2 {{has axis -1, which is outside [0, 2)}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.softmax %x0 {axis = -1 : i64} : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

// log_softmax (C1)
func.func @f(%x0: tensor<2x4xf32>) {
  // expected-error@+2 {{has axis 2, which is outside [0, 2)}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.log_softmax %x0 {axis = 2 : i64} : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

// log_softmax (C1)
func.func @f(%x0: tensor<2x4xf32>) {
  // expected-error@+2 {{has axis -1, which is outside [0, 2)}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.log_softmax %x0 {axis = -1 : i64} : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

// layer_norm (C1)
func.func @f(%x0: tensor<2x4xf32>) {
  // expected-error@+2 {{has axis 2, which is outside [0, 2)}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.layer_norm %x0 {axis = 2 : i64, epsilon = 1.0e-05 : f64} : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

// layer_norm (C1)
func.func @f(%x0: tensor<2x4xf32>) {
  // expected-error@+2 {{has axis -1, which is outside [0, 2)}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.layer_norm %x0 {axis = -1 : i64, epsilon = 1.0e-05 : f64} : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

// rms_norm (C1)
func.func @f(%x0: tensor<2x4xf32>) {
  // expected-error@+2 {{has axis 2, which is outside [0, 2)}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.rms_norm %x0 {axis = 2 : i64, epsilon = 1.0e-05 : f64} : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

// rms_norm (C1)
func.func @f(%x0: tensor<2x4xf32>) {
  // expected-error@+2 {{has axis -1, which is outside [0, 2)}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.rms_norm %x0 {axis = -1 : i64, epsilon = 1.0e-05 : f64} : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}
