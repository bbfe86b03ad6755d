// RUN: dscc-opt %s --dsc-fuse-groups --split-input-file | FileCheck %s

// What moves or computes gates and first states is done on the way; a product stays alone. Of three results, two are
// used and become the group's.
// CHECK-LABEL: @chains
func.func @chains(%x: tensor<10x4xf32>, %w: tensor<4x12xf32>, %b: tensor<12xf32>, %r: tensor<1x3x12xf32>,
                  %h: tensor<2x1x3xf32>, %c: tensor<1x2x3xf32>) -> (tensor<5x1x2x3xf32>, tensor<1x2x3xf32>) {
  // CHECK: dsc.group
  // CHECK: dsc.matmul
  // CHECK: dsc.add
  // CHECK: dsc.yield
  // CHECK: %[[BOTH:.*]]:2 = dsc.group({{.*}}) {{.*}} -> (tensor<5x1x2x3xf32>, tensor<1x2x3xf32>) {
  // CHECK: dsc.transpose
  // CHECK: dsc.neg
  // CHECK: %[[Y:.*]], %{{.*}}:2 = dsc.recurrence
  // CHECK: dsc.yield %[[Y]], %{{.*}}#1 : tensor<5x1x2x3xf32>, tensor<1x2x3xf32>
  // CHECK-NOT: dsc.group
  // CHECK: return %[[BOTH]]#0, %[[BOTH]]#1
  %0 = dsc.matmul %x, %w : (tensor<10x4xf32>, tensor<4x12xf32>) -> tensor<10x12xf32>
  %1 = dsc.add %0, %b : (tensor<10x12xf32>, tensor<12xf32>) -> tensor<10x12xf32>
  %2 = dsc.reshape %1 : (tensor<10x12xf32>) -> tensor<5x2x12xf32>
  %3 = dsc.transpose %h {permutation = [1, 0, 2]} : (tensor<2x1x3xf32>) -> tensor<1x2x3xf32>
  %4 = dsc.neg %c : (tensor<1x2x3xf32>) -> tensor<1x2x3xf32>
  %y, %last:2 = dsc.recurrence gates(%2 : tensor<5x2x12xf32>) weights(%r : tensor<1x3x12xf32>)
                initial(%3, %4 : tensor<1x2x3xf32>, tensor<1x2x3xf32>) reverse [0]
                -> tensor<5x1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3xf32> {
  ^bb0(%g0: tensor<3xf32>, %g1: tensor<3xf32>, %g2: tensor<3xf32>, %g3: tensor<3xf32>, %s0: tensor<3xf32>,
       %s1: tensor<3xf32>, %p0: tensor<3xf32>, %p1: tensor<3xf32>, %p2: tensor<3xf32>, %p3: tensor<3xf32>):
    %5 = dsc.add %g0, %p0 : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
    dsc.yield %5, %s1 : tensor<3xf32>, tensor<3xf32>
  }
  return %y, %last#1 : tensor<5x1x2x3xf32>, tensor<1x2x3xf32>
}

// -----

// Weights are read at each step: what makes them is done once, by a kernel of its own.
// CHECK-LABEL: @weights
func.func @weights(%x: tensor<5x2x3xf32>, %r: tensor<1x3x3xf32>, %h: tensor<1x2x3xf32>) -> tensor<5x1x2x3xf32> {
  // CHECK: dsc.group
  // CHECK: dsc.neg
  // CHECK: dsc.yield
  // CHECK: dsc.group
  // CHECK-NEXT: ^bb0
  // CHECK-NEXT: dsc.recurrence
  %0 = dsc.neg %r : (tensor<1x3x3xf32>) -> tensor<1x3x3xf32>
  %y, %last = dsc.recurrence gates(%x : tensor<5x2x3xf32>) weights(%0 : tensor<1x3x3xf32>)
              initial(%h : tensor<1x2x3xf32>) reverse [0] -> tensor<5x1x2x3xf32>, tensor<1x2x3xf32> {
  ^bb0(%g: tensor<3xf32>, %s: tensor<3xf32>, %p: tensor<3xf32>):
    %1 = dsc.add %g, %p : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
    dsc.yield %1 : tensor<3xf32>
  }
  return %y : tensor<5x1x2x3xf32>
}

// -----

// A recurrence is no one's producer: what follows it is another kernel.
// CHECK-LABEL: @epilogue
func.func @epilogue(%x: tensor<5x2x3xf32>, %r: tensor<1x3x3xf32>, %h: tensor<1x2x3xf32>) -> tensor<5x1x2x3xf32> {
  // CHECK: dsc.group
  // CHECK: dsc.recurrence
  // CHECK: dsc.group
  // CHECK: dsc.relu
  %y, %last = dsc.recurrence gates(%x : tensor<5x2x3xf32>) weights(%r : tensor<1x3x3xf32>)
              initial(%h : tensor<1x2x3xf32>) reverse [0] -> tensor<5x1x2x3xf32>, tensor<1x2x3xf32> {
  ^bb0(%g: tensor<3xf32>, %s: tensor<3xf32>, %p: tensor<3xf32>):
    dsc.yield %g : tensor<3xf32>
  }
  %0 = dsc.relu %y : (tensor<5x1x2x3xf32>) -> tensor<5x1x2x3xf32>
  return %0 : tensor<5x1x2x3xf32>
}
