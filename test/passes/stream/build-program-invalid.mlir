// RUN: dscc-opt %s --dsc-build-program --verify-diagnostics

func.func private @main(tensor<4xf32>) -> tensor<4xf32>
module @cuda attributes {dsc.target = "cuda"} {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> attributes {dsc.arena = []} {
    // expected-error@+1 {{has not become a kernel}}
    %0 = dsc.group(%x) {places = array<i64: -1>, outputs = [0]} : (tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%a: tensor<4xf32>):
      dsc.yield %a : tensor<4xf32>
    }
    return %0 : tensor<4xf32>
  }
}
