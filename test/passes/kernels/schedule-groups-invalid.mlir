// RUN: dscc-opt %s --pass-pipeline='builtin.module(func.func(dsc-schedule-groups))' --split-input-file --verify-diagnostics

module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  func.func @main(%x: tensor<4xf32>, %y: tensor<5xf32>) -> (tensor<4xf32>, tensor<5xf32>) {
    // expected-error@+1 {{cannot become a kernel: no emitter writes 2 results of these ops at once}}
    %0, %1 = dsc.group(%x, %y) : (tensor<4xf32>, tensor<5xf32>) -> (tensor<4xf32>, tensor<5xf32>) {
    ^bb0(%a: tensor<4xf32>, %b: tensor<5xf32>):
      dsc.yield %a, %b : tensor<4xf32>, tensor<5xf32>
    }
    return %0, %1 : tensor<4xf32>, tensor<5xf32>
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

// -----

// Of 8200 units, the hidden state's two places alone are more than the 48 KiB that a block's threads share: no other
// emitter takes a recurrence.
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  func.func @main(%x: tensor<1x1x8200xf32>, %r: tensor<1x8200x8200xf32>, %h: tensor<1x1x8200xf32>) -> tensor<1x1x8200xf32> {
    // expected-error@+1 {{cannot become a kernel: no kernel computes dsc.recurrence yet}}
    %0 = dsc.group(%x, %r, %h) : (tensor<1x1x8200xf32>, tensor<1x8200x8200xf32>, tensor<1x1x8200xf32>) -> tensor<1x1x8200xf32> {
    ^bb0(%a: tensor<1x1x8200xf32>, %b: tensor<1x8200x8200xf32>, %c: tensor<1x1x8200xf32>):
      %y, %last = dsc.recurrence gates(%a : tensor<1x1x8200xf32>) weights(%b : tensor<1x8200x8200xf32>)
                  initial(%c : tensor<1x1x8200xf32>) reverse [0] -> tensor<1x1x1x8200xf32>, tensor<1x1x8200xf32> {
      ^bb0(%g: tensor<8200xf32>, %s: tensor<8200xf32>, %p: tensor<8200xf32>):
        dsc.yield %g : tensor<8200xf32>
      }
      dsc.yield %last : tensor<1x1x8200xf32>
    }
    return %0 : tensor<1x1x8200xf32>
  }
}
