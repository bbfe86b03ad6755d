// What schedules want packed lies in panels of 16 columns, for all who can read them.
// RUN: dscc-opt %s --split-input-file --dsc-pack-constants | FileCheck %s

// A matrix that lies column by column, for both levels, which share the panels' constant. The product is named after
// what the model has, and casts see the matrix as it is now.
// CHECK-LABEL: module @cpu_v4
// CHECK: %[[P:.*]] = dsc.constant #dsc.panels<dense<{{.*}}> : tensor<3x2xf16>, transposed>
// CHECK-NOT: dsc.constant
// CHECK: dsc.group(%{{.*}}, %[[P]]) {label = "cast_matmul",
// CHECK: ^bb0(%{{.*}}: tensor<4x2xf32>, %[[B:.*]]: tensor<1x2x16xf16>):
// CHECK-NEXT: %[[M:.*]] = dsc.unpack %[[B]] : (tensor<1x2x16xf16>) -> tensor<2x3xf16>
// CHECK-NEXT: %[[C:.*]] = dsc.cast %[[M]] : (tensor<2x3xf16>) -> tensor<2x3xf32>
// CHECK-NEXT: dsc.matmul %{{.*}}, %[[C]] : (tensor<4x2xf32>, tensor<2x3xf32>) -> tensor<4x3xf32>
// CHECK-LABEL: module @cpu_v3
// CHECK: dsc.constant #dsc.panels<dense<{{.*}}> : tensor<3x2xf16>, transposed>
// CHECK: dsc.unpack
// CUDA's product by the same matrix reads the panels; who reads single elements keeps the constant.
// CHECK-LABEL: module @cuda_sm80
// CHECK-DAG: %[[P:.*]] = dsc.constant #dsc.panels<dense<{{.*}}> : tensor<3x2xf16>, transposed>
// CHECK-DAG: %[[W:.*]] = dsc.constant dense<{{.*}}> : tensor<3x2xf16>{{$}}
// CHECK: dsc.group(%{{.*}}, %[[P]])
// CHECK: dsc.unpack
// CHECK: dsc.group(%[[W]])
module {
  module @cpu_v4 attributes {dsc.target = "cpu_v4"} {
    func.func @main(%x: tensor<4x2xf32>) -> tensor<4x3xf32> {
      %w = dsc.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf16>
      %0 = dsc.group (%x, %w) {schedule = #dsc.schedule<tiles, columns_outside = 1, packed = 1, row_tiles = 1, rows = 4, vectors = 1, width = 4>}
         : (tensor<4x2xf32>, tensor<3x2xf16>) -> tensor<4x3xf32> {
      ^bb0(%a: tensor<4x2xf32>, %b: tensor<3x2xf16>):
        %c = dsc.cast %b : (tensor<3x2xf16>) -> tensor<3x2xf32>
        %1 = dsc.matmul %a, %c {transpose_rhs} : (tensor<4x2xf32>, tensor<3x2xf32>) -> tensor<4x3xf32>
        dsc.yield %1 : tensor<4x3xf32>
      }
      return %0 : tensor<4x3xf32>
    }
  }
  module @cpu_v3 attributes {dsc.target = "cpu_v3"} {
    func.func @main(%x: tensor<4x2xf32>) -> tensor<4x3xf32> {
      %w = dsc.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf16>
      %0 = dsc.group (%x, %w) {schedule = #dsc.schedule<tiles, columns_outside = 1, packed = 1, row_tiles = 1, rows = 2, vectors = 1, width = 4>}
         : (tensor<4x2xf32>, tensor<3x2xf16>) -> tensor<4x3xf32> {
      ^bb0(%a: tensor<4x2xf32>, %b: tensor<3x2xf16>):
        %c = dsc.cast %b : (tensor<3x2xf16>) -> tensor<3x2xf32>
        %1 = dsc.matmul %a, %c {transpose_rhs} : (tensor<4x2xf32>, tensor<3x2xf32>) -> tensor<4x3xf32>
        dsc.yield %1 : tensor<4x3xf32>
      }
      return %0 : tensor<4x3xf32>
    }
  }
  module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
    func.func @main(%x: tensor<4x2xf32>) -> (tensor<4x3xf32>, tensor<3x2xf16>) {
      %w = dsc.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf16>
      %0 = dsc.group (%x, %w) {schedule = #dsc.schedule<elementwise, width = 1>}
         : (tensor<4x2xf32>, tensor<3x2xf16>) -> tensor<4x3xf32> {
      ^bb0(%a: tensor<4x2xf32>, %b: tensor<3x2xf16>):
        %c = dsc.cast %b : (tensor<3x2xf16>) -> tensor<3x2xf32>
        %1 = dsc.matmul %a, %c {transpose_rhs} : (tensor<4x2xf32>, tensor<3x2xf32>) -> tensor<4x3xf32>
        dsc.yield %1 : tensor<4x3xf32>
      }
      %1 = dsc.group (%w) {schedule = #dsc.schedule<elementwise, width = 1>} : (tensor<3x2xf16>) -> tensor<3x2xf16> {
      ^bb0(%a: tensor<3x2xf16>):
        %2 = dsc.relu %a : (tensor<3x2xf16>) -> tensor<3x2xf16>
        dsc.yield %2 : tensor<3x2xf16>
      }
      return %0, %1 : tensor<4x3xf32>, tensor<3x2xf16>
    }
  }
}

// -----

// Matrices of a batch, one after the other.
// CHECK-LABEL: module @cpu_v4
// CHECK: dsc.constant #dsc.panels<dense<{{.*}}> : tensor<3x1x2xf32>>
// CHECK: dsc.unpack %{{.*}} : (tensor<3x1x1x16xf32>) -> tensor<3x1x2xf32>
module @cpu_v4 attributes {dsc.target = "cpu_v4"} {
  func.func @main(%x: tensor<3x4x1xf32>) -> tensor<3x4x2xf32> {
    %w = dsc.constant dense<[[[1.0, 2.0]], [[3.0, 4.0]], [[5.0, 6.0]]]> : tensor<3x1x2xf32>
    %0 = dsc.group (%x, %w) {schedule = #dsc.schedule<tiles, columns_outside = 1, packed = 1, row_tiles = 1, rows = 4, vectors = 1, width = 2>}
       : (tensor<3x4x1xf32>, tensor<3x1x2xf32>) -> tensor<3x4x2xf32> {
    ^bb0(%a: tensor<3x4x1xf32>, %b: tensor<3x1x2xf32>):
      %1 = dsc.matmul %a, %b : (tensor<3x4x1xf32>, tensor<3x1x2xf32>) -> tensor<3x4x2xf32>
      dsc.yield %1 : tensor<3x4x2xf32>
    }
    return %0 : tensor<3x4x2xf32>
  }
}

// -----

// A tied embedding is stored once: rows that are looked up are columns of the matrix.
// CHECK-LABEL: module @cpu_v4
// CHECK: %[[P:.*]] = dsc.constant #dsc.panels<dense<{{.*}}> : tensor<3x2xf32>, transposed>
// CHECK-NOT: dsc.constant
// CHECK: dsc.group(%[[P]], %{{.*}}) {label = "gather",
// CHECK: %[[M:.*]] = dsc.unpack %{{.*}} : (tensor<1x2x16xf32>) -> tensor<2x3xf32>
// CHECK-NEXT: %[[T:.*]] = dsc.transpose %[[M]] {permutation = [1, 0]} : (tensor<2x3xf32>) -> tensor<3x2xf32>
// CHECK-NEXT: dsc.gather %[[T]], %{{.*}} {axis = 0 : i64} : (tensor<3x2xf32>, tensor<4xi64>) -> tensor<4x2xf32>
// CHECK: dsc.group(%{{.*}}, %[[P]]) {label = "matmul",
module @cpu_v4 attributes {dsc.target = "cpu_v4"} {
  func.func @main(%i: tensor<4xi64>) -> tensor<4x3xf32> {
    %w = dsc.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf32>
    %x = dsc.group (%w, %i) {schedule = #dsc.schedule<elementwise, width = 2>} : (tensor<3x2xf32>, tensor<4xi64>) -> tensor<4x2xf32> {
    ^bb0(%a: tensor<3x2xf32>, %b: tensor<4xi64>):
      %1 = dsc.gather %a, %b {axis = 0 : i64} : (tensor<3x2xf32>, tensor<4xi64>) -> tensor<4x2xf32>
      dsc.yield %1 : tensor<4x2xf32>
    }
    %0 = dsc.group (%x, %w) {schedule = #dsc.schedule<tiles, columns_outside = 1, packed = 1, row_tiles = 1, rows = 4, vectors = 1, width = 4>}
       : (tensor<4x2xf32>, tensor<3x2xf32>) -> tensor<4x3xf32> {
    ^bb0(%a: tensor<4x2xf32>, %b: tensor<3x2xf32>):
      %1 = dsc.matmul %a, %b {transpose_rhs} : (tensor<4x2xf32>, tensor<3x2xf32>) -> tensor<4x3xf32>
      dsc.yield %1 : tensor<4x3xf32>
    }
    return %0 : tensor<4x3xf32>
  }
}

// -----

// A view of the constant, and the same constant under other dims: one list of bytes. No schedule wants the second group's.
// CHECK-LABEL: module @cpu_v4
// CHECK-NOT: dsc.reshape
// CHECK-DAG: dsc.constant #dsc.panels<dense<{{.*}}> : tensor<2x3xf32>>
// CHECK: dsc.unpack %{{.*}} : (tensor<1x1x2x16xf32>) -> tensor<1x2x3xf32>
// CHECK: packed = 0
// CHECK-NOT: dsc.unpack
module @cpu_v4 attributes {dsc.target = "cpu_v4"} {
  func.func @main(%x: tensor<1x4x2xf32>, %y: tensor<4x2xf32>) -> (tensor<1x4x3xf32>, tensor<4x3xf32>) {
    %w = dsc.constant dense<[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]> : tensor<6xf32>
    %v = dsc.reshape %w : (tensor<6xf32>) -> tensor<1x2x3xf32>
    %u = dsc.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 7.0]]> : tensor<2x3xf32>
    %0 = dsc.group (%x, %v) {schedule = #dsc.schedule<tiles, columns_outside = 1, packed = 1, row_tiles = 1, rows = 4, vectors = 1, width = 4>}
       : (tensor<1x4x2xf32>, tensor<1x2x3xf32>) -> tensor<1x4x3xf32> {
    ^bb0(%a: tensor<1x4x2xf32>, %b: tensor<1x2x3xf32>):
      %1 = dsc.matmul %a, %b : (tensor<1x4x2xf32>, tensor<1x2x3xf32>) -> tensor<1x4x3xf32>
      dsc.yield %1 : tensor<1x4x3xf32>
    }
    %2 = dsc.group (%y, %u) {schedule = #dsc.schedule<tiles, columns_outside = 1, packed = 0, row_tiles = 1, rows = 4, vectors = 1, width = 4>}
       : (tensor<4x2xf32>, tensor<2x3xf32>) -> tensor<4x3xf32> {
    ^bb0(%a: tensor<4x2xf32>, %b: tensor<2x3xf32>):
      %1 = dsc.matmul %a, %b : (tensor<4x2xf32>, tensor<2x3xf32>) -> tensor<4x3xf32>
      dsc.yield %1 : tensor<4x3xf32>
    }
    return %0, %2 : tensor<1x4x3xf32>, tensor<4x3xf32>
  }
}
