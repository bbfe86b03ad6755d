// A launch with alternatives runs the first whose condition holds, with its own grid, and no other.
// RUN: dscc-opt %s --dsc-build-program -o %t.mlir
// RUN: dscc %t.mlir -o %t.so
// RUN: %clang -I %src/runtime/include %S/Inputs/run-program.c -o %t -ldl
// RUN: %t %t.so | FileCheck %s

// The last has one block, the others one an element.
// CHECK: n=4 status=0 arena=0 launches=1 copied=8 y=30 0 0 0
// CHECK: n=3 status=0 arena=0 launches=1 copied=8 y=20 20 20 0
// CHECK: n=2 status=0 arena=0 launches=1 copied=8 y=20 20 0 0
// CHECK: n=1 status=0 arena=0 launches=1 copied=8 y=10 0 0 0
// Without elements the first is chosen, and has no blocks.
// CHECK: n=0 status=0 arena=0 launches=0 copied=8 y=0 0 0 0
module attributes {dsc.stage = "streamed", dsc.symbols = [{name = "n", min = 0 : i64, max = 64 : i64, input = 0 : i64, axis = 0 : i64}]} {
  func.func private @main(tensor<?xf32, #dsc.dims<"n">> {dsc.name="x"}) -> (tensor<?xf32, #dsc.dims<"n">> {dsc.name="y"}, tensor<2xf32> {dsc.name="w"})
  module @cpu_v3 attributes {dsc.target = "cpu_v3"} {
    llvm.func @ten(%block: !llvm.ptr, %args: !llvm.ptr) attributes {dsc.kernel = {}} {
      %i = llvm.load %block : !llvm.ptr -> i64
      %a1 = llvm.getelementptr %args[1] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
      %p1 = llvm.load %a1 : !llvm.ptr -> !llvm.ptr
      %y = llvm.load %p1 : !llvm.ptr -> !llvm.ptr
      %to = llvm.getelementptr %y[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
      %v = llvm.mlir.constant(10.0 : f32) : f32
      llvm.store %v, %to : f32, !llvm.ptr
      llvm.return
    }
    llvm.func @twenty(%block: !llvm.ptr, %args: !llvm.ptr) attributes {dsc.kernel = {}} {
      %i = llvm.load %block : !llvm.ptr -> i64
      %a1 = llvm.getelementptr %args[1] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
      %p1 = llvm.load %a1 : !llvm.ptr -> !llvm.ptr
      %y = llvm.load %p1 : !llvm.ptr -> !llvm.ptr
      %to = llvm.getelementptr %y[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
      %v = llvm.mlir.constant(20.0 : f32) : f32
      llvm.store %v, %to : f32, !llvm.ptr
      llvm.return
    }
    llvm.func @thirty(%block: !llvm.ptr, %args: !llvm.ptr) attributes {dsc.kernel = {}} {
      %i = llvm.load %block : !llvm.ptr -> i64
      %a1 = llvm.getelementptr %args[1] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
      %p1 = llvm.load %a1 : !llvm.ptr -> !llvm.ptr
      %y = llvm.load %p1 : !llvm.ptr -> !llvm.ptr
      %to = llvm.getelementptr %y[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
      %v = llvm.mlir.constant(30.0 : f32) : f32
      llvm.store %v, %to : f32, !llvm.ptr
      llvm.return
    }
    func.func @main(%x: tensor<?xf32, #dsc.dims<"n">>) -> (tensor<?xf32, #dsc.dims<"n">>, tensor<2xf32>)
        attributes {dsc.arena = []} {
      %w = dsc.constant dense<[1.0, 2.0]> : tensor<2xf32>
      %y = dsc.launch @thirty (%x) {grid = #dsc.dims<1, 1, 1>, symbols = ["n"], places = array<i64: -1>, outputs = [0],
                                    alternatives = [{kernel = @ten, grid = #dsc.dims<"n", 1, 1>, dim = #dsc.dims<"n">, most = 1 : i64},
                                                    {kernel = @twenty, grid = #dsc.dims<"n", 1, 1>, dim = #dsc.dims<"n">, most = 3 : i64}]}
         : (tensor<?xf32, #dsc.dims<"n">>) -> tensor<?xf32, #dsc.dims<"n">>
      return %y, %w : tensor<?xf32, #dsc.dims<"n">>, tensor<2xf32>
    }
  }
}
