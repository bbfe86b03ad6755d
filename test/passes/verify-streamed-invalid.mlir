// RUN: dscc-opt %s --dsc-verify-stage=stage=streamed --split-input-file --verify-diagnostics

// expected-error@+1 {{has no @dims}}
module {
}

// -----

llvm.func @dims(!llvm.ptr, !llvm.ptr)
// expected-error@+1 {{has no @run}}
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
}

// -----

llvm.func @dims(!llvm.ptr, !llvm.ptr)
// expected-error@+1 {{does not list its weights}}
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  llvm.func @run(!llvm.ptr) -> i32
  llvm.func @arena_bytes(i32, !llvm.ptr) -> i64
}

// -----

llvm.func @dims(!llvm.ptr, !llvm.ptr)
// expected-error@+1 {{does not list the services that it calls}}
module @cuda_sm80 attributes {dsc.target = "cuda_sm80", dsc.weights = [], dsc.launches = []} {
  llvm.func @run(!llvm.ptr) -> i32
  llvm.func @arena_bytes(i32, !llvm.ptr) -> i64
}

// -----

llvm.func @dims(!llvm.ptr, !llvm.ptr)
// expected-error@+1 {{does not list its launches}}
module @cuda_sm80 attributes {dsc.target = "cuda_sm80", dsc.weights = []} {
  llvm.func @run(!llvm.ptr) -> i32
  llvm.func @arena_bytes(i32, !llvm.ptr) -> i64
}

// -----

llvm.func @dims(!llvm.ptr, !llvm.ptr)
// A tensor that is left over.
func.func @main() {
  // expected-error@+1 {{is not lowered to code}}
  %0 = dsc.constant dense<1.0> : tensor<4xf32>
  return
}
