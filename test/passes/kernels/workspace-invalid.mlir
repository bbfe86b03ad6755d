// RUN: dscc-opt %s --dsc-verify-stage=stage=scheduled --split-input-file --verify-diagnostics


module {
  func.func private @main(tensor<9007199254740992x4xf32>) -> tensor<9007199254740992x1xf32>
  module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
    func.func @main(%x: tensor<9007199254740992x4xf32>) -> tensor<9007199254740992x1xf32> {
      // expected-error@+1 {{wants a workspace that is too large, or too long a formula of the named dims}}
      %0 = dsc.group(%x) {schedule = #dsc.schedule<split_rows, parts = 1024, width = 1>}
         : (tensor<9007199254740992x4xf32>) -> tensor<9007199254740992x1xf32> {
      ^bb0(%a: tensor<9007199254740992x4xf32>):
        %1 = dsc.reduce_mean %a {axes = [1]} : (tensor<9007199254740992x4xf32>) -> tensor<9007199254740992x1xf32>
        dsc.yield %1 : tensor<9007199254740992x1xf32>
      }
      return %0 : tensor<9007199254740992x1xf32>
    }
  }
}
