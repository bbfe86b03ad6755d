// RUN: dscc-opt %s --dsc-verify-stage=stage=streamed --split-input-file --verify-diagnostics

// expected-error@+1 {{has no @dims}}
module {
}

// -----

llvm.func @dims(!llvm.ptr, !llvm.ptr)
// expected-error@+1 {{has no @run}}
module @cuda attributes {dsc.target = "cuda"} {
}

// -----

llvm.func @dims(!llvm.ptr, !llvm.ptr)
// expected-error@+1 {{does not list its weights}}
module @cuda attributes {dsc.target = "cuda"} {
  llvm.func @run(!llvm.ptr) -> i32
  llvm.func @arena_bytes(!llvm.ptr) -> i64
}

// -----

llvm.func @dims(!llvm.ptr, !llvm.ptr)
// expected-error@+1 {{does not list its launches}}
module @cuda attributes {dsc.target = "cuda", dsc.weights = []} {
  llvm.func @run(!llvm.ptr) -> i32
  llvm.func @arena_bytes(!llvm.ptr) -> i64
}

// -----

llvm.func @dims(!llvm.ptr, !llvm.ptr)
// A tensor that is left over.
func.func @main() {
  // expected-error@+1 {{is not lowered to code}}
  %0 = dsc.constant dense<1.0> : tensor<4xf32>
  return
}
