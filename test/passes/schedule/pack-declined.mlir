// When a product's constant stays as it is, and why: --explain=schedule tells.
// RUN: dscc-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(builtin.module(func.func(dsc-prepare-groups,dsc-schedule-groups)),dsc-pack-constants{explain=^})'
// RUN: dscc-opt %s --split-input-file --pass-pipeline='builtin.module(builtin.module(func.func(dsc-prepare-groups,dsc-schedule-groups{pack=false})),dsc-pack-constants)' | FileCheck %s

// Without permission nobody wants anything packed.
// CHECK-NOT: packed = 1
// CHECK-NOT: dsc.unpack

// It is packed.
module attributes {dsc.symbols = []} {
module @cpu_v4 attributes {dsc.target = "cpu_v4"} {
  func.func @main(%x: tensor<64x2xf32>) -> (tensor<64x8xf32>) {
    %w = dsc.constant dense<[[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], [9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0]]> : tensor<2x8xf32>
    // expected-remark@+1 {{reads panels in place of 'tensor<2x8xf32>'}}
    %y = dsc.group (%x, %w) : (tensor<64x2xf32>, tensor<2x8xf32>) -> tensor<64x8xf32> {
    ^bb0(%a: tensor<64x2xf32>, %b: tensor<2x8xf32>):
      %1 = dsc.matmul %a, %b : (tensor<64x2xf32>, tensor<2x8xf32>) -> tensor<64x8xf32>
      dsc.yield %1 : tensor<64x8xf32>
    }
    return %y : tensor<64x8xf32>
  }
}
}

// -----

// Eight times the bytes.
module attributes {dsc.symbols = []} {
module @cpu_v4 attributes {dsc.target = "cpu_v4"} {
  func.func @main(%x: tensor<64x37xf64>) -> (tensor<64x2xf64>) {
    %w = dsc.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0], [9.0, 10.0], [11.0, 12.0], [13.0, 14.0], [15.0, 16.0], [17.0, 18.0], [19.0, 20.0], [21.0, 22.0], [23.0, 24.0], [25.0, 26.0], [27.0, 28.0], [29.0, 30.0], [31.0, 32.0], [33.0, 34.0], [35.0, 36.0], [37.0, 38.0], [39.0, 40.0], [41.0, 42.0], [43.0, 44.0], [45.0, 46.0], [47.0, 48.0], [49.0, 50.0], [51.0, 52.0], [53.0, 54.0], [55.0, 56.0], [57.0, 58.0], [59.0, 60.0], [61.0, 62.0], [63.0, 64.0], [65.0, 66.0], [67.0, 68.0], [69.0, 70.0], [71.0, 72.0], [73.0, 74.0]]> : tensor<37x2xf64>
    // expected-remark@+1 {{reads no panels: filled up to whole panels the constant would grow by more than a quarter}}
    %y = dsc.group (%x, %w) : (tensor<64x37xf64>, tensor<37x2xf64>) -> tensor<64x2xf64> {
    ^bb0(%a: tensor<64x37xf64>, %b: tensor<37x2xf64>):
      %1 = dsc.matmul %a, %b : (tensor<64x37xf64>, tensor<37x2xf64>) -> tensor<64x2xf64>
      dsc.yield %1 : tensor<64x2xf64>
    }
    return %y : tensor<64x2xf64>
  }
}
}

// -----

// A caller brings it.
module attributes {dsc.symbols = []} {
module @cpu_v4 attributes {dsc.target = "cpu_v4"} {
  func.func @main(%x: tensor<64x2xf32>, %w: tensor<2x8xf32>) -> (tensor<64x8xf32>) {
    // expected-remark@+1 {{reads no panels: the right side is no constant}}
    %y = dsc.group (%x, %w) : (tensor<64x2xf32>, tensor<2x8xf32>) -> tensor<64x8xf32> {
    ^bb0(%a: tensor<64x2xf32>, %b: tensor<2x8xf32>):
      %1 = dsc.matmul %a, %b : (tensor<64x2xf32>, tensor<2x8xf32>) -> tensor<64x8xf32>
      dsc.yield %1 : tensor<64x8xf32>
    }
    return %y : tensor<64x8xf32>
  }
}
}

// -----

// All elements are one.
module attributes {dsc.symbols = []} {
module @cpu_v4 attributes {dsc.target = "cpu_v4"} {
  func.func @main(%x: tensor<64x2xf32>) -> (tensor<64x8xf32>) {
    %w = dsc.constant dense<2.0> : tensor<2x8xf32>
    // expected-remark@+1 {{reads no panels: the elements of the constant are all equal, or no whole bytes}}
    %y = dsc.group (%x, %w) : (tensor<64x2xf32>, tensor<2x8xf32>) -> tensor<64x8xf32> {
    ^bb0(%a: tensor<64x2xf32>, %b: tensor<2x8xf32>):
      %1 = dsc.matmul %a, %b : (tensor<64x2xf32>, tensor<2x8xf32>) -> tensor<64x8xf32>
      dsc.yield %1 : tensor<64x8xf32>
    }
    return %y : tensor<64x8xf32>
  }
}
}

// -----

// Another group reads elements one by one.
module attributes {dsc.symbols = []} {
module @cpu_v4 attributes {dsc.target = "cpu_v4"} {
  func.func @main(%x: tensor<64x2xf32>) -> (tensor<64x8xf32>, tensor<2x8xf32>) {
    %w = dsc.constant dense<[[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], [9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0]]> : tensor<2x8xf32>
    // expected-remark@+1 {{reads no panels: the constant would be stored twice, because others read it another way}}
    %y = dsc.group (%x, %w) : (tensor<64x2xf32>, tensor<2x8xf32>) -> tensor<64x8xf32> {
    ^bb0(%a: tensor<64x2xf32>, %b: tensor<2x8xf32>):
      %1 = dsc.matmul %a, %b : (tensor<64x2xf32>, tensor<2x8xf32>) -> tensor<64x8xf32>
      dsc.yield %1 : tensor<64x8xf32>
    }
    %z = dsc.group (%w) : (tensor<2x8xf32>) -> tensor<2x8xf32> {
    ^bb0(%a: tensor<2x8xf32>):
      %1 = dsc.relu %a : (tensor<2x8xf32>) -> tensor<2x8xf32>
      dsc.yield %1 : tensor<2x8xf32>
    }
    return %y, %z : tensor<64x8xf32>, tensor<2x8xf32>
  }
}
}

// -----

// It is a result of the model.
module attributes {dsc.symbols = []} {
module @cpu_v4 attributes {dsc.target = "cpu_v4"} {
  func.func @main(%x: tensor<64x2xf32>) -> (tensor<64x8xf32>, tensor<2x8xf32>) {
    %w = dsc.constant dense<[[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], [9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0]]> : tensor<2x8xf32>
    // expected-remark@+1 {{reads no panels: the constant would be stored twice, because others read it another way}}
    %y = dsc.group (%x, %w) : (tensor<64x2xf32>, tensor<2x8xf32>) -> tensor<64x8xf32> {
    ^bb0(%a: tensor<64x2xf32>, %b: tensor<2x8xf32>):
      %1 = dsc.matmul %a, %b : (tensor<64x2xf32>, tensor<2x8xf32>) -> tensor<64x8xf32>
      dsc.yield %1 : tensor<64x8xf32>
    }
    return %y, %w : tensor<64x8xf32>, tensor<2x8xf32>
  }
}
}
