// Channels go last where that saves more than it moves.
// RUN: dscc-opt %s --split-input-file --dsc-choose-layouts | FileCheck %s

// Two convolutions and what lies between them; the input is moved, the mean of all pixels is not. Filters are turned now.
// CHECK-LABEL: func.func @chain
// CHECK-DAG: %[[W:.*]] = dsc.constant dense<1.000000e+00> : tensor<3x3x64x32xf32>
// CHECK-DAG: %[[V:.*]] = dsc.constant dense<2.000000e+00> : tensor<1x1x32x64xf32>
// CHECK-DAG: %[[B:.*]] = dsc.constant dense<{{.*}}> : tensor<1x1x1x2xf32>
// CHECK-DAG: %[[X:.*]] = dsc.transpose %{{.*}} {permutation = [0, 2, 3, 1]} : (tensor<1x64x28x28xf32>) -> tensor<1x28x28x64xf32>
// CHECK: %[[C:.*]] = dsc.conv %[[X]], %[[W]] {channels_last, {{.*}}} : {{.*}} -> tensor<1x28x28x32xf32>
// CHECK: %[[R:.*]] = dsc.relu %[[C]]
// CHECK: %[[P:.*]] = dsc.max_pool %[[R]] {channels_last, {{.*}}} : {{.*}} -> tensor<1x14x14x32xf32>
// CHECK: %[[D:.*]] = dsc.conv %[[P]], %[[V]] {channels_last, {{.*}}} : {{.*}} -> tensor<1x14x14x64xf32>
// CHECK: %[[S:.*]] = dsc.slice %[[D]] {sizes = #dsc.dims<1, 14, 14, 2>, starts = #dsc.dims<0, 0, 0, 5>, steps = [1, 1, 1, 2]}
// CHECK: %[[A:.*]] = dsc.add %[[S]], %[[B]]
// CHECK: %[[M:.*]] = dsc.reduce_mean %[[A]] {axes = [1, 2]} : (tensor<1x14x14x2xf32>) -> tensor<1x1x1x2xf32>
// CHECK: %[[Y:.*]] = dsc.reshape %[[M]] : (tensor<1x1x1x2xf32>) -> tensor<1x2x1x1xf32>
// CHECK-NOT: dsc.transpose
// CHECK: return %[[Y]]
module @cpu_v4 attributes {dsc.target = "cpu_v4"} {
func.func @chain(%x: tensor<1x64x28x28xf32>) -> tensor<1x2x1x1xf32> {
  %w = dsc.constant dense<1.0> : tensor<32x64x3x3xf32>
  %v = dsc.constant dense<2.0> : tensor<64x32x1x1xf32>
  %b = dsc.constant dense<[[[1.0]], [[2.0]]]> : tensor<2x1x1xf32>
  %0 = dsc.conv %x, %w {strides = [1, 1], dilations = [1, 1], pads = [1, 1, 1, 1], groups = 1}
     : (tensor<1x64x28x28xf32>, tensor<32x64x3x3xf32>) -> tensor<1x32x28x28xf32>
  %1 = dsc.relu %0 : (tensor<1x32x28x28xf32>) -> tensor<1x32x28x28xf32>
  %2 = dsc.max_pool %1 {window = [2, 2], strides = [2, 2], dilations = [1, 1], pads = [0, 0, 0, 0]}
     : (tensor<1x32x28x28xf32>) -> tensor<1x32x14x14xf32>
  %3 = dsc.conv %2, %v {strides = [1, 1], dilations = [1, 1], pads = [0, 0, 0, 0], groups = 1}
     : (tensor<1x32x14x14xf32>, tensor<64x32x1x1xf32>) -> tensor<1x64x14x14xf32>
  %4 = dsc.slice %3 {starts = #dsc.dims<0, 5, 0, 0>, sizes = #dsc.dims<1, 2, 14, 14>, steps = [1, 2, 1, 1]}
     : (tensor<1x64x14x14xf32>) -> tensor<1x2x14x14xf32>
  %5 = dsc.add %4, %b : (tensor<1x2x14x14xf32>, tensor<2x1x1xf32>) -> tensor<1x2x14x14xf32>
  %6 = dsc.reduce_mean %5 {axes = [2, 3]} : (tensor<1x2x14x14xf32>) -> tensor<1x2x1x1xf32>
  return %6 : tensor<1x2x1x1xf32>
}
}

// -----

// The border lies where the least is moved: behind the pool, and before the ops that make the image larger.
// CHECK-LABEL: func.func @border
// CHECK: %[[X:.*]] = dsc.transpose %arg0
// CHECK: %[[E:.*]] = dsc.pad_edge %[[X]] {highs = #dsc.dims<0, 3, 3, 0>, lows = #dsc.dims<0, 0, 0, 0>}
// CHECK: dsc.conv %[[E]], %{{.*}} {channels_last,
// CHECK: %[[P:.*]] = dsc.max_pool %{{.*}} {channels_last,
// CHECK: %[[Y:.*]] = dsc.transpose %[[P]] {permutation = [0, 3, 1, 2]} : (tensor<1x7x7x64xf32>) -> tensor<1x64x7x7xf32>
// CHECK: %[[S:.*]] = dsc.cum_sum %[[Y]]
// CHECK: return %[[S]]
module @cpu_v4 attributes {dsc.target = "cpu_v4"} {
func.func @border(%x: tensor<1x64x25x25xf32>) -> tensor<1x64x7x7xf32> {
  %w = dsc.constant dense<1.0> : tensor<64x64x3x3xf32>
  %0 = dsc.pad_edge %x {lows = #dsc.dims<0, 0, 0, 0>, highs = #dsc.dims<0, 0, 3, 3>}
     : (tensor<1x64x25x25xf32>) -> tensor<1x64x28x28xf32>
  %1 = dsc.conv %0, %w {strides = [1, 1], dilations = [1, 1], pads = [1, 1, 1, 1], groups = 1}
     : (tensor<1x64x28x28xf32>, tensor<64x64x3x3xf32>) -> tensor<1x64x28x28xf32>
  %2 = dsc.max_pool %1 {window = [4, 4], strides = [4, 4], dilations = [1, 1], pads = [0, 0, 0, 0]}
     : (tensor<1x64x28x28xf32>) -> tensor<1x64x7x7xf32>
  %3 = dsc.cum_sum %2 {axis = 1} : (tensor<1x64x7x7xf32>) -> tensor<1x64x7x7xf32>
  return %3 : tensor<1x64x7x7xf32>
}
}

// -----

// A transpose takes either order: two of them are one, or none.
// CHECK-LABEL: func.func @transposes
// CHECK: dsc.conv %{{.*}} {channels_last,
// CHECK: %[[B:.*]] = dsc.transpose %{{.*}} {permutation = [0, 3, 1, 2]}
// CHECK: dsc.transpose %[[B]] {permutation = [0, 2, 3, 1]}
module @cpu_v4 attributes {dsc.target = "cpu_v4"} {
func.func @transposes(%x: tensor<1x28x28x64xf32>) -> tensor<1x28x28x64xf32> {
  %w = dsc.constant dense<1.0> : tensor<64x64x3x3xf32>
  %0 = dsc.transpose %x {permutation = [0, 3, 1, 2]} : (tensor<1x28x28x64xf32>) -> tensor<1x64x28x28xf32>
  %1 = dsc.conv %0, %w {strides = [1, 1], dilations = [1, 1], pads = [1, 1, 1, 1], groups = 1}
     : (tensor<1x64x28x28xf32>, tensor<64x64x3x3xf32>) -> tensor<1x64x28x28xf32>
  %2 = dsc.transpose %1 {permutation = [0, 2, 3, 1]} : (tensor<1x64x28x28xf32>) -> tensor<1x28x28x64xf32>
  return %2 : tensor<1x28x28x64xf32>
}
}

// -----

// An image of few channels gets its border, so that a line of the window is read at once.
// CHECK-LABEL: func.func @first
// CHECK: %[[P:.*]] = dsc.pad %arg0, %{{.*}} {highs = #dsc.dims<0, 0, 2, 3>, lows = #dsc.dims<0, 0, 1, 3>}
// CHECK: %[[X:.*]] = dsc.transpose %[[P]]
// CHECK: dsc.conv %[[X]], %{{.*}} {channels_last, {{.*}}pads = [0, 0, 0, 0], strides = [2, 2]}
module @cpu_v4 attributes {dsc.target = "cpu_v4"} {
func.func @first(%x: tensor<1x3x64x64xf32>) -> tensor<1x64x1x1xf32> {
  %w = dsc.constant dense<1.0> : tensor<64x3x5x7xf32>
  %0 = dsc.conv %x, %w {strides = [2, 2], dilations = [1, 1], pads = [1, 3, 2, 3], groups = 1}
     : (tensor<1x3x64x64xf32>, tensor<64x3x5x7xf32>) -> tensor<1x64x32x32xf32>
  %1 = dsc.reduce_max %0 {axes = [2, 3]} : (tensor<1x64x32x32xf32>) -> tensor<1x64x1x1xf32>
  return %1 : tensor<1x64x1x1xf32>
}
}

// -----

// Sizes may be named. Pixels that are joined are still pixels.
// CHECK-LABEL: func.func @named
// CHECK: dsc.conv %{{.*}} {channels_last, {{.*}} -> tensor<?x?x?x64xf32, #dsc.dims<"n", "h", "w", 64>>
// CHECK: dsc.reshape %{{.*}} -> tensor<?x?x64xf32, #dsc.dims<"n", "h*w", 64>>
// CHECK: dsc.softmax %{{.*}} {axis = 2 : i64}
// CHECK: dsc.reduce_max %{{.*}} {axes = [2]} : {{.*}} -> tensor<?x?x1xf32, #dsc.dims<"n", "h*w", 1>>
// CHECK-NOT: dsc.transpose
module @cpu_v4 attributes {dsc.target = "cpu_v4"} {
func.func @named(%x: tensor<?x64x?x?xf32, #dsc.dims<"n", 64, "h", "w">>) -> tensor<?x1x?xf32, #dsc.dims<"n", 1, "h*w">> {
  %w = dsc.constant dense<1.0> : tensor<64x64x3x3xf32>
  %0 = dsc.conv %x, %w {strides = [1, 1], dilations = [1, 1], pads = [1, 1, 1, 1], groups = 1}
     : (tensor<?x64x?x?xf32, #dsc.dims<"n", 64, "h", "w">>, tensor<64x64x3x3xf32>)
     -> tensor<?x64x?x?xf32, #dsc.dims<"n", 64, "h", "w">>
  %1 = dsc.reshape %0 : (tensor<?x64x?x?xf32, #dsc.dims<"n", 64, "h", "w">>) -> tensor<?x64x?xf32, #dsc.dims<"n", 64, "h*w">>
  %2 = dsc.softmax %1 {axis = 1} : (tensor<?x64x?xf32, #dsc.dims<"n", 64, "h*w">>) -> tensor<?x64x?xf32, #dsc.dims<"n", 64, "h*w">>
  %3 = dsc.reduce_max %2 {axes = [1]} : (tensor<?x64x?xf32, #dsc.dims<"n", 64, "h*w">>) -> tensor<?x1x?xf32, #dsc.dims<"n", 1, "h*w">>
  return %3 : tensor<?x1x?xf32, #dsc.dims<"n", 1, "h*w">>
}
}

// -----

// A transposed convolution of stride 2 makes 2 phases of 3 channels for each of 4 pixels: the convolution sees 2 taps, of
// which the first is the pixel before. Phase 0 of the window 1, 2, 3 is 3 and 1 (before and here), phase 1 is 0 and 2.
// The bias is repeated and stays with the convolution; then phases are woven: 8 + 1 pixels, of which the pad takes one.
// CHECK-LABEL: func.func @phases
// CHECK-DAG: %[[W:.*]] = dsc.constant dense<{{\[\[\[}}3.000000e+00, 3.000000e+01, 0.000000e+00, 0.000000e+00]{{\]}}, {{\[\[}}1.000000e+00, 1.000000e+01, 2.000000e+00, 2.000000e+01]{{\]\]}}> : tensor<2x1x4xf32>
// CHECK: %[[C:.*]] = dsc.conv %{{.*}}, %[[W]] {channels_last, {{.*}}pads = [1, 1], strides = [1]} : {{.*}} -> tensor<1x5x4xf32>
// CHECK: %[[B:.*]] = dsc.constant dense<{{\[\[\[}}5.000000e+00, 6.000000e+00, 5.000000e+00, 6.000000e+00]{{\]\]}}> : tensor<1x1x4xf32>
// CHECK: %[[S:.*]] = dsc.add %[[C]], %[[B]]
// CHECK: %[[R:.*]] = dsc.relu %[[S]] : (tensor<1x5x4xf32>) -> tensor<1x5x4xf32>
// CHECK: %[[A:.*]] = dsc.reshape %[[R]] : (tensor<1x5x4xf32>) -> tensor<1x5x2x2xf32>
// CHECK: %[[O:.*]] = dsc.reshape %[[A]] : (tensor<1x5x2x2xf32>) -> tensor<1x10x2xf32>
// CHECK: dsc.slice %[[O]] {sizes = #dsc.dims<1, 8, 2>, starts = #dsc.dims<0, 1, 0>, steps = [1, 1, 1]}
// CHECK-NOT: dsc.conv_transpose
module @cpu_v4 attributes {dsc.target = "cpu_v4"} {
func.func @phases(%x: tensor<1x1x4xf32>) -> tensor<1x2x1xf32> {
  %w = dsc.constant dense<[[[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]]]> : tensor<1x2x3xf32>
  %b = dsc.constant dense<[[[5.0], [6.0]]]> : tensor<1x2x1xf32>
  %0 = dsc.conv_transpose %x, %w {strides = [2], dilations = [1], pads = [1, 0], output_padding = [0], groups = 1}
     : (tensor<1x1x4xf32>, tensor<1x2x3xf32>) -> tensor<1x2x8xf32>
  %1 = dsc.add %0, %b : (tensor<1x2x8xf32>, tensor<1x2x1xf32>) -> tensor<1x2x8xf32>
  %2 = dsc.relu %1 : (tensor<1x2x8xf32>) -> tensor<1x2x8xf32>
  %3 = dsc.reduce_max %2 {axes = [2]} : (tensor<1x2x8xf32>) -> tensor<1x2x1xf32>
  return %3 : tensor<1x2x1xf32>
}
}
