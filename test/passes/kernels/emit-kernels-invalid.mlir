// RUN: dscc-opt %s --pass-pipeline='builtin.module(builtin.module(dsc-emit-kernels))' --split-input-file --verify-diagnostics

// Emitters write what they have proposed to write, and nothing else.

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

// -----

// 2^22 rows times 2^22 columns times 2^22 terms are more steps than 64 bits can count.

func.func private @main(tensor<4194304x4194304xf32>, tensor<4194304x4194304xf32>) -> tensor<4194304x4194304xf32>
module @cpu_v3 attributes {dsc.target = "cpu_v3"} {
  func.func @main(%x: tensor<4194304x4194304xf32>, %w: tensor<4194304x4194304xf32>) -> tensor<4194304x4194304xf32> {
    // expected-error@+1 {{takes a number of steps that is too large, or too long a formula of the named dims}}
    %0 = dsc.group(%x, %w) {schedule = {emitter = "tiles", rows = 4 : i64, vectors = 3 : i64}}
        : (tensor<4194304x4194304xf32>, tensor<4194304x4194304xf32>) -> tensor<4194304x4194304xf32> {
    ^bb0(%a: tensor<4194304x4194304xf32>, %b: tensor<4194304x4194304xf32>):
      %1 = dsc.matmul %a, %b : (tensor<4194304x4194304xf32>, tensor<4194304x4194304xf32>) -> tensor<4194304x4194304xf32>
      dsc.yield %1 : tensor<4194304x4194304xf32>
    }
    return %0 : tensor<4194304x4194304xf32>
  }
}
