// RUN: dscc-opt %s --dsc-split-targets=targets=cpu_v3,cuda_sm80 | FileCheck %s

// Each target gets a copy; the top module keeps the signature.
// CHECK: func.func private @main(tensor<4xf32> {dsc.name = "x"}) -> tensor<4xf32>
// CHECK: module @cpu_v3 attributes {dsc.target = "cpu_v3"}
// CHECK-NEXT: func.func @main(%{{.*}}: tensor<4xf32> {dsc.name = "x"})
// CHECK: dsc.relu
// CHECK: module @cuda_sm80 attributes {dsc.target = "cuda_sm80"}
// CHECK: dsc.relu
// CHECK-NOT: @cpu_v4
func.func @main(%x: tensor<4xf32> {dsc.name = "x"}) -> tensor<4xf32> {
  %0 = dsc.relu %x : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
