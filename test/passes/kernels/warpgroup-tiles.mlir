// On sm_90a products of halves that tensor maps can describe are computed by wgmma: a ring that one thread fills, and a
// way out by bulk copies. What has no maps is left to other emitters, and what cannot be followed is refused.
// RUN: split-file %s %t
// RUN: dscc %t/maps.mlir --target=cuda --arch=sm_90a --emit=ptx -o - | FileCheck %s --check-prefix=MAPS
// RUN: dscc %t/together.mlir --target=cuda --arch=sm_90a --emit=ptx -o - | FileCheck %s --check-prefix=TOGETHER
// RUN: dscc %t/slabs.mlir --target=cuda --arch=sm_90a --emit=ptx -o - | FileCheck %s --check-prefix=SLABS
// RUN: dscc %t/odd.mlir --target=cuda --arch=sm_90a --explain=schedule -o %t/x.so 2>&1 | FileCheck %s --check-prefix=ODD
// RUN: dscc %t/maps80.mlir --target=cuda --arch=sm_80 --explain=schedule -o %t/x.so 2>&1 | FileCheck %s --check-prefix=OLD
// RUN: sed 's/rows = 64/rows = 96/' %t/maps.mlir > %t/rows.mlir
// RUN: not dscc %t/rows.mlir --target=cuda --arch=sm_90a -o %t/x.so 2>&1 | FileCheck %s --check-prefix=ROWS
// RUN: sed 's/columns = 64/columns = 72/' %t/maps.mlir > %t/columns.mlir
// RUN: not dscc %t/columns.mlir --target=cuda --arch=sm_90a -o %t/x.so 2>&1 | FileCheck %s --check-prefix=COLUMNS
// RUN: sed 's/rows = 64/rows = 256/; s/columns = 64/columns = 256/' %t/maps.mlir > %t/sums.mlir
// RUN: not dscc %t/sums.mlir --target=cuda --arch=sm_90a -o %t/x.so 2>&1 | FileCheck %s --check-prefix=SUMS
// RUN: sed 's/cluster = 0/cluster = 1/' %t/maps.mlir > %t/cluster.mlir
// RUN: not dscc %t/cluster.mlir --target=cuda --arch=sm_90a -o %t/x.so 2>&1 | FileCheck %s --check-prefix=CLUSTER
// RUN: sed 's/parts = 1, persistent = 0/parts = 2, persistent = 1/' %t/maps.mlir > %t/parts.mlir
// RUN: not dscc %t/parts.mlir --target=cuda --arch=sm_90a -o %t/x.so 2>&1 | FileCheck %s --check-prefix=PARTS
// RUN: sed 's/columns = 64/columns = 256/; s/stages = 4/stages = 8/' %t/maps.mlir > %t/ring.mlir
// RUN: not dscc %t/ring.mlir --target=cuda --arch=sm_90a -o %t/x.so 2>&1 | FileCheck %s --check-prefix=RING
// RUN: sed 's/multicast = 1/multicast = 3/' %t/maps.mlir > %t/three.mlir
// RUN: not dscc %t/three.mlir --target=cuda --arch=sm_90a -o %t/x.so 2>&1 | FileCheck %s --check-prefix=THREE

// Memory that the launch is asked for is external and has no size.
// MAPS: .extern .shared .align 1024 .b8 {{.*}}_dynamic[]
// MAPS: mbarrier.init.shared.b64
// MAPS: cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes
// MAPS: wgmma.mma_async.sync.aligned.m64n64k16.f32.f16.f16
// MAPS: stmatrix.sync.aligned.m8n8.x4.shared.b16
// MAPS: cp.async.bulk.tensor.2d.global.shared::cta.tile.bulk_group

// Both blocks of a cluster copy half of the columns for both.
// TOGETHER: .reqnctapercluster 2, 1, 1
// TOGETHER: cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes.multicast::cluster
// TOGETHER: mbarrier.arrive.release.cluster.shared::cluster.b64

// Results in single precision leave by slabs.
// SLABS-NOT: stmatrix
// SLABS: wgmma.mma_async
// SLABS-NOT: stmatrix

// ODD: warpgroup_tiles: an operand's rows do not lie at multiples of 16 bytes
// OLD: warpgroup_tiles: the target has no matrix instructions of four warps

// ROWS: error: {{.*}}cannot be followed: warpgroups do not share the tile evenly
// COLUMNS: error: {{.*}}cannot be followed: the columns of a tile are no multiple of 16
// SUMS: error: {{.*}}cannot be followed: a thread would have too many sums
// CLUSTER: error: {{.*}}cannot be followed: a cluster has several parts
// PARTS: error: {{.*}}cannot be followed: blocks with several tiles sum whole ones
// RING: error: {{.*}}cannot be followed: the ring does not fit shared memory
// THREE: error: {{.*}}cannot be followed: the blocks of a cluster do not share the tile's columns evenly

//--- maps.mlir
module attributes {dsc.stage = "scheduled", dsc.symbols = [], dsc.relations = []} {
  func.func private @main(tensor<64x64xf16> {dsc.name = "x"}) -> (tensor<64x64xf16> {dsc.name = "y"})
  module @cuda_sm90a attributes {dsc.target = "cuda_sm90a"} {
    func.func @main(%x: tensor<64x64xf16> {dsc.name = "x"}) -> (tensor<64x64xf16> {dsc.name = "y"}) {
      %0 = dsc.group(%x) {schedule = #dsc.schedule<warpgroup_tiles, cluster = 0, columns = 64, multicast = 1, parts = 1, persistent = 0, rows = 64, stages = 4, warpgroups = 1>} : (tensor<64x64xf16>) -> tensor<64x64xf16> {
      ^bb0(%a: tensor<64x64xf16>):
        %1 = dsc.matmul %a, %a : (tensor<64x64xf16>, tensor<64x64xf16>) -> tensor<64x64xf16>
        dsc.yield %1 : tensor<64x64xf16>
      }
      return %0 : tensor<64x64xf16>
    }
  }
}

//--- together.mlir
module attributes {dsc.stage = "scheduled", dsc.symbols = [], dsc.relations = []} {
  func.func private @main(tensor<128x128xf16> {dsc.name = "x"}) -> (tensor<128x128xf16> {dsc.name = "y"})
  module @cuda_sm90a attributes {dsc.target = "cuda_sm90a"} {
    func.func @main(%x: tensor<128x128xf16> {dsc.name = "x"}) -> (tensor<128x128xf16> {dsc.name = "y"}) {
      %0 = dsc.group(%x) {schedule = #dsc.schedule<warpgroup_tiles, cluster = 0, columns = 128, multicast = 2, parts = 1, persistent = 0, rows = 64, stages = 4, warpgroups = 1>} : (tensor<128x128xf16>) -> tensor<128x128xf16> {
      ^bb0(%a: tensor<128x128xf16>):
        %1 = dsc.matmul %a, %a : (tensor<128x128xf16>, tensor<128x128xf16>) -> tensor<128x128xf16>
        dsc.yield %1 : tensor<128x128xf16>
      }
      return %0 : tensor<128x128xf16>
    }
  }
}

//--- slabs.mlir
module attributes {dsc.stage = "scheduled", dsc.symbols = [], dsc.relations = []} {
  func.func private @main(tensor<64x64xf16> {dsc.name = "x"}) -> (tensor<64x64xf32> {dsc.name = "y"})
  module @cuda_sm90a attributes {dsc.target = "cuda_sm90a"} {
    func.func @main(%x: tensor<64x64xf16> {dsc.name = "x"}) -> (tensor<64x64xf32> {dsc.name = "y"}) {
      %0 = dsc.group(%x) {schedule = #dsc.schedule<warpgroup_tiles, cluster = 0, columns = 64, multicast = 1, parts = 1, persistent = 0, rows = 64, stages = 4, warpgroups = 1>} : (tensor<64x64xf16>) -> tensor<64x64xf32> {
      ^bb0(%a: tensor<64x64xf16>):
        %1 = dsc.matmul %a, %a : (tensor<64x64xf16>, tensor<64x64xf16>) -> tensor<64x64xf16>
        %2 = dsc.cast %1 : (tensor<64x64xf16>) -> tensor<64x64xf32>
        dsc.yield %2 : tensor<64x64xf32>
      }
      return %0 : tensor<64x64xf32>
    }
  }
}

//--- odd.mlir
module attributes {dsc.stage = "imported", dsc.symbols = [], dsc.relations = []} {
  func.func @main(%x: tensor<64x63xf16> {dsc.name = "x"}, %w: tensor<63x64xf16> {dsc.name = "w"}) -> (tensor<64x64xf16> {dsc.name = "y"}) {
    %0 = dsc.matmul %x, %w : (tensor<64x63xf16>, tensor<63x64xf16>) -> tensor<64x64xf16>
    return %0 : tensor<64x64xf16>
  }
}

//--- maps80.mlir
module attributes {dsc.stage = "imported", dsc.symbols = [], dsc.relations = []} {
  func.func @main(%x: tensor<64x64xf16> {dsc.name = "x"}) -> (tensor<64x64xf16> {dsc.name = "y"}) {
    %0 = dsc.matmul %x, %x : (tensor<64x64xf16>, tensor<64x64xf16>) -> tensor<64x64xf16>
    return %0 : tensor<64x64xf16>
  }
}
