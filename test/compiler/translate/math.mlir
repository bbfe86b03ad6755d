// No function of libm or libc remains: what has no instruction or polynomial is in the compiler's own math library.
// RUN: dscc %s -o %t.so
// RUN: llvm-nm %t.so | FileCheck %s
// RUN: dscc --emit=llvm %s | FileCheck %s --check-prefix=LLVM
// RUN: dscc --emit=ptx %s -o - | FileCheck %s --check-prefix=PTX

// CHECK-NOT: {{ U }}
// CHECK-DAG: t exp
// CHECK-DAG: t fmodf
// CHECK-DAG: t memcpy
// CHECK-DAG: t tanf

// A polynomial in single precision; f16 in memory takes one instruction, bf16 integer arithmetic.
// LLVM-LABEL: define hidden void @cpu_v4.single(
// LLVM-NOT: call {{.*}}exp
// LLVM: fptrunc {{.*}} to <8 x half>
// LLVM-NOT: bfloat
// LLVM-LABEL: define hidden void @cpu_v4.double(

// On a GPU the same functions are linked into the module.
// PTX: .func {{.*}} exp(
// PTX-NOT: .extern .func

module attributes {dsc.stage = "streamed", dsc.symbols = []} {
  func.func private @main(tensor<8xf32> {dsc.name = "x"}) -> (tensor<8xf32> {dsc.name = "y"})
  llvm.func @dims(%symbols: !llvm.ptr, %dims: !llvm.ptr) {
    llvm.return
  }
  module @cpu_v4 attributes {dsc.target = "cpu_v4"} {
    llvm.func @single(%block: !llvm.ptr, %x: !llvm.ptr) attributes {dsc.kernel = {}} {
      %a = llvm.load %x : !llvm.ptr -> vector<8xf32>
      %e = math.exp %a : vector<8xf32>
      %h = arith.truncf %e : vector<8xf32> to vector<8xf16>
      llvm.store volatile %h, %x : vector<8xf16>, !llvm.ptr
      %b = arith.truncf %e : vector<8xf32> to vector<8xbf16>
      %bits = arith.bitcast %b : vector<8xbf16> to vector<8xi16>
      llvm.store volatile %bits, %x : vector<8xi16>, !llvm.ptr
      llvm.return
    }
    llvm.func @double(%block: !llvm.ptr, %x: !llvm.ptr) attributes {dsc.kernel = {}} {
      %a = llvm.load %x : !llvm.ptr -> vector<8xf32>
      %t = math.tan %a : vector<8xf32>
      %r = arith.remf %t, %a : vector<8xf32>
      llvm.store volatile %r, %x : vector<8xf32>, !llvm.ptr
      %d = arith.extf %t : vector<8xf32> to vector<8xf64>
      %e = math.exp %d : vector<8xf64>
      %h = arith.truncf %e : vector<8xf64> to vector<8xf16>
      llvm.store volatile %h, %x : vector<8xf16>, !llvm.ptr
      %size = llvm.load %block : !llvm.ptr -> i64
      "llvm.intr.memcpy"(%x, %block, %size) <{isVolatile = false}> : (!llvm.ptr, !llvm.ptr, i64) -> ()
      llvm.return
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
  module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
    gpu.module @kernels {
      llvm.func @double(%x: !llvm.ptr<1>) attributes {nvvm.kernel, dsc.kernel = {}} {
        %a = llvm.load %x : !llvm.ptr<1> -> f64
        %e = math.exp %a : f64
        llvm.store %e, %x : f64, !llvm.ptr<1>
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
