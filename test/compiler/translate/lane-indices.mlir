// Lanes of indices, which are 32 bits wide on a GPU where tensors are small, but not to all of MLIR: eight columns of a
// mask at a time.
// RUN: dscc %s -o %t.ptx --target=cuda --arch=sm_80 --emit=ptx
// RUN: FileCheck %s < %t.ptx

// CHECK: st.global.v2.b32
module attributes {dsc.relations = [], dsc.stage = "imported", dsc.symbols = []} {
  func.func @main() -> (tensor<512x512xi1> {dsc.name = "mask"}) {
    %0 = dsc.iota {axis = 0 : i64, type = tensor<512x1xi64>} : () -> tensor<512x1xi64>
    %1 = dsc.iota {axis = 1 : i64, type = tensor<1x512xi64>} : () -> tensor<1x512xi64>
    %2 = dsc.less_equal %1, %0 : (tensor<1x512xi64>, tensor<512x1xi64>) -> tensor<512x512xi1>
    return %2 : tensor<512x512xi1>
  }
}
