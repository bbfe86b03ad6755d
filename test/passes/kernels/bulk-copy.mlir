// A copy by tensor maps, as a schedule by hand asks for it: the maps are described at the launch, the kernel takes them
// behind its tensors, and the host program has them encoded.
// RUN: dscc-opt %s --split-input-file --pass-pipeline="builtin.module(builtin.module(dsc-emit-kernels))" | FileCheck %s
// RUN: dscc-opt %s --split-input-file --pass-pipeline="builtin.module(builtin.module(dsc-emit-kernels),dsc-build-program)" | FileCheck %s --check-prefix=HOST

// CHECK: dsc.launch @slice_
// CHECK-SAME: tensor_maps = [{box = array<i64: 8, 32>, dims = #dsc.dims<"n", 64>, element = i32, strides = #dsc.dims<64, 1>, swizzle = 0 : i64, tensor = 0 : i64}, {box = array<i64: 8, 32>, dims = #dsc.dims<"n", 40>, element = i32, strides = #dsc.dims<40, 1>, swizzle = 0 : i64, tensor = 1 : i64}]
// CHECK: llvm.mlir.global internal @{{.*}}_box() {addr_space = 3 : i32, alignment = 128 : i64} : !llvm.array<1024 x i8>
// CHECK: llvm.func @slice_{{[^(]*}}(%{{.*}}: !llvm.ptr<1>, %{{.*}}: !llvm.ptr<1>, %{{.*}}: i64, %[[FROM:.*]]: !llvm.ptr {llvm.align = 64 : i64, llvm.byval = !llvm.array<128 x i8>, nvvm.grid_constant}, %[[TO:.*]]: !llvm.ptr {llvm.align = 64 : i64, llvm.byval = !llvm.array<128 x i8>, nvvm.grid_constant})
// CHECK: nvvm.mbarrier.init
// CHECK: nvvm.mbarrier.arrive.expect_tx {{.*}}, %c1024_i32
// CHECK: nvvm.cp.async.bulk.tensor.shared.cluster.global %{{.*}}, %[[FROM]],
// CHECK: nvvm.mbarrier.try_wait.parity
// CHECK: nvvm.cp.async.bulk.tensor.global.shared.cta %[[TO]],
// CHECK: nvvm.cp.async.bulk.wait_group 0

// HOST: dsc.services = ["encode_tensor_map", "launch"]
// HOST-SAME: dsc.tensor_maps = [{box = array<i64: 8, 32>, element = i32, swizzle = 0 : i64}, {box = array<i64: 8, 32>, element = i32, swizzle = 0 : i64}]
// HOST-LABEL: llvm.func @run
// HOST-COUNT-2: llvm.call {{.*}} : !llvm.ptr, (!llvm.ptr, i32, !llvm.ptr, !llvm.ptr, !llvm.ptr, !llvm.ptr) -> i32
// HOST: llvm.call {{.*}} : !llvm.ptr, (!llvm.ptr, i32, !llvm.ptr, !llvm.ptr) -> i32
module attributes {dsc.symbols = [{name = "n", min = 1 : i64, max = 64 : i64, input = 0 : i64, axis = 0 : i64}]} {
  func.func private @main(tensor<?x64xf32, #dsc.dims<"n", 64>>) -> tensor<?x40xf32, #dsc.dims<"n", 40>>
  module @cuda_sm90a attributes {dsc.target = "cuda_sm90a"} {
    func.func @main(%x: tensor<?x64xf32, #dsc.dims<"n", 64>>) -> tensor<?x40xf32, #dsc.dims<"n", 40>> attributes {dsc.arena = []} {
      %y = dsc.group(%x) {schedule = #dsc.schedule<bulk_copy, columns = 32, rows = 8>, places = array<i64: -1>, outputs = [0]}
         : (tensor<?x64xf32, #dsc.dims<"n", 64>>) -> tensor<?x40xf32, #dsc.dims<"n", 40>> {
      ^bb0(%a: tensor<?x64xf32, #dsc.dims<"n", 64>>):
        %0 = dsc.slice %a {starts = #dsc.dims<0, 5>, sizes = #dsc.dims<"n", 40>, steps = [1, 1]}
           : (tensor<?x64xf32, #dsc.dims<"n", 64>>) -> tensor<?x40xf32, #dsc.dims<"n", 40>>
        dsc.yield %0 : tensor<?x40xf32, #dsc.dims<"n", 40>>
      }
      return %y : tensor<?x40xf32, #dsc.dims<"n", 40>>
    }
  }
}
