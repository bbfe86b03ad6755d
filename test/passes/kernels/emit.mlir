// What the emitters write.
// RUN: dscc-opt %s --split-input-file --dsc-journey="until=emitted disable=unroll-loops" | FileCheck %s

// Broadcasting: x is [3, 1, 5], z is [1, 5]. No tensor has all of the three axes and none misses all, so they stay apart:
// the row of z is read three times from its beginning.
// CHECK-LABEL: module @cpu_v4
// CHECK: llvm.func @add_{{[0-9a-f]+}}(
// CHECK: scf.for
// CHECK: scf.for
// CHECK: arith.addf %{{.*}} : vector<8xf32>
// CHECK: llvm.intr.masked.store %{{.*}} : vector<8xf32>, vector<8xi1>
func.func @main(%x: tensor<3x1x5xf32> {dsc.name = "x"}, %z: tensor<1x5xf32> {dsc.name = "z"}) -> (tensor<3x1x5xf32> {dsc.name = "y"}) {
  %0 = dsc.add %x, %z : (tensor<3x1x5xf32>, tensor<1x5xf32>) -> tensor<3x1x5xf32>
  return %0 : tensor<3x1x5xf32>
}

// -----

// A whole tensor is one axis: whole vectors, then a masked rest.
// CHECK-LABEL: module @cpu_v4
// CHECK: scf.for
// CHECK: llvm.load %{{.*}} {alignment = 4 : i64} : !llvm.ptr -> vector<16xf32>
// CHECK: llvm.store %{{.*}} {alignment = 4 : i64} : vector<16xf32>, !llvm.ptr
// CHECK: llvm.intr.masked.load
// CHECK-LABEL: module @cuda_sm80
// CHECK: nvvm.reqntid = array<i32: 256, 1, 1>
// CHECK: llvm.load %{{.*}} {alignment = 16 : i64} : !llvm.ptr<1> -> vector<4xf32>
module attributes {dsc.symbols = [{name = "n", min = 1 : i64, max = 1024 : i64, input = 0 : i64, axis = 0 : i64}]} {
func.func @main(%x: tensor<?x64xf32, #dsc.dims<"n", 64>> {dsc.name = "x"}) -> (tensor<?x64xf32, #dsc.dims<"n", 64>> {dsc.name = "y"}) {
  %0 = dsc.relu %x : (tensor<?x64xf32, #dsc.dims<"n", 64>>) -> tensor<?x64xf32, #dsc.dims<"n", 64>>
  return %0 : tensor<?x64xf32, #dsc.dims<"n", 64>>
}
}

// -----

// Tiles: sums stay in vectors through the inner loop. On CUDA both operands go through shared memory, between barriers.
// CHECK-LABEL: module @cpu_v4
// CHECK: scf.for %{{.*}} iter_args({{.*}}) -> (vector<{{[0-9]+}}xf32>, vector<{{[0-9]+}}xf32>
// CHECK: vector.broadcast %{{.*}} : f32 to vector<16xf32>
// CHECK: math.fma %{{.*}} : vector<16xf32>
// CHECK-LABEL: module @cuda_sm80
// CHECK: llvm.mlir.global internal @{{.*}}_lhs() {addr_space = 3 : i32, alignment = 16 : i64
// CHECK: llvm.mlir.global internal @{{.*}}_rhs() {addr_space = 3 : i32, alignment = 16 : i64
// CHECK: nvvm.barrier0
// CHECK: llvm.load %{{.*}} {alignment = 16 : i64} : !llvm.ptr<3> -> vector<4xf32>
// CHECK: nvvm.barrier0
func.func @main(%x: tensor<512x512xf32> {dsc.name = "x"}, %w: tensor<512x512xf32> {dsc.name = "w"}) -> (tensor<512x512xf32> {dsc.name = "y"}) {
  %0 = dsc.matmul %x, %w : (tensor<512x512xf32>, tensor<512x512xf32>) -> tensor<512x512xf32>
  return %0 : tensor<512x512xf32>
}

// -----

// Rows: on CUDA a warp's lanes share their partial sums.
// CHECK-LABEL: module @cpu_v4
// CHECK: scf.for {{.*}} -> (vector<{{[0-9]+}}xf32>
// CHECK: arith.maximumf %{{.*}} : vector<16xf32>
// CHECK: vector.shuffle %{{.*}} : vector<16xf32>, vector<16xf32>
// CHECK-LABEL: module @cuda_sm80
// CHECK: nvvm.shfl.sync{{ +}}bfly
func.func @main(%x: tensor<64x960xf32> {dsc.name = "x"}) -> (tensor<64x960xf32> {dsc.name = "y"}) {
  %0 = dsc.softmax %x {axis = 1 : i64} : (tensor<64x960xf32>) -> tensor<64x960xf32>
  return %0 : tensor<64x960xf32>
}

// -----

// A constant of one value fits elementwise ops as a scalar, so what it is added to may be a single axis of 15 elements.
// CHECK-LABEL: module @cpu_v4
// CHECK: arith.addf %{{.*}} : vector<16xf32>
// CHECK-LABEL: module @cuda_sm80
func.func @main(%x: tensor<3x5xf32> {dsc.name = "x"}) -> (tensor<3x5xf32> {dsc.name = "y"}) {
  %0 = dsc.constant dense<2.5> : tensor<1x5xf32>
  %1 = dsc.add %x, %0 : (tensor<3x5xf32>, tensor<1x5xf32>) -> tensor<3x5xf32>
  return %1 : tensor<3x5xf32>
}

// -----

// A constant that is reduced keeps its elements: 3 x 5 are one row of 15.
// CHECK-LABEL: module @cuda_sm80
// CHECK: %[[SIZE:.*]] = arith.constant 15 : index
// CHECK: scf.for %{{.*}} to %[[SIZE]] step
// CHECK: arith.addf
func.func @main(%x: tensor<3x5xf32> {dsc.name = "x"}) -> (tensor<1x1xf32> {dsc.name = "y"}) {
  %0 = dsc.constant dense<2.5> : tensor<3x5xf32>
  %1 = dsc.reduce_sum %0 {axes = [0, 1]} : (tensor<3x5xf32>) -> tensor<1x1xf32>
  return %1 : tensor<1x1xf32>
}

// -----

// 2^62 rows of 4 cannot be one axis: no number counts its elements.
// CHECK-LABEL: module @cuda_sm80
// CHECK: %[[ROWS:.*]] = arith.constant 4611686018427387904 : index
// CHECK: scf.for %{{.*}} to %[[ROWS]] step
// CHECK: scf.for
func.func @main(%x: tensor<4611686018427387904x4xf32> {dsc.name = "x"}) -> (tensor<1x1xf32> {dsc.name = "y"}) {
  %0 = dsc.reduce_sum %x {axes = [0, 1]} : (tensor<4611686018427387904x4xf32>) -> tensor<1x1xf32>
  return %0 : tensor<1x1xf32>
}
