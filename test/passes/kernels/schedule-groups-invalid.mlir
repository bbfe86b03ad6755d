// RUN: dscc-opt %s --pass-pipeline='builtin.module(func.func(dsc-schedule-groups))' --split-input-file --verify-diagnostics

module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  func.func @main(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
    // expected-error@+1 {{cannot become a kernel: no emitter writes 2 results of these ops at once}}
    %0, %1 = dsc.group(%x) : (tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
    ^bb0(%a: tensor<4xf32>):
      dsc.yield %a, %a : tensor<4xf32>, tensor<4xf32>
    }
    return %0, %1 : tensor<4xf32>, tensor<4xf32>
  }
}

// -----

module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
    // expected-error@+1 {{cannot become a kernel: no kernel computes arith.addf yet}}
    %0 = dsc.group(%x) : (tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%a: tensor<4xf32>):
      %1 = arith.addf %a, %a : tensor<4xf32>
      dsc.yield %1 : tensor<4xf32>
    }
    return %0 : tensor<4xf32>
  }
}
