// RUN: dscc-opt %s --dsc-verify-stage=stage=canonical --split-input-file --verify-diagnostics

func.func @main(%x: tensor<?xf32>) -> tensor<?xf32> {
  // expected-error@+1 {{in which a dim has no name}}
  %0 = dsc.relu %x : (tensor<?xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

// expected-error@+1 {{has no @main of one block}}
module {
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
