// RUN: dscc-opt %s --dsc-verify-stage=stage=emitted --split-input-file --verify-diagnostics

func.func private @main(tensor<4xf32>) -> tensor<4xf32>
module @cuda attributes {dsc.target = "cuda"} {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
    // expected-error@+1 {{launches @nobody, which is no kernel of this module}}
    %0 = dsc.launch @nobody (%x) {grid = #dsc.dims<1, 1, 1>, symbols = [], places = array<i64: 0>} : (tensor<4xf32>) -> tensor<4xf32>
    return %0 : tensor<4xf32>
  }
}

// -----

func.func private @main(tensor<4xf32>) -> tensor<4xf32>
module @cuda attributes {dsc.target = "cuda"} {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
    // expected-error@+1 {{has not become a kernel}}
    %0 = dsc.group(%x) : (tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%a: tensor<4xf32>):
      dsc.yield %a : tensor<4xf32>
    }
    return %0 : tensor<4xf32>
  }
}
