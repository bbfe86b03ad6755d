// RUN: dscc-opt %s --dsc-verify-stage=stage=placed --split-input-file --verify-diagnostics

// Side by side for small n is not enough: nothing says that place 1 lies on place 0.
module attributes {dsc.symbols = [{name = "n", min = 1 : i64, max = 64 : i64, input = 0 : i64, axis = 0 : i64}]} {
  func.func private @main(tensor<?xf32, #dsc.dims<"n">>) -> tensor<?xf32, #dsc.dims<"n">>
  module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
    func.func @main(%x: tensor<?xf32, #dsc.dims<"n">>) -> tensor<?xf32, #dsc.dims<"n">>
        attributes {dsc.arena = [{bytes = #dsc.dims<"64*floordiv(4*n + 63, 64)">, live = array<i64: 0, 2>, above = array<i64>},
                                 {bytes = #dsc.dims<"64*floordiv(4*n + 63, 64)">, live = array<i64: 1, 2>, above = array<i64>}]} {
      // expected-note@+1 {{the other tensor, of 4*n bytes}}
      %0 = dsc.group(%x) {places = array<i64: 0>, outputs = [-1]} : (tensor<?xf32, #dsc.dims<"n">>) -> tensor<?xf32, #dsc.dims<"n">> {
      ^bb0(%a: tensor<?xf32, #dsc.dims<"n">>):
        dsc.yield %a : tensor<?xf32, #dsc.dims<"n">>
      }
      // expected-error@+1 {{may share bytes with a tensor that is live: its place 1 and place 0 do not lie on one another}}
      %1 = dsc.group(%0) {places = array<i64: 1>, outputs = [-1]} : (tensor<?xf32, #dsc.dims<"n">>) -> tensor<?xf32, #dsc.dims<"n">> {
      ^bb0(%a: tensor<?xf32, #dsc.dims<"n">>):
        dsc.yield %a : tensor<?xf32, #dsc.dims<"n">>
      }
      %2 = dsc.group(%0, %1) {places = array<i64: -1>, outputs = [0]}
          : (tensor<?xf32, #dsc.dims<"n">>, tensor<?xf32, #dsc.dims<"n">>) -> tensor<?xf32, #dsc.dims<"n">> {
      ^bb0(%a: tensor<?xf32, #dsc.dims<"n">>, %b: tensor<?xf32, #dsc.dims<"n">>):
        dsc.yield %a : tensor<?xf32, #dsc.dims<"n">>
      }
      return %2 : tensor<?xf32, #dsc.dims<"n">>
    }
  }
}

// -----

// Lying on what lies on the other is enough: three tensors that are live at once, and no error.
func.func private @main(tensor<4xf32>) -> tensor<4xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32>
      attributes {dsc.arena = [{bytes = #dsc.dims<64>, live = array<i64: 0, 3>, above = array<i64>},
                               {bytes = #dsc.dims<64>, live = array<i64: 1, 3>, above = array<i64: 0>},
                               {bytes = #dsc.dims<64>, live = array<i64: 2, 3>, above = array<i64: 1>}]} {
    %0 = dsc.group(%x) {places = array<i64: 0>, outputs = [-1]} : (tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%a: tensor<4xf32>):
      dsc.yield %a : tensor<4xf32>
    }
    %1 = dsc.group(%0) {places = array<i64: 1>, outputs = [-1]} : (tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%a: tensor<4xf32>):
      dsc.yield %a : tensor<4xf32>
    }
    %2 = dsc.group(%1) {places = array<i64: 2>, outputs = [-1]} : (tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%a: tensor<4xf32>):
      dsc.yield %a : tensor<4xf32>
    }
    %3 = dsc.group(%0, %1, %2) {places = array<i64: -1>, outputs = [0]}
        : (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%a: tensor<4xf32>, %b: tensor<4xf32>, %c: tensor<4xf32>):
      dsc.yield %a : tensor<4xf32>
    }
    return %3 : tensor<4xf32>
  }
}

// -----

// Overwriting a dying input is allowed only where each element is read at its own place.
func.func private @main(tensor<4xf32>) -> tensor<4xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  func.func @main(%x: tensor<4x4xf32>) -> tensor<4x4xf32>
      attributes {dsc.arena = [{bytes = #dsc.dims<64>, live = array<i64: 0, 2>, above = array<i64>}]} {
    // expected-note@+1 {{the other tensor}}
    %0 = dsc.group(%x) {places = array<i64: 0>, outputs = [-1]} : (tensor<4x4xf32>) -> tensor<4x4xf32> {
    ^bb0(%a: tensor<4x4xf32>):
      dsc.yield %a : tensor<4x4xf32>
    }
    // expected-error@+1 {{may share bytes with a tensor that is live: its place 0 and place 0}}
    %1 = dsc.group(%0) {places = array<i64: 0>, outputs = [-1]} : (tensor<4x4xf32>) -> tensor<4x4xf32> {
    ^bb0(%a: tensor<4x4xf32>):
      %2 = dsc.transpose %a {permutation = [1, 0]} : (tensor<4x4xf32>) -> tensor<4x4xf32>
      dsc.yield %2 : tensor<4x4xf32>
    }
    return %1 : tensor<4x4xf32>
  }
}

// -----

func.func private @main(tensor<4xf32>) -> tensor<4xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  // expected-error@+1 {{place 0 takes 32 bytes, which is no multiple of 64}}
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> attributes {dsc.arena = [{bytes = #dsc.dims<32>, live = array<i64: 0, 1>, above = array<i64>}]} {
    return %x : tensor<4xf32>
  }
}

// -----

func.func private @main(tensor<4xf32>) -> tensor<4xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  // expected-error@+1 {{place 0 lies on place 0, which does not come before it}}
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> attributes {dsc.arena = [{bytes = #dsc.dims<64>, live = array<i64: 0, 1>, above = array<i64: 0>}]} {
    return %x : tensor<4xf32>
  }
}

// -----

func.func private @main(tensor<4xf32>) -> tensor<4xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  // expected-error@+1 {{has no table dsc.arena}}
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
    return %x : tensor<4xf32>
  }
}

// -----

func.func private @main(tensor<4xf32>) -> tensor<4xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> attributes {dsc.arena = [{bytes = #dsc.dims<64>, live = array<i64: 0, 1>, above = array<i64>}]} {
    // expected-error@+1 {{lies in place 1, and there are 1}}
    %0 = dsc.group(%x) {places = array<i64: 1>, outputs = [-1]} : (tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%a: tensor<4xf32>):
      dsc.yield %a : tensor<4xf32>
    }
    return %0 : tensor<4xf32>
  }
}

// -----

func.func private @main(tensor<40xf32>) -> tensor<40xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  func.func @main(%x: tensor<40xf32>) -> tensor<40xf32> attributes {dsc.arena = [{bytes = #dsc.dims<64>, live = array<i64: 0, 1>, above = array<i64>}]} {
    // expected-error@+1 {{takes 160 bytes in a place of 64}}
    %0 = dsc.group(%x) {places = array<i64: 0>, outputs = [-1]} : (tensor<40xf32>) -> tensor<40xf32> {
    ^bb0(%a: tensor<40xf32>):
      dsc.yield %a : tensor<40xf32>
    }
    return %0 : tensor<40xf32>
  }
}

// -----

func.func private @main(tensor<4xf32>) -> tensor<4xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> attributes {dsc.arena = []} {
    // expected-error@+1 {{has no place for each of its results}}
    %0 = dsc.group(%x) {places = array<i64: -1>} : (tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%a: tensor<4xf32>):
      dsc.yield %a : tensor<4xf32>
    }
    return %0 : tensor<4xf32>
  }
}

// -----

func.func private @main(tensor<4xf32>) -> tensor<4xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> attributes {dsc.arena = []} {
    // expected-error@+1 {{lies in output 2, and there are 1}}
    %0 = dsc.group(%x) {places = array<i64: -1>, outputs = [2]} : (tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%a: tensor<4xf32>):
      dsc.yield %a : tensor<4xf32>
    }
    return %0 : tensor<4xf32>
  }
}
