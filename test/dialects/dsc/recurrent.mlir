// RUN: dscc-opt %s | dscc-opt | FileCheck %s

// All operands and two parts, of which the second multiplies what the first yields first: a GRU whose reset gate comes
// before the product, with one parameter a unit.
// CHECK-LABEL: func.func @two_parts
func.func @two_parts(%x: tensor<?x?x12xf16, #dsc.dims<"t", "b", 12>>, %r0: tensor<2x2x4xf16>, %r1: tensor<2x2x2xf16>,
                     %p: tensor<2x2xf16>, %l: tensor<?xi32, #dsc.dims<"b">>,
                     %h0: tensor<2x?x2xf16, #dsc.dims<2, "b", 2>>) -> tensor<2x?x2xf16, #dsc.dims<2, "b", 2>> {
  // CHECK: dsc.recurrence gates(%arg0 : {{.*}}) weights(%arg1, %arg2 : tensor<2x2x4xf16>, tensor<2x2x2xf16>)
  // CHECK-SAME: parameters(%arg3 : tensor<2x2xf16>) lengths(%arg4 : {{.*}}) initial(%arg5 : {{.*}}) reverse [0, 1]
  // CHECK-SAME: -> tensor<?x2x?x2xf16, #dsc.dims<"t", 2, "b", 2>>, tensor<2x?x2xf16, #dsc.dims<2, "b", 2>> {
  %y, %h = dsc.recurrence gates(%x : tensor<?x?x12xf16, #dsc.dims<"t", "b", 12>>)
           weights(%r0, %r1 : tensor<2x2x4xf16>, tensor<2x2x2xf16>) parameters(%p : tensor<2x2xf16>)
           lengths(%l : tensor<?xi32, #dsc.dims<"b">>) initial(%h0 : tensor<2x?x2xf16, #dsc.dims<2, "b", 2>>)
           reverse [0, 1] -> tensor<?x2x?x2xf16, #dsc.dims<"t", 2, "b", 2>>, tensor<2x?x2xf16, #dsc.dims<2, "b", 2>> {
  ^bb0(%g0: tensor<2xf32>, %g1: tensor<2xf32>, %g2: tensor<2xf32>, %a: tensor<2xf32>, %s: tensor<2xf32>,
       %s0: tensor<2xf32>, %s1: tensor<2xf32>):
    %0 = dsc.add %g0, %s0 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
    %1 = dsc.mul %0, %s : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
    // CHECK: dsc.yield %{{.*}}, %{{.*}} : tensor<2xf32>, tensor<2xf32>
    dsc.yield %1, %s1 : tensor<2xf32>, tensor<2xf32>
  }, {
  ^bb0(%g0: tensor<2xf32>, %g1: tensor<2xf32>, %g2: tensor<2xf32>, %a: tensor<2xf32>, %s: tensor<2xf32>,
       %e0: tensor<2xf32>, %e1: tensor<2xf32>, %s0: tensor<2xf32>):
    %0 = dsc.add %g2, %s0 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
    %1 = dsc.mul %0, %e1 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
    // CHECK: dsc.yield %{{.*}} : tensor<2xf32>
    dsc.yield %1 : tensor<2xf32>
  }
  return %h : tensor<2x?x2xf16, #dsc.dims<2, "b", 2>>
}
