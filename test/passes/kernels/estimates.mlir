// What decides between ways to write a group, besides its sizes.
// RUN: dscc-opt %s --pass-pipeline='builtin.module(builtin.module(func.func(dsc-prepare-groups,dsc-schedule-groups)))' | FileCheck %s

module {
module @cpu_v3 attributes {dsc.target = "cpu_v3"} {
// Which lanes lie inside a padded image is found out at each step, with some of the 16 registers: eight sums fit beside
// those. Without pads there are twelve.
// CHECK-LABEL: func.func @masks
// CHECK: schedule = #dsc.schedule<tiles, {{.*}}rows = 8, vectors = 1, width = 8>
// CHECK: schedule = #dsc.schedule<tiles, {{.*}}rows = 6, vectors = 2, width = 8>
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

// Rows of 2048 bytes meet in few sets of the caches: what each tile of rows reads again comes from far away, so few tiles
// of many rows are best. Rows of 2000 bytes stay.
// CHECK-LABEL: func.func @sets
// CHECK: schedule = #dsc.schedule<tiles, {{.*}}rows = 13, vectors = 1, width = 8>
// CHECK: schedule = #dsc.schedule<tiles, {{.*}}rows = 4, vectors = 3, width = 8>
func.func @sets(%x: tensor<52x2048xf32>, %y: tensor<2048x512xf32>, %z: tensor<2048x500xf32>)
    -> (tensor<52x512xf32>, tensor<52x500xf32>) {
  %0 = dsc.group(%x, %y) : (tensor<52x2048xf32>, tensor<2048x512xf32>) -> tensor<52x512xf32> {
  ^bb0(%l: tensor<52x2048xf32>, %r: tensor<2048x512xf32>):
    %p = dsc.matmul %l, %r : (tensor<52x2048xf32>, tensor<2048x512xf32>) -> tensor<52x512xf32>
    dsc.yield %p : tensor<52x512xf32>
  }
  %1 = dsc.group(%x, %z) : (tensor<52x2048xf32>, tensor<2048x500xf32>) -> tensor<52x500xf32> {
  ^bb0(%l: tensor<52x2048xf32>, %r: tensor<2048x500xf32>):
    %p = dsc.matmul %l, %r : (tensor<52x2048xf32>, tensor<2048x500xf32>) -> tensor<52x500xf32>
    dsc.yield %p : tensor<52x500xf32>
  }
  return %0, %1 : tensor<52x512xf32>, tensor<52x500xf32>
}

// While a long row waits for its additions there is nothing else to do; behind a short one the next is under way.
// CHECK-LABEL: func.func @rows
// CHECK: schedule = #dsc.schedule<rows, accumulators = 1,
// CHECK: schedule = #dsc.schedule<rows, accumulators = 8,
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

// Loops over 7 elements are written out: what each thread needs of its whole row it computes once.
// CHECK-LABEL: func.func @short
// CHECK: schedule = #dsc.schedule<elementwise, width = 1>
func.func @short(%x: tensor<2857x7xf32>) -> tensor<2857x7xf32> {
  %0 = dsc.group(%x) : (tensor<2857x7xf32>) -> tensor<2857x7xf32> {
  ^bb0(%a: tensor<2857x7xf32>):
    %n = dsc.layer_norm %a {axis = 1 : i64, epsilon = 1.0e-05 : f64} : (tensor<2857x7xf32>) -> tensor<2857x7xf32>
    dsc.yield %n : tensor<2857x7xf32>
  }
  return %0 : tensor<2857x7xf32>
}

// Of few rows of 768 that each have a warp, it is that warp's functions that take the time: more warps have fewer each.
// CHECK-LABEL: func.func @functions
// CHECK: schedule = #dsc.schedule<block_rows, blocks = 1, warps = {{[48]}},
func.func @functions(%x: tensor<26x768xf32>) -> tensor<26x768xf32> {
  %0 = dsc.group(%x) : (tensor<26x768xf32>) -> tensor<26x768xf32> {
  ^bb0(%a: tensor<26x768xf32>):
    %s = dsc.softmax %a {axis = 1 : i64} : (tensor<26x768xf32>) -> tensor<26x768xf32>
    dsc.yield %s : tensor<26x768xf32>
  }
  return %0 : tensor<26x768xf32>
}
}

module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
// Threads that sum up an element each wait eight times for eight terms, which is less than four slices of a tile take;
// unless there are so many of them that the way to L1 is busy. Lanes whose rows lie apart ask for 32 places at once, and
// a sum of 256 terms is too long a wait: those are split.
// CHECK-LABEL: func.func @products
// CHECK: schedule = #dsc.schedule<elementwise, width = 1>
// CHECK: schedule = #dsc.schedule<shared_tiles,
// CHECK: schedule = #dsc.schedule<split_tiles, columns = 64, parts = 8,
// CHECK: schedule = #dsc.schedule<split_tiles, columns = 64, parts = 16,
func.func @products(%x0: tensor<127x64xf32>, %w0: tensor<64x127xf32>, %x1: tensor<512x64xf32>, %w1: tensor<64x512xf32>, %x2: tensor<16x128xf32>, %w2: tensor<128x128xf32>, %x3: tensor<2x256xf32>, %w3: tensor<256x256xf32>)
    -> (tensor<127x127xf32>, tensor<512x512xf32>, tensor<16x128xf32>, tensor<2x256xf32>) {
  %0 = dsc.group(%x0, %w0) : (tensor<127x64xf32>, tensor<64x127xf32>) -> tensor<127x127xf32> {
  ^bb0(%a: tensor<127x64xf32>, %b: tensor<64x127xf32>):
    %p = dsc.matmul %a, %b : (tensor<127x64xf32>, tensor<64x127xf32>) -> tensor<127x127xf32>
    dsc.yield %p : tensor<127x127xf32>
  }
  %1 = dsc.group(%x1, %w1) : (tensor<512x64xf32>, tensor<64x512xf32>) -> tensor<512x512xf32> {
  ^bb0(%a: tensor<512x64xf32>, %b: tensor<64x512xf32>):
    %p = dsc.matmul %a, %b : (tensor<512x64xf32>, tensor<64x512xf32>) -> tensor<512x512xf32>
    dsc.yield %p : tensor<512x512xf32>
  }
  %2 = dsc.group(%x2, %w2) : (tensor<16x128xf32>, tensor<128x128xf32>) -> tensor<16x128xf32> {
  ^bb0(%a: tensor<16x128xf32>, %b: tensor<128x128xf32>):
    %p = dsc.matmul %a, %b {transpose_rhs} : (tensor<16x128xf32>, tensor<128x128xf32>) -> tensor<16x128xf32>
    dsc.yield %p : tensor<16x128xf32>
  }
  %3 = dsc.group(%x3, %w3) : (tensor<2x256xf32>, tensor<256x256xf32>) -> tensor<2x256xf32> {
  ^bb0(%a: tensor<2x256xf32>, %b: tensor<256x256xf32>):
    %p = dsc.matmul %a, %b : (tensor<2x256xf32>, tensor<256x256xf32>) -> tensor<2x256xf32>
    dsc.yield %p : tensor<2x256xf32>
  }
  return %0, %1, %2, %3 : tensor<127x127xf32>, tensor<512x512xf32>, tensor<16x128xf32>, tensor<2x256xf32>
}

// All 9 taps of a window wait together: 3 channels are 3 waits. With 16, and many threads, units are busy with places,
// which those of a tile compute once for many sums.
// CHECK-LABEL: func.func @windows
// CHECK: schedule = #dsc.schedule<elementwise, width = 1>
// CHECK: schedule = #dsc.schedule<{{shared|split}}_tiles,
func.func @windows(%x0: tensor<1x3x64x64xf32>, %w0: tensor<16x3x3x3xf32>, %x1: tensor<1x16x56x56xf32>, %w1: tensor<64x16x3x3xf32>)
    -> (tensor<1x16x32x32xf32>, tensor<1x64x56x56xf32>) {
  %0 = dsc.group(%x0, %w0) : (tensor<1x3x64x64xf32>, tensor<16x3x3x3xf32>) -> tensor<1x16x32x32xf32> {
  ^bb0(%a: tensor<1x3x64x64xf32>, %b: tensor<16x3x3x3xf32>):
    %p = dsc.conv %a, %b {strides = [2, 2], dilations = [1, 1], pads = [1, 1, 1, 1], groups = 1}
        : (tensor<1x3x64x64xf32>, tensor<16x3x3x3xf32>) -> tensor<1x16x32x32xf32>
    dsc.yield %p : tensor<1x16x32x32xf32>
  }
  %1 = dsc.group(%x1, %w1) : (tensor<1x16x56x56xf32>, tensor<64x16x3x3xf32>) -> tensor<1x64x56x56xf32> {
  ^bb0(%a: tensor<1x16x56x56xf32>, %b: tensor<64x16x3x3xf32>):
    %p = dsc.conv %a, %b {strides = [1, 1], dilations = [1, 1], pads = [1, 1, 1, 1], groups = 1}
        : (tensor<1x16x56x56xf32>, tensor<64x16x3x3xf32>) -> tensor<1x64x56x56xf32>
    dsc.yield %p : tensor<1x64x56x56xf32>
  }
  return %0, %1 : tensor<1x16x32x32xf32>, tensor<1x64x56x56xf32>
}

// What few warps compute does not hide behind what they move: with all four accesses of a thread at once there are two
// warps of a scheduler, with two four.
// CHECK-LABEL: func.func @overlap
// CHECK: schedule = #dsc.schedule<elementwise, width = 2>
func.func @overlap(%x: tensor<40x52x52xf32>, %y: tensor<40x52x52xf32>) -> tensor<40x52x52xf32> {
  %0 = dsc.group(%x, %y) : (tensor<40x52x52xf32>, tensor<40x52x52xf32>) -> tensor<40x52x52xf32> {
  ^bb0(%a: tensor<40x52x52xf32>, %b: tensor<40x52x52xf32>):
    %s = dsc.add %a, %b : (tensor<40x52x52xf32>, tensor<40x52x52xf32>) -> tensor<40x52x52xf32>
    %r = dsc.sigmoid %s : (tensor<40x52x52xf32>) -> tensor<40x52x52xf32>
    dsc.yield %r : tensor<40x52x52xf32>
  }
  return %0 : tensor<40x52x52xf32>
}
}
}
