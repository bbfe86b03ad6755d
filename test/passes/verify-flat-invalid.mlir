// RUN: dscc-opt %s --dsc-verify-stage=stage=canonical --split-input-file --verify-diagnostics

// expected-error@+1 {{has an input of type 'tensor<?xf32>', in which a dim has no name}}
func.func @main(%x: tensor<?xf32>) -> tensor<?xf32> {
  return %x : tensor<?xf32>
}

// -----

func.func @main(%x: tensor<4xf32>) -> tensor<?xf32> {
  // expected-error@+1 {{has a result of type 'tensor<?xf32>', in which a dim has no name}}
  %0 = dsc.reshape %x : (tensor<4xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

// expected-error@+1 {{has an input of type 'memref<4xf32>', which is no tensor of numbers or booleans}}
func.func @main(%x: memref<4xf32>) {
  return
}

// -----

// expected-error@+1 {{has an input of type 'tensor<4xcomplex<f32>>', which is no tensor of numbers or booleans}}
func.func @main(%x: tensor<4xcomplex<f32>>) {
  return
}

// -----

// expected-error@+1 {{has no @main of one block}}
module {
}

// -----

// expected-error@+1 {{has no @main of one block}}
module {
  func.func private @main(tensor<4xf32>)
}

// -----

func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{does not belong into a graph of tensors}}
  %0 = arith.addf %x, %x : tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{comes only after the stage `grouped`}}
  %0 = dsc.group(%x) : (tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%a: tensor<4xf32>):
    dsc.yield %a : tensor<4xf32>
  }
  return %0 : tensor<4xf32>
}
