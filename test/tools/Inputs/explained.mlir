module attributes {dsc.relations = [], dsc.stage = "imported", dsc.symbols = []} {
  func.func @main(%x: tensor<4x8xf32> {dsc.name = "x"}, %w: tensor<8x4xf32> {dsc.name = "w"}) -> (tensor<4x4xf32> {dsc.name = "y"}) {
    %0 = dsc.matmul %x, %w : (tensor<4x8xf32>, tensor<8x4xf32>) -> tensor<4x4xf32> loc("product")
    %1 = dsc.relu %0 : (tensor<4x4xf32>) -> tensor<4x4xf32> loc("positive")
    %2 = dsc.reduce_sum %1 {axes = [1]} : (tensor<4x4xf32>) -> tensor<4x1xf32> loc("sum")
    %3 = dsc.exp %2 : (tensor<4x1xf32>) -> tensor<4x1xf32> loc("scale")
    %4 = dsc.mul %1, %3 : (tensor<4x4xf32>, tensor<4x1xf32>) -> tensor<4x4xf32> loc("scaled")
    return %4 : tensor<4x4xf32>
  }
}
