// Attention is one group where the target has matrix instructions for its type: moves that only turn coordinates become
// the group's own, scales of operands become one of the scores, and a transpose that keeps the last dim is the way out.
// RUN: dscc-opt %s --split-input-file --pass-pipeline='builtin.module(builtin.module(func.func(dsc-fuse-groups{explain=.*})))' 2>%t.told | FileCheck %s
// RUN: FileCheck %s --check-prefix=TOLD --input-file=%t.told

// CHECK-LABEL: module @cuda_sm80
// CHECK-NOT: dsc.group
// CHECK: dsc.group(%arg1, %arg0, %arg2, %arg3) {label = "attention"}
// CHECK-NEXT: ^bb0(%[[K:.*]]: tensor<1x65x2x64xf16>, %[[Q:.*]]: tensor<1x2x33x64xf16>, %[[M:.*]]: tensor<1x1x1x65xf16>, %[[V:.*]]: tensor<1x2x65x64xf16>)
// CHECK-NEXT: %[[T:.*]] = dsc.transpose %[[K]] {permutation = [0, 2, 3, 1]}
// CHECK-NEXT: %[[S:.*]] = dsc.matmul %[[Q]], %[[T]]
// CHECK-NEXT: %[[C:.*]] = dsc.constant dense<1.250000e-01>
// CHECK-NEXT: %[[D:.*]] = dsc.mul %[[S]], %[[C]]
// CHECK-NEXT: %[[A:.*]] = dsc.add %[[D]], %[[M]]
// CHECK-NEXT: %[[P:.*]] = dsc.softmax %[[A]]
// CHECK-NEXT: %[[O:.*]] = dsc.matmul %[[P]], %[[V]]
// CHECK-NEXT: dsc.transpose %[[O]] {permutation = [0, 2, 1, 3]}
// CHECK-NEXT: dsc.yield
// CHECK-NOT: dsc.group
// TOLD: remark: cuda_sm80: is attention, one group from
module {
  module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
    func.func @main(%q: tensor<1x2x33x64xf16>, %k: tensor<1x65x2x64xf16>, %m: tensor<1x1x1x65xf16>, %v: tensor<1x2x65x64xf16>) -> tensor<1x33x2x64xf16> {
      %c = dsc.constant dense<1.25e-1> : tensor<f16>
      %0 = dsc.mul %q, %c : (tensor<1x2x33x64xf16>, tensor<f16>) -> tensor<1x2x33x64xf16>
      %1 = dsc.transpose %k {permutation = [0, 2, 3, 1]} : (tensor<1x65x2x64xf16>) -> tensor<1x2x64x65xf16>
      %2 = dsc.matmul %0, %1 : (tensor<1x2x33x64xf16>, tensor<1x2x64x65xf16>) -> tensor<1x2x33x65xf16>
      %3 = dsc.add %2, %m : (tensor<1x2x33x65xf16>, tensor<1x1x1x65xf16>) -> tensor<1x2x33x65xf16>
      %4 = dsc.softmax %3 {axis = 3 : i64} : (tensor<1x2x33x65xf16>) -> tensor<1x2x33x65xf16>
      %5 = dsc.matmul %4, %v : (tensor<1x2x33x65xf16>, tensor<1x2x65x64xf16>) -> tensor<1x2x33x64xf16>
      %6 = dsc.transpose %5 {permutation = [0, 2, 1, 3]} : (tensor<1x2x33x64xf16>) -> tensor<1x33x2x64xf16>
      return %6 : tensor<1x33x2x64xf16>
    }
  }
}

// -----

// A CPU has no kernel for it.
// CHECK-LABEL: module @cpu_v3
// CHECK-COUNT-3: dsc.group
// TOLD: remark: cpu_v3: is no attention: the target has no matrix instructions
module {
  module @cpu_v3 attributes {dsc.target = "cpu_v3"} {
    func.func @main(%q: tensor<33x64xf16>, %k: tensor<64x65xf16>, %v: tensor<65x64xf16>) -> tensor<33x64xf16> {
      %0 = dsc.matmul %q, %k : (tensor<33x64xf16>, tensor<64x65xf16>) -> tensor<33x65xf16>
      %1 = dsc.softmax %0 {axis = 1 : i64} : (tensor<33x65xf16>) -> tensor<33x65xf16>
      %2 = dsc.matmul %1, %v : (tensor<33x65xf16>, tensor<65x64xf16>) -> tensor<33x64xf16>
      return %2 : tensor<33x64xf16>
    }
  }
}

// -----

// Nor is there one for single precision.
// CHECK-LABEL: module @cuda_sm90a
// CHECK-COUNT-3: dsc.group
// TOLD: remark: cuda_sm90a: is no attention: there is no matrix instruction for the operands' type
module {
  module @cuda_sm90a attributes {dsc.target = "cuda_sm90a"} {
    func.func @main(%q: tensor<33x64xf32>, %k: tensor<64x65xf32>, %v: tensor<65x64xf32>) -> tensor<33x64xf32> {
      %0 = dsc.matmul %q, %k : (tensor<33x64xf32>, tensor<64x65xf32>) -> tensor<33x65xf32>
      %1 = dsc.softmax %0 {axis = 1 : i64} : (tensor<33x65xf32>) -> tensor<33x65xf32>
      %2 = dsc.matmul %1, %v : (tensor<33x65xf32>, tensor<65x64xf32>) -> tensor<33x64xf32>
      return %2 : tensor<33x64xf32>
    }
  }
}

// -----

// What goes into no product is a softmax and nothing more.
// CHECK-LABEL: module @cuda_sm90a
// CHECK-COUNT-2: dsc.group
// TOLD: remark: cuda_sm90a: is no attention: the softmax goes into no product as its rows, or is wanted elsewhere, too
module {
  module @cuda_sm90a attributes {dsc.target = "cuda_sm90a"} {
    func.func @main(%q: tensor<33x64xf16>, %k: tensor<64x65xf16>) -> tensor<33x65xf16> {
      %0 = dsc.matmul %q, %k : (tensor<33x64xf16>, tensor<64x65xf16>) -> tensor<33x65xf16>
      %1 = dsc.softmax %0 {axis = 1 : i64} : (tensor<33x65xf16>) -> tensor<33x65xf16>
      return %1 : tensor<33x65xf16>
    }
  }
}
