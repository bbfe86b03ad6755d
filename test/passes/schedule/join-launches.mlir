// Groups that do not wait for each other share a launch, where launches cost time.
// RUN: dscc-opt %s --split-input-file --pass-pipeline='builtin.module(builtin.module(func.func(dsc-schedule-groups,dsc-join-launches)))' | FileCheck %s
// RUN: dscc-opt %s --split-input-file --pass-pipeline='builtin.module(builtin.module(func.func(dsc-schedule-groups,dsc-join-launches{explain=.})))' \
// RUN:   -o /dev/null 2>&1 | FileCheck %s --check-prefix=WHY

// Three products of one input: those behind the first are moved to it, with the weights and views that they read. The
// sum needs what one of them makes.
// CHECK-LABEL: module @products
// CHECK: %[[W:.*]] = dsc.reshape
// CHECK: %[[ALL:.*]]:3 = dsc.group(%{{.*}}, %{{.*}}, %{{.*}}, %[[W]]) {label = "matmul_x3", schedule = #dsc.schedule<side_by_side, way = 0>}
// CHECK: %[[ONE:.*]] = dsc.group(%[[X:.*]], %{{.*}}) {schedule = [[SCHEDULE:#dsc.schedule<elementwise[^>]*>]]}
// CHECK: dsc.group(%[[X]], %{{.*}}) {schedule = [[SCHEDULE]]}
// CHECK: dsc.group(%[[X]], %{{.*}}) {schedule = [[SCHEDULE]]}
// CHECK: dsc.yield
// CHECK: dsc.group(%[[ALL]]#0)
// CHECK-NOT: dsc.matmul
// CHECK: return
// WHY: remark: {{.*}}shares a launch with dsc.group 'a'
// WHY: remark: {{.*}}shares a launch with dsc.group 'a'
module {
  module @products attributes {dsc.target = "cuda_sm80"} {
    func.func @main(%x: tensor<64x16xf32>, %w: tensor<16x64xf32>, %v: tensor<16x64xf32>, %u: tensor<1024xf32>)
        -> (tensor<64x64xf32>, tensor<64x64xf32>, tensor<64x64xf32>) {
      %0 = dsc.group (%x, %w) : (tensor<64x16xf32>, tensor<16x64xf32>) -> tensor<64x64xf32> {
      ^bb0(%a: tensor<64x16xf32>, %b: tensor<16x64xf32>):
        %p = dsc.matmul %a, %b : (tensor<64x16xf32>, tensor<16x64xf32>) -> tensor<64x64xf32>
        dsc.yield %p : tensor<64x64xf32>
      } loc("a")
      %1 = dsc.group (%0) : (tensor<64x64xf32>) -> tensor<64x64xf32> {
      ^bb0(%a: tensor<64x64xf32>):
        %p = dsc.relu %a : (tensor<64x64xf32>) -> tensor<64x64xf32>
        dsc.yield %p : tensor<64x64xf32>
      } loc("b")
      %2 = dsc.group (%x, %v) : (tensor<64x16xf32>, tensor<16x64xf32>) -> tensor<64x64xf32> {
      ^bb0(%a: tensor<64x16xf32>, %b: tensor<16x64xf32>):
        %p = dsc.matmul %a, %b : (tensor<64x16xf32>, tensor<16x64xf32>) -> tensor<64x64xf32>
        dsc.yield %p : tensor<64x64xf32>
      } loc("c")
      %t = dsc.reshape %u : (tensor<1024xf32>) -> tensor<16x64xf32>
      %3 = dsc.group (%x, %t) : (tensor<64x16xf32>, tensor<16x64xf32>) -> tensor<64x64xf32> {
      ^bb0(%a: tensor<64x16xf32>, %b: tensor<16x64xf32>):
        %p = dsc.matmul %a, %b : (tensor<64x16xf32>, tensor<16x64xf32>) -> tensor<64x64xf32>
        dsc.yield %p : tensor<64x64xf32>
      } loc("d")
      return %1, %2, %3 : tensor<64x64xf32>, tensor<64x64xf32>, tensor<64x64xf32>
    }
  }
}

// -----

// What one group makes for another, and groups whose blocks differ, stay apart; so do, on a CPU, any groups.
// CHECK-LABEL: module @apart
// CHECK: dsc.group
// CHECK-SAME: rows
// CHECK: dsc.group
// CHECK-SAME: elementwise
// CHECK: dsc.group
// CHECK-SAME: elementwise
// CHECK-NOT: side_by_side
// CHECK-LABEL: module @cpu
// CHECK-NOT: side_by_side
// WHY: remark: {{.*}}shares no launch with dsc.group 'a': they are written by different emitters
module {
  module @apart attributes {dsc.target = "cuda_sm80"} {
    func.func @main(%x: tensor<64x128xf32>) -> (tensor<64x1xf32>, tensor<64x128xf32>) {
      %0 = dsc.group (%x) : (tensor<64x128xf32>) -> tensor<64x1xf32> {
      ^bb0(%a: tensor<64x128xf32>):
        %p = dsc.reduce_sum %a {axes = [1]} : (tensor<64x128xf32>) -> tensor<64x1xf32>
        dsc.yield %p : tensor<64x1xf32>
      } loc("a")
      %1 = dsc.group (%x) : (tensor<64x128xf32>) -> tensor<64x128xf32> {
      ^bb0(%a: tensor<64x128xf32>):
        %p = dsc.relu %a : (tensor<64x128xf32>) -> tensor<64x128xf32>
        dsc.yield %p : tensor<64x128xf32>
      } loc("b")
      %2 = dsc.group (%1) : (tensor<64x128xf32>) -> tensor<64x128xf32> {
      ^bb0(%a: tensor<64x128xf32>):
        %p = dsc.sigmoid %a : (tensor<64x128xf32>) -> tensor<64x128xf32>
        dsc.yield %p : tensor<64x128xf32>
      } loc("c")
      return %0, %2 : tensor<64x1xf32>, tensor<64x128xf32>
    }
  }
  module @cpu attributes {dsc.target = "cpu_v3"} {
    func.func @main(%x: tensor<64xf32>) -> (tensor<64xf32>, tensor<64xf32>) {
      %0 = dsc.group (%x) : (tensor<64xf32>) -> tensor<64xf32> {
      ^bb0(%a: tensor<64xf32>):
        %p = dsc.relu %a : (tensor<64xf32>) -> tensor<64xf32>
        dsc.yield %p : tensor<64xf32>
      }
      %1 = dsc.group (%x) : (tensor<64xf32>) -> tensor<64xf32> {
      ^bb0(%a: tensor<64xf32>):
        %p = dsc.sigmoid %a : (tensor<64xf32>) -> tensor<64xf32>
        dsc.yield %p : tensor<64xf32>
      }
      return %0, %1 : tensor<64xf32>, tensor<64xf32>
    }
  }
}

// -----

// A wide product and a narrow one would be split otherwise, and agree. One whose schedule was written by hand does not.
// CHECK-LABEL: module @agreed
// CHECK: label = "matmul_x2"
// CHECK: dsc.group{{.*}}[[SCHEDULE:#dsc.schedule<[a-z]*_tiles[^>]*>]]
// CHECK: dsc.group{{.*}}[[SCHEDULE]]
// CHECK-LABEL: module @by_hand
// CHECK-NOT: side_by_side
// WHY: remark: {{.*}}shares a launch with dsc.group 'a'
// WHY: remark: {{.*}}shares no launch with dsc.group 'a': their blocks are not alike, and a schedule was written by hand
module {
  module @agreed attributes {dsc.target = "cuda_sm80"} {
    func.func @main(%x: tensor<1x512xf32>, %w: tensor<512x1024xf32>, %v: tensor<512x64xf32>) -> (tensor<1x1024xf32>, tensor<1x64xf32>) {
      %0 = dsc.group (%x, %w) : (tensor<1x512xf32>, tensor<512x1024xf32>) -> tensor<1x1024xf32> {
      ^bb0(%a: tensor<1x512xf32>, %b: tensor<512x1024xf32>):
        %p = dsc.matmul %a, %b : (tensor<1x512xf32>, tensor<512x1024xf32>) -> tensor<1x1024xf32>
        dsc.yield %p : tensor<1x1024xf32>
      } loc("a")
      %1 = dsc.group (%x, %v) : (tensor<1x512xf32>, tensor<512x64xf32>) -> tensor<1x64xf32> {
      ^bb0(%a: tensor<1x512xf32>, %b: tensor<512x64xf32>):
        %p = dsc.matmul %a, %b : (tensor<1x512xf32>, tensor<512x64xf32>) -> tensor<1x64xf32>
        dsc.yield %p : tensor<1x64xf32>
      } loc("b")
      return %0, %1 : tensor<1x1024xf32>, tensor<1x64xf32>
    }
  }
  module @by_hand attributes {dsc.target = "cuda_sm80"} {
    func.func @main(%x: tensor<1x512xf32>, %w: tensor<512x1024xf32>, %v: tensor<512x64xf32>) -> (tensor<1x1024xf32>, tensor<1x64xf32>) {
      %0 = dsc.group (%x, %w) {schedule = #dsc.schedule<split_tiles, columns = 64, parts = 2, rows = 64, slice = 16>}
         : (tensor<1x512xf32>, tensor<512x1024xf32>) -> tensor<1x1024xf32> {
      ^bb0(%a: tensor<1x512xf32>, %b: tensor<512x1024xf32>):
        %p = dsc.matmul %a, %b : (tensor<1x512xf32>, tensor<512x1024xf32>) -> tensor<1x1024xf32>
        dsc.yield %p : tensor<1x1024xf32>
      } loc("a")
      %1 = dsc.group (%x, %v) : (tensor<1x512xf32>, tensor<512x64xf32>) -> tensor<1x64xf32> {
      ^bb0(%a: tensor<1x512xf32>, %b: tensor<512x64xf32>):
        %p = dsc.matmul %a, %b : (tensor<1x512xf32>, tensor<512x64xf32>) -> tensor<1x64xf32>
        dsc.yield %p : tensor<1x64xf32>
      } loc("b")
      return %0, %1 : tensor<1x1024xf32>, tensor<1x64xf32>
    }
  }
}
