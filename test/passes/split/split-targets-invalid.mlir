// RUN: not dscc-opt %s --dsc-split-targets=targets=cpu_v9 2>&1 | FileCheck %s

// CHECK: error: there is no target 'cpu_v9'
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}
