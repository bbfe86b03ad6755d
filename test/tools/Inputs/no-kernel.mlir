// Two softmaxes along different axes in one group: the fusion rules never make it, and no emitter takes it.
module attributes {dsc.stage = "grouped"} {
  func.func private @main(tensor<4x4xf32>) -> tensor<4x4xf32>
  module @cpu_v4 attributes {dsc.target = "cpu_v4"} {
    func.func @main(%x: tensor<4x4xf32>) -> tensor<4x4xf32> {
      %0 = dsc.group(%x) : (tensor<4x4xf32>) -> tensor<4x4xf32> {
      ^bb0(%a: tensor<4x4xf32>):
        %1 = dsc.softmax %a {axis = 0 : i64} : (tensor<4x4xf32>) -> tensor<4x4xf32>
        %2 = dsc.softmax %1 {axis = 1 : i64} : (tensor<4x4xf32>) -> tensor<4x4xf32>
        dsc.yield %2 : tensor<4x4xf32>
      }
      return %0 : tensor<4x4xf32>
    }
  }
}
