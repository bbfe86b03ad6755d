// A host program that runs, with services of the test's own: two launches, one copy, one relation.
// RUN: dscc-opt %s --dsc-build-program -o %t.mlir
// RUN: dscc %t.mlir -o %t.so
// RUN: %clang -I %src/runtime/include %S/Inputs/run-program.c -o %t -ldl
// RUN: %t %t.so | FileCheck %s

// Two launches double each element twice; 4 * n bytes of arena are rounded up to 64.
// CHECK: n=4 status=0 arena=64 launches=2 copied=8 y=4 8 12 16 w=1 2
// An odd n breaks the relation, so nothing is touched.
// CHECK: n=3 status=2 arena=64 launches=0 copied=0 y=0 0 0 0 w=0 0
// CHECK: n=2 status=0 arena=64 launches=2 copied=8 y=4 8 0 0 w=1 2
// Without elements there is no launch.
// CHECK: n=0 status=0 arena=0 launches=0 copied=8 y=0 0 0 0 w=1 2
// More elements than any machine holds: nothing is touched.
// CHECK: n=1152921504606846976 status=100 arena={{.*}} launches=0 copied=0
module attributes {dsc.stage = "streamed", dsc.symbols = [{name = "n", min = 0 : i64, max = 64 : i64, input = 0 : i64, axis = 0 : i64}],
                   dsc.relations = [{kind = "equal", lhs = "n", rhs = "2*floordiv(n, 2)", node = "split"}]} {
  func.func private @main(tensor<?xf32, #dsc.dims<"n">> {dsc.name="x"}) -> (tensor<?xf32, #dsc.dims<"n">> {dsc.name="y"}, tensor<2xf32> {dsc.name="w"})
  module @cpu_v3 attributes {dsc.target = "cpu_v3"} {
    llvm.func @relu(%block: !llvm.ptr, %args: !llvm.ptr) attributes {dsc.kernel = {}} {
      %i = llvm.load %block : !llvm.ptr -> i64
      %p0 = llvm.load %args : !llvm.ptr -> !llvm.ptr
      %x = llvm.load %p0 : !llvm.ptr -> !llvm.ptr
      %a1 = llvm.getelementptr %args[1] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
      %p1 = llvm.load %a1 : !llvm.ptr -> !llvm.ptr
      %y = llvm.load %p1 : !llvm.ptr -> !llvm.ptr
      %from = llvm.getelementptr %x[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
      %to = llvm.getelementptr %y[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
      %v = llvm.load %from : !llvm.ptr -> f32
      %s = llvm.fadd %v, %v : f32
      llvm.store %s, %to : f32, !llvm.ptr
      llvm.return
    }
    func.func @main(%x: tensor<?xf32, #dsc.dims<"n">>) -> (tensor<?xf32, #dsc.dims<"n">>, tensor<2xf32>)
        attributes {dsc.arena = [{bytes = #dsc.dims<"64*floordiv(4*n + 63, 64)">, live = array<i64: 0, 9>, above = array<i64>}]} {
      %w = dsc.constant dense<[1.0, 2.0]> : tensor<2xf32>
      %z = dsc.launch @relu (%x) {grid = #dsc.dims<"n", 1, 1>, symbols = ["n"], places = array<i64: 0>, outputs = [-1]}
         : (tensor<?xf32, #dsc.dims<"n">>) -> tensor<?xf32, #dsc.dims<"n">>
      %y = dsc.launch @relu (%z) {grid = #dsc.dims<"n", 1, 1>, symbols = ["n"], places = array<i64: -1>, outputs = [0]}
         : (tensor<?xf32, #dsc.dims<"n">>) -> tensor<?xf32, #dsc.dims<"n">>
      return %y, %w : tensor<?xf32, #dsc.dims<"n">>, tensor<2xf32>
    }
  }
}
