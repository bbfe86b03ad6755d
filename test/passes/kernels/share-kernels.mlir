// Groups that compute the same with other operands are launches of one kernel; each launch has its own nodes.
// RUN: dscc-opt %s --split-input-file --dsc-journey="until=streamed disable=fuse-groups" | FileCheck %s

// Two products, their weights apart; names and places of the nodes do not count.
// CHECK-LABEL: module @cpu_v4
// CHECK-SAME: dsc.launches = [{kernel = @[[K:matmul_[0-9a-f]+]], nodes = "first"}, {kernel = @[[K]], nodes = "second"}]
// CHECK: llvm.func @[[K]](
// CHECK-NOT: llvm.func @matmul
// CHECK: llvm.func @run(
// CHECK-LABEL: module @cuda_sm80
// CHECK-SAME: dsc.launches = [{kernel = @[[G:matmul_[0-9a-f]+]], nodes = "first"}, {kernel = @[[G]], nodes = "second"}]
// CHECK: gpu.module @kernels
// CHECK: llvm.func @[[G]](
// CHECK-NOT: llvm.func @matmul
func.func @main(%x: tensor<5x32xf32> {dsc.name = "x"}) -> (tensor<5x32xf32> {dsc.name = "y"}) {
  %v = dsc.constant dense<0.5> : tensor<32x32xf32>
  %w = dsc.constant dense<2.5> : tensor<32x32xf32>
  %0 = dsc.matmul %x, %v : (tensor<5x32xf32>, tensor<32x32xf32>) -> tensor<5x32xf32> loc("first")
  %1 = dsc.matmul %0, %w : (tensor<5x32xf32>, tensor<32x32xf32>) -> tensor<5x32xf32> loc("second")
  return %1 : tensor<5x32xf32>
}

// -----

// Another attribute, another order of operands: other work.
// CHECK-LABEL: module @cpu_v4
// CHECK-SAME: dsc.launches = [{kernel = @[[A:softmax_[0-9a-f]+]], nodes = "a"}, {kernel = @[[B:softmax_[0-9a-f]+]], nodes = "b"},
// CHECK-SAME: {kernel = @[[C:sub_[0-9a-f]+]], nodes = "c"}, {kernel = @[[D:sub_[0-9a-f]+]], nodes = "d"}, {kernel = @[[A]], nodes = "e"}]
// CHECK-COUNT-4: llvm.func @{{softmax|sub}}_
// CHECK-NOT: llvm.func @{{softmax|sub}}_
// CHECK: llvm.func @run(
func.func @main(%x: tensor<40x40xf32> {dsc.name = "x"}) -> (tensor<40x40xf32> {dsc.name = "y"}) {
  %0 = dsc.softmax %x {axis = 0 : i64} : (tensor<40x40xf32>) -> tensor<40x40xf32> loc("a")
  %1 = dsc.softmax %0 {axis = 1 : i64} : (tensor<40x40xf32>) -> tensor<40x40xf32> loc("b")
  %2 = dsc.sub %x, %1 : (tensor<40x40xf32>, tensor<40x40xf32>) -> tensor<40x40xf32> loc("c")
  %3 = dsc.sub %2, %2 : (tensor<40x40xf32>, tensor<40x40xf32>) -> tensor<40x40xf32> loc("d")
  %4 = dsc.softmax %3 {axis = 0 : i64} : (tensor<40x40xf32>) -> tensor<40x40xf32> loc("e")
  return %4 : tensor<40x40xf32>
}
