// RUN: dscc-opt %s --split-input-file --verify-diagnostics

// One case for each numbered constraint of Resize.td.

// resize (C1)
func.func @f(%x: tensor<1x2xf32>) {
  // expected-error@+1 {{has an input of rank 2, a result of rank 1 and 2 scales}}
  %0 = dsc.resize %x {mode = "nearest", coordinates = "asymmetric", rounding = "floor", scales = [1.0, 2.0],
    cubic_a = -0.75 : f64} : (tensor<1x2xf32>) -> tensor<4xf32>
  return
}

// -----

// resize (C1)
func.func @f(%x: tensor<1x2xf32>) {
  // expected-error@+1 {{has an input of rank 2, a result of rank 2 and 1 scales}}
  %0 = dsc.resize %x {mode = "nearest", coordinates = "asymmetric", rounding = "floor", scales = [1.0],
    cubic_a = -0.75 : f64} : (tensor<1x2xf32>) -> tensor<1x4xf32>
  return
}

// -----

// resize (C1)
func.func @f(%x: tensor<1x2xf32>) {
  // expected-error@+1 {{turns elements of type 'f32' into 'f16', but resizing keeps the type}}
  %0 = dsc.resize %x {mode = "nearest", coordinates = "asymmetric", rounding = "floor", scales = [1.0, 2.0],
    cubic_a = -0.75 : f64} : (tensor<1x2xf32>) -> tensor<1x4xf16>
  return
}

// -----

// resize (C2)
func.func @f(%x: tensor<1x2xf32>) {
  // expected-error@+1 {{has the mode 'area'; known are nearest, linear and cubic}}
  %0 = dsc.resize %x {mode = "area", coordinates = "asymmetric", rounding = "floor", scales = [1.0, 2.0],
    cubic_a = -0.75 : f64} : (tensor<1x2xf32>) -> tensor<1x4xf32>
  return
}

// -----

// resize (C2)
func.func @f(%x: tensor<1x2xf32>) {
  // expected-error@+1 {{has the unknown coordinate transformation 'corners'}}
  %0 = dsc.resize %x {mode = "nearest", coordinates = "corners", rounding = "floor", scales = [1.0, 2.0],
    cubic_a = -0.75 : f64} : (tensor<1x2xf32>) -> tensor<1x4xf32>
  return
}

// -----

// resize (C2)
func.func @f(%x: tensor<1x2xf32>) {
  // expected-error@+1 {{has the unknown rounding 'up'}}
  %0 = dsc.resize %x {mode = "nearest", coordinates = "asymmetric", rounding = "up", scales = [1.0, 2.0],
    cubic_a = -0.75 : f64} : (tensor<1x2xf32>) -> tensor<1x4xf32>
  return
}
