// RUN: dscc-opt %s --dsc-build-program | FileCheck %s

// A group's kernels are launched in their order, each as often as the condition on its schedule holds, and each is a
// launch of its own in the table. All take the workspace behind the tensors.
// CHECK: dsc.launches = [{kernel = @few, nodes = "{{.*}}"}, {kernel = @parts, nodes = "{{.*}}"}, {kernel = @sum, nodes = "{{.*}}"}]
// CHECK-LABEL: llvm.func @run
// CHECK: %[[FEW:.*]] = arith.cmpi sle
// CHECK: %[[MANY:.*]] = arith.cmpi sgt
// CHECK: llvm.cond_br %[[FEW]]
// CHECK: llvm.call %{{.*}}(%{{.*}}) : !llvm.ptr, (!llvm.ptr, i32, !llvm.ptr, !llvm.ptr) -> i32
// CHECK: llvm.cond_br %[[MANY]]
// CHECK: llvm.call %{{.*}}(%{{.*}}) : !llvm.ptr, (!llvm.ptr, i32, !llvm.ptr, !llvm.ptr) -> i32
// CHECK: llvm.cond_br %[[MANY]]
// CHECK: llvm.call %{{.*}}(%{{.*}}) : !llvm.ptr, (!llvm.ptr, i32, !llvm.ptr, !llvm.ptr) -> i32
// CHECK-NOT: llvm.call
// CHECK-LABEL: llvm.func @arena_bytes
module attributes {dsc.symbols = [{name = "n", min = 1 : i64, max = 64 : i64, input = 0 : i64, axis = 0 : i64}]} {
  func.func private @main(tensor<?xf32, #dsc.dims<"n">>) -> tensor<?xf32, #dsc.dims<"n">>
  module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
    llvm.func @few() attributes {dsc.kernel = {}}
    llvm.func @parts() attributes {dsc.kernel = {}}
    llvm.func @sum() attributes {dsc.kernel = {}}
    func.func @main(%x: tensor<?xf32, #dsc.dims<"n">>) -> tensor<?xf32, #dsc.dims<"n">>
        attributes {dsc.arena = [{bytes = #dsc.dims<"64*n">, live = array<i64: 0, 0>, above = array<i64>}]} {
      %y = dsc.launch @sum (%x) {grid = #dsc.dims<1, 1, 1>, symbols = ["n"], places = array<i64: -1>, outputs = [0],
              before = [{kernel = @parts, grid = #dsc.dims<2, 4, 1>}], workspace_place = 0 : i64,
              alternatives = [{kernel = @few, grid = #dsc.dims<1, 1, 1>, dim = #dsc.dims<"n">, most = 8 : i64}]}
         : (tensor<?xf32, #dsc.dims<"n">>) -> tensor<?xf32, #dsc.dims<"n">>
      return %y : tensor<?xf32, #dsc.dims<"n">>
    }
  }
}
