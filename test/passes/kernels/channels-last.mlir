// How tiles of convolutions with channels last are written.
// RUN: dscc-opt %s --split-input-file --dsc-journey="until=emitted disable=unroll-loops" | FileCheck %s

// A window of 3 x 3 with pads. A row of 8 zeros stands for the channels of pixels outside; for each element of the window
// a pixel's channels are where it is inside, else there. The inner loop, over 8 channels, asks nothing: it loads a vector
// of the filter, and for each of the rows one number.
// CHECK-LABEL: module @cpu_v4
// CHECK: llvm.func @conv_relu_{{.*}}attributes {dsc.kernel = {scratch = 64 : i64}}
// CHECK: %[[ZEROS:.*]] = llvm.load %{{.*}} : !llvm.ptr -> !llvm.ptr
// CHECK: scf.for
// CHECK-NEXT: arith.index_cast
// CHECK-NEXT: %[[PLACE:.*]] = llvm.getelementptr %[[ZEROS]]
// CHECK-NEXT: llvm.store %{{.*}}, %[[PLACE]] {alignment = 4 : i64} : vector<16xf32>, !llvm.ptr
// CHECK: arith.cmpi ult
// CHECK: arith.cmpi ult
// CHECK: %[[INSIDE:.*]] = arith.andi
// CHECK: %[[LINE:.*]] = arith.select %[[INSIDE]], %{{.*}}, %[[ZEROS]] : !llvm.ptr
// CHECK: scf.for
// CHECK-NOT: arith.cmpi
// CHECK-NOT: masked
// CHECK: llvm.load %{{.*}} : !llvm.ptr -> vector<16xf32>
// CHECK: %[[AT:.*]] = llvm.getelementptr %[[LINE]]
// CHECK: llvm.load %[[AT]] {{.*}} : !llvm.ptr -> f32
// CHECK: math.fma
// CHECK-NOT: arith.cmpi
// CHECK: scf.yield
func.func @main(%x: tensor<1x9x9x8xf32> {dsc.name = "x"}, %w: tensor<3x3x8x16xf32> {dsc.name = "w"}) -> (tensor<1x9x9x16xf32> {dsc.name = "y"}) {
  %0 = dsc.conv %x, %w {channels_last, strides = [1, 1], dilations = [1, 1], pads = [1, 1, 1, 1], groups = 1}
     : (tensor<1x9x9x8xf32>, tensor<3x3x8x16xf32>) -> tensor<1x9x9x16xf32>
  %1 = dsc.relu %0 : (tensor<1x9x9x16xf32>) -> tensor<1x9x9x16xf32>
  return %1 : tensor<1x9x9x16xf32>
}

// -----

// Without pads along lines, a line of the window is one row of 3 * 4 channels: two loops, over 5 lines and over 12. No
// zeros are wanted, and nothing is compared.
// CHECK-LABEL: module @cpu_v4
// CHECK: llvm.func @conv_{{.*}}attributes {dsc.kernel = {scratch = 0 : i64}}
// CHECK-DAG: %[[LINES:.*]] = arith.constant 5 : index
// CHECK-DAG: %[[CHANNELS:.*]] = arith.constant 12 : index
// CHECK: scf.for %{{.*}} = %{{.*}} to %[[LINES]]
// CHECK: scf.for %{{.*}} = %{{.*}} to %[[CHANNELS]]
// CHECK: math.fma
func.func @main(%x: tensor<1x9x9x4xf32> {dsc.name = "x"}, %w: tensor<5x3x4x16xf32> {dsc.name = "w"}) -> (tensor<1x5x7x16xf32> {dsc.name = "y"}) {
  %0 = dsc.conv %x, %w {channels_last, strides = [1, 1], dilations = [1, 1], pads = [0, 0, 0, 0], groups = 1}
     : (tensor<1x9x9x4xf32>, tensor<5x3x4x16xf32>) -> tensor<1x5x7x16xf32>
  return %0 : tensor<1x5x7x16xf32>
}

// -----

// Each channel by itself: vectors of the image meet vectors of the filter. A tile is a line of 9 pixels, so that it is
// known which of them are outside: a line of the window is written out with 25 multiplications of 27. Of the window's
// lines those that are inside are gone through, and nothing is selected.
// CHECK-LABEL: module @cpu_v4
// CHECK: llvm.func @conv_{{.*}}attributes {dsc.kernel = {scratch = 64 : i64}}
// CHECK: arith.maxsi
// CHECK: arith.maxsi
// CHECK: %[[TO:[0-9]+]] = arith.minsi
// CHECK: scf.for {{.*}} to %[[TO]] step
// CHECK-NOT: arith.select
// CHECK: %[[F:.*]] = llvm.load %{{.*}} : !llvm.ptr -> vector<16xf32>
// CHECK: %[[X:.*]] = llvm.load %{{.*}} : !llvm.ptr -> vector<16xf32>
// CHECK: math.fma %[[X]], %[[F]], %{{.*}} : vector<16xf32>
// CHECK-COUNT-24: math.fma
// CHECK-NOT: math.fma
// CHECK: scf.yield
func.func @main(%x: tensor<1x9x9x16xf32> {dsc.name = "x"}, %w: tensor<3x3x1x16xf32> {dsc.name = "w"}) -> (tensor<1x9x9x16xf32> {dsc.name = "y"}) {
  %0 = dsc.conv %x, %w {channels_last, strides = [1, 1], dilations = [1, 1], pads = [1, 1, 1, 1], groups = 16}
     : (tensor<1x9x9x16xf32>, tensor<3x3x1x16xf32>) -> tensor<1x9x9x16xf32>
  return %0 : tensor<1x9x9x16xf32>
}

// -----

// A tile of 8 of 16 pixels is at an end of its line. Only what the first and the last pixel take there may be outside, and
// a tile at neither end asks nothing.
// CHECK-LABEL: module @cpu_v4
// CHECK: %[[INSIDE:[0-9]+]] = arith.andi
// CHECK: scf.if %[[INSIDE]]
// CHECK-NOT: arith.select
// CHECK: } else {
// CHECK-COUNT-2: arith.select
// CHECK-NOT: arith.select
// CHECK: llvm.return
func.func @main(%x: tensor<1x16x16x16xf32> {dsc.name = "x"}, %w: tensor<3x3x1x16xf32> {dsc.name = "w"}) -> (tensor<1x16x16x16xf32> {dsc.name = "y"}) {
  %0 = dsc.conv %x, %w {channels_last, strides = [1, 1], dilations = [1, 1], pads = [1, 1, 1, 1], groups = 16}
     : (tensor<1x16x16x16xf32>, tensor<3x3x1x16xf32>) -> tensor<1x16x16x16xf32>
  return %0 : tensor<1x16x16x16xf32>
}
