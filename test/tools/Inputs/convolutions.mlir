// Two convolutions, of which one is worth it to have its channels last.
func.func @main(%x: tensor<1x64x28x28xf32> {dsc.name = "x"}, %z: tensor<1x8x28x28xf32> {dsc.name = "z"})
    -> (tensor<1x64x28x28xf32> {dsc.name = "large"}, tensor<1x8x28x28xf32> {dsc.name = "small"}) {
  %w = dsc.constant dense<1.0> : tensor<64x64x3x3xf32>
  %v = dsc.constant dense<1.0> : tensor<8x8x1x1xf32>
  %0 = dsc.conv %x, %w {strides = [1, 1], dilations = [1, 1], pads = [1, 1, 1, 1], groups = 1}
     : (tensor<1x64x28x28xf32>, tensor<64x64x3x3xf32>) -> tensor<1x64x28x28xf32> loc("large")
  %1 = dsc.conv %z, %v {strides = [1, 1], dilations = [1, 1], pads = [0, 0, 0, 0], groups = 1}
     : (tensor<1x8x28x28xf32>, tensor<8x8x1x1xf32>) -> tensor<1x8x28x28xf32> loc("small")
  return %0, %1 : tensor<1x64x28x28xf32>, tensor<1x8x28x28xf32>
}
