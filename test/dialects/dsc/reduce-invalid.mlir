// RUN: dscc-opt %s --split-input-file --verify-diagnostics

// One case for each numbered constraint of Reduce.td.

// reduce_sum (C1)
func.func @f(%x0: tensor<2x4xf32>) {
  // expected-error@+2 {{has axis 2, which is outside [0, 2)}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.reduce_sum %x0 {axes = [2]} : (tensor<2x4xf32>) -> tensor<2x1xf32>
  return
}

// -----

// reduce_sum (C1)
func.func @f(%x0: tensor<2x4xf32>) {
  // expected-error@+2 {{has axes that are not sorted and distinct}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.reduce_sum %x0 {axes = [1, 0]} : (tensor<2x4xf32>) -> tensor<1x1xf32>
  return
}

// -----

// reduce_prod (C1)
func.func @f(%x0: tensor<2x4xf32>) {
  // expected-error@+2 {{has axis 2, which is outside [0, 2)}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.reduce_prod %x0 {axes = [2]} : (tensor<2x4xf32>) -> tensor<2x1xf32>
  return
}

// -----

// reduce_prod (C1)
func.func @f(%x0: tensor<2x4xf32>) {
  // expected-error@+2 {{has axes that are not sorted and distinct}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.reduce_prod %x0 {axes = [1, 0]} : (tensor<2x4xf32>) -> tensor<1x1xf32>
  return
}

// -----

// reduce_max (C1)
func.func @f(%x0: tensor<2x4xf32>) {
  // expected-error@+2 {{has axis 2, which is outside [0, 2)}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.reduce_max %x0 {axes = [2]} : (tensor<2x4xf32>) -> tensor<2x1xf32>
  return
}

// -----

// reduce_max (C1)
func.func @f(%x0: tensor<2x4xf32>) {
  // expected-error@+2 {{has axes that are not sorted and distinct}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.reduce_max %x0 {axes = [1, 0]} : (tensor<2x4xf32>) -> tensor<1x1xf32>
  return
}

// -----

// reduce_min (C1)
func.func @f(%x0: tensor<2x4xf32>) {
  // expected-error@+2 {{has axis 2, which is outside [0, 2)}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.reduce_min %x0 {axes = [2]} : (tensor<2x4xf32>) -> tensor<2x1xf32>
  return
}

// -----

// reduce_min (C1)
func.func @f(%x0: tensor<2x4xf32>) {
  // expected-error@+2 {{has axes that are not sorted and distinct}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.reduce_min %x0 {axes = [1, 0]} : (tensor<2x4xf32>) -> tensor<1x1xf32>
  return
}

// -----

// reduce_mean (C1)
func.func @f(%x0: tensor<2x4xf32>) {
  // expected-error@+2 {{has axis 2, which is outside [0, 2)}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.reduce_mean %x0 {axes = [2]} : (tensor<2x4xf32>) -> tensor<2x1xf32>
  return
}

// -----

// reduce_mean (C1)
func.func @f(%x0: tensor<2x4xf32>) {
  // expected-error@+2 {{has axes that are not sorted and distinct}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.reduce_mean %x0 {axes = [1, 0]} : (tensor<2x4xf32>) -> tensor<1x1xf32>
  return
}

// -----

// arg_max (C1)
func.func @f(%x0: tensor<2x4xf32>) {
  // expected-error@+2 {{has axis 2, which is outside [0, 2)}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.arg_max %x0 {axis = 2 : i64} : (tensor<2x4xf32>) -> tensor<2x1xi64>
  return
}

// -----

// arg_min (C1)
func.func @f(%x0: tensor<2x4xf32>) {
  // expected-error@+2 {{has axis 2, which is outside [0, 2)}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.arg_min %x0 {axis = 2 : i64} : (tensor<2x4xf32>) -> tensor<2x1xi64>
  return
}

// -----

// cum_sum (C1)
func.func @f(%x0: tensor<2x4xf32>) {
  // expected-error@+2 {{has axis -3, which is outside [0, 2)}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.cum_sum %x0 {axis = -3 : i64} : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

// cum_prod (C1)
func.func @f(%x0: tensor<2x4xf32>) {
  // expected-error@+2 {{has axis -3, which is outside [0, 2)}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.cum_prod %x0 {axis = -3 : i64} : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}
