// RUN: dscc-opt %s --split-input-file --verify-diagnostics

// One case for each numbered constraint of Elementwise.td; families that share a verifier come by table.

// add (C1)
func.func @f(%a: tensor<4xf32>, %b: tensor<4xf64>) {
  // expected-error@+2 {{has operands of element types 'f32' and 'f64', which must be equal}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.add %a, %b : (tensor<4xf32>, tensor<4xf64>) -> tensor<4xf32>
  return
}

// -----

// add (C2)
func.func @f(%a: tensor<4xf32>, %b: tensor<2x3xf32>) {
  // expected-error@+2 {{cannot broadcast 4 and 2 x 3 against each other}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.add %a, %b : (tensor<4xf32>, tensor<2x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

// sub (C1)
func.func @f(%a: tensor<4xf32>, %b: tensor<4xf64>) {
  // expected-error@+2 {{has operands of element types 'f32' and 'f64', which must be equal}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.sub %a, %b : (tensor<4xf32>, tensor<4xf64>) -> tensor<4xf32>
  return
}

// -----

// sub (C2)
func.func @f(%a: tensor<4xf32>, %b: tensor<2x3xf32>) {
  // expected-error@+2 {{cannot broadcast 4 and 2 x 3 against each other}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.sub %a, %b : (tensor<4xf32>, tensor<2x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

// mul (C1)
func.func @f(%a: tensor<4xf32>, %b: tensor<4xf64>) {
  // expected-error@+2 {{has operands of element types 'f32' and 'f64', which must be equal}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.mul %a, %b : (tensor<4xf32>, tensor<4xf64>) -> tensor<4xf32>
  return
}

// -----

// mul (C2)
func.func @f(%a: tensor<4xf32>, %b: tensor<2x3xf32>) {
  // expected-error@+2 {{cannot broadcast 4 and 2 x 3 against each other}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.mul %a, %b : (tensor<4xf32>, tensor<2x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

// div (C1)
func.func @f(%a: tensor<4xf32>, %b: tensor<4xf64>) {
  // expected-error@+2 {{has operands of element types 'f32' and 'f64', which must be equal}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.div %a, %b : (tensor<4xf32>, tensor<4xf64>) -> tensor<4xf32>
  return
}

// -----

// div (C2)
func.func @f(%a: tensor<4xf32>, %b: tensor<2x3xf32>) {
  // expected-error@+2 {{cannot broadcast 4 and 2 x 3 against each other}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.div %a, %b : (tensor<4xf32>, tensor<2x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

// floor_mod (C1)
func.func @f(%a: tensor<4xf32>, %b: tensor<4xf64>) {
  // expected-error@+2 {{has operands of element types 'f32' and 'f64', which must be equal}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.floor_mod %a, %b : (tensor<4xf32>, tensor<4xf64>) -> tensor<4xf32>
  return
}

// -----

// floor_mod (C2)
func.func @f(%a: tensor<4xf32>, %b: tensor<2x3xf32>) {
  // expected-error@+2 {{cannot broadcast 4 and 2 x 3 against each other}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.floor_mod %a, %b : (tensor<4xf32>, tensor<2x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

// trunc_mod (C1)
func.func @f(%a: tensor<4xf32>, %b: tensor<4xf64>) {
  // expected-error@+2 {{has operands of element types 'f32' and 'f64', which must be equal}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.trunc_mod %a, %b : (tensor<4xf32>, tensor<4xf64>) -> tensor<4xf32>
  return
}

// -----

// trunc_mod (C2)
func.func @f(%a: tensor<4xf32>, %b: tensor<2x3xf32>) {
  // expected-error@+2 {{cannot broadcast 4 and 2 x 3 against each other}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.trunc_mod %a, %b : (tensor<4xf32>, tensor<2x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

// pow (C1)
func.func @f(%a: tensor<4xf32>, %b: tensor<4xf64>) {
  // expected-error@+2 {{has operands of element types 'f32' and 'f64', which must be equal}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.pow %a, %b : (tensor<4xf32>, tensor<4xf64>) -> tensor<4xf32>
  return
}

// -----

// pow (C2)
func.func @f(%a: tensor<4xf32>, %b: tensor<2x3xf32>) {
  // expected-error@+2 {{cannot broadcast 4 and 2 x 3 against each other}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.pow %a, %b : (tensor<4xf32>, tensor<2x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

// min (C1)
func.func @f(%a: tensor<4xf32>, %b: tensor<4xf64>) {
  // expected-error@+2 {{has operands of element types 'f32' and 'f64', which must be equal}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.min %a, %b : (tensor<4xf32>, tensor<4xf64>) -> tensor<4xf32>
  return
}

// -----

// min (C2)
func.func @f(%a: tensor<4xf32>, %b: tensor<2x3xf32>) {
  // expected-error@+2 {{cannot broadcast 4 and 2 x 3 against each other}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.min %a, %b : (tensor<4xf32>, tensor<2x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

// max (C1)
func.func @f(%a: tensor<4xf32>, %b: tensor<4xf64>) {
  // expected-error@+2 {{has operands of element types 'f32' and 'f64', which must be equal}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.max %a, %b : (tensor<4xf32>, tensor<4xf64>) -> tensor<4xf32>
  return
}

// -----

// max (C2)
func.func @f(%a: tensor<4xf32>, %b: tensor<2x3xf32>) {
  // expected-error@+2 {{cannot broadcast 4 and 2 x 3 against each other}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.max %a, %b : (tensor<4xf32>, tensor<2x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

// and (C1)
func.func @f(%a: tensor<4xf32>, %b: tensor<4xf64>) {
  // expected-error@+2 {{has operands of element types 'f32' and 'f64', which must be equal}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.and %a, %b : (tensor<4xf32>, tensor<4xf64>) -> tensor<4xf32>
  return
}

// -----

// and (C2)
func.func @f(%a: tensor<4xf32>, %b: tensor<2x3xf32>) {
  // expected-error@+2 {{cannot broadcast 4 and 2 x 3 against each other}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.and %a, %b : (tensor<4xf32>, tensor<2x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

// or (C1)
func.func @f(%a: tensor<4xf32>, %b: tensor<4xf64>) {
  // expected-error@+2 {{has operands of element types 'f32' and 'f64', which must be equal}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.or %a, %b : (tensor<4xf32>, tensor<4xf64>) -> tensor<4xf32>
  return
}

// -----

// or (C2)
func.func @f(%a: tensor<4xf32>, %b: tensor<2x3xf32>) {
  // expected-error@+2 {{cannot broadcast 4 and 2 x 3 against each other}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.or %a, %b : (tensor<4xf32>, tensor<2x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

// xor (C1)
func.func @f(%a: tensor<4xf32>, %b: tensor<4xf64>) {
  // expected-error@+2 {{has operands of element types 'f32' and 'f64', which must be equal}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.xor %a, %b : (tensor<4xf32>, tensor<4xf64>) -> tensor<4xf32>
  return
}

// -----

// xor (C2)
func.func @f(%a: tensor<4xf32>, %b: tensor<2x3xf32>) {
  // expected-error@+2 {{cannot broadcast 4 and 2 x 3 against each other}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.xor %a, %b : (tensor<4xf32>, tensor<2x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

// shift_left (C1)
func.func @f(%a: tensor<4xf32>, %b: tensor<4xf64>) {
  // expected-error@+2 {{has operands of element types 'f32' and 'f64', which must be equal}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.shift_left %a, %b : (tensor<4xf32>, tensor<4xf64>) -> tensor<4xf32>
  return
}

// -----

// shift_left (C2)
func.func @f(%a: tensor<4xf32>, %b: tensor<2x3xf32>) {
  // expected-error@+2 {{cannot broadcast 4 and 2 x 3 against each other}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.shift_left %a, %b : (tensor<4xf32>, tensor<2x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

// shift_right (C1)
func.func @f(%a: tensor<4xf32>, %b: tensor<4xf64>) {
  // expected-error@+2 {{has operands of element types 'f32' and 'f64', which must be equal}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.shift_right %a, %b : (tensor<4xf32>, tensor<4xf64>) -> tensor<4xf32>
  return
}

// -----

// shift_right (C2)
func.func @f(%a: tensor<4xf32>, %b: tensor<2x3xf32>) {
  // expected-error@+2 {{cannot broadcast 4 and 2 x 3 against each other}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.shift_right %a, %b : (tensor<4xf32>, tensor<2x3xf32>) -> tensor<2x4xf32>
  return
}

// -----

// equal (C1)
func.func @f(%a: tensor<4xf32>, %b: tensor<4xf64>) {
  // expected-error@+2 {{has operands of element types 'f32' and 'f64', which must be equal}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.equal %a, %b : (tensor<4xf32>, tensor<4xf64>) -> tensor<4xi1>
  return
}

// -----

// equal (C2)
func.func @f(%a: tensor<4xf32>, %b: tensor<2x3xf32>) {
  // expected-error@+2 {{cannot broadcast 4 and 2 x 3 against each other}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.equal %a, %b : (tensor<4xf32>, tensor<2x3xf32>) -> tensor<2x4xi1>
  return
}

// -----

// less (C1)
func.func @f(%a: tensor<4xf32>, %b: tensor<4xf64>) {
  // expected-error@+2 {{has operands of element types 'f32' and 'f64', which must be equal}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.less %a, %b : (tensor<4xf32>, tensor<4xf64>) -> tensor<4xi1>
  return
}

// -----

// less (C2)
func.func @f(%a: tensor<4xf32>, %b: tensor<2x3xf32>) {
  // expected-error@+2 {{cannot broadcast 4 and 2 x 3 against each other}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.less %a, %b : (tensor<4xf32>, tensor<2x3xf32>) -> tensor<2x4xi1>
  return
}

// -----

// less_equal (C1)
func.func @f(%a: tensor<4xf32>, %b: tensor<4xf64>) {
  // expected-error@+2 {{has operands of element types 'f32' and 'f64', which must be equal}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.less_equal %a, %b : (tensor<4xf32>, tensor<4xf64>) -> tensor<4xi1>
  return
}

// -----

// less_equal (C2)
func.func @f(%a: tensor<4xf32>, %b: tensor<2x3xf32>) {
  // expected-error@+2 {{cannot broadcast 4 and 2 x 3 against each other}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.less_equal %a, %b : (tensor<4xf32>, tensor<2x3xf32>) -> tensor<2x4xi1>
  return
}

// -----

// where (C1)
func.func @f(%c: tensor<4xi8>, %a: tensor<4xf32>) {
  // expected-error@+2 {{has a condition of element type 'i8', which must be boolean}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.where %c, %a, %a : (tensor<4xi8>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

// where (C2)
func.func @f(%c: tensor<4xi1>, %a: tensor<4xf32>, %b: tensor<4xi32>) {
  // expected-error@+2 {{has operands of element types 'f32' and 'i32', which must be equal}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.where %c, %a, %b : (tensor<4xi1>, tensor<4xf32>, tensor<4xi32>) -> tensor<4xf32>
  return
}

// -----

// where (C3)
func.func @f(%c: tensor<5xi1>, %a: tensor<4xf32>) {
  // expected-error@+2 {{cannot broadcast 5 and 4 against each other}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.where %c, %a, %a : (tensor<5xi1>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

// cast (C1)
func.func @f(%a: tensor<4xf32>) {
  // expected-error@+1 {{turns 4 into 2 x 2, but a cast keeps the dims}}
  %0 = dsc.cast %a : (tensor<4xf32>) -> tensor<2x2xf16>
  return
}

// -----

// bitcast (C1)
func.func @f(%a: tensor<4xf32>) {
  // expected-error@+1 {{changes the dims}}
  %0 = dsc.bitcast %a : (tensor<4xf32>) -> tensor<2xi32>
  return
}

// -----

// bitcast (C2)
func.func @f(%a: tensor<4xf32>) {
  // expected-error@+1 {{reads 'f32' as 'i16', which has another width}}
  %0 = dsc.bitcast %a : (tensor<4xf32>) -> tensor<4xi16>
  return
}

// -----

// Tensors of the dialect hold ONNX's element types only.
func.func @f(%a: tensor<4xindex>) {
  // expected-error@+1 {{operand #0 must be ranked tensor of number or boolean values, but got 'tensor<4xindex>'}}
  %0 = dsc.relu %a : (tensor<4xindex>) -> tensor<4xindex>
  return
}

// -----

// An inferred result is the one that is written.
func.func @f(%a: tensor<4xf32>) {
  // expected-error@+2 {{inferred type(s) 'tensor<4xf32>' are incompatible with return type(s) of operation 'tensor<5xf32>'}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = dsc.relu %a : (tensor<4xf32>) -> tensor<5xf32>
  return
}
