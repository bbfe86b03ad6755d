// RUN: dscc-opt %s --dsc-verify-stage=stage=grouped --split-input-file --verify-diagnostics

func.func private @main(tensor<4xf32>) -> tensor<4xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
    // expected-error@+1 {{is outside any dsc.group, so no kernel computes it}}
    %0 = dsc.relu %x : (tensor<4xf32>) -> tensor<4xf32>
    return %0 : tensor<4xf32>
  }
}

// -----

func.func private @main(tensor<4xf32>) -> tensor<4xf32>
// expected-error@+1 {{has no dsc.target}}
module @tpu {
}

// -----

func.func private @main(tensor<4xf32>) -> tensor<4xf32>
// expected-error@+1 {{has no @main of one block}}
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
}

// -----

// expected-error@+1 {{has no declaration of @main}}
module {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
    return %x : tensor<4xf32>
  }
}
