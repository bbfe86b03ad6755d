// Columns that are apart in memory are gathered, a load a lane: tiles of many rows and one vector then need the fewest
// of them. Neighbours in memory are loaded at once, and four vectors share what is loaded of the rows.
// RUN: dscc-opt %s --pass-pipeline='builtin.module(builtin.module(func.func(dsc-prepare-groups,dsc-schedule-groups)))' | FileCheck %s

module {
module @cpu_v4 attributes {dsc.target = "cpu_v4"} {
// CHECK-LABEL: func.func @convolutions
// CHECK: schedule = #dsc.schedule<tiles, {{.*}}rows = 13, vectors = 1, width = 16>
// CHECK: schedule = #dsc.schedule<tiles, {{.*}}rows = 6, vectors = 4, width = 16>
func.func @convolutions(%x: tensor<1x32x128x128xf32>, %w: tensor<64x32x1x1xf32>)
    -> (tensor<1x64x64x64xf32>, tensor<1x64x64x128xf32>) {
  %strided = dsc.group(%x, %w) : (tensor<1x32x128x128xf32>, tensor<64x32x1x1xf32>) -> tensor<1x64x64x64xf32> {
  ^bb0(%l: tensor<1x32x128x128xf32>, %r: tensor<64x32x1x1xf32>):
    %p = dsc.conv %l, %r {strides = [2, 2], dilations = [1, 1], pads = [0, 0, 0, 0], groups = 1}
        : (tensor<1x32x128x128xf32>, tensor<64x32x1x1xf32>) -> tensor<1x64x64x64xf32>
    dsc.yield %p : tensor<1x64x64x64xf32>
  }
  %dense = dsc.group(%x, %w) : (tensor<1x32x128x128xf32>, tensor<64x32x1x1xf32>) -> tensor<1x64x64x128xf32> {
  ^bb0(%l: tensor<1x32x128x128xf32>, %r: tensor<64x32x1x1xf32>):
    %p = dsc.conv %l, %r {strides = [2, 1], dilations = [1, 1], pads = [0, 0, 0, 0], groups = 1}
        : (tensor<1x32x128x128xf32>, tensor<64x32x1x1xf32>) -> tensor<1x64x64x128xf32>
    dsc.yield %p : tensor<1x64x64x128xf32>
  }
  return %strided, %dense : tensor<1x64x64x64xf32>, tensor<1x64x64x128xf32>
}

// Of products the right side decides, by itself or with what its group does to it.
// CHECK-LABEL: func.func @products
// CHECK: schedule = #dsc.schedule<tiles, {{.*}}rows = 13, vectors = 1, width = 16>
// CHECK: schedule = #dsc.schedule<tiles, {{.*}}rows = 13, vectors = 1, width = 16>
// CHECK: schedule = #dsc.schedule<tiles, {{.*}}rows = 13, vectors = 1, width = 16>
// CHECK: schedule = #dsc.schedule<tiles, {{.*}}rows = 6, vectors = 4, width = 16>
func.func @products(%x: tensor<64x32xf32>, %y: tensor<64x32xf32>, %z: tensor<32x128xf32>)
    -> (tensor<64x64xf32>, tensor<64x64xf32>, tensor<64x64xf32>, tensor<64x128xf32>) {
  %a = dsc.group(%x, %y) : (tensor<64x32xf32>, tensor<64x32xf32>) -> tensor<64x64xf32> {
  ^bb0(%l: tensor<64x32xf32>, %r: tensor<64x32xf32>):
    %p = dsc.matmul %l, %r {transpose_rhs} : (tensor<64x32xf32>, tensor<64x32xf32>) -> tensor<64x64xf32>
    dsc.yield %p : tensor<64x64xf32>
  }
  %b = dsc.group(%x, %y) : (tensor<64x32xf32>, tensor<64x32xf32>) -> tensor<64x64xf32> {
  ^bb0(%l: tensor<64x32xf32>, %r: tensor<64x32xf32>):
    %e = dsc.exp %r : (tensor<64x32xf32>) -> tensor<64x32xf32>
    %t = dsc.transpose %e {permutation = [1, 0]} : (tensor<64x32xf32>) -> tensor<32x64xf32>
    %n = dsc.neg %t : (tensor<32x64xf32>) -> tensor<32x64xf32>
    %p = dsc.matmul %l, %n : (tensor<64x32xf32>, tensor<32x64xf32>) -> tensor<64x64xf32>
    dsc.yield %p : tensor<64x64xf32>
  }
  %c = dsc.group(%x, %z) : (tensor<64x32xf32>, tensor<32x128xf32>) -> tensor<64x64xf32> {
  ^bb0(%l: tensor<64x32xf32>, %r: tensor<32x128xf32>):
    %s = dsc.slice %r {starts = #dsc.dims<0, 0>, sizes = #dsc.dims<32, 64>, steps = [1, 2]} : (tensor<32x128xf32>) -> tensor<32x64xf32>
    %p = dsc.matmul %l, %s : (tensor<64x32xf32>, tensor<32x64xf32>) -> tensor<64x64xf32>
    dsc.yield %p : tensor<64x64xf32>
  }
  %d = dsc.group(%x, %z) : (tensor<64x32xf32>, tensor<32x128xf32>) -> tensor<64x128xf32> {
  ^bb0(%l: tensor<64x32xf32>, %r: tensor<32x128xf32>):
    %p = dsc.matmul %l, %r : (tensor<64x32xf32>, tensor<32x128xf32>) -> tensor<64x128xf32>
    dsc.yield %p : tensor<64x128xf32>
  }
  return %a, %b, %c, %d : tensor<64x64xf32>, tensor<64x64xf32>, tensor<64x64xf32>, tensor<64x128xf32>
}
}
}
