// Which emitter takes which group, on each target.
// RUN: dscc-opt %s --split-input-file --dsc-journey=until=scheduled | FileCheck %s

// A product goes to register tiles on a CPU and to tiles in shared memory on CUDA.
// CHECK-LABEL: module @cpu_v4
// CHECK: schedule = [#dsc.schedule<tiles, {{.*}}, "n" up_to {{[0-9]+}}>, #dsc.schedule<tiles, columns_outside = {{[01]}}, packed = 0, row_tiles = 16, rows = {{[0-9]+}}, vectors = {{[0-9]+}}, width = 16>]
// CHECK-LABEL: module @cuda_sm80
// CHECK: #dsc.schedule<{{shared|split}}_tiles, columns = 64, {{.*}}rows = 64, slice = {{[0-9]+}}>
module attributes {dsc.symbols = [{name = "n", min = 1 : i64, max = 1024 : i64, input = 0 : i64, axis = 0 : i64}]} {
func.func @main(%x: tensor<?x1024xf32, #dsc.dims<"n", 1024>> {dsc.name = "x"}, %w: tensor<1024x1024xf32> {dsc.name = "w"})
    -> (tensor<?x1024xf32, #dsc.dims<"n", 1024>> {dsc.name = "y"}) {
  %0 = dsc.matmul %x, %w : (tensor<?x1024xf32, #dsc.dims<"n", 1024>>, tensor<1024x1024xf32>) -> tensor<?x1024xf32, #dsc.dims<"n", 1024>>
  return %0 : tensor<?x1024xf32, #dsc.dims<"n", 1024>>
}
}

// -----

// Two columns, and few terms, are too few to share anything: on CUDA each thread computes elements of its own.
// CHECK-LABEL: module @cpu_v4
// CHECK: schedule = #dsc.schedule<tiles,
// CHECK-LABEL: module @cuda_sm80
// CHECK: schedule = #dsc.schedule<elementwise,
func.func @main(%x: tensor<64x32xf32> {dsc.name = "x"}, %w: tensor<32x2xf32> {dsc.name = "w"}) -> (tensor<64x2xf32> {dsc.name = "y"}) {
  %0 = dsc.matmul %x, %w : (tensor<64x32xf32>, tensor<32x2xf32>) -> tensor<64x2xf32>
  return %0 : tensor<64x2xf32>
}

// -----

// A reduction with its prologue, a row at a time; of few rows each has a multiprocessor.
// CHECK-LABEL: module @cpu_v4
// CHECK: schedule = #dsc.schedule<rows,
// CHECK-LABEL: module @cuda_sm80
// CHECK: schedule = #dsc.schedule<block_rows, blocks = 1, warps = 1,
func.func @main(%x: tensor<64x96xf32> {dsc.name = "x"}) -> (tensor<64x1xf32> {dsc.name = "y"}) {
  %0 = dsc.exp %x : (tensor<64x96xf32>) -> tensor<64x96xf32>
  %1 = dsc.reduce_sum %0 {axes = [1]} : (tensor<64x96xf32>) -> tensor<64x1xf32>
  return %1 : tensor<64x1xf32>
}

// -----

// Rows along another axis than the last are the lanes' own.
// CHECK-LABEL: module @cpu_v4
// CHECK: schedule = #dsc.schedule<rows,
func.func @main(%x: tensor<64x96xf32> {dsc.name = "x"}) -> (tensor<1x96xf32> {dsc.name = "y"}) {
  %0 = dsc.reduce_max %x {axes = [0]} : (tensor<64x96xf32>) -> tensor<1x96xf32>
  return %0 : tensor<1x96xf32>
}

// -----

// No hero, no rows: elementwise, 4 elements a CUDA thread where 16 bytes are loaded at once.
// CHECK-LABEL: module @cpu_v4
// CHECK: schedule = #dsc.schedule<elementwise,
// CHECK-LABEL: module @cuda_sm80
// CHECK: schedule = #dsc.schedule<elementwise, width = 4
func.func @main(%x: tensor<1024x960xf32> {dsc.name = "x"}) -> (tensor<1024x960xf32> {dsc.name = "y"}) {
  %0 = dsc.relu %x : (tensor<1024x960xf32>) -> tensor<1024x960xf32>
  return %0 : tensor<1024x960xf32>
}

// -----

// Rows of 97 floats do not begin at multiples of 16 bytes, but the whole tensor is one row.
// CHECK-LABEL: module @cuda_sm80
// CHECK: schedule = #dsc.schedule<elementwise, width = 1
func.func @main(%x: tensor<63x97xf32> {dsc.name = "x"}) -> (tensor<63x97xf32> {dsc.name = "y"}) {
  %0 = dsc.relu %x : (tensor<63x97xf32>) -> tensor<63x97xf32>
  return %0 : tensor<63x97xf32>
}

// -----

// A product with one column is a sum along each row, with what follows it; so is a convolution of single points.
// CHECK-LABEL: module @cpu_v4
// CHECK: schedule = #dsc.schedule<rows,
// CHECK: schedule = #dsc.schedule<rows,
// CHECK-LABEL: module @cuda_sm80
// CHECK: schedule = #dsc.schedule<{{block_rows|rows}},
// CHECK: schedule = #dsc.schedule<{{block_rows|rows}},
func.func @main(%x: tensor<64x96xf32> {dsc.name = "x"}, %v: tensor<96x1xf32> {dsc.name = "v"}, %f: tensor<33x64x1xf32> {dsc.name = "f"})
    -> (tensor<1x33x1xf32> {dsc.name = "y"}) {
  %0 = dsc.matmul %x, %v : (tensor<64x96xf32>, tensor<96x1xf32>) -> tensor<64x1xf32>
  %1 = dsc.relu %0 : (tensor<64x1xf32>) -> tensor<64x1xf32>
  %2 = dsc.reshape %1 : (tensor<64x1xf32>) -> tensor<1x64x1xf32>
  %3 = dsc.conv %2, %f {strides = [1], dilations = [1], pads = [0, 0], groups = 1} : (tensor<1x64x1xf32>, tensor<33x64x1xf32>) -> tensor<1x33x1xf32>
  return %3 : tensor<1x33x1xf32>
}

// -----

// Not where the terms do not lie next to each other, nor in groups: those have tiles.
// CHECK-LABEL: module @cpu_v4
// CHECK: schedule = #dsc.schedule<tiles,
// CHECK: schedule = #dsc.schedule<tiles,
// CHECK-LABEL: module @cuda_sm80
func.func @main(%x: tensor<96x64xf32> {dsc.name = "x"}, %v: tensor<96x1xf32> {dsc.name = "v"}, %f: tensor<32x32x1xf32> {dsc.name = "f"})
    -> (tensor<1x32x1xf32> {dsc.name = "y"}) {
  %0 = dsc.matmul %x, %v {transpose_lhs} : (tensor<96x64xf32>, tensor<96x1xf32>) -> tensor<64x1xf32>
  %1 = dsc.reshape %0 : (tensor<64x1xf32>) -> tensor<1x64x1xf32>
  %2 = dsc.conv %1, %f {strides = [1], dilations = [1], pads = [0, 0], groups = 2} : (tensor<1x64x1xf32>, tensor<32x32x1xf32>) -> tensor<1x32x1xf32>
  return %2 : tensor<1x32x1xf32>
}

// -----

// Short rows are rows as well: elements of their own would compute maximum and sum anew for each.
// CHECK-LABEL: module @cpu_v4
// CHECK: schedule = #dsc.schedule<rows,
// CHECK-LABEL: module @cuda_sm80
// CHECK: schedule = #dsc.schedule<rows,
func.func @main(%x: tensor<3030x33xf32> {dsc.name = "x"}) -> (tensor<3030x33xf32> {dsc.name = "y"}) {
  %0 = dsc.softmax %x {axis = 1 : i64} : (tensor<3030x33xf32>) -> tensor<3030x33xf32>
  return %0 : tensor<3030x33xf32>
}

// -----

// A long inner dim with one tile, and one long row, are split on a GPU. A core has nobody to share them with.
// CHECK-LABEL: module @cpu_v4
// CHECK: schedule = #dsc.schedule<tiles,
// CHECK: schedule = #dsc.schedule<rows,
// CHECK-LABEL: module @cuda_sm80
// CHECK: schedule = #dsc.schedule<split_tiles,
// CHECK: schedule = #dsc.schedule<split_rows,
func.func @main(%x: tensor<64x4096xf32> {dsc.name = "x"}, %w: tensor<4096x64xf32> {dsc.name = "w"}, %r: tensor<1x100000xf32> {dsc.name = "r"})
    -> (tensor<64x64xf32> {dsc.name = "y"}, tensor<1x100000xf32> {dsc.name = "z"}) {
  %0 = dsc.matmul %x, %w : (tensor<64x4096xf32>, tensor<4096x64xf32>) -> tensor<64x64xf32>
  %1 = dsc.softmax %r {axis = 1 : i64} : (tensor<1x100000xf32>) -> tensor<1x100000xf32>
  return %0, %1 : tensor<64x64xf32>, tensor<1x100000xf32>
}

// -----

// Memory is planned for all sizes: where parts of sums would take more than the tensors, however many rows there are,
// the inner dim is split up to some number of rows only.
// CHECK-LABEL: module @cuda_sm80
// CHECK: schedule = [#dsc.schedule<split_tiles, {{.*}} "m" up_to {{[0-9]+}}>, #dsc.schedule<shared_tiles, columns = 64, rows = 64, slice = 16>]
module attributes {dsc.symbols = [{name = "m", min = 1 : i64, max = 1000000 : i64, input = 0 : i64, axis = 0 : i64}]} {
func.func @main(%x: tensor<?x512xf32, #dsc.dims<"m", 512>> {dsc.name = "x"}, %w: tensor<512x1024xf32> {dsc.name = "w"})
    -> (tensor<?x1024xf32, #dsc.dims<"m", 1024>> {dsc.name = "y"}) {
  %0 = dsc.matmul %x, %w : (tensor<?x512xf32, #dsc.dims<"m", 512>>, tensor<512x1024xf32>) -> tensor<?x1024xf32, #dsc.dims<"m", 1024>>
  return %0 : tensor<?x1024xf32, #dsc.dims<"m", 1024>>
}
}

// -----

// Rows whose length only a run knows: a warp has a short one, several blocks or kernels share a long one.
// CHECK-LABEL: module @cpu_v4
// CHECK: schedule = [#dsc.schedule<rows, accumulators = 1, {{.*}} "n" up_to {{[0-9]+}}>, {{.*}}#dsc.schedule<rows, accumulators = {{[48]}}, {{[^>]*}}>]}
// CHECK-LABEL: module @cuda_sm80
// CHECK: schedule = [#dsc.schedule<rows, {{.*}} "n" up_to {{[0-9]+}}>, {{.*}}#dsc.schedule<{{block|split}}_rows, {{[^>]*}}>]}
module attributes {dsc.symbols = [{name = "n", min = 1 : i64, max = 1000000 : i64, input = 0 : i64, axis = 1 : i64}]} {
func.func @main(%x: tensor<4x?xf32, #dsc.dims<4, "n">> {dsc.name = "x"}) -> (tensor<4x?xf32, #dsc.dims<4, "n">> {dsc.name = "y"}) {
  %0 = dsc.softmax %x {axis = 1 : i64} : (tensor<4x?xf32, #dsc.dims<4, "n">>) -> tensor<4x?xf32, #dsc.dims<4, "n">>
  return %0 : tensor<4x?xf32, #dsc.dims<4, "n">>
}
}

// -----

// Lanes along a transpose's rows gather whole vectors, however short the rows turn out to be: for short ones there is a
// kernel without lanes. A thread has none anyway.
// CHECK-LABEL: module @cpu_v4
// CHECK: schedule = [#dsc.schedule<elementwise, width = 1, "n" up_to {{[0-9]+}}>, #dsc.schedule<elementwise, width = 16>]}
// CHECK-LABEL: module @cuda_sm80
// CHECK: schedule = #dsc.schedule<elementwise, width = 1>}
module attributes {dsc.symbols = [{name = "n", min = 1 : i64, max = 1000000 : i64, input = 0 : i64, axis = 0 : i64}]} {
func.func @main(%x: tensor<?x64xf32, #dsc.dims<"n", 64>> {dsc.name = "x"}) -> (tensor<64x?xf32, #dsc.dims<64, "n">> {dsc.name = "y"}) {
  %0 = dsc.transpose %x {permutation = [1, 0]} : (tensor<?x64xf32, #dsc.dims<"n", 64>>) -> tensor<64x?xf32, #dsc.dims<64, "n">>
  return %0 : tensor<64x?xf32, #dsc.dims<64, "n">>
}
}
