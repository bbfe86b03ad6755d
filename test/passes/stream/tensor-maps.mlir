// RUN: dscc-opt %s --verify-roundtrip --dsc-build-program | FileCheck %s

// Of a map the module keeps what no run changes, the pixels of one that has them too; dims, innermost first, and strides
// in bytes are handed over at each run.
// CHECK: dsc.services = ["encode_tensor_map", "launch"]
// CHECK-SAME: dsc.tensor_maps = [{box = array<i64: 128, 32>, element = f32, pixels = {lower = array<i64: -1, -2>, steps = array<i64: 2, 1>, upper = array<i64: 1, 0>}, swizzle = 128 : i64}, {box = array<i64: 8, 32>, element = f32, swizzle = 0 : i64}]
// CHECK-LABEL: llvm.func @run
// CHECK: llvm.store %c64_i64, %[[DIMS:.*]] : i64, !llvm.ptr
// CHECK: llvm.store %c7_i64,
// CHECK: llvm.store %c5_i64,
// CHECK: llvm.store %{{.*}} : i64, !llvm.ptr
// 64 * 4, 7 * 256 and 5 * 1792 bytes.
// CHECK: llvm.store %c256_i64, %[[STRIDES:.*]] : i64, !llvm.ptr
// CHECK: llvm.store %c1792_i64,
// CHECK: llvm.store %c8960_i64,
// CHECK: %[[NUMBER:.*]] = llvm.mlir.constant(0 : i32) : i32
// CHECK: llvm.call %{{.*}}(%{{.*}}, %[[NUMBER]], %{{.*}}, %[[DIMS]], %[[STRIDES]], %{{.*}}) : !llvm.ptr, (!llvm.ptr, i32, !llvm.ptr, !llvm.ptr, !llvm.ptr, !llvm.ptr) -> i32
// CHECK: %[[SECOND:.*]] = llvm.mlir.constant(1 : i32) : i32
// CHECK: llvm.call %{{.*}}(%{{.*}}, %[[SECOND]], %{{.*}}, %[[DIMS]], %[[STRIDES]], %{{.*}}) :
// CHECK: llvm.call {{.*}} : !llvm.ptr, (!llvm.ptr, i32, !llvm.ptr, !llvm.ptr) -> i32
module attributes {dsc.symbols = [{name = "n", min = 1 : i64, max = 64 : i64, input = 0 : i64, axis = 0 : i64}]} {
  func.func private @main(tensor<?x5x7x64xf32, #dsc.dims<"n", 5, 7, 64>>) -> tensor<128x32xf32>
  module @cuda_sm90a attributes {dsc.target = "cuda_sm90a"} {
    llvm.func @k() attributes {dsc.kernel = {}}
    func.func @main(%x: tensor<?x5x7x64xf32, #dsc.dims<"n", 5, 7, 64>>) -> tensor<128x32xf32> attributes {dsc.arena = []} {
      %y = dsc.launch @k (%x) {grid = #dsc.dims<1, 1, 1>, symbols = [], places = array<i64: -1>, outputs = [0], tensor_maps = [
            {tensor = 0 : i64, element = f32, dims = #dsc.dims<"n", 5, 7, 64>, strides = #dsc.dims<2240, 448, 64, 1>,
             box = array<i64: 128, 32>, swizzle = 128 : i64,
             pixels = {lower = array<i64: -1, -2>, upper = array<i64: 1, 0>, steps = array<i64: 2, 1>}},
            {tensor = 1 : i64, element = f32, dims = #dsc.dims<128, 32>, strides = #dsc.dims<32, 1>,
             box = array<i64: 8, 32>, swizzle = 0 : i64}]}
         : (tensor<?x5x7x64xf32, #dsc.dims<"n", 5, 7, 64>>) -> tensor<128x32xf32>
      return %y : tensor<128x32xf32>
    }
  }
}
