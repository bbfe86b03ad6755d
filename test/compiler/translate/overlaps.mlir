// A kernel that both generations have is translated once up to LLVM IR. What overlaps then waits before it touches
// memory, in the PTX of the generation that launches it so, and in no other.
// RUN: rm -rf %t && mkdir %t
// RUN: dscc %s --target=cuda --emit=ptx -o %t/k.ptx
// RUN: FileCheck %s --input-file=%t/k.cuda_sm90a.ptx --check-prefix=NEW
// RUN: FileCheck %s --input-file=%t/k.cuda_sm80.ptx --check-prefix=OLD
// RUN: dscc %s --target=cuda --arch=sm_80,sm_90a -o %t/k.so
// RUN: dscc-run %t/k.so --device=sim --sim-chip=sm_90 --sim-check=all | FileCheck %s
// RUN: dscc-run %t/k.so --device=sim --sim-chip=sm_80 --sim-check=all | FileCheck %s

// NEW: .target sm_90a
// NEW: .entry relu_
// NEW-NOT: ld.global
// NEW: griddepcontrol.wait;
// NEW-NEXT: griddepcontrol.launch_dependents;
// NEW: ld.global

// OLD: .target sm_80
// OLD: .entry relu_
// OLD-NOT: griddepcontrol

// CHECK: y: float32 [64], min 0

module attributes {dsc.stage = "imported", dsc.symbols = [], dsc.relations = []} {
  func.func @main(%x: tensor<64xf32> {dsc.name = "x"}) -> (tensor<64xf32> {dsc.name = "y"}) {
    %0 = dsc.relu %x : (tensor<64xf32>) -> tensor<64xf32>
    return %0 : tensor<64xf32>
  }
}
