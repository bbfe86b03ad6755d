// A kernel that does not fit the registers it was promised is reported, by name and chip. 40 values are alive at once.
// REQUIRES: ptxas
// RUN: dscc --arch=sm_80 %s -o %t.so 2>&1 | FileCheck %s
// CHECK: dscc: warning: node 'a': kernel crowded spills {{[1-9][0-9]*}} bytes of registers on sm_80

module attributes {dsc.stage = "streamed", dsc.symbols = []} {
  func.func private @main(tensor<40xf32> {dsc.name = "x"}) -> (tensor<40xf32> {dsc.name = "y"})
  llvm.func @dims(%symbols: !llvm.ptr, %dims: !llvm.ptr) {
    llvm.return
  }
  module @cuda_sm80 attributes {dsc.target = "cuda_sm80", dsc.services = ["launch"], dsc.launches = [{kernel = @crowded, nodes = "a"}]} {
    gpu.module @kernels {
      llvm.func @crowded(%x: !llvm.ptr<1>) attributes {nvvm.kernel, nvvm.maxnreg = 24 : i32, dsc.kernel = {}} {
        %p0 = llvm.getelementptr %x[0] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
        %v0 = llvm.load volatile %p0 {alignment = 16 : i64} : !llvm.ptr<1> -> vector<4xf32>
        %p1 = llvm.getelementptr %x[4] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
        %v1 = llvm.load volatile %p1 {alignment = 16 : i64} : !llvm.ptr<1> -> vector<4xf32>
        %p2 = llvm.getelementptr %x[8] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
        %v2 = llvm.load volatile %p2 {alignment = 16 : i64} : !llvm.ptr<1> -> vector<4xf32>
        %p3 = llvm.getelementptr %x[12] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
        %v3 = llvm.load volatile %p3 {alignment = 16 : i64} : !llvm.ptr<1> -> vector<4xf32>
        %p4 = llvm.getelementptr %x[16] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
        %v4 = llvm.load volatile %p4 {alignment = 16 : i64} : !llvm.ptr<1> -> vector<4xf32>
        %p5 = llvm.getelementptr %x[20] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
        %v5 = llvm.load volatile %p5 {alignment = 16 : i64} : !llvm.ptr<1> -> vector<4xf32>
        %p6 = llvm.getelementptr %x[24] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
        %v6 = llvm.load volatile %p6 {alignment = 16 : i64} : !llvm.ptr<1> -> vector<4xf32>
        %p7 = llvm.getelementptr %x[28] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
        %v7 = llvm.load volatile %p7 {alignment = 16 : i64} : !llvm.ptr<1> -> vector<4xf32>
        %p8 = llvm.getelementptr %x[32] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
        %v8 = llvm.load volatile %p8 {alignment = 16 : i64} : !llvm.ptr<1> -> vector<4xf32>
        %p9 = llvm.getelementptr %x[36] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
        %v9 = llvm.load volatile %p9 {alignment = 16 : i64} : !llvm.ptr<1> -> vector<4xf32>
        llvm.store volatile %v9, %p9 {alignment = 16 : i64} : vector<4xf32>, !llvm.ptr<1>
        llvm.store volatile %v8, %p8 {alignment = 16 : i64} : vector<4xf32>, !llvm.ptr<1>
        llvm.store volatile %v7, %p7 {alignment = 16 : i64} : vector<4xf32>, !llvm.ptr<1>
        llvm.store volatile %v6, %p6 {alignment = 16 : i64} : vector<4xf32>, !llvm.ptr<1>
        llvm.store volatile %v5, %p5 {alignment = 16 : i64} : vector<4xf32>, !llvm.ptr<1>
        llvm.store volatile %v4, %p4 {alignment = 16 : i64} : vector<4xf32>, !llvm.ptr<1>
        llvm.store volatile %v3, %p3 {alignment = 16 : i64} : vector<4xf32>, !llvm.ptr<1>
        llvm.store volatile %v2, %p2 {alignment = 16 : i64} : vector<4xf32>, !llvm.ptr<1>
        llvm.store volatile %v1, %p1 {alignment = 16 : i64} : vector<4xf32>, !llvm.ptr<1>
        llvm.store volatile %v0, %p0 {alignment = 16 : i64} : vector<4xf32>, !llvm.ptr<1>
        llvm.return
      }
    }
    llvm.func @arena_bytes(%segment: i32, %symbols: !llvm.ptr) -> i64 {
      %zero = llvm.mlir.constant(0 : i64) : i64
      llvm.return %zero : i64
    }
    llvm.func @run(%args: !llvm.ptr) -> i32 {
      %zero = llvm.mlir.constant(0 : i32) : i32
      llvm.return %zero : i32
    }
  }
}
