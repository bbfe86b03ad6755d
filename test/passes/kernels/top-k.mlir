// How top_k is scheduled, and what its kernels look like.
// RUN: dscc-opt %s --split-input-file --dsc-journey=until=scheduled | FileCheck %s --check-prefix=SCHEDULE
// RUN: dscc-opt %s --split-input-file --dsc-journey="until=emitted disable=unroll-loops" | FileCheck %s

// A short row on CUDA: a thread an element, nothing shared. On a CPU a heap, and lanes that look for what may enter it.
// SCHEDULE-LABEL: module @cpu_v4
// SCHEDULE: schedule = #dsc.schedule<top_k, ranks = 0, width = 16>
// SCHEDULE-LABEL: module @cuda_sm80
// SCHEDULE: schedule = #dsc.schedule<top_k, ranks = 1, width = 1>
// CHECK-LABEL: module @cpu_v4
// CHECK: scf.while
// CHECK: vector.reduction <or>
// CHECK-LABEL: module @cuda_sm80
// CHECK-NOT: llvm.mlir.global
// CHECK-NOT: nvvm.barrier0
// CHECK: nvvm.reqntid = array<i32: 256, 1, 1>
func.func @main(%x: tensor<3x64xf32> {dsc.name = "x"}) -> (tensor<3x9xf32> {dsc.name = "v"}, tensor<3x9xi64> {dsc.name = "i"}) {
  %v, %i = dsc.top_k %x {axis = 1 : i64, k = #dsc.dims<9>} : (tensor<3x64xf32>) -> (tensor<3x9xf32>, tensor<3x9xi64>)
  return %v, %i : tensor<3x9xf32>, tensor<3x9xi64>
}

// -----

// A longer one: a block, whose warps add up counts, has it. Only the indices are wanted, and only they are written.
// SCHEDULE-LABEL: module @cuda_sm80
// SCHEDULE: schedule = #dsc.schedule<top_k, ranks = 0, width = 1>} : (tensor<3x513xf32>) -> tensor<3x9xi64>
// CHECK-LABEL: module @cuda_sm80
// CHECK: dsc.launch {{.*}}grid = #dsc.dims<3, 1, 1>
// CHECK: llvm.mlir.global internal @{{.*}}_sums() {addr_space = 3 : i32{{.*}} : !llvm.array<8 x i32>
// CHECK: llvm.mlir.global internal @{{.*}}_counts() {addr_space = 3 : i32{{.*}} : !llvm.array<256 x i32>
// CHECK: nvvm.shfl.sync
// CHECK: nvvm.barrier0
func.func @main(%x: tensor<3x513xf32> {dsc.name = "x"}) -> (tensor<3x9xi64> {dsc.name = "i"}) {
  %v, %i = dsc.top_k %x {axis = 1 : i64, k = #dsc.dims<9>} : (tensor<3x513xf32>) -> (tensor<3x9xf32>, tensor<3x9xi64>)
  return %i : tensor<3x9xi64>
}
