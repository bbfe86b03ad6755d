// RUN: dscc-opt %s --pass-pipeline='builtin.module(func.func(dsc-plan-memory))' --verify-diagnostics

// 2^62 elements of 8 bytes are more bytes than 64 bits can count.
func.func @main(%x: tensor<1xf64>) -> tensor<1xf64> {
  // expected-error@+1 {{has a result whose size is too large, or too long a formula of the named dims}}
  %0 = dsc.group(%x) : (tensor<1xf64>) -> tensor<4611686018427387904xf64> {
  ^bb0(%a: tensor<1xf64>):
    %1 = dsc.expand %a : (tensor<1xf64>) -> tensor<4611686018427387904xf64>
    dsc.yield %1 : tensor<4611686018427387904xf64>
  }
  return %x : tensor<1xf64>
}
