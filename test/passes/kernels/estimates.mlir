// What decides between ways to write a group, besides its sizes.
// RUN: dscc-opt %s --pass-pipeline='builtin.module(builtin.module(func.func(dsc-prepare-groups,dsc-schedule-groups)))' | FileCheck %s

module {
module @cpu_v3 attributes {dsc.target = "cpu_v3"} {
// Which lanes lie inside a padded image is found out at each step, with four of the 16 registers: eight sums fit beside
// them. Without pads there are twelve.
// CHECK-LABEL: func.func @masks
// CHECK: schedule = #dsc.schedule<tiles, {{.*}}rows = 8, vectors = 1, width = 8>
// CHECK: schedule = #dsc.schedule<tiles, {{.*}}rows = 4, vectors = 3, width = 8>
func.func @masks(%x: tensor<1x64x56x56xf32>, %w: tensor<64x64x3x3xf32>, %v: tensor<1x64x58x66xf32>)
    -> (tensor<1x64x56x56xf32>, tensor<1x64x56x64xf32>) {
  %0 = dsc.group(%x, %w) : (tensor<1x64x56x56xf32>, tensor<64x64x3x3xf32>) -> tensor<1x64x56x56xf32> {
  ^bb0(%l: tensor<1x64x56x56xf32>, %r: tensor<64x64x3x3xf32>):
    %p = dsc.conv %l, %r {strides = [1, 1], dilations = [1, 1], pads = [1, 1, 1, 1], groups = 1}
        : (tensor<1x64x56x56xf32>, tensor<64x64x3x3xf32>) -> tensor<1x64x56x56xf32>
    dsc.yield %p : tensor<1x64x56x56xf32>
  }
  %1 = dsc.group(%v, %w) : (tensor<1x64x58x66xf32>, tensor<64x64x3x3xf32>) -> tensor<1x64x56x64xf32> {
  ^bb0(%l: tensor<1x64x58x66xf32>, %r: tensor<64x64x3x3xf32>):
    %p = dsc.conv %l, %r {strides = [1, 1], dilations = [1, 1], pads = [0, 0, 0, 0], groups = 1}
        : (tensor<1x64x58x66xf32>, tensor<64x64x3x3xf32>) -> tensor<1x64x56x64xf32>
    dsc.yield %p : tensor<1x64x56x64xf32>
  }
  return %0, %1 : tensor<1x64x56x56xf32>, tensor<1x64x56x64xf32>
}

// While a long row waits for its additions there is nothing else to do; behind a short one the next is under way.
// CHECK-LABEL: func.func @rows
// CHECK: schedule = #dsc.schedule<rows, accumulators = 1,
// CHECK: schedule = #dsc.schedule<rows, accumulators = 4,
func.func @rows(%x: tensor<3030x33xf32>, %y: tensor<24x4096xf32>) -> (tensor<3030x1xf32>, tensor<24x1xf32>) {
  %0 = dsc.group(%x) : (tensor<3030x33xf32>) -> tensor<3030x1xf32> {
  ^bb0(%a: tensor<3030x33xf32>):
    %s = dsc.reduce_sum %a {axes = [1]} : (tensor<3030x33xf32>) -> tensor<3030x1xf32>
    dsc.yield %s : tensor<3030x1xf32>
  }
  %1 = dsc.group(%y) : (tensor<24x4096xf32>) -> tensor<24x1xf32> {
  ^bb0(%a: tensor<24x4096xf32>):
    %s = dsc.reduce_sum %a {axes = [1]} : (tensor<24x4096xf32>) -> tensor<24x1xf32>
    dsc.yield %s : tensor<24x1xf32>
  }
  return %0, %1 : tensor<3030x1xf32>, tensor<24x1xf32>
}
}

module @cuda_sm90a attributes {dsc.target = "cuda_sm90a"} {
// Of a warp that has a row of 3, most lanes idle; of one that has a row of 64, none.
// CHECK-LABEL: func.func @rows
// CHECK: schedule = #dsc.schedule<elementwise, width = 1>
// CHECK: schedule = #dsc.schedule<rows,
func.func @rows(%x: tensor<100000x3xf32>, %y: tensor<2857x64xf32>) -> (tensor<100000x3xf32>, tensor<2857x64xf32>) {
  %0 = dsc.group(%x) : (tensor<100000x3xf32>) -> tensor<100000x3xf32> {
  ^bb0(%a: tensor<100000x3xf32>):
    %s = dsc.softmax %a {axis = 1 : i64} : (tensor<100000x3xf32>) -> tensor<100000x3xf32>
    dsc.yield %s : tensor<100000x3xf32>
  }
  %1 = dsc.group(%y) : (tensor<2857x64xf32>) -> tensor<2857x64xf32> {
  ^bb0(%a: tensor<2857x64xf32>):
    %s = dsc.softmax %a {axis = 1 : i64} : (tensor<2857x64xf32>) -> tensor<2857x64xf32>
    dsc.yield %s : tensor<2857x64xf32>
  }
  return %0, %1 : tensor<100000x3xf32>, tensor<2857x64xf32>
}
}
}
