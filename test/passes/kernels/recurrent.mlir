// Which schedule a recurrence has, and what its kernels look like.
// RUN: dscc-opt %s --split-input-file --dsc-journey=until=scheduled | FileCheck %s --check-prefix=SCHEDULE
// RUN: dscc-opt %s --split-input-file --dsc-journey="until=emitted disable=unroll-loops" | FileCheck %s

// An LSTM: on a CPU a block walks up to 4 rows of a batch, in halves of what does not fit: 4 rows, 2 rows, 1 row. Its 3
// kept places of 4 rows and 48 units are scratch. On CUDA a warp's worth of threads, rounded up from 33 units, share one
// row's states between barriers: one behind the first states, one behind each step, one behind the last.
// SCHEDULE-LABEL: module @cpu_v4
// SCHEDULE: schedule = #dsc.schedule<recurrence, rows = 4, threads = 1, vectors = 1, width = {{[0-9]+}}>
// SCHEDULE-LABEL: module @cuda_sm80
// SCHEDULE: schedule = #dsc.schedule<recurrence, rows = 1, threads = 64, vectors = 1, width = 1>
// CHECK-LABEL: module @cpu_v4
// CHECK: llvm.func @recurrence_{{.*}} {dsc.kernel = {scratch = 2304 : i64}}
// CHECK: scf.if
// CHECK: scf.for %{{.*}} -> ({{(vector<16xf32>, ){15}vector<16xf32>}})
// CHECK: } else {
// CHECK: scf.if
// CHECK: scf.for %{{.*}} -> ({{(vector<16xf32>, ){7}vector<16xf32>}})
// CHECK: } else {
// CHECK: scf.for %{{.*}} -> ({{(vector<16xf32>, ){3}vector<16xf32>}})
// CHECK-LABEL: module @cuda_sm80
// CHECK: llvm.mlir.global internal @{{.*}}_states() {addr_space = 3 : i32{{.*}} : !llvm.array<99 x f32>
// CHECK: llvm.func @recurrence_{{.*}}nvvm.reqntid = array<i32: 64, 1, 1>
// CHECK-COUNT-3: nvvm.barrier0
// CHECK-NOT: nvvm.barrier0
// CHECK: llvm.return
module attributes {dsc.symbols = [{name = "t", min = 1 : i64, max = 1024 : i64, input = 0 : i64, axis = 0 : i64},
                                  {name = "b", min = 1 : i64, max = 1024 : i64, input = 0 : i64, axis = 1 : i64}]} {
func.func @main(%x: tensor<?x?x132xf32, #dsc.dims<"t", "b", 132>> {dsc.name = "x"}, %r: tensor<1x33x132xf32> {dsc.name = "r"},
                %h: tensor<1x?x33xf32, #dsc.dims<1, "b", 33>> {dsc.name = "h"})
    -> (tensor<?x1x?x33xf32, #dsc.dims<"t", 1, "b", 33>> {dsc.name = "y"}) {
  %y, %last:2 = dsc.recurrence gates(%x : tensor<?x?x132xf32, #dsc.dims<"t", "b", 132>>) weights(%r : tensor<1x33x132xf32>)
                initial(%h, %h : tensor<1x?x33xf32, #dsc.dims<1, "b", 33>>, tensor<1x?x33xf32, #dsc.dims<1, "b", 33>>) reverse [0]
                -> tensor<?x1x?x33xf32, #dsc.dims<"t", 1, "b", 33>>, tensor<1x?x33xf32, #dsc.dims<1, "b", 33>>,
                   tensor<1x?x33xf32, #dsc.dims<1, "b", 33>> {
  ^bb0(%g0: tensor<33xf32>, %g1: tensor<33xf32>, %g2: tensor<33xf32>, %g3: tensor<33xf32>, %s0: tensor<33xf32>,
       %s1: tensor<33xf32>, %p0: tensor<33xf32>, %p1: tensor<33xf32>, %p2: tensor<33xf32>, %p3: tensor<33xf32>):
    %0 = dsc.add %g0, %p0 : (tensor<33xf32>, tensor<33xf32>) -> tensor<33xf32>
    %1 = dsc.add %g1, %p1 : (tensor<33xf32>, tensor<33xf32>) -> tensor<33xf32>
    %2 = dsc.add %g2, %p2 : (tensor<33xf32>, tensor<33xf32>) -> tensor<33xf32>
    %3 = dsc.add %g3, %p3 : (tensor<33xf32>, tensor<33xf32>) -> tensor<33xf32>
    %4 = dsc.mul %0, %1 : (tensor<33xf32>, tensor<33xf32>) -> tensor<33xf32>
    %5 = dsc.mul %2, %3 : (tensor<33xf32>, tensor<33xf32>) -> tensor<33xf32>
    dsc.yield %4, %5 : tensor<33xf32>, tensor<33xf32>
  }
  return %y : tensor<?x1x?x33xf32, #dsc.dims<"t", 1, "b", 33>>
}
}

// -----

// One sum and two rows: two vectors of units at once, no more rows than the batch has, and no choice of halves. Two
// directions are two blocks.
// SCHEDULE-LABEL: module @cpu_v4
// SCHEDULE: schedule = #dsc.schedule<recurrence, rows = 2, threads = 1, vectors = 2, width = {{[0-9]+}}>
// CHECK-LABEL: module @cpu_v4
// CHECK: dsc.launch {{.*}}grid = #dsc.dims<2, 1, 1>
// CHECK-NOT: scf.if
// CHECK: scf.for %{{.*}} -> ({{(vector<16xf32>, ){3}vector<16xf32>}})
func.func @main(%x: tensor<5x2x256xf32> {dsc.name = "x"}, %r: tensor<2x128x128xf32> {dsc.name = "r"},
                %h: tensor<2x2x128xf32> {dsc.name = "h"}) -> (tensor<5x2x2x128xf32> {dsc.name = "y"}) {
  %y, %last = dsc.recurrence gates(%x : tensor<5x2x256xf32>) weights(%r : tensor<2x128x128xf32>)
              initial(%h : tensor<2x2x128xf32>) reverse [0, 1] -> tensor<5x2x2x128xf32>, tensor<2x2x128xf32> {
  ^bb0(%g: tensor<128xf32>, %s: tensor<128xf32>, %p: tensor<128xf32>):
    %0 = dsc.add %g, %p : (tensor<128xf32>, tensor<128xf32>) -> tensor<128xf32>
    dsc.yield %0 : tensor<128xf32>
  }
  return %y : tensor<5x2x2x128xf32>
}
