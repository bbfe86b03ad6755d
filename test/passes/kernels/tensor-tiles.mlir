// Products of halves are computed by matrix instructions, from what is copied past the registers if it lies in pieces of
// 16 bytes, and a GPU without a type's instruction, or another type, has tiles without them.
// RUN: split-file %s %t
// RUN: dscc %t/pieces.mlir --target=cuda --arch=sm_80 --emit=ptx -o - | FileCheck %s --check-prefix=PIECES
// RUN: dscc %t/loop.mlir --target=cuda --arch=sm_80 --emit=ptx -o - | FileCheck %s --check-prefix=LOOP
// RUN: dscc %t/many.mlir --target=cuda --arch=sm_80 --until=scheduled -o - | FileCheck %s --check-prefix=MANY
// RUN: dscc %t/odd.mlir --target=cuda --arch=sm_80 --emit=ptx -o - | FileCheck %s --check-prefix=ODD
// RUN: dscc %t/single.mlir --target=cuda --arch=sm_80 --emit=ptx -o - | FileCheck %s --check-prefix=SINGLE
// RUN: not dscc %t/sides.mlir --target=cuda --arch=sm_80 -o %t/x.so 2>&1 | FileCheck %s --check-prefix=SIDES
// RUN: not dscc %t/large.mlir --target=cuda --arch=sm_80 -o %t/x.so 2>&1 | FileCheck %s --check-prefix=LARGE
// RUN: not dscc %t/warps.mlir --target=cuda --arch=sm_80 -o %t/x.so 2>&1 | FileCheck %s --check-prefix=WARPS

// PIECES: cp.async.cg.shared.global
// PIECES: ldmatrix.sync.aligned.m8n8.x4.shared.b16
// PIECES: ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16
// PIECES: mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32
// Lanes leave with eight neighbours each.
// PIECES: st.global.v4.b32

// In the loop over slices a step's fragments lie at an exclusive or with the slice's first address, or at a number
// behind it (16 lines of 64 bytes), and those of the next slice are loaded behind the barrier, before the last products.
// What is copied lies at a number behind what a register holds, which goes on by a slice: 64 steps of 2 bytes of the
// left operand, 64 rows of 128 bytes of the right one.
// LOOP: cp.async.cg.shared.global {{\[}}[[TO:%rd[0-9]+]]], {{\[}}[[FROM:%rd[0-9]+]]], 16;
// LOOP-NEXT: cp.async.cg.shared.global {{\[}}[[TO]]+2048], {{\[}}[[FROM]]+16384], 16;
// LOOP: ldmatrix.sync.aligned.m8n8.x4.shared.b16
// LOOP: mma.sync
// LOOP: xor.b32 [[NEXT:%r[0-9]+]], {{%r[0-9]+}}, 64;
// LOOP-NEXT: cvt.u64.u32 [[ADDRESS:%rd[0-9]+]], [[NEXT]];
// LOOP-NEXT: ldmatrix.sync.aligned.m8n8.x4.shared.b16 {{.*}}, {{\[}}[[ADDRESS]]];
// LOOP-NEXT: ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {{.*}}, [%rd{{[0-9]+}}+2048];
// LOOP: bar.sync
// LOOP: ldmatrix.sync
// LOOP: mma.sync
// LOOP: add.s64 %rd{{[0-9]+}}, %rd{{[0-9]+}}, {{128|8192}};
// LOOP-NEXT: add.s64 %rd{{[0-9]+}}, %rd{{[0-9]+}}, {{128|8192}};

// Where there is work for all, a warp has as many sums as registers hold: what it loads of shared memory it uses often.
// MANY: schedule = #dsc.schedule<tensor_tiles, {{.*}}columns = 128, parts = 1, rows = 128, {{.*}}warp_columns = 64, warp_rows = 64>

// ODD-NOT: cp.async.cg
// ODD: mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32

// SINGLE-NOT: mma.sync

// SIDES: error: {{.*}}cannot be followed: a side of a tile is no power of 2
// LARGE: error: {{.*}}cannot be followed: the ring does not fit shared memory
// WARPS: error: {{.*}}cannot be followed: warps do not share the tile evenly

//--- pieces.mlir
module attributes {dsc.stage = "imported", dsc.symbols = [], dsc.relations = []} {
  func.func @main(%x: tensor<64x64xf16> {dsc.name = "x"}, %w: tensor<64x64xf16> {dsc.name = "w"}) -> (tensor<64x64xf16> {dsc.name = "y"}) {
    %0 = dsc.matmul %x, %w : (tensor<64x64xf16>, tensor<64x64xf16>) -> tensor<64x64xf16>
    return %0 : tensor<64x64xf16>
  }
}

//--- loop.mlir
module attributes {dsc.stage = "scheduled", dsc.symbols = [], dsc.relations = []} {
  func.func private @main(tensor<4096x512xf16> {dsc.name = "x"}, tensor<512x64xf16> {dsc.name = "w"}) -> (tensor<4096x64xf16> {dsc.name = "y"})
  module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
    func.func @main(%x: tensor<4096x512xf16> {dsc.name = "x"}, %w: tensor<512x64xf16> {dsc.name = "w"}) -> (tensor<4096x64xf16> {dsc.name = "y"}) {
      %0 = dsc.group(%x, %w) {schedule = #dsc.schedule<tensor_tiles, cluster = 0, columns = 32, parts = 1, rows = 32, slice = 64, stages = 4, warp_columns = 16, warp_rows = 16>} : (tensor<4096x512xf16>, tensor<512x64xf16>) -> tensor<4096x64xf16> {
      ^bb0(%a: tensor<4096x512xf16>, %b: tensor<512x64xf16>):
        %1 = dsc.matmul %a, %b : (tensor<4096x512xf16>, tensor<512x64xf16>) -> tensor<4096x64xf16>
        dsc.yield %1 : tensor<4096x64xf16>
      }
      return %0 : tensor<4096x64xf16>
    }
  }
}

//--- many.mlir
module attributes {dsc.stage = "imported", dsc.symbols = [], dsc.relations = []} {
  func.func @main(%x: tensor<2048x768xf16> {dsc.name = "x"}, %w: tensor<768x2304xf16> {dsc.name = "w"}) -> (tensor<2048x2304xf16> {dsc.name = "y"}) {
    %0 = dsc.matmul %x, %w : (tensor<2048x768xf16>, tensor<768x2304xf16>) -> tensor<2048x2304xf16>
    return %0 : tensor<2048x2304xf16>
  }
}

//--- odd.mlir
module attributes {dsc.stage = "imported", dsc.symbols = [], dsc.relations = []} {
  func.func @main(%x: tensor<33x63xbf16> {dsc.name = "x"}, %w: tensor<63x65xbf16> {dsc.name = "w"}) -> (tensor<33x65xbf16> {dsc.name = "y"}) {
    %0 = dsc.matmul %x, %w : (tensor<33x63xbf16>, tensor<63x65xbf16>) -> tensor<33x65xbf16>
    return %0 : tensor<33x65xbf16>
  }
}

//--- single.mlir
module attributes {dsc.stage = "imported", dsc.symbols = [], dsc.relations = []} {
  func.func @main(%x: tensor<64x64xf32> {dsc.name = "x"}, %w: tensor<64x64xf32> {dsc.name = "w"}) -> (tensor<64x64xf32> {dsc.name = "y"}) {
    %0 = dsc.matmul %x, %w : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    return %0 : tensor<64x64xf32>
  }
}

//--- sides.mlir
module attributes {dsc.stage = "scheduled", dsc.symbols = [], dsc.relations = []} {
  func.func private @main(tensor<64x64xf16> {dsc.name = "x"}) -> (tensor<64x64xf16> {dsc.name = "y"})
  module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
    func.func @main(%x: tensor<64x64xf16> {dsc.name = "x"}) -> (tensor<64x64xf16> {dsc.name = "y"}) {
      %0 = dsc.group(%x) {schedule = #dsc.schedule<tensor_tiles, cluster = 0, columns = 96, parts = 1, rows = 64, slice = 32, stages = 2, warp_columns = 32, warp_rows = 32>} : (tensor<64x64xf16>) -> tensor<64x64xf16> {
      ^bb0(%a: tensor<64x64xf16>):
        %1 = dsc.matmul %a, %a : (tensor<64x64xf16>, tensor<64x64xf16>) -> tensor<64x64xf16>
        dsc.yield %1 : tensor<64x64xf16>
      }
      return %0 : tensor<64x64xf16>
    }
  }
}

//--- large.mlir
module attributes {dsc.stage = "scheduled", dsc.symbols = [], dsc.relations = []} {
  func.func private @main(tensor<64x64xf16> {dsc.name = "x"}) -> (tensor<64x64xf16> {dsc.name = "y"})
  module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
    func.func @main(%x: tensor<64x64xf16> {dsc.name = "x"}) -> (tensor<64x64xf16> {dsc.name = "y"}) {
      %0 = dsc.group(%x) {schedule = #dsc.schedule<tensor_tiles, cluster = 0, columns = 256, parts = 1, rows = 128, slice = 64, stages = 3, warp_columns = 64, warp_rows = 64>} : (tensor<64x64xf16>) -> tensor<64x64xf16> {
      ^bb0(%a: tensor<64x64xf16>):
        %1 = dsc.matmul %a, %a : (tensor<64x64xf16>, tensor<64x64xf16>) -> tensor<64x64xf16>
        dsc.yield %1 : tensor<64x64xf16>
      }
      return %0 : tensor<64x64xf16>
    }
  }
}

//--- warps.mlir
module attributes {dsc.stage = "scheduled", dsc.symbols = [], dsc.relations = []} {
  func.func private @main(tensor<64x64xf16> {dsc.name = "x"}) -> (tensor<64x64xf16> {dsc.name = "y"})
  module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
    func.func @main(%x: tensor<64x64xf16> {dsc.name = "x"}) -> (tensor<64x64xf16> {dsc.name = "y"}) {
      %0 = dsc.group(%x) {schedule = #dsc.schedule<tensor_tiles, cluster = 0, columns = 64, parts = 1, rows = 32, slice = 32, stages = 2, warp_columns = 32, warp_rows = 64>} : (tensor<64x64xf16>) -> tensor<64x64xf16> {
      ^bb0(%a: tensor<64x64xf16>):
        %1 = dsc.matmul %a, %a : (tensor<64x64xf16>, tensor<64x64xf16>) -> tensor<64x64xf16>
        dsc.yield %1 : tensor<64x64xf16>
      }
      return %0 : tensor<64x64xf16>
    }
  }
}
