// RUN: dscc-opt %s --dsc-verify-stage=stage=scheduled --verify-diagnostics

func.func private @main(tensor<4xf32>) -> tensor<4xf32>
module @cuda attributes {dsc.target = "cuda"} {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
    // expected-error@+1 {{has no schedule that names an emitter}}
    %0 = dsc.group(%x) : (tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%a: tensor<4xf32>):
      dsc.yield %a : tensor<4xf32>
    }
    return %0 : tensor<4xf32>
  }
}
