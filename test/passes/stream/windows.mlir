// RUN: dscc-opt %s --dsc-build-program | FileCheck %s

// A kernel gets the address of its window's first element: 4*n bytes behind the input's, 12 behind the output's.
// CHECK-LABEL: llvm.func @run
// The join has 6*n elements, which no launch counts.
// CHECK: arith.constant 6 : i64
// CHECK: %[[BYTES:.*]] = arith.muli %{{.*}}, %c4_i64
// CHECK: %[[OTHER:.*]] = arith.constant 12 : i64
// CHECK: %[[INPUT:.*]] = llvm.load
// CHECK-NEXT: llvm.getelementptr %[[INPUT]][%[[BYTES]]] : (!llvm.ptr, i64) -> !llvm.ptr, i8
// CHECK: llvm.call
// CHECK: llvm.load %{{.*}} : !llvm.ptr -> !llvm.ptr
// CHECK: %[[OUTPUT:.*]] = llvm.load
// CHECK-NEXT: llvm.getelementptr %[[OUTPUT]][%[[OTHER]]] : (!llvm.ptr, i64) -> !llvm.ptr, i8
// CHECK: llvm.call
// CHECK-NOT: llvm.call
// CHECK-LABEL: llvm.func @arena_bytes
module attributes {dsc.symbols = [{name = "n", min = 0 : i64, max = 64 : i64, input = 0 : i64, axis = 1 : i64}]} {
  func.func private @main(tensor<2x?xf32, #dsc.dims<2, "n">>) -> tensor<?x6xf32, #dsc.dims<"n", 6>>
  module @cpu_v4 attributes {dsc.target = "cpu_v4"} {
    llvm.func @part(%block: !llvm.ptr, %args: !llvm.ptr) attributes {dsc.kernel = {}} {
      llvm.return
    }
    func.func @main(%x: tensor<2x?xf32, #dsc.dims<2, "n">>) -> tensor<?x6xf32, #dsc.dims<"n", 6>> attributes {dsc.arena = []} {
      %s = dsc.slice %x {in_place, starts = #dsc.dims<1, 0>, sizes = #dsc.dims<1, "n">, steps = [1, 1]}
         : (tensor<2x?xf32, #dsc.dims<2, "n">>) -> tensor<1x?xf32, #dsc.dims<1, "n">>
      %0 = dsc.launch @part (%s) {grid = #dsc.dims<1, 1, 1>, symbols = [], places = array<i64: -1>, outputs = [0],
                                  windows = [{offset = #dsc.dims<"n">, strides = #dsc.dims<"n", 1>}, {offset = #dsc.dims<0>, strides = #dsc.dims<6, 1>}]}
         : (tensor<1x?xf32, #dsc.dims<1, "n">>) -> tensor<?x3xf32, #dsc.dims<"n", 3>>
      %1 = dsc.launch @part (%x) {grid = #dsc.dims<1, 1, 1>, symbols = [], places = array<i64: -1>, outputs = [0],
                                  windows = [unit, {offset = #dsc.dims<3>, strides = #dsc.dims<6, 1>}]}
         : (tensor<2x?xf32, #dsc.dims<2, "n">>) -> tensor<?x3xf32, #dsc.dims<"n", 3>>
      %c = dsc.concat %0, %1 {axis = 1, in_place, places = array<i64: -1>, outputs = [0]}
         : (tensor<?x3xf32, #dsc.dims<"n", 3>>, tensor<?x3xf32, #dsc.dims<"n", 3>>) -> tensor<?x6xf32, #dsc.dims<"n", 6>>
      return %c : tensor<?x6xf32, #dsc.dims<"n", 6>>
    }
  }
}
