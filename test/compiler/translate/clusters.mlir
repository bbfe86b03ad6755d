// A kernel's cluster and its overlap are facts of the artifact: launches and graphs of them have the attributes.
// RUN: dscc %s -o %t.so
// RUN: dscc-run %t.so --device=sim --sim-chip=sm_90 --sim-check=all --bench=0.05 | FileCheck %s
// RUN: dscc --emit=ptx %s -o - | FileCheck %s --check-prefix=PTX
// RUN: not dscc-run %t.so --device=sim --sim-chip=sm_80 2>&1 | FileCheck %s --check-prefix=OTHER

// The ranks of six blocks in clusters of two, plus what the kernel before left.
// CHECK: y: int32 [6], min 1, max 2, mean 1.5
// OTHER: the model has no code for sm_80

// PTX: .entry ranks(
// PTX-NOT: ld.global
// PTX: griddepcontrol.wait
// PTX: ld.global

module attributes {dsc.stage = "emitted", dsc.symbols = []} {
  func.func private @main() -> (tensor<6xi32> {dsc.name = "y"})
  module @cuda_sm90a attributes {dsc.target = "cuda_sm90a"} {
    gpu.module @kernels {
      llvm.func @ones(%to: !llvm.ptr<1>) attributes {nvvm.kernel, nvvm.reqntid = array<i32: 1, 1, 1>,
          dsc.kernel = {threads = [1, 1, 1], overlaps}} {
        nvvm.griddepcontrol wait
        nvvm.griddepcontrol launch_dependents
        %b = nvvm.read.ptx.sreg.ctaid.x : i32
        %one = arith.constant 1 : i32
        %place = llvm.getelementptr %to[%b] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, i32
        llvm.store %one, %place : i32, !llvm.ptr<1>
        llvm.return
      }
      llvm.func @ranks(%from: !llvm.ptr<1>, %to: !llvm.ptr<1>) attributes {nvvm.kernel,
          nvvm.reqntid = array<i32: 1, 1, 1>, dsc.kernel = {threads = [1, 1, 1], cluster = [2, 1, 1], overlaps}} {
        nvvm.griddepcontrol wait
        %b = nvvm.read.ptx.sreg.ctaid.x : i32
        %rank = nvvm.read.ptx.sreg.cluster.ctarank : i32
        %source = llvm.getelementptr %from[%b] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, i32
        %before = llvm.load %source : !llvm.ptr<1> -> i32
        %sum = arith.addi %before, %rank : i32
        %place = llvm.getelementptr %to[%b] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, i32
        llvm.store %sum, %place : i32, !llvm.ptr<1>
        llvm.return
      }
    }
    func.func @main() -> tensor<6xi32>
        attributes {dsc.arena = [{bytes = #dsc.dims<64>, live = array<i64: 0, 1>, above = array<i64>}]} {
      %x = dsc.launch @ones () {grid = #dsc.dims<6, 1, 1>, symbols = [], places = array<i64: 0>} : () -> tensor<6xi32>
      %y = dsc.launch @ranks (%x) {grid = #dsc.dims<6, 1, 1>, symbols = [], places = array<i64: -1>, outputs = [0]}
         : (tensor<6xi32>) -> tensor<6xi32>
      return %y : tensor<6xi32>
    }
  }
}
