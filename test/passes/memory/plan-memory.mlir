// RUN: dscc-opt %s --dsc-plan-memory --split-input-file | FileCheck %s
// RUN: dscc-opt %s --dsc-plan-memory="in-place=false share=false" --split-input-file | FileCheck %s --check-prefix=APART

// A result that is returned is written into the output; the one before it takes 16 B, rounded up to 64.
// CHECK-LABEL: @direct
// CHECK-SAME: dsc.arena = [{above = array<i64>, bytes = #dsc.dims<64>, live = array<i64: 0, 1>}]
func.func @direct(%x: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK: dsc.group(%{{.*}}) {outputs = [-1], places = array<i64: 0>}
  // CHECK: dsc.group(%{{.*}}) {outputs = [0], places = array<i64: -1>}
  %0 = dsc.group(%x) : (tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%a: tensor<4xf32>):
    %2 = dsc.exp %a : (tensor<4xf32>) -> tensor<4xf32>
    dsc.yield %2 : tensor<4xf32>
  }
  %1 = dsc.group(%0) : (tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%a: tensor<4xf32>):
    %2 = dsc.exp %a : (tensor<4xf32>) -> tensor<4xf32>
    dsc.yield %2 : tensor<4xf32>
  }
  return %1 : tensor<4xf32>
}

// -----

// Elements that are read where they are written may be overwritten; transposed ones may not.
// CHECK-LABEL: @in_place
// CHECK-SAME: dsc.arena = [{above = array<i64>, bytes = #dsc.dims<64>{{.*}}}, {above = array<i64: 0>, bytes = #dsc.dims<64>
// Switched off, each result lies on all the others.
// APART-LABEL: @in_place
// APART-SAME: {above = array<i64: 1>
// APART: places = array<i64: 0>
// APART: places = array<i64: 1>
// APART: places = array<i64: 2>
func.func @in_place(%x: tensor<4x4xf32>) -> tensor<4x4xf32> {
  // CHECK: outputs = [-1], places = array<i64: [[FIRST:.]]>
  // CHECK: outputs = [-1], places = array<i64: [[FIRST]]>
  // CHECK-NOT: outputs = [-1], places = array<i64: [[FIRST]]>
  // CHECK: outputs = [0]
  %0 = dsc.group(%x) : (tensor<4x4xf32>) -> tensor<4x4xf32> {
  ^bb0(%a: tensor<4x4xf32>):
    %4 = dsc.exp %a : (tensor<4x4xf32>) -> tensor<4x4xf32>
    dsc.yield %4 : tensor<4x4xf32>
  }
  %1 = dsc.group(%0) : (tensor<4x4xf32>) -> tensor<4x4xf32> {
  ^bb0(%a: tensor<4x4xf32>):
    %4 = dsc.sqrt %a : (tensor<4x4xf32>) -> tensor<4x4xf32>
    dsc.yield %4 : tensor<4x4xf32>
  }
  %2 = dsc.group(%1) : (tensor<4x4xf32>) -> tensor<4x4xf32> {
  ^bb0(%a: tensor<4x4xf32>):
    %4 = dsc.transpose %a {permutation = [1, 0]} : (tensor<4x4xf32>) -> tensor<4x4xf32>
    dsc.yield %4 : tensor<4x4xf32>
  }
  %3 = dsc.group(%2) : (tensor<4x4xf32>) -> tensor<4x4xf32> {
  ^bb0(%a: tensor<4x4xf32>):
    %4 = dsc.sqrt %a : (tensor<4x4xf32>) -> tensor<4x4xf32>
    dsc.yield %4 : tensor<4x4xf32>
  }
  return %3 : tensor<4x4xf32>
}

// -----

// A view keeps what it views alive: both the first and the second tensor live until the end, so neither shares.
// 4 * n bytes each, rounded up: 64 * floordiv(4 * n + 63, 64).
// CHECK-LABEL: @view
// CHECK-SAME: dsc.arena = [{above = array<i64>, bytes = #dsc.dims<"64*floordiv(4*n + 63, 64)">, live = array<i64: [[LIVE:.*]]>}, {above = array<i64: 0>, bytes = #dsc.dims<"64*floordiv(4*n + 63, 64)">
func.func @view(%x: tensor<?x1xf32, #dsc.dims<"n", 1>>) -> tensor<?xf32, #dsc.dims<"n">> {
  %0 = dsc.group(%x) : (tensor<?x1xf32, #dsc.dims<"n", 1>>) -> tensor<?x1xf32, #dsc.dims<"n", 1>> {
  ^bb0(%a: tensor<?x1xf32, #dsc.dims<"n", 1>>):
    %4 = dsc.exp %a : (tensor<?x1xf32, #dsc.dims<"n", 1>>) -> tensor<?x1xf32, #dsc.dims<"n", 1>>
    dsc.yield %4 : tensor<?x1xf32, #dsc.dims<"n", 1>>
  }
  %1 = dsc.reshape %0 : (tensor<?x1xf32, #dsc.dims<"n", 1>>) -> tensor<?xf32, #dsc.dims<"n">>
  %2 = dsc.group(%1) : (tensor<?xf32, #dsc.dims<"n">>) -> tensor<?xf32, #dsc.dims<"n">> {
  ^bb0(%a: tensor<?xf32, #dsc.dims<"n">>):
    %4 = dsc.sqrt %a : (tensor<?xf32, #dsc.dims<"n">>) -> tensor<?xf32, #dsc.dims<"n">>
    dsc.yield %4 : tensor<?xf32, #dsc.dims<"n">>
  }
  %3 = dsc.group(%1, %2) : (tensor<?xf32, #dsc.dims<"n">>, tensor<?xf32, #dsc.dims<"n">>) -> tensor<?xf32, #dsc.dims<"n">> {
  ^bb0(%a: tensor<?xf32, #dsc.dims<"n">>, %b: tensor<?xf32, #dsc.dims<"n">>):
    %4 = dsc.add %a, %b : (tensor<?xf32, #dsc.dims<"n">>, tensor<?xf32, #dsc.dims<"n">>) -> tensor<?xf32, #dsc.dims<"n">>
    dsc.yield %4 : tensor<?xf32, #dsc.dims<"n">>
  }
  return %3 : tensor<?xf32, #dsc.dims<"n">>
}
