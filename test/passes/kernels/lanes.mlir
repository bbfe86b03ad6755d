// How many lanes a thread of a GPU has.
// RUN: dscc-opt %s --split-input-file --dsc-journey=until=scheduled | FileCheck %s

// Of each access 16 bytes, as far as rows have so many; rows of one tensor that lie without a gap are one.
// CHECK-LABEL: module @cuda_sm80
// CHECK: #dsc.schedule<elementwise, width = 4>
// CHECK: #dsc.schedule<elementwise, width = 8>
// CHECK: #dsc.schedule<elementwise, width = 4>
// CHECK: #dsc.schedule<elementwise, width = 1>
// CHECK: #dsc.schedule<elementwise, width = 2>
func.func @main(%x: tensor<1024x1024xf32> {dsc.name = "x"}, %h: tensor<1024x1024xf16> {dsc.name = "h"}, %j: tensor<10000x6xf32> {dsc.name = "j"},
                %o: tensor<1025x1023xf32> {dsc.name = "o"}, %r: tensor<6xf32> {dsc.name = "r"})
    -> (tensor<1024x1024xf32> {dsc.name = "a"}, tensor<1024x1024xf16> {dsc.name = "b"}, tensor<10000x6xf32> {dsc.name = "c"},
        tensor<1025x1023xf32> {dsc.name = "d"}, tensor<10000x6xf32> {dsc.name = "e"}) {
  %0 = dsc.add %x, %x : (tensor<1024x1024xf32>, tensor<1024x1024xf32>) -> tensor<1024x1024xf32>
  %1 = dsc.add %h, %h : (tensor<1024x1024xf16>, tensor<1024x1024xf16>) -> tensor<1024x1024xf16>
  %2 = dsc.add %j, %j : (tensor<10000x6xf32>, tensor<10000x6xf32>) -> tensor<10000x6xf32>
  %3 = dsc.add %o, %o : (tensor<1025x1023xf32>, tensor<1025x1023xf32>) -> tensor<1025x1023xf32>
  %4 = dsc.add %j, %r : (tensor<10000x6xf32>, tensor<6xf32>) -> tensor<10000x6xf32>
  return %0, %1, %2, %3, %4 : tensor<1024x1024xf32>, tensor<1024x1024xf16>, tensor<10000x6xf32>, tensor<1025x1023xf32>, tensor<10000x6xf32>
}

// -----

// A batch that only a run knows leaves rows whole; a row that only a run knows may be odd, unless its formula says more.
// CHECK-LABEL: module @cuda_sm80
// CHECK: #dsc.schedule<elementwise, width = 4>
// CHECK: #dsc.schedule<elementwise, width = 1>
// CHECK: #dsc.schedule<elementwise, width = 4>
module attributes {dsc.symbols = [{name = "n", min = 1 : i64, max = 100000 : i64, input = 0 : i64, axis = 0 : i64}]} {
func.func @main(%x: tensor<?x64xf32, #dsc.dims<"n", 64>> {dsc.name = "x"}, %y: tensor<64x?xf32, #dsc.dims<64, "n">> {dsc.name = "y"}, %r: tensor<64x1xf32> {dsc.name = "r"})
    -> (tensor<?x64xf32, #dsc.dims<"n", 64>> {dsc.name = "a"}, tensor<64x?xf32, #dsc.dims<64, "n">> {dsc.name = "b"}, tensor<16x?xf32, #dsc.dims<16, "4*n">> {dsc.name = "c"}) {
  %0 = dsc.exp %x : (tensor<?x64xf32, #dsc.dims<"n", 64>>) -> tensor<?x64xf32, #dsc.dims<"n", 64>>
  %1 = dsc.add %y, %r : (tensor<64x?xf32, #dsc.dims<64, "n">>, tensor<64x1xf32>) -> tensor<64x?xf32, #dsc.dims<64, "n">>
  %2 = dsc.reshape %x : (tensor<?x64xf32, #dsc.dims<"n", 64>>) -> tensor<16x?xf32, #dsc.dims<16, "4*n">>
  %3 = dsc.neg %2 : (tensor<16x?xf32, #dsc.dims<16, "4*n">>) -> tensor<16x?xf32, #dsc.dims<16, "4*n">>
  return %0, %1, %3 : tensor<?x64xf32, #dsc.dims<"n", 64>>, tensor<64x?xf32, #dsc.dims<64, "n">>, tensor<16x?xf32, #dsc.dims<16, "4*n">>
}
}

// -----

// What moves rows as a whole has lanes along them; what turns them has none.
// CHECK-LABEL: module @cuda_sm80
// CHECK: #dsc.schedule<elementwise, width = 8>
// CHECK: #dsc.schedule<elementwise, width = 1>
// CHECK: #dsc.schedule<elementwise, width = 8>
func.func @main(%x: tensor<200x300x64xf16> {dsc.name = "x"}, %d: tensor<50000x64xf16> {dsc.name = "d"}, %i: tensor<20000xi64> {dsc.name = "i"})
    -> (tensor<300x200x64xf16> {dsc.name = "a"}, tensor<64x300x200xf16> {dsc.name = "b"}, tensor<20000x64xf16> {dsc.name = "c"}) {
  %0 = dsc.transpose %x {permutation = [1, 0, 2]} : (tensor<200x300x64xf16>) -> tensor<300x200x64xf16>
  %1 = dsc.transpose %x {permutation = [2, 1, 0]} : (tensor<200x300x64xf16>) -> tensor<64x300x200xf16>
  %2 = dsc.gather %d, %i {axis = 0 : i64} : (tensor<50000x64xf16>, tensor<20000xi64>) -> tensor<20000x64xf16>
  return %0, %1, %2 : tensor<300x200x64xf16>, tensor<64x300x200xf16>, tensor<20000x64xf16>
}

// -----

// Rows by vectors, where they are made of such.
// CHECK-LABEL: module @cuda_sm80
// CHECK: #dsc.schedule<rows, accumulators = 4, width = 8>
// CHECK: #dsc.schedule<rows, accumulators = 4, width = 1>
func.func @main(%x: tensor<4096x768xf16> {dsc.name = "x"}, %o: tensor<4096x197xf16> {dsc.name = "o"})
    -> (tensor<4096x768xf16> {dsc.name = "a"}, tensor<4096x197xf16> {dsc.name = "b"}) {
  %0 = dsc.softmax %x {axis = 1 : i64} : (tensor<4096x768xf16>) -> tensor<4096x768xf16>
  %1 = dsc.softmax %o {axis = 1 : i64} : (tensor<4096x197xf16>) -> tensor<4096x197xf16>
  return %0, %1 : tensor<4096x768xf16>, tensor<4096x197xf16>
}

// -----

// Functions take so long that it is worth more to keep all multiprocessors busy than to have wider accesses.
// CHECK-LABEL: module @cuda_sm90a
// CHECK: #dsc.schedule<elementwise, width = {{[24]}}>
func.func @main(%x: tensor<197x3072xf16> {dsc.name = "x"}) -> (tensor<197x3072xf16> {dsc.name = "y"}) {
  %0 = dsc.gelu %x : (tensor<197x3072xf16>) -> tensor<197x3072xf16>
  return %0 : tensor<197x3072xf16>
}
