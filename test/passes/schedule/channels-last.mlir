// Convolutions with channels last: those of single pixels are products, others see their filter as a matrix, which may
// lie in panels.
// RUN: dscc-opt %s --pass-pipeline='builtin.module(builtin.module(func.func(dsc-prepare-groups)))' | FileCheck %s
// RUN: dscc-opt %s --pass-pipeline='builtin.module(builtin.module(func.func(dsc-prepare-groups,dsc-schedule-groups)),dsc-pack-constants)' \
// RUN:   | FileCheck %s --check-prefix=PACKED

module {
module @cpu_v4 attributes {dsc.target = "cpu_v4"} {

// All pixels of all images are rows of one matrix; so are those of what is added. The bias is a row.
// CHECK-LABEL: func.func @points
// CHECK: dsc.group{{.*}} {label = "conv_add"}
// CHECK-NEXT: ^bb0(%[[X:.*]]: tensor<98x5xf32>, %[[W:.*]]: tensor<5x16xf32>, %[[B:.*]]: tensor<1x16xf32>, %[[R:.*]]: tensor<98x16xf32>):
// CHECK-NEXT: %[[P:.*]] = dsc.matmul %[[X]], %[[W]] : (tensor<98x5xf32>, tensor<5x16xf32>) -> tensor<98x16xf32>
// CHECK-NEXT: %[[S:.*]] = dsc.add %[[P]], %[[B]]
// CHECK-NEXT: dsc.add %[[S]], %[[R]] : (tensor<98x16xf32>, tensor<98x16xf32>) -> tensor<98x16xf32>
func.func @points(%x: tensor<2x7x7x5xf32>, %w: tensor<1x1x5x16xf32>, %b: tensor<1x1x1x16xf32>, %r: tensor<2x7x7x16xf32>)
    -> tensor<2x7x7x16xf32> {
  %0 = dsc.group (%x, %w, %b, %r)
     : (tensor<2x7x7x5xf32>, tensor<1x1x5x16xf32>, tensor<1x1x1x16xf32>, tensor<2x7x7x16xf32>) -> tensor<2x7x7x16xf32> {
  ^bb0(%a: tensor<2x7x7x5xf32>, %f: tensor<1x1x5x16xf32>, %c: tensor<1x1x1x16xf32>, %d: tensor<2x7x7x16xf32>):
    %1 = dsc.conv %a, %f {channels_last, strides = [1, 1], dilations = [1, 1], pads = [0, 0, 0, 0], groups = 1}
       : (tensor<2x7x7x5xf32>, tensor<1x1x5x16xf32>) -> tensor<2x7x7x16xf32>
    %2 = dsc.add %1, %c : (tensor<2x7x7x16xf32>, tensor<1x1x1x16xf32>) -> tensor<2x7x7x16xf32>
    %3 = dsc.add %2, %d : (tensor<2x7x7x16xf32>, tensor<2x7x7x16xf32>) -> tensor<2x7x7x16xf32>
    dsc.yield %3 : tensor<2x7x7x16xf32>
  }
  return %0 : tensor<2x7x7x16xf32>
}

// Images are scaled each by its own numbers: only the pixels of one image are rows of one matrix.
// CHECK-LABEL: func.func @scaled
// CHECK: ^bb0(%{{.*}}: tensor<2x49x5xf32>, %{{.*}}: tensor<1x5x16xf32>, %{{.*}}: tensor<2x1x16xf32>):
// CHECK-NEXT: dsc.matmul {{.*}} -> tensor<2x49x16xf32>
func.func @scaled(%x: tensor<2x7x7x5xf32>, %w: tensor<1x1x5x16xf32>, %s: tensor<2x1x1x16xf32>) -> tensor<2x7x7x16xf32> {
  %0 = dsc.group (%x, %w, %s)
     : (tensor<2x7x7x5xf32>, tensor<1x1x5x16xf32>, tensor<2x1x1x16xf32>) -> tensor<2x7x7x16xf32> {
  ^bb0(%a: tensor<2x7x7x5xf32>, %f: tensor<1x1x5x16xf32>, %c: tensor<2x1x1x16xf32>):
    %1 = dsc.conv %a, %f {channels_last, strides = [1, 1], dilations = [1, 1], pads = [0, 0, 0, 0], groups = 1}
       : (tensor<2x7x7x5xf32>, tensor<1x1x5x16xf32>) -> tensor<2x7x7x16xf32>
    %2 = dsc.mul %1, %c : (tensor<2x7x7x16xf32>, tensor<2x1x1x16xf32>) -> tensor<2x7x7x16xf32>
    dsc.yield %2 : tensor<2x7x7x16xf32>
  }
  return %0 : tensor<2x7x7x16xf32>
}

// Each line is scaled by its own number: no pixels can be joined.
// CHECK-LABEL: func.func @lines
// CHECK: ^bb0(%{{.*}}: tensor<2x7x7x5xf32>, %[[F:.*]]: tensor<5x16xf32>, %{{.*}}: tensor<1x7x1x1xf32>):
// CHECK-NEXT: %[[W:.*]] = dsc.reshape %[[F]] : (tensor<5x16xf32>) -> tensor<1x1x5x16xf32>
// CHECK-NEXT: dsc.conv %{{.*}}, %[[W]]
func.func @lines(%x: tensor<2x7x7x5xf32>, %w: tensor<1x1x5x16xf32>, %s: tensor<1x7x1x1xf32>) -> tensor<2x7x7x16xf32> {
  %0 = dsc.group (%x, %w, %s)
     : (tensor<2x7x7x5xf32>, tensor<1x1x5x16xf32>, tensor<1x7x1x1xf32>) -> tensor<2x7x7x16xf32> {
  ^bb0(%a: tensor<2x7x7x5xf32>, %f: tensor<1x1x5x16xf32>, %c: tensor<1x7x1x1xf32>):
    %1 = dsc.conv %a, %f {channels_last, strides = [1, 1], dilations = [1, 1], pads = [0, 0, 0, 0], groups = 1}
       : (tensor<2x7x7x5xf32>, tensor<1x1x5x16xf32>) -> tensor<2x7x7x16xf32>
    %2 = dsc.mul %1, %c : (tensor<2x7x7x16xf32>, tensor<1x7x1x1xf32>) -> tensor<2x7x7x16xf32>
    dsc.yield %2 : tensor<2x7x7x16xf32>
  }
  return %0 : tensor<2x7x7x16xf32>
}

// A window of three pixels of two channels: 6 rows of 3 columns.
// CHECK-LABEL: func.func @window
// CHECK: ^bb0(%{{.*}}: tensor<1x14x2xf32>, %[[F:.*]]: tensor<6x3xf32>):
// CHECK-NEXT: %[[W:.*]] = dsc.reshape %[[F]] : (tensor<6x3xf32>) -> tensor<3x2x3xf32>
// CHECK-NEXT: dsc.conv %{{.*}}, %[[W]]
// PACKED-LABEL: func.func @window
// PACKED: %[[P:.*]] = dsc.constant #dsc.panels<dense<{{.*}}> : tensor<6x3xf32>>
// PACKED: dsc.group(%{{.*}}, %[[P]]) {label = "conv", schedule = #dsc.schedule<tiles, {{.*}}packed = 1, {{.*}}>}
// PACKED-NEXT: ^bb0(%{{.*}}: tensor<1x14x2xf32>, %[[A:.*]]: tensor<1x6x16xf32>):
// PACKED-NEXT: %[[M:.*]] = dsc.unpack %[[A]] : (tensor<1x6x16xf32>) -> tensor<6x3xf32>
// PACKED-NEXT: %[[W:.*]] = dsc.reshape %[[M]]
// PACKED-NEXT: dsc.conv %{{.*}}, %[[W]]
func.func @window(%x: tensor<1x14x2xf32>) -> tensor<1x14x3xf32> {
  %w = dsc.constant dense<[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], [[7.0, 8.0, 9.0], [1.0, 2.0, 3.0]], [[4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]]> : tensor<3x2x3xf32>
  %0 = dsc.group (%x, %w) : (tensor<1x14x2xf32>, tensor<3x2x3xf32>) -> tensor<1x14x3xf32> {
  ^bb0(%a: tensor<1x14x2xf32>, %f: tensor<3x2x3xf32>):
    %1 = dsc.conv %a, %f {channels_last, strides = [1], dilations = [1], pads = [1, 1], groups = 1}
       : (tensor<1x14x2xf32>, tensor<3x2x3xf32>) -> tensor<1x14x3xf32>
    dsc.yield %1 : tensor<1x14x3xf32>
  }
  return %0 : tensor<1x14x3xf32>
}

// Each channel by itself: panels would help with nothing. Pixels of a tile share what lies under their windows if they
// are known to be of one line: 4 of 16, with all channels; and where registers hold it, 8 of 16 for 7 elements of a line.
// PACKED-LABEL: func.func @depthwise
// PACKED: schedule = #dsc.schedule<tiles, {{.*}}packed = 0, {{.*}}rows = 4, vectors = 4, width = 16>
func.func @depthwise(%x: tensor<1x16x16x64xf32>, %w: tensor<3x3x1x64xf32>) -> tensor<1x16x16x64xf32> {
  %0 = dsc.group (%x, %w) : (tensor<1x16x16x64xf32>, tensor<3x3x1x64xf32>) -> tensor<1x16x16x64xf32> {
  ^bb0(%a: tensor<1x16x16x64xf32>, %f: tensor<3x3x1x64xf32>):
    %1 = dsc.conv %a, %f {channels_last, strides = [1, 1], dilations = [1, 1], pads = [1, 1, 1, 1], groups = 64}
       : (tensor<1x16x16x64xf32>, tensor<3x3x1x64xf32>) -> tensor<1x16x16x64xf32>
    dsc.yield %1 : tensor<1x16x16x64xf32>
  }
  return %0 : tensor<1x16x16x64xf32>
}

// PACKED-LABEL: func.func @depthwise_wide
// PACKED: schedule = #dsc.schedule<tiles, {{.*}}packed = 0, {{.*}}rows = 2, vectors = 4, width = 16>
func.func @depthwise_wide(%x: tensor<1x16x16x64xf32>, %w: tensor<7x7x1x64xf32>) -> tensor<1x16x16x64xf32> {
  %0 = dsc.group (%x, %w) : (tensor<1x16x16x64xf32>, tensor<7x7x1x64xf32>) -> tensor<1x16x16x64xf32> {
  ^bb0(%a: tensor<1x16x16x64xf32>, %f: tensor<7x7x1x64xf32>):
    %1 = dsc.conv %a, %f {channels_last, strides = [1, 1], dilations = [1, 1], pads = [3, 3, 3, 3], groups = 64}
       : (tensor<1x16x16x64xf32>, tensor<7x7x1x64xf32>) -> tensor<1x16x16x64xf32>
    dsc.yield %1 : tensor<1x16x16x64xf32>
  }
  return %0 : tensor<1x16x16x64xf32>
}
}
}
