// RUN: dscc-opt %s --dsc-build-program | FileCheck %s

// CHECK: module @cpu_v4 attributes {dsc.arena_bytes = "{{.*}}", dsc.launches = [{kernel = @relu, nodes = "{{.*}}"}], dsc.services = ["launch", "copy"], dsc.target = "cpu_v4", dsc.weights = [dense<{{.*}}> : tensor<2xf32>]}
// CHECK-LABEL: llvm.func @run

// The relation of the model comes first: status 2 says that the inputs do not fit.
// CHECK: %[[HOLDS:.*]] = arith.cmpi eq
// CHECK: llvm.cond_br %[[HOLDS]], ^{{.*}}, ^[[BAD:.*]]
// CHECK: ^[[BAD]]:
// CHECK-NEXT: llvm.return %[[BADINPUT:.*]] : i32

// A launch whose grid may be empty is skipped then.
// CHECK: %[[SOME:.*]] = arith.cmpi sgt
// CHECK: llvm.cond_br %[[SOME]]
// CHECK: llvm.call %{{.*}}(%{{.*}}) : !llvm.ptr, (!llvm.ptr, i32, !llvm.ptr, !llvm.ptr) -> i32

// The constant that is returned is copied.
// CHECK: llvm.call {{.*}} : !llvm.ptr, (!llvm.ptr, !llvm.ptr, !llvm.ptr, i64) -> i32
// CHECK-NOT: llvm.call
// CHECK-LABEL: llvm.func @arena_bytes
// CHECK-LABEL: llvm.func @dims
// Both sides of the relation, for the runtime's message.
// CHECK-LABEL: llvm.func @sides
// CHECK-COUNT-2: llvm.store
module attributes {dsc.symbols = [{name = "n", min = 0 : i64, max = 64 : i64, input = 0 : i64, axis = 0 : i64}],
                   dsc.relations = [{kind = "equal", lhs = "n", rhs = "2*floordiv(n, 2)", node = "split"}]} {
  func.func private @main(tensor<?xf32, #dsc.dims<"n">>) -> (tensor<?xf32, #dsc.dims<"n">>, tensor<2xf32>)
  module @cpu_v4 attributes {dsc.target = "cpu_v4"} {
    llvm.func @relu(%block: !llvm.ptr, %args: !llvm.ptr) attributes {dsc.kernel = {}} {
      llvm.return
    }
    func.func @main(%x: tensor<?xf32, #dsc.dims<"n">>) -> (tensor<?xf32, #dsc.dims<"n">>, tensor<2xf32>)
        attributes {dsc.arena = [{bytes = #dsc.dims<"64*n">, live = array<i64: 0, 9>, above = array<i64>}]} {
      %w = dsc.constant dense<[1.0, 2.0]> : tensor<2xf32>
      %y = dsc.launch @relu (%x) {grid = #dsc.dims<"n", 1, 1>, symbols = ["n"], places = array<i64: -1>, outputs = [0]}
         : (tensor<?xf32, #dsc.dims<"n">>) -> tensor<?xf32, #dsc.dims<"n">>
      return %y, %w : tensor<?xf32, #dsc.dims<"n">>, tensor<2xf32>
    }
  }
}
