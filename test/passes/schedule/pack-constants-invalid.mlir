// RUN: dscc-opt %s --split-input-file --dsc-pack-constants --verify-diagnostics

module @cpu_v4 attributes {dsc.target = "cpu_v4"} {
  func.func @main(%x: tensor<4x2xf32>, %w: tensor<2x3xf32>) -> tensor<4x3xf32> {
    // expected-error@+1 {{has a schedule that wants a packed constant, but the right side is no constant}}
    %0 = dsc.group (%x, %w) {schedule = #dsc.schedule<tiles, columns_outside = 1, packed = 1, row_tiles = 1, rows = 4, vectors = 1, width = 4>}
       : (tensor<4x2xf32>, tensor<2x3xf32>) -> tensor<4x3xf32> {
    ^bb0(%a: tensor<4x2xf32>, %b: tensor<2x3xf32>):
      %1 = dsc.matmul %a, %b : (tensor<4x2xf32>, tensor<2x3xf32>) -> tensor<4x3xf32>
      dsc.yield %1 : tensor<4x3xf32>
    }
    return %0 : tensor<4x3xf32>
  }
}

// -----

module @cpu_v4 attributes {dsc.target = "cpu_v4"} {
  func.func @main(%x: tensor<4x2xf32>) -> tensor<4x3xf32> {
    %w = dsc.constant dense<1.0> : tensor<2x3xf32>
    // expected-error@+1 {{has a schedule that wants a packed constant, but the elements of the constant are all equal, or no whole bytes}}
    %0 = dsc.group (%x, %w) {schedule = #dsc.schedule<tiles, columns_outside = 1, packed = 1, row_tiles = 1, rows = 4, vectors = 1, width = 4>}
       : (tensor<4x2xf32>, tensor<2x3xf32>) -> tensor<4x3xf32> {
    ^bb0(%a: tensor<4x2xf32>, %b: tensor<2x3xf32>):
      %1 = dsc.matmul %a, %b : (tensor<4x2xf32>, tensor<2x3xf32>) -> tensor<4x3xf32>
      dsc.yield %1 : tensor<4x3xf32>
    }
    return %0 : tensor<4x3xf32>
  }
}

// -----

// One constant cannot lie in two ways.
module @cpu_v4 attributes {dsc.target = "cpu_v4"} {
  func.func @main(%x: tensor<4x2xf32>) -> tensor<4x2xf32> {
    %w = dsc.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
    %0 = dsc.group (%x, %w) {schedule = #dsc.schedule<tiles, columns_outside = 1, packed = 1, row_tiles = 1, rows = 4, vectors = 1, width = 2>}
       : (tensor<4x2xf32>, tensor<2x2xf32>) -> tensor<4x2xf32> {
    ^bb0(%a: tensor<4x2xf32>, %b: tensor<2x2xf32>):
      %1 = dsc.matmul %a, %b : (tensor<4x2xf32>, tensor<2x2xf32>) -> tensor<4x2xf32>
      dsc.yield %1 : tensor<4x2xf32>
    }
    // expected-error@+1 {{has a schedule that wants a packed constant, which another group wants by other columns}}
    %2 = dsc.group (%0, %w) {schedule = #dsc.schedule<tiles, columns_outside = 1, packed = 1, row_tiles = 1, rows = 4, vectors = 1, width = 2>}
       : (tensor<4x2xf32>, tensor<2x2xf32>) -> tensor<4x2xf32> {
    ^bb0(%a: tensor<4x2xf32>, %b: tensor<2x2xf32>):
      %1 = dsc.matmul %a, %b {transpose_rhs} : (tensor<4x2xf32>, tensor<2x2xf32>) -> tensor<4x2xf32>
      dsc.yield %1 : tensor<4x2xf32>
    }
    return %2 : tensor<4x2xf32>
  }
}
