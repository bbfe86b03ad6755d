// Schedules written by hand are kept and obeyed, whatever the estimates say.
// RUN: dscc-opt %s --split-input-file --pass-pipeline='builtin.module(builtin.module(func.func(dsc-prepare-groups,dsc-schedule-groups,dsc-plan-memory),dsc-emit-kernels))' | FileCheck %s

// 3 rows of 2 registers of 8 lanes: six sums go round the inner loop. Then what is left of 32 rows, 2 of them.
// CHECK-LABEL: llvm.func @matmul_
// CHECK: scf.for %{{.*}} iter_args(%{{[^,]*}}, %{{[^,]*}}, %{{[^,]*}}, %{{[^,]*}}, %{{[^,]*}}, %{{[^,]*}}) -> (vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>)
// CHECK: scf.for %{{.*}} iter_args(%{{[^,]*}}, %{{[^,]*}}, %{{[^,]*}}, %{{[^,]*}}) -> (vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>)
module {
module @cpu_v4 attributes {dsc.target = "cpu_v4"} {
  func.func @main(%x: tensor<32x32xf32>) -> tensor<32x32xf32> {
    %0 = dsc.group(%x) {schedule = #dsc.schedule<tiles, columns_outside = 0, packed = 0, row_tiles = 2, rows = 3, vectors = 2, width = 8>}
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

// -----

// A schedule of two kernels: four parts of the inner dim, each into the workspace, then their sum with what follows it.
// CHECK: dsc.launch @[[SUM:matmul_relu_[0-9a-f]+]](%{{.*}}) {before = [{grid = #dsc.dims<4, 4, 1>, kernel = @[[PARTS:matmul_relu_[0-9a-f]+_step1]]}], grid = #dsc.dims<33, 1, 1>, {{.*}}workspace_place = 0 : i64}
// The parts' kernel takes the workspace behind the tensors, and applies nothing to its sums.
// CHECK: llvm.func @[[PARTS]](%{{.*}}: !llvm.ptr<1>, %{{.*}}: !llvm.ptr<1>, %{{.*}}: !llvm.ptr<1>, %{{.*}}: !llvm.ptr<1>)
// CHECK: nvvm.read.ptx.sreg.ctaid.y
// CHECK-NOT: arith.maximumf
// CHECK: llvm.func @[[SUM]](
// CHECK: scf.for %{{.*}} = %{{.*}} to %c4{{.*}} iter_args
module {
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  func.func @main(%x: tensor<65x300xf32>, %w: tensor<300x127xf32>) -> tensor<65x127xf32> {
    %0 = dsc.group(%x, %w) {schedule = #dsc.schedule<split_tiles, columns = 64, parts = 4, rows = 64, slice = 16>}
        : (tensor<65x300xf32>, tensor<300x127xf32>) -> tensor<65x127xf32> {
    ^bb0(%a: tensor<65x300xf32>, %b: tensor<300x127xf32>):
      %1 = dsc.matmul %a, %b : (tensor<65x300xf32>, tensor<300x127xf32>) -> tensor<65x127xf32>
      %2 = dsc.relu %1 : (tensor<65x127xf32>) -> tensor<65x127xf32>
      dsc.yield %2 : tensor<65x127xf32>
    }
    return %0 : tensor<65x127xf32>
  }
}
}

// -----

// A thread stores the 4 + 4 elements of a slice that it has in registers, and has asked for the next ones before it
// multiplies; nothing branches around a load. Rows of 132 are made of whole accesses.
// CHECK-LABEL: llvm.func @matmul_exp_
// CHECK-COUNT-8: llvm.load {{.*}} -> f32
// CHECK: scf.for {{.*}} to %c300
// CHECK-COUNT-8: llvm.store {{.*}} : f32, !llvm.ptr<3>
// CHECK: nvvm.barrier0
// CHECK-NOT: scf.if
// CHECK-COUNT-8: llvm.load {{.*}} : !llvm.ptr<1> -> f32
// CHECK-NOT: : !llvm.ptr<1>
// CHECK: math.fma
// CHECK: nvvm.barrier0
// CHECK: scf.yield
// CHECK-COUNT-4: llvm.store {{.*}} : vector<4xf32>, !llvm.ptr<1>
// CHECK-NOT: llvm.store
module {
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  func.func @main(%x: tensor<65x300xf32>, %w: tensor<300x132xf32>) -> tensor<65x132xf32> {
    %0 = dsc.group(%x, %w) {schedule = #dsc.schedule<shared_tiles, columns = 64, rows = 64, slice = 16>}
        : (tensor<65x300xf32>, tensor<300x132xf32>) -> tensor<65x132xf32> {
    ^bb0(%a: tensor<65x300xf32>, %b: tensor<300x132xf32>):
      %1 = dsc.matmul %a, %b : (tensor<65x300xf32>, tensor<300x132xf32>) -> tensor<65x132xf32>
      %2 = dsc.exp %1 : (tensor<65x132xf32>) -> tensor<65x132xf32>
      dsc.yield %2 : tensor<65x132xf32>
    }
    return %0 : tensor<65x132xf32>
  }
}
}

// -----

// One slice is all: no loop, and nothing is asked for that nobody needs. Rows of 131 have no whole accesses.
// CHECK-LABEL: llvm.func @matmul_exp_
// CHECK-NOT: scf.for
// CHECK-COUNT-8: llvm.load {{.*}} : !llvm.ptr<1> -> f32
// CHECK-NOT: llvm.load {{.*}} : !llvm.ptr<1>
// CHECK-COUNT-16: llvm.store {{.*}} : f32, !llvm.ptr<1>
module {
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  func.func @main(%x: tensor<65x16xf32>, %w: tensor<16x131xf32>) -> tensor<65x131xf32> {
    %0 = dsc.group(%x, %w) {schedule = #dsc.schedule<shared_tiles, columns = 64, rows = 64, slice = 16>}
        : (tensor<65x16xf32>, tensor<16x131xf32>) -> tensor<65x131xf32> {
    ^bb0(%a: tensor<65x16xf32>, %b: tensor<16x131xf32>):
      %1 = dsc.matmul %a, %b : (tensor<65x16xf32>, tensor<16x131xf32>) -> tensor<65x131xf32>
      %2 = dsc.exp %1 : (tensor<65x131xf32>) -> tensor<65x131xf32>
      dsc.yield %2 : tensor<65x131xf32>
    }
    return %0 : tensor<65x131xf32>
  }
}
}

// -----

// Rows in four parts: a kernel for the sum, and one that joins its parts and divides. 12 warps, then 3.
// CHECK: dsc.launch @[[LAST:reduce_mean_[0-9a-f]+]](%{{.*}}) {before = [{grid = #dsc.dims<2, 1, 1>, kernel = @[[LAST]]_step1}], grid = #dsc.dims<1, 1, 1>
// CHECK: llvm.func @[[LAST]]_step1(
// CHECK-NOT: arith.divf
// CHECK: llvm.func @[[LAST]](
// CHECK: nvvm.shfl.sync
// CHECK: arith.divf
module {
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  func.func @main(%x: tensor<3x1025xf32>) -> tensor<3x1xf32> {
    %0 = dsc.group(%x) {schedule = #dsc.schedule<split_rows, parts = 4, width = 1>} : (tensor<3x1025xf32>) -> tensor<3x1xf32> {
    ^bb0(%a: tensor<3x1025xf32>):
      %1 = dsc.reduce_mean %a {axes = [1]} : (tensor<3x1025xf32>) -> tensor<3x1xf32>
      dsc.yield %1 : tensor<3x1xf32>
    }
    return %0 : tensor<3x1xf32>
  }
}
}

// -----

// A row to a cluster of 2 blocks: each warp tells both blocks its part of the sum, and a barrier of the cluster stands
// between that and the join; another before it sees to it that both have begun.
// CHECK: dsc.launch @[[ONE:reduce_mean_[0-9a-f]+]](%{{.*}}) {grid = #dsc.dims<6, 1, 1>
// CHECK: llvm.func @[[ONE]]({{.*}} attributes {dsc.kernel = {cluster = [2, 1, 1]
// CHECK: nvvm.cluster.arrive
// CHECK: nvvm.shfl.sync
// CHECK: nvvm.cluster.wait
// CHECK-COUNT-2: nvvm.mapa
// CHECK: nvvm.cluster.arrive
// CHECK-NEXT: nvvm.cluster.wait
// CHECK: arith.divf
module {
module @cuda_sm90a attributes {dsc.target = "cuda_sm90a"} {
  func.func @main(%x: tensor<3x1025xf32>) -> tensor<3x1xf32> {
    %0 = dsc.group(%x) {schedule = #dsc.schedule<block_rows, blocks = 2, warps = 8, width = 1>} : (tensor<3x1025xf32>) -> tensor<3x1xf32> {
    ^bb0(%a: tensor<3x1025xf32>):
      %1 = dsc.reduce_mean %a {axes = [1]} : (tensor<3x1025xf32>) -> tensor<3x1xf32>
      dsc.yield %1 : tensor<3x1xf32>
    }
    return %0 : tensor<3x1xf32>
  }
}
}
