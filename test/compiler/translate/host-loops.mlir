// Unrolling and vectorising are the schedules' business: LLVM leaves loops as they are, and a copying loop stays a loop.
// RUN: dscc --emit=llvm %s | FileCheck %s

// CHECK-LABEL: define hidden void @cpu_v4.copy(
// CHECK-NOT: memcpy
// CHECK-NOT: <{{[0-9]+}} x float>
// CHECK: load float
// CHECK-NOT: load float
// CHECK: "prefer-vector-width"="512" "target-cpu"="x86-64-v4"
// The host program beside the kernels needs no more than any x86-64.
// CHECK-LABEL: define {{.*}} @cpu_v4.arena_bytes(
// CHECK: "target-cpu"="x86-64" }

module attributes {dsc.stage = "streamed", dsc.symbols = []} {
  func.func private @main(tensor<64xf32> {dsc.name = "x"}) -> (tensor<64xf32> {dsc.name = "y"})
  module @cpu_v4 attributes {dsc.target = "cpu_v4"} {
    llvm.func @copy(%block: !llvm.ptr, %args: !llvm.ptr) attributes {dsc.kernel = {}} {
      %zero = arith.constant 0 : index
      %one = arith.constant 1 : index
      %count = llvm.load %block : !llvm.ptr -> i64
      %end = arith.index_cast %count : i64 to index
      %x = llvm.load %args : !llvm.ptr -> !llvm.ptr
      %slot = llvm.getelementptr %args[1] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
      %y = llvm.load %slot : !llvm.ptr -> !llvm.ptr
      scf.for %i = %zero to %end step %one {
        %o = arith.index_cast %i : index to i64
        %from = llvm.getelementptr %x[%o] : (!llvm.ptr, i64) -> !llvm.ptr, f32
        %to = llvm.getelementptr %y[%o] : (!llvm.ptr, i64) -> !llvm.ptr, f32
        %a = llvm.load %from : !llvm.ptr -> f32
        llvm.store %a, %to : f32, !llvm.ptr
      }
      llvm.return
    }
    llvm.func @arena_bytes(%segment: i32, %symbols: !llvm.ptr) -> i64 {
      %zero = llvm.mlir.constant(0 : i64) : i64
      llvm.return %zero : i64
    }
  }
}
