// Tiles read panels by whole vectors; anything else looks an element up.
// RUN: dscc-opt %s --split-input-file --pass-pipeline='builtin.module(builtin.module(func.func(dsc-plan-memory),dsc-emit-kernels),canonicalize,cse)' | FileCheck %s

// Two vectors of 16 lanes are two panels. The third is read whole, though only 8 of its columns are there and stored; no
// other vector is computed beside it.
// CHECK-LABEL: llvm.func @matmul_
// CHECK-NOT: {{gather|masked}}
// CHECK: scf.for %{{.*}} iter_args({{.*}}) -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>)
// CHECK: llvm.load %{{.*}} {alignment = 4 : i64} : !llvm.ptr -> vector<16xf32>
// CHECK: llvm.load %{{.*}} {alignment = 4 : i64} : !llvm.ptr -> vector<16xf32>
// CHECK-NOT: {{gather|masked}}
// CHECK: scf.for %{{.*}} iter_args({{.*}}) -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>)
// CHECK-NOT: {{gather|masked.load}}
// CHECK: llvm.return
module {
module @cpu_v4 attributes {dsc.target = "cpu_v4"} {
  func.func @main(%x: tensor<32x24xf32>, %p: tensor<3x24x16xf32>) -> tensor<32x40xf32> {
    %0 = dsc.group(%x, %p) {label = "matmul", schedule = #dsc.schedule<tiles, columns_outside = 1, packed = 1, row_tiles = 8, rows = 4, vectors = 2, width = 16>}
        : (tensor<32x24xf32>, tensor<3x24x16xf32>) -> tensor<32x40xf32> {
    ^bb0(%a: tensor<32x24xf32>, %b: tensor<3x24x16xf32>):
      %m = dsc.unpack %b : (tensor<3x24x16xf32>) -> tensor<24x40xf32>
      %1 = dsc.matmul %a, %m : (tensor<32x24xf32>, tensor<24x40xf32>) -> tensor<32x40xf32>
      dsc.yield %1 : tensor<32x40xf32>
    }
    return %0 : tensor<32x40xf32>
  }
}
}

// -----

// A panel is two vectors of 8 lanes.
// CHECK-LABEL: llvm.func @matmul_
// CHECK-NOT: gather
// CHECK: llvm.load %{{.*}} {alignment = 4 : i64} : !llvm.ptr -> vector<8xf32>
// CHECK-NOT: gather
// CHECK: llvm.return
module {
module @cpu_v3 attributes {dsc.target = "cpu_v3"} {
  func.func @main(%x: tensor<32x24xf32>, %p: tensor<3x24x16xf32>) -> tensor<32x40xf32> {
    %0 = dsc.group(%x, %p) {label = "matmul", schedule = #dsc.schedule<tiles, columns_outside = 1, packed = 1, row_tiles = 8, rows = 4, vectors = 2, width = 8>}
        : (tensor<32x24xf32>, tensor<3x24x16xf32>) -> tensor<32x40xf32> {
    ^bb0(%a: tensor<32x24xf32>, %b: tensor<3x24x16xf32>):
      %m = dsc.unpack %b : (tensor<3x24x16xf32>) -> tensor<24x40xf32>
      %1 = dsc.matmul %a, %m : (tensor<32x24xf32>, tensor<24x40xf32>) -> tensor<32x40xf32>
      dsc.yield %1 : tensor<32x40xf32>
    }
    return %0 : tensor<32x40xf32>
  }
}
}

// -----

// Elementwise lanes may begin anywhere: the matrix is gathered.
// CHECK-LABEL: llvm.func @relu_
// CHECK: llvm.intr.masked.gather
// CHECK: llvm.return
module {
module @cpu_v4 attributes {dsc.target = "cpu_v4"} {
  func.func @main(%p: tensor<3x24x16xf32>) -> tensor<24x40xf32> {
    %0 = dsc.group(%p) {label = "relu", schedule = #dsc.schedule<elementwise, width = 16>} : (tensor<3x24x16xf32>) -> tensor<24x40xf32> {
    ^bb0(%b: tensor<3x24x16xf32>):
      %m = dsc.unpack %b : (tensor<3x24x16xf32>) -> tensor<24x40xf32>
      %1 = dsc.relu %m : (tensor<24x40xf32>) -> tensor<24x40xf32>
      dsc.yield %1 : tensor<24x40xf32>
    }
    return %0 : tensor<24x40xf32>
  }
}
}
