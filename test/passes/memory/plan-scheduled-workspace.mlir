// RUN: dscc-opt %s --pass-pipeline='builtin.module(func.func(dsc-plan-memory))' | FileCheck %s

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
