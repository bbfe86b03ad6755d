// One tiny model through all stages: a convolution with batch norm and relu, then a classifier's head.

// batch * 2 * 4 * 4 floats are 128 * batch bytes, the means 8 * batch, rounded up; the product is the output.
module attributes {dsc.symbols = [{name = "batch", min = 1 : i64, max = 64 : i64, input = 0 : i64, axis = 0 : i64}]} {
  func.func @main(%x: tensor<?x1x4x4xf32, #dsc.dims<"batch", 1, 4, 4>> {dsc.name = "x"},
                  %h: tensor<5x2xf32> {dsc.name = "h"})
      -> (tensor<?x5xf32, #dsc.dims<"batch", 5>> {dsc.name = "y"}) {
    %filter = dsc.constant dense<3.0> : tensor<2x1x1x1xf32>
    %factor = dsc.constant dense<2.0> : tensor<1x2x1x1xf32>
    %shift = dsc.constant dense<[[[[1.0]], [[2.0]]]]> : tensor<1x2x1x1xf32>
    %0 = dsc.conv %x, %filter {strides = [1, 1], dilations = [1, 1], pads = [0, 0, 0, 0], groups = 1}
       : (tensor<?x1x4x4xf32, #dsc.dims<"batch", 1, 4, 4>>, tensor<2x1x1x1xf32>) -> tensor<?x2x4x4xf32, #dsc.dims<"batch", 2, 4, 4>>
    %1 = dsc.mul %0, %factor : (tensor<?x2x4x4xf32, #dsc.dims<"batch", 2, 4, 4>>, tensor<1x2x1x1xf32>) -> tensor<?x2x4x4xf32, #dsc.dims<"batch", 2, 4, 4>>
    %2 = dsc.add %1, %shift : (tensor<?x2x4x4xf32, #dsc.dims<"batch", 2, 4, 4>>, tensor<1x2x1x1xf32>) -> tensor<?x2x4x4xf32, #dsc.dims<"batch", 2, 4, 4>>
    %3 = dsc.relu %2 : (tensor<?x2x4x4xf32, #dsc.dims<"batch", 2, 4, 4>>) -> tensor<?x2x4x4xf32, #dsc.dims<"batch", 2, 4, 4>>
    %4 = dsc.reduce_mean %3 {axes = [2, 3]} : (tensor<?x2x4x4xf32, #dsc.dims<"batch", 2, 4, 4>>) -> tensor<?x2x1x1xf32, #dsc.dims<"batch", 2, 1, 1>>
    %5 = dsc.reshape %4 : (tensor<?x2x1x1xf32, #dsc.dims<"batch", 2, 1, 1>>) -> tensor<?x2xf32, #dsc.dims<"batch", 2>>
    %6 = dsc.transpose %h {permutation = [1, 0]} : (tensor<5x2xf32>) -> tensor<2x5xf32>
    %7 = dsc.matmul %5, %6 : (tensor<?x2xf32, #dsc.dims<"batch", 2>>, tensor<2x5xf32>) -> tensor<?x5xf32, #dsc.dims<"batch", 5>>
    return %7 : tensor<?x5xf32, #dsc.dims<"batch", 5>>
  }
}
