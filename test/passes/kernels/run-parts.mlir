// More parts than a row has elements: those behind its end have none, and leave what a sum begins with.
// REQUIRES: ptxas
// RUN: dscc %s --target=cuda --arch=sm_80 -o %t.so
// RUN: dscc-run %t.so --device=sim --sim-chip=sm_80 | FileCheck %s

// CHECK: result: float32 [2857, 1], min 1, max 1, mean 1, NaN: 0
module attributes {dsc.relations = [], dsc.stage = "grouped", dsc.symbols = []} {
  func.func private @main(tensor<2857x7xf32> {dsc.name = "x"}) -> (tensor<2857x1xf32> {dsc.name = "result"})
  module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
    func.func @main(%x: tensor<2857x7xf32> {dsc.name = "x"}) -> (tensor<2857x1xf32> {dsc.name = "result"}) {
      %0 = dsc.group(%x) {schedule = #dsc.schedule<split_rows, parts = 16, width = 1>} : (tensor<2857x7xf32>) -> tensor<2857x1xf32> {
      ^bb0(%a: tensor<2857x7xf32>):
        %m = dsc.reduce_max %a {axes = [1]} : (tensor<2857x7xf32>) -> tensor<2857x1xf32>
        %s = dsc.sub %a, %m : (tensor<2857x7xf32>, tensor<2857x1xf32>) -> tensor<2857x7xf32>
        %n = dsc.reduce_max %s {axes = [1]} : (tensor<2857x7xf32>) -> tensor<2857x1xf32>
        %e = dsc.exp %n : (tensor<2857x1xf32>) -> tensor<2857x1xf32>
        dsc.yield %e : tensor<2857x1xf32>
      }
      return %0 : tensor<2857x1xf32>
    }
  }
}
