// RUN: dscc-opt %s --dsc-split-targets=targets=cpu_v3,cuda | FileCheck %s

// Each target gets a copy; the top module keeps the signature.
// CHECK: func.func private @main(tensor<4xf32> {dsc.name = "x"}) -> tensor<4xf32>
// CHECK: module @cpu_v3 attributes {dsc.target = "cpu_v3"}
// CHECK-NEXT: func.func @main(%{{.*}}: tensor<4xf32> {dsc.name = "x"})
// CHECK: dsc.relu
// CHECK: module @cuda attributes {dsc.target = "cuda"}
// CHECK: dsc.relu
// CHECK-NOT: @cpu_v4
func.func @main(%x: tensor<4xf32> {dsc.name = "x"}) -> tensor<4xf32> {
  %0 = dsc.relu %x : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
