// RUN: dscc-opt %s --dsc-fuse-groups --split-input-file | FileCheck %s

// What follows a product element by element is its epilogue, the residual included.
// CHECK-LABEL: @epilogue
func.func @epilogue(%a: tensor<4x8xf32>, %w: tensor<8x4xf32>, %r: tensor<4x4xf32>) -> tensor<4x4xf32> {
  // CHECK-COUNT-1: dsc.group
  // CHECK-NOT: dsc.group
  %0 = dsc.matmul %a, %w : (tensor<4x8xf32>, tensor<8x4xf32>) -> tensor<4x4xf32>
  %1 = dsc.relu %0 : (tensor<4x4xf32>) -> tensor<4x4xf32>
  %2 = dsc.add %1, %r : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  return %2 : tensor<4x4xf32>
}

// -----

// So is what parts and meets again: x * sigmoid(x). A pool behind it would compute it once for each window.
// CHECK-LABEL: @meeting
func.func @meeting(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x1x1xf32>) -> tensor<1x4x4x4xf32> {
  // CHECK: dsc.group
  // CHECK: dsc.conv
  // CHECK-NEXT: dsc.sigmoid
  // CHECK-NEXT: dsc.mul
  // CHECK: dsc.group
  // CHECK-NEXT: ^bb0
  // CHECK-NEXT: dsc.max_pool
  %0 = dsc.conv %x, %w {strides = [1, 1], dilations = [1, 1], pads = [0, 0, 0, 0], groups = 1} : (tensor<1x3x8x8xf32>, tensor<4x3x1x1xf32>) -> tensor<1x4x8x8xf32>
  %1 = dsc.sigmoid %0 : (tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  %2 = dsc.mul %0, %1 : (tensor<1x4x8x8xf32>, tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  %3 = dsc.max_pool %2 {window = [2, 2], strides = [2, 2], dilations = [1, 1], pads = [0, 0, 0, 0]} : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
  return %3 : tensor<1x4x4x4xf32>
}

// -----

// Where the ways do not meet, as the sum is returned too, the epilogue ends before they part.
// CHECK-LABEL: @parting
func.func @parting(%a: tensor<4x8xf32>, %w: tensor<8x4xf32>) -> (tensor<4x4xf32>, tensor<4x4xf32>) {
  // CHECK: dsc.group
  // CHECK: dsc.matmul
  // CHECK-NEXT: dsc.relu
  // CHECK-NEXT: dsc.yield
  // CHECK: dsc.group
  %0 = dsc.matmul %a, %w : (tensor<4x8xf32>, tensor<8x4xf32>) -> tensor<4x4xf32>
  %1 = dsc.relu %0 : (tensor<4x4xf32>) -> tensor<4x4xf32>
  %2 = dsc.exp %1 : (tensor<4x4xf32>) -> tensor<4x4xf32>
  return %1, %2 : tensor<4x4xf32>, tensor<4x4xf32>
}

// -----

// A row's sum that is broadcast again is no epilogue: the dims differ.
// CHECK-LABEL: @broadcast
func.func @broadcast(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // CHECK-COUNT-2: dsc.group
  %0 = dsc.reduce_sum %x {axes = [1]} : (tensor<4x8xf32>) -> tensor<4x1xf32>
  %1 = dsc.add %x, %0 : (tensor<4x8xf32>, tensor<4x1xf32>) -> tensor<4x8xf32>
  return %1 : tensor<4x8xf32>
}

// -----

// A reduction reads a chain as it is computed.
// CHECK-LABEL: @prologue
func.func @prologue(%x: tensor<4x8xf32>) -> tensor<8x1xf32> {
  // CHECK-COUNT-1: dsc.group
  // CHECK-NOT: dsc.group
  %0 = dsc.exp %x : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %1 = dsc.transpose %0 {permutation = [1, 0]} : (tensor<4x8xf32>) -> tensor<8x4xf32>
  %2 = dsc.reduce_sum %1 {axes = [1]} : (tensor<8x4xf32>) -> tensor<8x1xf32>
  return %2 : tensor<8x1xf32>
}

// -----

// A product reads each element many times, so it takes in casts only.
// CHECK-LABEL: @product
func.func @product(%x: tensor<4x8xf32>, %h: tensor<4x8xf16>, %w: tensor<8x4xf32>) -> (tensor<4x4xf32>, tensor<4x4xf32>) {
  // CHECK: dsc.group
  // CHECK: dsc.exp
  // CHECK: dsc.group
  // CHECK-NEXT: ^bb0
  // CHECK-NEXT: dsc.matmul
  // CHECK: dsc.group
  // CHECK: dsc.cast
  // CHECK-NEXT: dsc.matmul
  %0 = dsc.exp %x : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %1 = dsc.matmul %0, %w : (tensor<4x8xf32>, tensor<8x4xf32>) -> tensor<4x4xf32>
  %2 = dsc.cast %h : (tensor<4x8xf16>) -> tensor<4x8xf32>
  %3 = dsc.matmul %2, %w : (tensor<4x8xf32>, tensor<8x4xf32>) -> tensor<4x4xf32>
  return %1, %3 : tensor<4x4xf32>, tensor<4x4xf32>
}

// -----

// Between two heroes a chain is the first one's epilogue, where it is computed once an element.
// CHECK-LABEL: @between
func.func @between(%x: tensor<1x1x6x6xf32>, %w: tensor<1x1x3x3xf32>) -> tensor<1x1x2x2xf32> {
  // CHECK: dsc.conv
  // CHECK-NEXT: dsc.relu
  // CHECK-NEXT: dsc.yield
  // CHECK: dsc.max_pool
  %0 = dsc.conv %x, %w {strides = [1, 1], dilations = [1, 1], pads = [0, 0, 0, 0], groups = 1}
     : (tensor<1x1x6x6xf32>, tensor<1x1x3x3xf32>) -> tensor<1x1x4x4xf32>
  %1 = dsc.relu %0 : (tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32>
  %2 = dsc.max_pool %1 {window = [2, 2], strides = [2, 2], dilations = [1, 1], pads = [0, 0, 0, 0]}
     : (tensor<1x1x4x4xf32>) -> tensor<1x1x2x2xf32>
  return %2 : tensor<1x1x2x2xf32>
}

// -----

// One hero a group.
// CHECK-LABEL: @two_heroes
func.func @two_heroes(%a: tensor<4x4xf32>, %b: tensor<4x4xf32>) -> tensor<4x4xf32> {
  // CHECK-COUNT-2: dsc.group
  %0 = dsc.matmul %a, %b : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %1 = dsc.softmax %a {axis = 1 : i64} : (tensor<4x4xf32>) -> tensor<4x4xf32>
  %2 = dsc.add %0, %1 : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  return %2 : tensor<4x4xf32>
}

// -----

// A sum of which a row takes its norm is a second result, where the sum goes on as it is.
// CHECK-LABEL: @norm_and_sum
func.func @norm_and_sum(%x: tensor<4x8xf32>, %p: tensor<4x8xf32>, %s: tensor<8xf32>, %w: tensor<8x8xf32>) -> tensor<4x8xf32> {
  // CHECK: %[[BOTH:.*]]:2 = dsc.group(%arg0, %arg1, %arg2)
  // CHECK: %[[SUM:.*]] = dsc.add
  // CHECK: %[[NORM:.*]] = dsc.layer_norm
  // CHECK: dsc.yield %{{.*}}, %[[SUM]]
  // CHECK: dsc.group(%[[BOTH]]#0, %arg3, %[[BOTH]]#1)
  // CHECK-NOT: dsc.group
  %0 = dsc.add %x, %p : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  %1 = dsc.layer_norm %0 {axis = 1 : i64, epsilon = 1.0e-5 : f64} : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %2 = dsc.mul %1, %s : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32>
  %3 = dsc.matmul %2, %w : (tensor<4x8xf32>, tensor<8x8xf32>) -> tensor<4x8xf32>
  %4 = dsc.add %3, %0 : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  return %4 : tensor<4x8xf32>
}

// -----

// Not a product's epilogue, which costs nothing there; nor what is costly, for each pass over the row computes it; nor
// what somebody wants before the norm.
// CHECK-LABEL: @no_second
func.func @no_second(%x: tensor<4x8xf32>, %p: tensor<4x8xf32>, %w: tensor<8x8xf32>)
    -> (tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>) {
  // CHECK-NOT: :2 = dsc.group
  %0 = dsc.matmul %x, %w : (tensor<4x8xf32>, tensor<8x8xf32>) -> tensor<4x8xf32>
  %1 = dsc.add %0, %p : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  %2 = dsc.softmax %1 {axis = 1 : i64} : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %3 = dsc.exp %x : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %4 = dsc.softmax %3 {axis = 1 : i64} : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %5 = dsc.add %x, %p : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  %6 = dsc.matmul %5, %w : (tensor<4x8xf32>, tensor<8x8xf32>) -> tensor<4x8xf32>
  %7 = dsc.add %5, %6 : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  %8 = dsc.softmax %7 {axis = 1 : i64} : (tensor<4x8xf32>) -> tensor<4x8xf32>
  return %1, %2, %3, %4, %8, %5 : tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>
}

// -----

// A join that goes on in another type, too, as a cache does, is written with its cast.
// CHECK-LABEL: @join_and_cast
func.func @join_and_cast(%x: tensor<4x8xf16>, %p: tensor<2x8xf16>, %w: tensor<8x8xf16>) -> (tensor<6x8xf32>, tensor<6x8xf16>) {
  // CHECK: %[[BOTH:.*]]:2 = dsc.group(%arg0, %arg1)
  // CHECK: %[[JOIN:.*]] = dsc.concat
  // CHECK: %[[CAST:.*]] = dsc.cast %[[JOIN]]
  // CHECK: dsc.yield %[[CAST]], %[[JOIN]]
  // CHECK: dsc.group(%[[BOTH]]#1, %arg2)
  // CHECK-NOT: dsc.group
  // CHECK: return %[[BOTH]]#0
  %0 = dsc.concat %x, %p {axis = 0 : i64} : (tensor<4x8xf16>, tensor<2x8xf16>) -> tensor<6x8xf16>
  %1 = dsc.cast %0 : (tensor<6x8xf16>) -> tensor<6x8xf32>
  %2 = dsc.matmul %0, %w : (tensor<6x8xf16>, tensor<8x8xf16>) -> tensor<6x8xf16>
  return %1, %2 : tensor<6x8xf32>, tensor<6x8xf16>
}

// -----

// Not a sum, which a product may have made. And a product whose result is joined keeps its own kernel.
// CHECK-LABEL: @no_second_move
func.func @no_second_move(%x: tensor<4x8xf16>, %p: tensor<4x8xf16>, %w: tensor<8x8xf16>)
    -> (tensor<4x8xf32>, tensor<4x8xf16>, tensor<8x8xf32>, tensor<8x8xf16>) {
  // CHECK: dsc.group
  // CHECK: dsc.add
  // CHECK-NEXT: dsc.yield
  // CHECK: dsc.group
  // CHECK: dsc.cast
  // CHECK-NEXT: dsc.yield
  // CHECK: dsc.group
  // CHECK: dsc.matmul
  // CHECK-NEXT: dsc.yield
  // CHECK: :2 = dsc.group
  // CHECK: dsc.concat
  // CHECK-NEXT: dsc.cast
  %0 = dsc.add %x, %p : (tensor<4x8xf16>, tensor<4x8xf16>) -> tensor<4x8xf16>
  %1 = dsc.cast %0 : (tensor<4x8xf16>) -> tensor<4x8xf32>
  %2 = dsc.matmul %x, %w : (tensor<4x8xf16>, tensor<8x8xf16>) -> tensor<4x8xf16>
  %3 = dsc.concat %2, %p {axis = 0 : i64} : (tensor<4x8xf16>, tensor<4x8xf16>) -> tensor<8x8xf16>
  %4 = dsc.cast %3 : (tensor<8x8xf16>) -> tensor<8x8xf32>
  return %1, %0, %4, %3 : tensor<4x8xf32>, tensor<4x8xf16>, tensor<8x8xf32>, tensor<8x8xf16>
}

// -----

// Nor does a product join a group that writes a move besides: then its elements would each be summed up alone.
// CHECK-LABEL: @no_product_beside_move
func.func @no_product_beside_move(%x: tensor<4x8xf16>, %p: tensor<2x8xf16>, %w: tensor<8x8xf16>, %y: tensor<6x8xf16>)
    -> (tensor<6x8xf16>, tensor<6x8xf16>) {
  // CHECK: dsc.group
  // CHECK: dsc.matmul
  // CHECK-NEXT: dsc.yield
  // CHECK: :2 = dsc.group
  // CHECK: dsc.concat
  // CHECK-NEXT: dsc.add
  // CHECK-NEXT: dsc.yield
  %0 = dsc.matmul %y, %w : (tensor<6x8xf16>, tensor<8x8xf16>) -> tensor<6x8xf16>
  %1 = dsc.concat %x, %p {axis = 0 : i64} : (tensor<4x8xf16>, tensor<2x8xf16>) -> tensor<6x8xf16>
  %2 = dsc.add %0, %1 : (tensor<6x8xf16>, tensor<6x8xf16>) -> tensor<6x8xf16>
  return %2, %1 : tensor<6x8xf16>, tensor<6x8xf16>
}

// -----

// A first layer with its channels last reads its image where it lies. What makes the image, a pad, stays in memory.
// CHECK-LABEL: @first
func.func @first(%x: tensor<1x3x8x8xf32>, %z: tensor<f32>, %w: tensor<3x3x3x4xf32>) -> tensor<1x8x8x4xf32> {
  // CHECK: dsc.group
  // CHECK-NEXT: ^bb0
  // CHECK-NEXT: dsc.pad
  // CHECK-NEXT: dsc.yield
  // CHECK: dsc.group
  // CHECK-NEXT: ^bb0
  // CHECK-NEXT: dsc.transpose
  // CHECK-NEXT: dsc.conv
  %0 = dsc.pad %x, %z {lows = #dsc.dims<0, 0, 1, 1>, highs = #dsc.dims<0, 0, 1, 1>} : (tensor<1x3x8x8xf32>, tensor<f32>) -> tensor<1x3x10x10xf32>
  %1 = dsc.transpose %0 {permutation = [0, 2, 3, 1]} : (tensor<1x3x10x10xf32>) -> tensor<1x10x10x3xf32>
  %2 = dsc.conv %1, %w {channels_last, strides = [1, 1], dilations = [1, 1], pads = [0, 0, 0, 0], groups = 1} : (tensor<1x10x10x3xf32>, tensor<3x3x3x4xf32>) -> tensor<1x8x8x4xf32>
  return %2 : tensor<1x8x8x4xf32>
}

// -----

// Not so where pixels may lie outside, and where channels are many.
// CHECK-LABEL: @moved
func.func @moved(%x: tensor<1x3x8x8xf32>, %w: tensor<3x3x3x4xf32>, %y: tensor<1x16x8x8xf32>, %v: tensor<1x1x16x4xf32>) -> (tensor<1x8x8x4xf32>, tensor<1x8x8x4xf32>) {
  // CHECK-COUNT-4: dsc.group
  %0 = dsc.transpose %x {permutation = [0, 2, 3, 1]} : (tensor<1x3x8x8xf32>) -> tensor<1x8x8x3xf32>
  %1 = dsc.conv %0, %w {channels_last, strides = [1, 1], dilations = [1, 1], pads = [1, 1, 1, 1], groups = 1} : (tensor<1x8x8x3xf32>, tensor<3x3x3x4xf32>) -> tensor<1x8x8x4xf32>
  %2 = dsc.transpose %y {permutation = [0, 2, 3, 1]} : (tensor<1x16x8x8xf32>) -> tensor<1x8x8x16xf32>
  %3 = dsc.conv %2, %v {channels_last, strides = [1, 1], dilations = [1, 1], pads = [0, 0, 0, 0], groups = 1} : (tensor<1x8x8x16xf32>, tensor<1x1x16x4xf32>) -> tensor<1x8x8x4xf32>
  return %1, %3 : tensor<1x8x8x4xf32>, tensor<1x8x8x4xf32>
}
