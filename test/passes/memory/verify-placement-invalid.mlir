// RUN: dscc-opt %s --dsc-verify-stage=stage=placed --split-input-file --verify-diagnostics

// 4 * n bytes against an offset of 64: from n = 17 on the tensors overlap.
module attributes {dsc.symbols = [{name = "n", min = 1 : i64, max = 64 : i64, input = 0 : i64, axis = 0 : i64}]} {
  module @cuda attributes {dsc.target = "cuda"} {
    func.func @main(%x: tensor<?xf32, #dsc.dims<"n">>) -> tensor<?xf32, #dsc.dims<"n">>
        attributes {dsc.arena = "64*n + 64"} {
      // expected-note@+1 {{the other tensor, of 4*n bytes}}
      %0 = dsc.group(%x) {offsets = #dsc.dims<0>, outputs = [-1]} : (tensor<?xf32, #dsc.dims<"n">>) -> tensor<?xf32, #dsc.dims<"n">> {
      ^bb0(%a: tensor<?xf32, #dsc.dims<"n">>):
        dsc.yield %a : tensor<?xf32, #dsc.dims<"n">>
      }
      // expected-error@+1 {{shares bytes with a tensor that is live, at 64 and 0 for n = 64}}
      %1 = dsc.group(%0) {offsets = #dsc.dims<64>, outputs = [-1]} : (tensor<?xf32, #dsc.dims<"n">>) -> tensor<?xf32, #dsc.dims<"n">> {
      ^bb0(%a: tensor<?xf32, #dsc.dims<"n">>):
        dsc.yield %a : tensor<?xf32, #dsc.dims<"n">>
      }
      %2 = dsc.group(%0, %1) {offsets = #dsc.dims<0>, outputs = [0]}
          : (tensor<?xf32, #dsc.dims<"n">>, tensor<?xf32, #dsc.dims<"n">>) -> tensor<?xf32, #dsc.dims<"n">> {
      ^bb0(%a: tensor<?xf32, #dsc.dims<"n">>, %b: tensor<?xf32, #dsc.dims<"n">>):
        dsc.yield %a : tensor<?xf32, #dsc.dims<"n">>
      }
      return %2 : tensor<?xf32, #dsc.dims<"n">>
    }
  }
}

// -----

// Overwriting a dying input is allowed only where each element is read at its own place.
func.func private @main(tensor<4xf32>) -> tensor<4xf32>
module @cuda attributes {dsc.target = "cuda"} {
  func.func @main(%x: tensor<4x4xf32>) -> tensor<4x4xf32> attributes {dsc.arena = "64"} {
    // expected-note@+1 {{the other tensor}}
    %0 = dsc.group(%x) {offsets = #dsc.dims<0>, outputs = [-1]} : (tensor<4x4xf32>) -> tensor<4x4xf32> {
    ^bb0(%a: tensor<4x4xf32>):
      dsc.yield %a : tensor<4x4xf32>
    }
    // expected-error@+1 {{shares bytes with a tensor that is live}}
    %1 = dsc.group(%0) {offsets = #dsc.dims<0>, outputs = [-1]} : (tensor<4x4xf32>) -> tensor<4x4xf32> {
    ^bb0(%a: tensor<4x4xf32>):
      %2 = dsc.transpose %a {permutation = [1, 0]} : (tensor<4x4xf32>) -> tensor<4x4xf32>
      dsc.yield %2 : tensor<4x4xf32>
    }
    return %1 : tensor<4x4xf32>
  }
}

// -----

func.func private @main(tensor<4xf32>) -> tensor<4xf32>
module @cuda attributes {dsc.target = "cuda"} {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> attributes {dsc.arena = "64"} {
    // expected-error@+1 {{begins at 32, which is no multiple of 64}}
    %0 = dsc.group(%x) {offsets = #dsc.dims<32>, outputs = [-1]} : (tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%a: tensor<4xf32>):
      dsc.yield %a : tensor<4xf32>
    }
    return %0 : tensor<4xf32>
  }
}

// -----

func.func private @main(tensor<4xf32>) -> tensor<4xf32>
module @cuda attributes {dsc.target = "cuda"} {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> attributes {dsc.arena = "64"} {
    // expected-error@+1 {{ends at 80, outside the arena of 64 bytes}}
    %0 = dsc.group(%x) {offsets = #dsc.dims<64>, outputs = [-1]} : (tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%a: tensor<4xf32>):
      dsc.yield %a : tensor<4xf32>
    }
    return %0 : tensor<4xf32>
  }
}
