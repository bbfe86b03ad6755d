// An artifact needs nothing from outside: a call of anything else is an internal error that names it.
// RUN: not dscc %s -o %t.so 2>&1 | FileCheck %s
// RUN: not ls %t.so
// CHECK: the generated code refers to `stranger`, which an artifact does not contain

module attributes {dsc.stage = "streamed", dsc.symbols = []} {
  func.func private @main(tensor<8xf32> {dsc.name = "x"}) -> (tensor<8xf32> {dsc.name = "y"})
  llvm.func @dims(%symbols: !llvm.ptr, %dims: !llvm.ptr) {
    llvm.return
  }
  module @cpu_v4 attributes {dsc.target = "cpu_v4"} {
    llvm.func @stranger(!llvm.ptr)
    llvm.func @kernel(%block: !llvm.ptr, %x: !llvm.ptr) attributes {dsc.kernel = {}} {
      llvm.call @stranger(%x) : (!llvm.ptr) -> ()
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
}
