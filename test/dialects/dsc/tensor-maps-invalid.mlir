// RUN: dscc-opt %s --split-input-file --verify-diagnostics

// What the hardware wants of a tensor map: a tensor of the launch, 1 to 5 dims, a row of neighbours, strides and boxes
// of whole 16 bytes.
func.func @f(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %y = dsc.launch @k (%x) {grid = #dsc.dims<1, 1, 1>, symbols = [], tensor_maps = [
      {tensor = 1 : i64, element = i32, dims = #dsc.dims<8, 16>, strides = #dsc.dims<16, 1>, box = array<i64: 8, 16>, swizzle = 64 : i64}],
      before = [{kernel = @l, grid = #dsc.dims<1, 1, 1>, tensor_maps = []}]} : (tensor<8x16xf32>) -> tensor<8x16xf32>
  return %y : tensor<8x16xf32>
}

// -----

func.func @tensor(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{which are not {tensor, element, dims, strides, box, swizzle, pixels} of one of 2 tensors, as the hardware wants them}}
  %y = dsc.launch @k (%x) {grid = #dsc.dims<1, 1, 1>, symbols = [], tensor_maps = [
      {tensor = 2 : i64, element = i32, dims = #dsc.dims<8, 16>, strides = #dsc.dims<16, 1>, box = array<i64: 8, 16>, swizzle = 0 : i64}]}
     : (tensor<8x16xf32>) -> tensor<8x16xf32>
  return %y : tensor<8x16xf32>
}

// -----

func.func @stride(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{has the tensor maps}}
  %y = dsc.launch @k (%x) {grid = #dsc.dims<1, 1, 1>, symbols = [], tensor_maps = [
      {tensor = 0 : i64, element = i32, dims = #dsc.dims<8, 16>, strides = #dsc.dims<18, 1>, box = array<i64: 8, 16>, swizzle = 0 : i64}]}
     : (tensor<8x16xf32>) -> tensor<8x16xf32>
  return %y : tensor<8x16xf32>
}

// -----

func.func @row(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{has the tensor maps}}
  %y = dsc.launch @k (%x) {grid = #dsc.dims<1, 1, 1>, symbols = [], tensor_maps = [
      {tensor = 0 : i64, element = i32, dims = #dsc.dims<8, 16>, strides = #dsc.dims<16, 2>, box = array<i64: 8, 16>, swizzle = 0 : i64}]}
     : (tensor<8x16xf32>) -> tensor<8x16xf32>
  return %y : tensor<8x16xf32>
}

// -----

func.func @box(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{has the tensor maps}}
  %y = dsc.launch @k (%x) {grid = #dsc.dims<1, 1, 1>, symbols = [], alternatives = [{kernel = @l, grid = #dsc.dims<1, 1, 1>,
      dim = #dsc.dims<8>, most = 8 : i64, tensor_maps = [
      {tensor = 0 : i64, element = i32, dims = #dsc.dims<8, 16>, strides = #dsc.dims<16, 1>, box = array<i64: 257, 16>, swizzle = 0 : i64}]}]}
     : (tensor<8x16xf32>) -> tensor<8x16xf32>
  return %y : tensor<8x16xf32>
}

// -----

func.func @swizzle(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{has the tensor maps}}
  %y = dsc.launch @k (%x) {grid = #dsc.dims<1, 1, 1>, symbols = [], before = [{kernel = @l, grid = #dsc.dims<1, 1, 1>, tensor_maps = [
      {tensor = 0 : i64, element = i32, dims = #dsc.dims<8, 16>, strides = #dsc.dims<16, 1>, box = array<i64: 8, 16>, swizzle = 32 : i64}]}]}
     : (tensor<8x16xf32>) -> tensor<8x16xf32>
  return %y : tensor<8x16xf32>
}

// -----

func.func @shape(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{has the tensor maps 3 : i64}}
  %y = dsc.launch @k (%x) {grid = #dsc.dims<1, 1, 1>, symbols = [], tensor_maps = 3 : i64} : (tensor<8x16xf32>) -> tensor<8x16xf32>
  return %y : tensor<8x16xf32>
}

// -----

// Pixels of images: a matrix of up to 1024 pixels with up to 256 channels. What else is refused, the unit test has.
func.func @pixels(%x: tensor<2x5x7x64xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{has the tensor maps}}
  %y = dsc.launch @k (%x) {grid = #dsc.dims<1, 1, 1>, symbols = [], tensor_maps = [
      {tensor = 0 : i64, element = f32, dims = #dsc.dims<2, 5, 7, 64>, strides = #dsc.dims<2240, 448, 64, 1>,
       box = array<i64: 1025, 32>, swizzle = 128 : i64,
       pixels = {lower = array<i64: -1, -1>, upper = array<i64: -1, -1>, steps = array<i64: 1, 1>}}]}
     : (tensor<2x5x7x64xf32>) -> tensor<8x16xf32>
  return %y : tensor<8x16xf32>
}

// -----

func.func @spatial(%x: tensor<2x5x7x64xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{has the tensor maps}}
  %y = dsc.launch @k (%x) {grid = #dsc.dims<1, 1, 1>, symbols = [], tensor_maps = [
      {tensor = 0 : i64, element = f32, dims = #dsc.dims<2, 5, 7, 64>, strides = #dsc.dims<2240, 448, 64, 1>,
       box = array<i64: 1024, 32>, swizzle = 128 : i64,
       pixels = {lower = array<i64: -1>, upper = array<i64: -1>, steps = array<i64: 1>}}]}
     : (tensor<2x5x7x64xf32>) -> tensor<8x16xf32>
  return %y : tensor<8x16xf32>
}

// -----

func.func @parts(%x: tensor<2x5x7x64xf32>) -> tensor<8x16xf32> {
  // expected-error@+1 {{has the tensor maps}}
  %y = dsc.launch @k (%x) {grid = #dsc.dims<1, 1, 1>, symbols = [], tensor_maps = [
      {tensor = 0 : i64, element = f32, dims = #dsc.dims<2, 5, 7, 64>, strides = #dsc.dims<2240, 448, 64, 1>,
       box = array<i64: 1024, 32>, swizzle = 128 : i64,
       pixels = {lower = array<i64: -1, -1>, upper = array<i64: -1, -1>}}]}
     : (tensor<2x5x7x64xf32>) -> tensor<8x16xf32>
  return %y : tensor<8x16xf32>
}
