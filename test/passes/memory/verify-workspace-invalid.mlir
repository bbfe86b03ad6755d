// RUN: dscc-opt %s --dsc-verify-stage=stage=placed --split-input-file --verify-diagnostics

// On what the group reads.
module {
  func.func private @main(tensor<16xf32>) -> tensor<16xf32>
  module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
    func.func @main(%x: tensor<16xf32>) -> tensor<16xf32> attributes {dsc.arena = [{bytes = #dsc.dims<64>, live = array<i64: 0, 1>, above = array<i64>},
                                 {bytes = #dsc.dims<128>, live = array<i64: 1, 1>, above = array<i64>}]} {
      // expected-note@+1 {{the other tensor, of 64 bytes}}
      %0 = dsc.group(%x) {places = array<i64: 0>, outputs = [-1]} : (tensor<16xf32>) -> tensor<16xf32> {
      ^bb0(%a: tensor<16xf32>):
        dsc.yield %a : tensor<16xf32>
      }
      // expected-note@+2 {{that place is for the workspace}}
      // expected-error@+1 {{may share bytes with a tensor that is live: its place 1 and place 0 do not lie on one another}}
      %1 = dsc.group(%0) {workspace = #dsc.dims<100>, workspace_place = 1 : i64, places = array<i64: -1>, outputs = [0]} : (tensor<16xf32>) -> tensor<16xf32> {
      ^bb0(%a: tensor<16xf32>):
        dsc.yield %a : tensor<16xf32>
      }
      return %1 : tensor<16xf32>
    }
  }
}

// -----

// Beside it.
module {
  func.func private @main(tensor<16xf32>) -> tensor<16xf32>
  module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
    func.func @main(%x: tensor<16xf32>) -> tensor<16xf32> attributes {dsc.arena = [{bytes = #dsc.dims<64>, live = array<i64: 0, 1>, above = array<i64>},
                                 {bytes = #dsc.dims<128>, live = array<i64: 1, 1>, above = array<i64: 0>}]} {
      %0 = dsc.group(%x) {places = array<i64: 0>, outputs = [-1]} : (tensor<16xf32>) -> tensor<16xf32> {
      ^bb0(%a: tensor<16xf32>):
        dsc.yield %a : tensor<16xf32>
      }
      // as it should be
      %1 = dsc.group(%0) {workspace = #dsc.dims<100>, workspace_place = 1 : i64, places = array<i64: -1>, outputs = [0]} : (tensor<16xf32>) -> tensor<16xf32> {
      ^bb0(%a: tensor<16xf32>):
        dsc.yield %a : tensor<16xf32>
      }
      return %1 : tensor<16xf32>
    }
  }
}

// -----

module {
  func.func private @main(tensor<16xf32>) -> tensor<16xf32>
  module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
    func.func @main(%x: tensor<16xf32>) -> tensor<16xf32> attributes {dsc.arena = [{bytes = #dsc.dims<64>, live = array<i64: 0, 0>, above = array<i64>}]} {
      // expected-error@+1 {{takes 100 bytes of workspace in a place of 64}}
      %1 = dsc.group(%x) {workspace = #dsc.dims<100>, workspace_place = 0 : i64, places = array<i64: -1>, outputs = [0]} : (tensor<16xf32>) -> tensor<16xf32> {
      ^bb0(%a: tensor<16xf32>):
        dsc.yield %a : tensor<16xf32>
      }
      return %1 : tensor<16xf32>
    }
  }
}

// -----

module {
  func.func private @main(tensor<16xf32>) -> tensor<16xf32>
  module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
    func.func @main(%x: tensor<16xf32>) -> tensor<16xf32> attributes {dsc.arena = [{bytes = #dsc.dims<128>, live = array<i64: 0, 0>, above = array<i64>}]} {
      // expected-error@+1 {{has its workspace in place 1, and there are 1}}
      %1 = dsc.group(%x) {workspace = #dsc.dims<100>, workspace_place = 1 : i64, places = array<i64: -1>, outputs = [0]} : (tensor<16xf32>) -> tensor<16xf32> {
      ^bb0(%a: tensor<16xf32>):
        dsc.yield %a : tensor<16xf32>
      }
      return %1 : tensor<16xf32>
    }
  }
}

// -----

module {
  func.func private @main(tensor<16xf32>) -> tensor<16xf32>
  module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
    func.func @main(%x: tensor<16xf32>) -> tensor<16xf32> attributes {dsc.arena = [{bytes = #dsc.dims<128>, live = array<i64: 0, 0>, above = array<i64>}]} {
      // expected-error@+1 {{has no place for its workspace}}
      %1 = dsc.group(%x) {workspace = #dsc.dims<100>, places = array<i64: -1>, outputs = [0]} : (tensor<16xf32>) -> tensor<16xf32> {
      ^bb0(%a: tensor<16xf32>):
        dsc.yield %a : tensor<16xf32>
      }
      return %1 : tensor<16xf32>
    }
  }
}
