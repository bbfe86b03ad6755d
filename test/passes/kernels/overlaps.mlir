// Where the target has programmatic launches, each kernel is to wait by itself for what comes before it; elsewhere none
// is. The wait itself is translation's (test/compiler/translate/overlaps.mlir), so that the generations share the code.
// RUN: dscc-opt %s --pass-pipeline="builtin.module(builtin.module(dsc-emit-kernels))" | FileCheck %s

// CHECK-NOT: griddepcontrol
// CHECK-LABEL: module @cuda_sm90a
// CHECK: llvm.func @relu_{{.*}} attributes {dsc.kernel = {overlaps, shared = 0 : i64, threads = [256, 1, 1]}
module attributes {} {
  module @cuda_sm90a attributes {dsc.target = "cuda_sm90a"} {
    func.func @main(%x: tensor<64xf32>) -> tensor<64xf32> {
      %y = dsc.group(%x) {schedule = #dsc.schedule<elementwise, width = 1>} : (tensor<64xf32>) -> tensor<64xf32> {
      ^bb0(%a: tensor<64xf32>):
        %0 = dsc.relu %a : (tensor<64xf32>) -> tensor<64xf32>
        dsc.yield %0 : tensor<64xf32>
      }
      return %y : tensor<64xf32>
    }
  }

  // CHECK-LABEL: module @cuda_sm80
  // CHECK-NOT: griddepcontrol
  // CHECK: llvm.func @relu_{{.*}} attributes {dsc.kernel = {shared = 0 : i64, threads = [256, 1, 1]}
  // CHECK-NOT: griddepcontrol
  module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
    func.func @main(%x: tensor<64xf32>) -> tensor<64xf32> {
      %y = dsc.group(%x) {schedule = #dsc.schedule<elementwise, width = 1>} : (tensor<64xf32>) -> tensor<64xf32> {
      ^bb0(%a: tensor<64xf32>):
        %0 = dsc.relu %a : (tensor<64xf32>) -> tensor<64xf32>
        dsc.yield %0 : tensor<64xf32>
      }
      return %y : tensor<64xf32>
    }
  }
}
