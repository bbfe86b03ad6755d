// Kernels of a gpu.module become PTX for the oldest chip, with 32-bit index arithmetic.
// RUN: dscc --emit=ptx %s -o - | FileCheck %s

// CHECK: .version 8.0
// CHECK: .target sm_80
// CHECK: .entry double_it(
// CHECK: .reqntid 256, 1, 1
// No unroller comes after ours: ptxas is told so.
// CHECK: .pragma "nounroll";
// A loop over `index` counts in 32 bits.
// CHECK: setp.{{(eq|lt|gt|ne|ge)}}.s32
// CHECK-NOT: __dynamic_shmem__

module attributes {dsc.stage = "streamed", dsc.symbols = []} {
  func.func private @main(tensor<1024xf32> {dsc.name = "x"}) -> (tensor<1024xf32> {dsc.name = "y"})
  llvm.func @dims(%symbols: !llvm.ptr, %dims: !llvm.ptr) {
    %c1024 = llvm.mlir.constant(1024 : i64) : i64
    llvm.store %c1024, %dims : i64, !llvm.ptr
    %1 = llvm.getelementptr %dims[1] : (!llvm.ptr) -> !llvm.ptr, i64
    llvm.store %c1024, %1 : i64, !llvm.ptr
    llvm.return
  }
  module @cuda_sm80 attributes {dsc.services = ["launch"], dsc.launches = [{kernel = @double_it, nodes = "mul1"}], dsc.target = "cuda_sm80"} {
    gpu.module @kernels {
      llvm.func @double_it(%x: !llvm.ptr<1> {llvm.noalias, llvm.readonly}, %y: !llvm.ptr<1> {llvm.noalias},
                           %n: i64) attributes {nvvm.kernel, nvvm.reqntid = array<i32: 256, 1, 1>,
            dsc.kernel = {threads = [256, 1, 1], shared = 0 : i64}} {
        %t = nvvm.read.ptx.sreg.tid.x : i32
        %start = arith.index_cast %t : i32 to index
        %end = arith.index_cast %n : i64 to index
        %step = arith.constant 256 : index
        scf.for %i = %start to %end step %step {
          %o = arith.index_cast %i : index to i32
          %from = llvm.getelementptr %x[%o] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
          %to = llvm.getelementptr %y[%o] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
          %a = llvm.load %from {alignment = 4 : i64} : !llvm.ptr<1> -> f32
          %b = arith.addf %a, %a : f32
          llvm.store %b, %to {alignment = 4 : i64} : f32, !llvm.ptr<1>
        }
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
