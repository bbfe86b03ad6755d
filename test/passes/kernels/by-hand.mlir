// Schedules written by hand are kept and obeyed, whatever the estimates say.
// RUN: dscc-opt %s --split-input-file --pass-pipeline='builtin.module(builtin.module(func.func(dsc-prepare-groups,dsc-schedule-groups,dsc-plan-memory),dsc-emit-kernels))' | FileCheck %s

// 3 rows of 2 registers of 8 lanes: six sums go round the inner loop. Then what is left of 32 rows, 2 of them.
// CHECK-LABEL: llvm.func @matmul_
// CHECK: scf.for %{{.*}} iter_args(%{{[^,]*}}, %{{[^,]*}}, %{{[^,]*}}, %{{[^,]*}}, %{{[^,]*}}, %{{[^,]*}}) -> (vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>)
// CHECK: scf.for %{{.*}} iter_args(%{{[^,]*}}, %{{[^,]*}}, %{{[^,]*}}, %{{[^,]*}}) -> (vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>)
module {
module @cpu_v4 attributes {dsc.target = "cpu_v4"} {
  func.func @main(%x: tensor<32x32xf32>) -> tensor<32x32xf32> {
    %0 = dsc.group(%x) {schedule = #dsc.schedule<tiles, columns_outside = 0, row_tiles = 2, rows = 3, vectors = 2, width = 8>}
        : (tensor<32x32xf32>) -> tensor<32x32xf32> {
    ^bb0(%a: tensor<32x32xf32>):
      %1 = dsc.matmul %a, %a : (tensor<32x32xf32>, tensor<32x32xf32>) -> tensor<32x32xf32>
      dsc.yield %1 : tensor<32x32xf32>
    }
    return %0 : tensor<32x32xf32>
  }
}
}

// -----

// One kernel for each schedule of a list; the launch tries them in order.
// CHECK: dsc.launch @[[MANY:relu_[0-9a-f]+]](%{{.*}}) {alternatives = [{dim = #dsc.dims<"n">, grid = {{.*}}, kernel = @[[FEW:relu_[0-9a-f]+]], most = 4 : i64}]
// CHECK-DAG: llvm.func @[[FEW]](
// CHECK-DAG: llvm.func @[[MANY]](
module attributes {dsc.symbols = [{name = "n", min = 1 : i64, max = 1024 : i64, input = 0 : i64, axis = 0 : i64}]} {
module @cpu_v4 attributes {dsc.target = "cpu_v4"} {
  func.func @main(%x: tensor<?xf32, #dsc.dims<"n">>) -> tensor<?xf32, #dsc.dims<"n">> {
    %0 = dsc.group(%x) {schedule = [#dsc.schedule<elementwise, width = 4, "n" up_to 4>, #dsc.schedule<elementwise, width = 16>]}
        : (tensor<?xf32, #dsc.dims<"n">>) -> tensor<?xf32, #dsc.dims<"n">> {
    ^bb0(%a: tensor<?xf32, #dsc.dims<"n">>):
      %1 = dsc.relu %a : (tensor<?xf32, #dsc.dims<"n">>) -> tensor<?xf32, #dsc.dims<"n">>
      dsc.yield %1 : tensor<?xf32, #dsc.dims<"n">>
    }
    return %0 : tensor<?xf32, #dsc.dims<"n">>
  }
}
}
