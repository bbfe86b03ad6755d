// Two generations of GPUs: a kernel that both have alike is one piece of code, one that differs is compiled for each.
// RUN: rm -rf %t && mkdir %t

// A kernel's own generation is what its PTX is for.
// RUN: dscc --emit=ptx %s -o %t/model.ptx && ls %t | FileCheck %s --check-prefix=FILES
// FILES: model.cuda_sm80.ptx
// FILES-NEXT: model.cuda_sm90a.ptx
// RUN: FileCheck %s --check-prefix=SM80 < %t/model.cuda_sm80.ptx
// SM80: .target sm_80
// RUN: FileCheck %s --check-prefix=SM90A < %t/model.cuda_sm90a.ptx
// SM90A: .target sm_90a

// RUN: dscc --save-temps --arch=sm_80,sm_90a %s -o %t/model.so && FileCheck %s --check-prefix=JOBS < %t/model.ptx
// The code of @alike is that of the generation that asks for less.
// JOBS: // alike
// JOBS: .target sm_80
// JOBS: // differs
// JOBS: .target sm_90a
// JOBS: // differs
// JOBS: .target sm_80
// JOBS-NOT: .target

module attributes {dsc.stage = "streamed", dsc.symbols = []} {
  func.func private @main(tensor<1024xf32> {dsc.name = "x"}) -> (tensor<1024xf32> {dsc.name = "y"})
  llvm.func @dims(%symbols: !llvm.ptr, %dims: !llvm.ptr) {
    %c1024 = llvm.mlir.constant(1024 : i64) : i64
    llvm.store %c1024, %dims : i64, !llvm.ptr
    %1 = llvm.getelementptr %dims[1] : (!llvm.ptr) -> !llvm.ptr, i64
    llvm.store %c1024, %1 : i64, !llvm.ptr
    llvm.return
  }
  module @cuda_sm90a attributes {dsc.services = ["launch"], dsc.launches = [{kernel = @alike, nodes = "a"}, {kernel = @differs, nodes = "b"}],
                                 dsc.target = "cuda_sm90a", dsc.weights = []} {
    gpu.module @kernels {
      llvm.func @alike(%x: !llvm.ptr<1>) attributes {nvvm.kernel, dsc.kernel = {threads = [1, 1, 1]}} {
        %c = llvm.mlir.constant(1.0 : f32) : f32
        llvm.store %c, %x {alignment = 4 : i64} : f32, !llvm.ptr<1>
        llvm.return
      }
      llvm.func @differs(%x: !llvm.ptr<1>) attributes {nvvm.kernel, dsc.kernel = {threads = [90, 1, 1]}} {
        %c = llvm.mlir.constant(90.0 : f32) : f32
        llvm.store %c, %x {alignment = 4 : i64} : f32, !llvm.ptr<1>
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
  module @cuda_sm80 attributes {dsc.services = ["launch"], dsc.launches = [{kernel = @alike, nodes = "a"}, {kernel = @differs, nodes = "b"}],
                                dsc.target = "cuda_sm80", dsc.weights = []} {
    gpu.module @kernels {
      llvm.func @alike(%x: !llvm.ptr<1>) attributes {nvvm.kernel, dsc.kernel = {threads = [1, 1, 1]}} {
        %c = llvm.mlir.constant(1.0 : f32) : f32
        llvm.store %c, %x {alignment = 4 : i64} : f32, !llvm.ptr<1>
        llvm.return
      }
      llvm.func @differs(%x: !llvm.ptr<1>) attributes {nvvm.kernel, dsc.kernel = {threads = [80, 1, 1]}} {
        %c = llvm.mlir.constant(80.0 : f32) : f32
        llvm.store %c, %x {alignment = 4 : i64} : f32, !llvm.ptr<1>
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
