// RUN: dscc-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(dsc-fold-constants))' | FileCheck %s
// RUN: dscc-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(dsc-fold-constants{budget=0}))' | FileCheck %s --check-prefix=POOR

// Movement, arithmetic and casts of constants are done now: ([[1, 2], [3, 4]]^T + 1) as f16.
// CHECK-LABEL: @chain
// CHECK: dsc.constant dense<{{\[\[}}2.{{0+}}e+00, 4.{{0+}}e+00], [3.{{0+}}e+00, 5.{{0+}}e+00]]> : tensor<2x2xf16>
// CHECK-NEXT: return
func.func @chain() -> tensor<2x2xf16> {
  %w = dsc.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %one = dsc.constant dense<1.0> : tensor<f32>
  %0 = dsc.transpose %w {permutation = [1, 0]} : (tensor<2x2xf32>) -> tensor<2x2xf32>
  %1 = dsc.add %0, %one : (tensor<2x2xf32>, tensor<f32>) -> tensor<2x2xf32>
  %2 = dsc.cast %1 : (tensor<2x2xf32>) -> tensor<2x2xf16>
  return %2 : tensor<2x2xf16>
}

// -----

// Element [i, j] of a slice with a step backwards, and a join along the last dim.
// CHECK-LABEL: @moves
// CHECK: dsc.constant dense<{{\[\[}}2, 9], [1, 8]]> : tensor<2x2xi32>
func.func @moves() -> tensor<2x2xi32> {
  %a = dsc.constant dense<[[0], [1], [2]]> : tensor<3x1xi32>
  %b = dsc.constant dense<[[9], [8]]> : tensor<2x1xi32>
  %0 = dsc.slice %a {starts = #dsc.dims<2, 0>, sizes = #dsc.dims<2, 1>, steps = [-1, 1]} : (tensor<3x1xi32>) -> tensor<2x1xi32>
  %1 = dsc.concat %0, %b {axis = 1 : i64} : (tensor<2x1xi32>, tensor<2x1xi32>) -> tensor<2x2xi32>
  return %1 : tensor<2x2xi32>
}

// -----

// Repeating a row 1000 times would make 12000 B out of 12 B: left to the kernel.
// CHECK-LABEL: @grows
// CHECK: dsc.expand
func.func @grows() -> tensor<1000x3xf32> {
  %a = dsc.constant dense<[[1.0, 2.0, 3.0]]> : tensor<1x3xf32>
  %0 = dsc.expand %a : (tensor<1x3xf32>) -> tensor<1000x3xf32>
  return %0 : tensor<1000x3xf32>
}

// -----

// A large splat stays one number.
// CHECK-LABEL: @splat
// CHECK: dsc.constant dense<3.{{0+}}e+00> : tensor<512x1024xf32>
// POOR-LABEL: @splat
// POOR: dsc.constant dense<3.{{0+}}e+00> : tensor<512x1024xf32>
func.func @splat() -> tensor<512x1024xf32> {
  %a = dsc.constant dense<1.0> : tensor<1024x512xf32>
  %b = dsc.constant dense<2.0> : tensor<f32>
  %0 = dsc.transpose %a {permutation = [1, 0]} : (tensor<1024x512xf32>) -> tensor<512x1024xf32>
  %1 = dsc.add %0, %b : (tensor<512x1024xf32>, tensor<f32>) -> tensor<512x1024xf32>
  return %1 : tensor<512x1024xf32>
}

// -----

// Nothing is folded that the budget does not allow: 258 B.
// CHECK-LABEL: @budget
// CHECK-NOT: dsc.transpose
// POOR-LABEL: @budget
// POOR: dsc.transpose
func.func @budget() -> tensor<2x129xi8> {
  %a = dsc.constant dense<"0x000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F202122232425262728292A2B2C2D2E2F303132333435363738393A3B3C3D3E3F404142434445464748494A4B4C4D4E4F505152535455565758595A5B5C5D5E5F606162636465666768696A6B6C6D6E6F707172737475767778797A7B7C7D7E7F808182838485868788898A8B8C8D8E8F909192939495969798999A9B9C9D9E9FA0A1A2A3A4A5A6A7A8A9AAABACADAEAFB0B1B2B3B4B5B6B7B8B9BABBBCBDBEBFC0C1C2C3C4C5C6C7C8C9CACBCCCDCECFD0D1D2D3D4D5D6D7D8D9DADBDCDDDEDFE0E1E2E3E4E5E6E7E8E9EAEBECEDEEEFF0F1F2F3F4F5F6F7F8F9FAFBFCFDFEFF0001"> : tensor<129x2xi8>
  %0 = dsc.transpose %a {permutation = [1, 0]} : (tensor<129x2xi8>) -> tensor<2x129xi8>
  return %0 : tensor<2x129xi8>
}
