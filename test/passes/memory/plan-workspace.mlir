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

// What the schedules want, the most of them, in the runs for which they are.
// CHECK-LABEL: module @cuda_sm80
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  func.func @main(%x: tensor<?x512xf32, #dsc.dims<"m", 512>>, %w: tensor<512x8xf32>) -> tensor<?x8xf32, #dsc.dims<"m", 8>> {
    // CHECK: workspace = #dsc.dims<"max(128*min(7, m), 64*m)">, workspace_place = 0 : i64
    %0 = dsc.group(%x, %w) {schedule = [#dsc.schedule<split_tiles, columns = 64, parts = 4, rows = 64, slice = 16, "m" up_to 7>,
                                        #dsc.schedule<split_tiles, columns = 64, parts = 2, rows = 64, slice = 16>]}
       : (tensor<?x512xf32, #dsc.dims<"m", 512>>, tensor<512x8xf32>) -> tensor<?x8xf32, #dsc.dims<"m", 8>> {
    ^bb0(%a: tensor<?x512xf32, #dsc.dims<"m", 512>>, %b: tensor<512x8xf32>):
      %1 = dsc.matmul %a, %b : (tensor<?x512xf32, #dsc.dims<"m", 512>>, tensor<512x8xf32>) -> tensor<?x8xf32, #dsc.dims<"m", 8>>
      dsc.yield %1 : tensor<?x8xf32, #dsc.dims<"m", 8>>
    }
    return %0 : tensor<?x8xf32, #dsc.dims<"m", 8>>
  }
}
