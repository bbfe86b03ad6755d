// LLVM's instruction combiner does not always come to rest in the one round that it makes; what it leaves is right.
// RUN: dscc --target=cuda --emit=ptx %s -o - | FileCheck %s

// CHECK: .entry slice_

module attributes {dsc.relations = [], dsc.stage = "imported", dsc.symbols = []} {
  func.func @main(%x: tensor<1x17xf32> {dsc.name = "x"}) -> (tensor<1x4xf32> {dsc.name = "y"}) {
    %y = dsc.slice %x {sizes = #dsc.dims<1, 4>, starts = #dsc.dims<0, 7>, steps = [-1, -2]}
       : (tensor<1x17xf32>) -> tensor<1x4xf32> loc("Slice_0")
    return %y : tensor<1x4xf32>
  }
}
