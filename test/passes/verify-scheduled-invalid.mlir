// RUN: dscc-opt %s --dsc-verify-stage=stage=scheduled --split-input-file --verify-diagnostics

func.func private @main(tensor<4xf32>) -> tensor<4xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
    // expected-error@+1 {{has no schedule that an emitter knows}}
    %0 = dsc.group(%x) : (tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%a: tensor<4xf32>):
      %1 = dsc.relu %a : (tensor<4xf32>) -> tensor<4xf32>
      dsc.yield %1 : tensor<4xf32>
    }
    return %0 : tensor<4xf32>
  }
}

// -----

func.func private @main(tensor<4xf32>) -> tensor<4xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
    // expected-error@+1 {{has no schedule that an emitter knows}}
    %0 = dsc.group(%x) {schedule = {width = 4 : i64}} : (tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%a: tensor<4xf32>):
      %1 = dsc.relu %a : (tensor<4xf32>) -> tensor<4xf32>
      dsc.yield %1 : tensor<4xf32>
    }
    return %0 : tensor<4xf32>
  }
}

// -----

func.func private @main(tensor<4xf32>) -> tensor<4xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
    // expected-error@+1 {{has no schedule that an emitter knows}}
    %0 = dsc.group(%x) {schedule = {emitter = "magic"}} : (tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%a: tensor<4xf32>):
      %1 = dsc.relu %a : (tensor<4xf32>) -> tensor<4xf32>
      dsc.yield %1 : tensor<4xf32>
    }
    return %0 : tensor<4xf32>
  }
}

// -----

func.func private @main(tensor<4xf32>) -> tensor<4xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
    // expected-error@+1 {{has the schedule {emitter = "rows", shared_rows = 1 : i64}, but that emitter does not take the group}}
    %0 = dsc.group(%x) {schedule = {emitter = "rows", shared_rows = 1 : i64}} : (tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%a: tensor<4xf32>):
      %1 = dsc.relu %a : (tensor<4xf32>) -> tensor<4xf32>
      dsc.yield %1 : tensor<4xf32>
    }
    return %0 : tensor<4xf32>
  }
}

// -----

func.func private @main(tensor<4xf32>) -> tensor<4xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
    // expected-error@+1 {{has the schedule {emitter = "elementwise", width = 3 : i64}, where its emitter proposes {emitter = "elementwise", width = 4 : i64}}}
    %0 = dsc.group(%x) {schedule = {emitter = "elementwise", width = 3 : i64}} : (tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%a: tensor<4xf32>):
      %1 = dsc.relu %a : (tensor<4xf32>) -> tensor<4xf32>
      dsc.yield %1 : tensor<4xf32>
    }
    return %0 : tensor<4xf32>
  }
}
