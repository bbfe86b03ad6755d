// RUN: dscc-opt %s --dsc-plan-memory | FileCheck %s

// A workspace is live while its group runs: it lies beside what the group reads and writes, and on what is dead.
// Of three buffers of 64 bytes and a workspace of 128, no more than the workspace and its group's two tensors are live.
// CHECK-LABEL: @workspace
// CHECK-SAME: bytes = #dsc.dims<128>, live = array<i64: 1, 1>
func.func @workspace(%x: tensor<16xf32>) -> tensor<16xf32> {
  %0 = dsc.group(%x) : (tensor<16xf32>) -> tensor<16xf32> {
  ^bb0(%a: tensor<16xf32>):
    %3 = dsc.exp %a : (tensor<16xf32>) -> tensor<16xf32>
    dsc.yield %3 : tensor<16xf32>
  }
  // CHECK: workspace = #dsc.dims<100>, workspace_place = {{[0-9]}} : i64
  %1 = dsc.group(%0) {workspace = #dsc.dims<100>} : (tensor<16xf32>) -> tensor<16xf32> {
  ^bb0(%a: tensor<16xf32>):
    %3 = dsc.softmax %a {axis = 0 : i64} : (tensor<16xf32>) -> tensor<16xf32>
    dsc.yield %3 : tensor<16xf32>
  }
  // CHECK: dsc.group
  // CHECK-NOT: workspace
  %2 = dsc.group(%1) : (tensor<16xf32>) -> tensor<16xf32> {
  ^bb0(%a: tensor<16xf32>):
    %3 = dsc.exp %a : (tensor<16xf32>) -> tensor<16xf32>
    dsc.yield %3 : tensor<16xf32>
  }
  return %2 : tensor<16xf32>
}
