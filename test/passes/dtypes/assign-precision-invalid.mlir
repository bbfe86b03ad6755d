// RUN: dscc-opt %s --dsc-assign-precision=precision=fp8 --verify-diagnostics

// expected-error@+1 {{there is no precision 'fp8'}}
module {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
    return %x : tensor<4xf32>
  }
}
