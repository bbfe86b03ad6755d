// RUN: dscc-opt %s --pass-pipeline='builtin.module(builtin.module(func.func(dsc-prepare-groups,dsc-schedule-groups),dsc-emit-kernels))' | FileCheck %s

// Rows that are 6 apart: kernels read and write with the strides of the whole, and where a window begins is in no kernel. So
// both parts have one kernel, another than rows of 3 without a gap; the launches keep the windows.
// CHECK-LABEL: module @cuda_sm80
// CHECK-COUNT-2: dsc.launch @[[PART:exp_[0-9a-f]+]](%arg0) {{.*}}windows = [unit, {offset
// CHECK: dsc.launch @[[WHOLE:exp_[0-9a-f]+]](%{{.*}}) {
// CHECK: dsc.launch @[[READ:exp_[0-9a-f]+]](%{{.*}}) {{.*}}windows = [{offset
// CHECK: llvm.func @[[PART]](
// CHECK: %[[SIX:.*]] = arith.constant 6 : index
// CHECK: arith.muli %{{.*}}, %[[SIX]]
// CHECK: llvm.store

// Four neighbours at once only where each row of the whole begins at a multiple of four.
// CHECK-LABEL: module @quads
// CHECK: llvm.func @relu_{{[0-9a-f]+}}(
// CHECK: llvm.load {{.*}} {alignment = 16 : i64} : !llvm.ptr<1> -> vector<4xf32>
// CHECK: llvm.func @exp_{{[0-9a-f]+}}(
// CHECK-NOT: vector<4xf32>
// Matrix instructions copy operands in pieces of 16 bytes from where they lie, but not where each begins in the middle of
// two.
// CHECK-LABEL: module @pieces
// CHECK: llvm.func @whole_{{[0-9a-f]+}}(
// CHECK: nvvm.cp.async.shared.global
// CHECK: llvm.func @halves_{{[0-9a-f]+}}(
// CHECK-NOT: nvvm.cp.async.shared.global
module {
  module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
    func.func @main(%x: tensor<2x3xf32>) -> (tensor<2x6xf32>, tensor<2x3xf32>) {
      %0 = dsc.group(%x) {windows = [unit, {offset = #dsc.dims<0>, strides = #dsc.dims<6, 1>}]} : (tensor<2x3xf32>) -> tensor<2x3xf32> {
      ^bb0(%a: tensor<2x3xf32>):
        %b = dsc.exp %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
        dsc.yield %b : tensor<2x3xf32>
      }
      %1 = dsc.group(%x) {windows = [unit, {offset = #dsc.dims<3>, strides = #dsc.dims<6, 1>}]} : (tensor<2x3xf32>) -> tensor<2x3xf32> {
      ^bb0(%a: tensor<2x3xf32>):
        %b = dsc.exp %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
        dsc.yield %b : tensor<2x3xf32>
      }
      %2 = dsc.concat %0, %1 {axis = 1, in_place} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x6xf32>
      %3 = dsc.group(%2) : (tensor<2x6xf32>) -> tensor<2x6xf32> {
      ^bb0(%a: tensor<2x6xf32>):
        %b = dsc.exp %a : (tensor<2x6xf32>) -> tensor<2x6xf32>
        dsc.yield %b : tensor<2x6xf32>
      }
      %4 = dsc.group(%1) {windows = [{offset = #dsc.dims<3>, strides = #dsc.dims<6, 1>}, unit]} : (tensor<2x3xf32>) -> tensor<2x3xf32> {
      ^bb0(%a: tensor<2x3xf32>):
        %b = dsc.exp %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
        dsc.yield %b : tensor<2x3xf32>
      }
      return %3, %4 : tensor<2x6xf32>, tensor<2x3xf32>
    }
  }
  module @quads attributes {dsc.target = "cuda_sm80"} {
    func.func @main(%x: tensor<2x16xf32>, %y: tensor<2x18xf32>) -> (tensor<2x8xf32>, tensor<2x8xf32>) {
      %0 = dsc.slice %x {in_place, starts = #dsc.dims<0, 4>, sizes = #dsc.dims<2, 8>, steps = [1, 1]} : (tensor<2x16xf32>) -> tensor<2x8xf32>
      %1 = dsc.slice %y {in_place, starts = #dsc.dims<0, 4>, sizes = #dsc.dims<2, 8>, steps = [1, 1]} : (tensor<2x18xf32>) -> tensor<2x8xf32>
      %2 = dsc.group(%0) {windows = [{offset = #dsc.dims<4>, strides = #dsc.dims<16, 1>}, unit]} : (tensor<2x8xf32>) -> tensor<2x8xf32> {
      ^bb0(%a: tensor<2x8xf32>):
        %b = dsc.relu %a : (tensor<2x8xf32>) -> tensor<2x8xf32>
        dsc.yield %b : tensor<2x8xf32>
      }
      %3 = dsc.group(%1) {windows = [{offset = #dsc.dims<4>, strides = #dsc.dims<18, 1>}, unit]} : (tensor<2x8xf32>) -> tensor<2x8xf32> {
      ^bb0(%a: tensor<2x8xf32>):
        %b = dsc.exp %a : (tensor<2x8xf32>) -> tensor<2x8xf32>
        dsc.yield %b : tensor<2x8xf32>
      }
      return %2, %3 : tensor<2x8xf32>, tensor<2x8xf32>
    }
  }
  module @pieces attributes {dsc.target = "cuda_sm80"} {
    func.func @main(%x: tensor<64x2x80xf16>) -> (tensor<2x64x64xf16>, tensor<2x64x64xf16>) {
      %0 = dsc.slice %x {in_place, starts = #dsc.dims<0, 0, 8>, sizes = #dsc.dims<64, 2, 64>, steps = [1, 1, 1]} : (tensor<64x2x80xf16>) -> tensor<64x2x64xf16>
      %1 = dsc.transpose %0 {in_place, permutation = [1, 0, 2]} : (tensor<64x2x64xf16>) -> tensor<2x64x64xf16>
      %2 = dsc.slice %x {in_place, starts = #dsc.dims<0, 0, 4>, sizes = #dsc.dims<64, 2, 64>, steps = [1, 1, 1]} : (tensor<64x2x80xf16>) -> tensor<64x2x64xf16>
      %3 = dsc.transpose %2 {in_place, permutation = [1, 0, 2]} : (tensor<64x2x64xf16>) -> tensor<2x64x64xf16>
      %4 = dsc.group(%1) {label = "whole", windows = [{offset = #dsc.dims<8>, strides = #dsc.dims<80, 160, 1>}, unit],
          schedule = #dsc.schedule<tensor_tiles, cluster = 0, columns = 64, parts = 1, rows = 64, slice = 32, stages = 3, warp_columns = 32, warp_rows = 32>}
          : (tensor<2x64x64xf16>) -> tensor<2x64x64xf16> {
      ^bb0(%a: tensor<2x64x64xf16>):
        %b = dsc.matmul %a, %a : (tensor<2x64x64xf16>, tensor<2x64x64xf16>) -> tensor<2x64x64xf16>
        dsc.yield %b : tensor<2x64x64xf16>
      }
      %5 = dsc.group(%3) {label = "halves", windows = [{offset = #dsc.dims<4>, strides = #dsc.dims<80, 160, 1>}, unit],
          schedule = #dsc.schedule<tensor_tiles, cluster = 0, columns = 64, parts = 1, rows = 64, slice = 32, stages = 3, warp_columns = 32, warp_rows = 32>}
          : (tensor<2x64x64xf16>) -> tensor<2x64x64xf16> {
      ^bb0(%a: tensor<2x64x64xf16>):
        %b = dsc.matmul %a, %a : (tensor<2x64x64xf16>, tensor<2x64x64xf16>) -> tensor<2x64x64xf16>
        dsc.yield %b : tensor<2x64x64xf16>
      }
      return %4, %5 : tensor<2x64x64xf16>, tensor<2x64x64xf16>
    }
  }
}
