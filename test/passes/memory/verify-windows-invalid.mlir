// RUN: dscc-opt %s --dsc-verify-stage=stage=placed --split-input-file --verify-diagnostics

// Two parts side by side, read as a whole and in a window across both: no error.
func.func private @main(tensor<2x3xf32>) -> tensor<2x6xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x6xf32>
      attributes {dsc.arena = [{bytes = #dsc.dims<64>, live = array<i64: 0, 4>, above = array<i64>},
                               {bytes = #dsc.dims<64>, live = array<i64: 0, 4>, above = array<i64: 0>}]} {
    %0 = dsc.group(%x) {places = array<i64: 0>, outputs = [-1], windows = [unit, {offset = #dsc.dims<0>, strides = #dsc.dims<6, 1>}]} : (tensor<2x3xf32>) -> tensor<2x3xf32> {
    ^bb0(%a: tensor<2x3xf32>):
      dsc.yield %a : tensor<2x3xf32>
    }
    %1 = dsc.group(%x) {places = array<i64: 0>, outputs = [-1], windows = [unit, {offset = #dsc.dims<3>, strides = #dsc.dims<6, 1>}]} : (tensor<2x3xf32>) -> tensor<2x3xf32> {
    ^bb0(%a: tensor<2x3xf32>):
      dsc.yield %a : tensor<2x3xf32>
    }
    %c = dsc.concat %0, %1 {axis = 1, in_place, places = array<i64: 0>, outputs = [-1]} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x6xf32>
    %s = dsc.slice %c {in_place, starts = #dsc.dims<0, 2>, sizes = #dsc.dims<2, 3>, steps = [1, 1]} : (tensor<2x6xf32>) -> tensor<2x3xf32>
    %2 = dsc.group(%s) {places = array<i64: 1>, outputs = [-1], windows = [{offset = #dsc.dims<2>, strides = #dsc.dims<6, 1>}, unit]} : (tensor<2x3xf32>) -> tensor<2x3xf32> {
    ^bb0(%a: tensor<2x3xf32>):
      dsc.yield %a : tensor<2x3xf32>
    }
    %r = dsc.group(%c) {places = array<i64: -1>, outputs = [0]} : (tensor<2x6xf32>) -> tensor<2x6xf32> {
    ^bb0(%a: tensor<2x6xf32>):
      dsc.yield %a : tensor<2x6xf32>
    }
    return %r : tensor<2x6xf32>
  }
}

// -----

// Both parts at the beginning.
func.func private @main(tensor<2x3xf32>) -> tensor<2x6xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x6xf32>
      attributes {dsc.arena = [{bytes = #dsc.dims<64>, live = array<i64: 0, 4>, above = array<i64>},
                               {bytes = #dsc.dims<64>, live = array<i64: 0, 4>, above = array<i64: 0>}]} {
    %0 = dsc.group(%x) {places = array<i64: 0>, outputs = [-1], windows = [unit, {offset = #dsc.dims<0>, strides = #dsc.dims<6, 1>}]} : (tensor<2x3xf32>) -> tensor<2x3xf32> {
    ^bb0(%a: tensor<2x3xf32>):
      dsc.yield %a : tensor<2x3xf32>
    }
    %1 = dsc.group(%x) {places = array<i64: 0>, outputs = [-1], windows = [unit, {offset = #dsc.dims<0>, strides = #dsc.dims<6, 1>}]} : (tensor<2x3xf32>) -> tensor<2x3xf32> {
    ^bb0(%a: tensor<2x3xf32>):
      dsc.yield %a : tensor<2x3xf32>
    }
    // expected-error@+1 {{is in place, but operand 1 lies at offset 0, strides [6, 1], where its part is at offset 3, strides [6, 1]}}
    %c = dsc.concat %0, %1 {axis = 1, in_place, places = array<i64: 0>, outputs = [-1]} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x6xf32>
    %r = dsc.group(%c) {places = array<i64: -1>, outputs = [0]} : (tensor<2x6xf32>) -> tensor<2x6xf32> {
    ^bb0(%a: tensor<2x6xf32>):
      dsc.yield %a : tensor<2x6xf32>
    }
    return %r : tensor<2x6xf32>
  }
}

// -----

// A part that is made as if it were alone.
func.func private @main(tensor<2x3xf32>) -> tensor<2x6xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x6xf32>
      attributes {dsc.arena = [{bytes = #dsc.dims<64>, live = array<i64: 0, 4>, above = array<i64>},
                               {bytes = #dsc.dims<64>, live = array<i64: 0, 4>, above = array<i64: 0>}]} {
    %0 = dsc.group(%x) {places = array<i64: 0>, outputs = [-1], windows = [unit, {offset = #dsc.dims<0>, strides = #dsc.dims<6, 1>}]} : (tensor<2x3xf32>) -> tensor<2x3xf32> {
    ^bb0(%a: tensor<2x3xf32>):
      dsc.yield %a : tensor<2x3xf32>
    }
    %1 = dsc.group(%x) {places = array<i64: 0>, outputs = [-1]} : (tensor<2x3xf32>) -> tensor<2x3xf32> {
    ^bb0(%a: tensor<2x3xf32>):
      dsc.yield %a : tensor<2x3xf32>
    }
    // expected-error@+1 {{is in place, but operand 1 lies at offset 0, strides [3, 1], where its part is at offset 3, strides [6, 1]}}
    %c = dsc.concat %0, %1 {axis = 1, in_place, places = array<i64: 0>, outputs = [-1]} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x6xf32>
    %r = dsc.group(%c) {places = array<i64: -1>, outputs = [0]} : (tensor<2x6xf32>) -> tensor<2x6xf32> {
    ^bb0(%a: tensor<2x6xf32>):
      dsc.yield %a : tensor<2x6xf32>
    }
    return %r : tensor<2x6xf32>
  }
}

// -----

// One value for both parts.
func.func private @main(tensor<2x3xf32>) -> tensor<2x6xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x6xf32>
      attributes {dsc.arena = [{bytes = #dsc.dims<64>, live = array<i64: 0, 4>, above = array<i64>},
                               {bytes = #dsc.dims<64>, live = array<i64: 0, 4>, above = array<i64: 0>}]} {
    %0 = dsc.group(%x) {places = array<i64: 0>, outputs = [-1], windows = [unit, {offset = #dsc.dims<0>, strides = #dsc.dims<6, 1>}]} : (tensor<2x3xf32>) -> tensor<2x3xf32> {
    ^bb0(%a: tensor<2x3xf32>):
      dsc.yield %a : tensor<2x3xf32>
    }
    // expected-error@+1 {{is in place, but operand 1 is a part already, of this op or another one}}
    %c = dsc.concat %0, %0 {axis = 1, in_place, places = array<i64: 0>, outputs = [-1]} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x6xf32>
    %r = dsc.group(%c) {places = array<i64: -1>, outputs = [0]} : (tensor<2x6xf32>) -> tensor<2x6xf32> {
    ^bb0(%a: tensor<2x6xf32>):
      dsc.yield %a : tensor<2x6xf32>
    }
    return %r : tensor<2x6xf32>
  }
}

// -----

// One value for parts of two joins.
func.func private @main(tensor<2x3xf32>) -> tensor<2x6xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x6xf32>
      attributes {dsc.arena = [{bytes = #dsc.dims<64>, live = array<i64: 0, 4>, above = array<i64>},
                               {bytes = #dsc.dims<64>, live = array<i64: 0, 4>, above = array<i64: 0>}]} {
    %0 = dsc.group(%x) {places = array<i64: 0>, outputs = [-1], windows = [unit, {offset = #dsc.dims<0>, strides = #dsc.dims<6, 1>}]} : (tensor<2x3xf32>) -> tensor<2x3xf32> {
    ^bb0(%a: tensor<2x3xf32>):
      dsc.yield %a : tensor<2x3xf32>
    }
    %1 = dsc.group(%x) {places = array<i64: 0>, outputs = [-1], windows = [unit, {offset = #dsc.dims<3>, strides = #dsc.dims<6, 1>}]} : (tensor<2x3xf32>) -> tensor<2x3xf32> {
    ^bb0(%a: tensor<2x3xf32>):
      dsc.yield %a : tensor<2x3xf32>
    }
    %2 = dsc.group(%x) {places = array<i64: 1>, outputs = [-1], windows = [unit, {offset = #dsc.dims<3>, strides = #dsc.dims<6, 1>}]} : (tensor<2x3xf32>) -> tensor<2x3xf32> {
    ^bb0(%a: tensor<2x3xf32>):
      dsc.yield %a : tensor<2x3xf32>
    }
    %c = dsc.concat %0, %1 {axis = 1, in_place, places = array<i64: 0>, outputs = [-1]} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x6xf32>
    // expected-error@+1 {{is in place, but operand 0 is a part already, of this op or another one}}
    %d = dsc.concat %0, %2 {axis = 1, in_place, places = array<i64: 1>, outputs = [-1]} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x6xf32>
    %r = dsc.group(%c) {places = array<i64: -1>, outputs = [0]} : (tensor<2x6xf32>) -> tensor<2x6xf32> {
    ^bb0(%a: tensor<2x6xf32>):
      dsc.yield %a : tensor<2x6xf32>
    }
    return %r : tensor<2x6xf32>
  }
}

// -----

// Nobody writes an input.
func.func private @main(tensor<2x3xf32>) -> tensor<2x6xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x6xf32>
      attributes {dsc.arena = [{bytes = #dsc.dims<64>, live = array<i64: 0, 4>, above = array<i64>},
                               {bytes = #dsc.dims<64>, live = array<i64: 0, 4>, above = array<i64: 0>}]} {
    %1 = dsc.group(%x) {places = array<i64: 0>, outputs = [-1], windows = [unit, {offset = #dsc.dims<3>, strides = #dsc.dims<6, 1>}]} : (tensor<2x3xf32>) -> tensor<2x3xf32> {
    ^bb0(%a: tensor<2x3xf32>):
      dsc.yield %a : tensor<2x3xf32>
    }
    // expected-error@+1 {{is in place, but nobody writes operand 0 there}}
    %c = dsc.concat %x, %1 {axis = 1, in_place, places = array<i64: 0>, outputs = [-1]} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x6xf32>
    %r = dsc.group(%c) {places = array<i64: -1>, outputs = [0]} : (tensor<2x6xf32>) -> tensor<2x6xf32> {
    ^bb0(%a: tensor<2x6xf32>):
      dsc.yield %a : tensor<2x6xf32>
    }
    return %r : tensor<2x6xf32>
  }
}

// -----

// A part in another place.
func.func private @main(tensor<2x3xf32>) -> tensor<2x6xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x6xf32>
      attributes {dsc.arena = [{bytes = #dsc.dims<64>, live = array<i64: 0, 4>, above = array<i64>},
                               {bytes = #dsc.dims<64>, live = array<i64: 0, 4>, above = array<i64: 0>}]} {
    %0 = dsc.group(%x) {places = array<i64: 0>, outputs = [-1], windows = [unit, {offset = #dsc.dims<0>, strides = #dsc.dims<6, 1>}]} : (tensor<2x3xf32>) -> tensor<2x3xf32> {
    ^bb0(%a: tensor<2x3xf32>):
      dsc.yield %a : tensor<2x3xf32>
    }
    %1 = dsc.group(%x) {places = array<i64: 1>, outputs = [-1], windows = [unit, {offset = #dsc.dims<3>, strides = #dsc.dims<6, 1>}]} : (tensor<2x3xf32>) -> tensor<2x3xf32> {
    ^bb0(%a: tensor<2x3xf32>):
      dsc.yield %a : tensor<2x3xf32>
    }
    // expected-error@+1 {{is in place, but operand 1 is not in its place or output}}
    %c = dsc.concat %0, %1 {axis = 1, in_place, places = array<i64: 0>, outputs = [-1]} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x6xf32>
    %r = dsc.group(%c) {places = array<i64: -1>, outputs = [0]} : (tensor<2x6xf32>) -> tensor<2x6xf32> {
    ^bb0(%a: tensor<2x6xf32>):
      dsc.yield %a : tensor<2x6xf32>
    }
    return %r : tensor<2x6xf32>
  }
}

// -----

// A kernel that reads a part as if it were alone.
func.func private @main(tensor<2x3xf32>) -> tensor<2x6xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x6xf32>
      attributes {dsc.arena = [{bytes = #dsc.dims<64>, live = array<i64: 0, 4>, above = array<i64>},
                               {bytes = #dsc.dims<64>, live = array<i64: 0, 4>, above = array<i64: 0>}]} {
    %0 = dsc.group(%x) {places = array<i64: 0>, outputs = [-1], windows = [unit, {offset = #dsc.dims<0>, strides = #dsc.dims<6, 1>}]} : (tensor<2x3xf32>) -> tensor<2x3xf32> {
    ^bb0(%a: tensor<2x3xf32>):
      dsc.yield %a : tensor<2x3xf32>
    }
    // expected-error@+1 {{reads input 0 at offset 0, strides [3, 1], but it lies at offset 0, strides [6, 1]}}
    %1 = dsc.group(%0) {places = array<i64: 0>, outputs = [-1], windows = [unit, {offset = #dsc.dims<3>, strides = #dsc.dims<6, 1>}]} : (tensor<2x3xf32>) -> tensor<2x3xf32> {
    ^bb0(%a: tensor<2x3xf32>):
      dsc.yield %a : tensor<2x3xf32>
    }
    %c = dsc.concat %0, %1 {axis = 1, in_place, places = array<i64: 0>, outputs = [-1]} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x6xf32>
    %r = dsc.group(%c) {places = array<i64: -1>, outputs = [0]} : (tensor<2x6xf32>) -> tensor<2x6xf32> {
    ^bb0(%a: tensor<2x6xf32>):
      dsc.yield %a : tensor<2x6xf32>
    }
    return %r : tensor<2x6xf32>
  }
}

// -----

// A window of nothing.
func.func private @main(tensor<2x3xf32>) -> tensor<2x6xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x6xf32>
      attributes {dsc.arena = [{bytes = #dsc.dims<64>, live = array<i64: 0, 4>, above = array<i64>},
                               {bytes = #dsc.dims<64>, live = array<i64: 0, 4>, above = array<i64: 0>}]} {
    // expected-error@+1 {{lies at offset 0, strides [6, 1], and is a part of nothing}}
    %0 = dsc.group(%x) {places = array<i64: 0>, outputs = [-1], windows = [unit, {offset = #dsc.dims<0>, strides = #dsc.dims<6, 1>}]} : (tensor<2x3xf32>) -> tensor<2x3xf32> {
    ^bb0(%a: tensor<2x3xf32>):
      dsc.yield %a : tensor<2x3xf32>
    }
    %r = dsc.group(%x) {places = array<i64: -1>, outputs = [0]} : (tensor<2x3xf32>) -> tensor<2x6xf32> {
    ^bb0(%a: tensor<2x3xf32>):
      %b = dsc.concat %a, %a {axis = 1} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x6xf32>
      dsc.yield %b : tensor<2x6xf32>
    }
    return %r : tensor<2x6xf32>
  }
}

// -----

// A view that skips.
func.func private @main(tensor<2x3xf32>) -> tensor<2x6xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x6xf32>
      attributes {dsc.arena = [{bytes = #dsc.dims<64>, live = array<i64: 0, 4>, above = array<i64>},
                               {bytes = #dsc.dims<64>, live = array<i64: 0, 4>, above = array<i64: 0>}]} {
    %0 = dsc.group(%x) {places = array<i64: 0>, outputs = [-1], windows = [unit, {offset = #dsc.dims<0>, strides = #dsc.dims<6, 1>}]} : (tensor<2x3xf32>) -> tensor<2x3xf32> {
    ^bb0(%a: tensor<2x3xf32>):
      dsc.yield %a : tensor<2x3xf32>
    }
    %1 = dsc.group(%x) {places = array<i64: 0>, outputs = [-1], windows = [unit, {offset = #dsc.dims<3>, strides = #dsc.dims<6, 1>}]} : (tensor<2x3xf32>) -> tensor<2x3xf32> {
    ^bb0(%a: tensor<2x3xf32>):
      dsc.yield %a : tensor<2x3xf32>
    }
    %c = dsc.concat %0, %1 {axis = 1, in_place, places = array<i64: 0>, outputs = [-1]} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x6xf32>
    // expected-error@+1 {{is in place, but its steps are not all 1}}
    %s = dsc.slice %c {in_place, starts = #dsc.dims<0, 1>, sizes = #dsc.dims<2, 3>, steps = [1, 2]} : (tensor<2x6xf32>) -> tensor<2x3xf32>
    %r = dsc.group(%c) {places = array<i64: -1>, outputs = [0]} : (tensor<2x6xf32>) -> tensor<2x6xf32> {
    ^bb0(%a: tensor<2x6xf32>):
      dsc.yield %a : tensor<2x6xf32>
    }
    return %r : tensor<2x6xf32>
  }
}

// -----

// A window under other dims.
func.func private @main(tensor<2x3xf32>) -> tensor<2x6xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x6xf32>
      attributes {dsc.arena = [{bytes = #dsc.dims<64>, live = array<i64: 0, 4>, above = array<i64>},
                               {bytes = #dsc.dims<64>, live = array<i64: 0, 4>, above = array<i64: 0>}]} {
    %0 = dsc.group(%x) {places = array<i64: 0>, outputs = [-1], windows = [unit, {offset = #dsc.dims<0>, strides = #dsc.dims<6, 1>}]} : (tensor<2x3xf32>) -> tensor<2x3xf32> {
    ^bb0(%a: tensor<2x3xf32>):
      dsc.yield %a : tensor<2x3xf32>
    }
    %1 = dsc.group(%x) {places = array<i64: 0>, outputs = [-1], windows = [unit, {offset = #dsc.dims<3>, strides = #dsc.dims<6, 1>}]} : (tensor<2x3xf32>) -> tensor<2x3xf32> {
    ^bb0(%a: tensor<2x3xf32>):
      dsc.yield %a : tensor<2x3xf32>
    }
    // expected-error@+1 {{shows a window under other dims, which no strides describe: offset 0, strides [6, 1]}}
    %v = dsc.reshape %0 : (tensor<2x3xf32>) -> tensor<6xf32>
    %c = dsc.concat %0, %1 {axis = 1, in_place, places = array<i64: 0>, outputs = [-1]} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x6xf32>
    %r = dsc.group(%c) {places = array<i64: -1>, outputs = [0]} : (tensor<2x6xf32>) -> tensor<2x6xf32> {
    ^bb0(%a: tensor<2x6xf32>):
      dsc.yield %a : tensor<2x6xf32>
    }
    return %r : tensor<2x6xf32>
  }
}

// -----

// The join is live from its first part on: what shares its bytes until the second is written is in the way.
func.func private @main(tensor<2x3xf32>) -> tensor<2x6xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x6xf32>
      attributes {dsc.arena = [{bytes = #dsc.dims<64>, live = array<i64: 0, 4>, above = array<i64>},
                               {bytes = #dsc.dims<64>, live = array<i64: 0, 4>, above = array<i64: 0>}]} {
    %0 = dsc.group(%x) {places = array<i64: 0>, outputs = [-1], windows = [unit, {offset = #dsc.dims<0>, strides = #dsc.dims<6, 1>}]} : (tensor<2x3xf32>) -> tensor<2x3xf32> {
    ^bb0(%a: tensor<2x3xf32>):
      dsc.yield %a : tensor<2x3xf32>
    }
    // expected-error@+1 {{may share bytes with a tensor that is live: its place 0 and place 0 do not lie on one another}}
    %2 = dsc.group(%x) {places = array<i64: 0>, outputs = [-1]} : (tensor<2x3xf32>) -> tensor<2x3xf32> {
    ^bb0(%a: tensor<2x3xf32>):
      dsc.yield %a : tensor<2x3xf32>
    }
    %1 = dsc.group(%2) {places = array<i64: 0>, outputs = [-1], windows = [unit, {offset = #dsc.dims<3>, strides = #dsc.dims<6, 1>}]} : (tensor<2x3xf32>) -> tensor<2x3xf32> {
    ^bb0(%a: tensor<2x3xf32>):
      dsc.yield %a : tensor<2x3xf32>
    }
    // expected-note@+1 {{the other tensor, of 48 bytes}}
    %c = dsc.concat %0, %1 {axis = 1, in_place, places = array<i64: 0>, outputs = [-1]} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x6xf32>
    %r = dsc.group(%c) {places = array<i64: -1>, outputs = [0]} : (tensor<2x6xf32>) -> tensor<2x6xf32> {
    ^bb0(%a: tensor<2x6xf32>):
      dsc.yield %a : tensor<2x6xf32>
    }
    return %r : tensor<2x6xf32>
  }
}

// -----

// The join is read last through a view of a part.
func.func private @main(tensor<2x3xf32>) -> tensor<2x6xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x6xf32>
      attributes {dsc.arena = [{bytes = #dsc.dims<64>, live = array<i64: 0, 4>, above = array<i64>},
                               {bytes = #dsc.dims<64>, live = array<i64: 0, 4>, above = array<i64: 0>}]} {
    %0 = dsc.group(%x) {places = array<i64: 0>, outputs = [-1], windows = [unit, {offset = #dsc.dims<0>, strides = #dsc.dims<6, 1>}]} : (tensor<2x3xf32>) -> tensor<2x3xf32> {
    ^bb0(%a: tensor<2x3xf32>):
      dsc.yield %a : tensor<2x3xf32>
    }
    %1 = dsc.group(%x) {places = array<i64: 0>, outputs = [-1], windows = [unit, {offset = #dsc.dims<3>, strides = #dsc.dims<6, 1>}]} : (tensor<2x3xf32>) -> tensor<2x3xf32> {
    ^bb0(%a: tensor<2x3xf32>):
      dsc.yield %a : tensor<2x3xf32>
    }
    // expected-note@+1 {{the other tensor, of 48 bytes}}
    %c = dsc.concat %0, %1 {axis = 1, in_place, places = array<i64: 0>, outputs = [-1]} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x6xf32>
    %s = dsc.slice %c {in_place, starts = #dsc.dims<0, 2>, sizes = #dsc.dims<2, 3>, steps = [1, 1]} : (tensor<2x6xf32>) -> tensor<2x3xf32>
    // expected-error@+1 {{may share bytes with a tensor that is live: its place 0 and place 0 do not lie on one another}}
    %2 = dsc.group(%c) {places = array<i64: 0>, outputs = [-1]} : (tensor<2x6xf32>) -> tensor<2x6xf32> {
    ^bb0(%a: tensor<2x6xf32>):
      %b = dsc.exp %a : (tensor<2x6xf32>) -> tensor<2x6xf32>
      dsc.yield %b : tensor<2x6xf32>
    }
    %3 = dsc.group(%s) {places = array<i64: 1>, outputs = [-1], windows = [{offset = #dsc.dims<2>, strides = #dsc.dims<6, 1>}, unit]} : (tensor<2x3xf32>) -> tensor<2x3xf32> {
    ^bb0(%a: tensor<2x3xf32>):
      dsc.yield %a : tensor<2x3xf32>
    }
    %r = dsc.group(%2) {places = array<i64: -1>, outputs = [0]} : (tensor<2x6xf32>) -> tensor<2x6xf32> {
    ^bb0(%a: tensor<2x6xf32>):
      dsc.yield %a : tensor<2x6xf32>
    }
    return %r : tensor<2x6xf32>
  }
}

// -----

// A result takes over the join's bytes while it reads a part at other places.
func.func private @main(tensor<2x3xf32>) -> tensor<2x6xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x6xf32>
      attributes {dsc.arena = [{bytes = #dsc.dims<64>, live = array<i64: 0, 4>, above = array<i64>},
                               {bytes = #dsc.dims<64>, live = array<i64: 0, 4>, above = array<i64: 0>}]} {
    %0 = dsc.group(%x) {places = array<i64: 0>, outputs = [-1], windows = [unit, {offset = #dsc.dims<0>, strides = #dsc.dims<6, 1>}]} : (tensor<2x3xf32>) -> tensor<2x3xf32> {
    ^bb0(%a: tensor<2x3xf32>):
      dsc.yield %a : tensor<2x3xf32>
    }
    %1 = dsc.group(%x) {places = array<i64: 0>, outputs = [-1], windows = [unit, {offset = #dsc.dims<3>, strides = #dsc.dims<6, 1>}]} : (tensor<2x3xf32>) -> tensor<2x3xf32> {
    ^bb0(%a: tensor<2x3xf32>):
      dsc.yield %a : tensor<2x3xf32>
    }
    // expected-note@+1 {{the other tensor, of 48 bytes}}
    %c = dsc.concat %0, %1 {axis = 1, in_place, places = array<i64: 0>, outputs = [-1]} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x6xf32>
    // expected-error@+1 {{may share bytes with a tensor that is live: its place 0 and place 0 do not lie on one another}}
    %2 = dsc.group(%c, %0) {places = array<i64: 0>, outputs = [-1], windows = [unit, {offset = #dsc.dims<0>, strides = #dsc.dims<6, 1>}, unit]} : (tensor<2x6xf32>, tensor<2x3xf32>) -> tensor<2x6xf32> {
    ^bb0(%a: tensor<2x6xf32>, %d: tensor<2x3xf32>):
      %e = dsc.concat %d, %d {axis = 1} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x6xf32>
      %b = dsc.add %a, %e : (tensor<2x6xf32>, tensor<2x6xf32>) -> tensor<2x6xf32>
      dsc.yield %b : tensor<2x6xf32>
    }
    %r = dsc.group(%2) {places = array<i64: -1>, outputs = [0]} : (tensor<2x6xf32>) -> tensor<2x6xf32> {
    ^bb0(%a: tensor<2x6xf32>):
      dsc.yield %a : tensor<2x6xf32>
    }
    return %r : tensor<2x6xf32>
  }
}

// -----

// An output that returns another value.
func.func private @main(tensor<2x3xf32>) -> tensor<2x6xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  func.func @main(%x: tensor<2x3xf32>) -> tensor<2x6xf32>
      attributes {dsc.arena = [{bytes = #dsc.dims<64>, live = array<i64: 0, 4>, above = array<i64>},
                               {bytes = #dsc.dims<64>, live = array<i64: 0, 4>, above = array<i64: 0>}]} {
    %0 = dsc.group(%x) {places = array<i64: 0>, outputs = [-1], windows = [unit, {offset = #dsc.dims<0>, strides = #dsc.dims<6, 1>}]} : (tensor<2x3xf32>) -> tensor<2x3xf32> {
    ^bb0(%a: tensor<2x3xf32>):
      dsc.yield %a : tensor<2x3xf32>
    }
    %1 = dsc.group(%x) {places = array<i64: 0>, outputs = [-1], windows = [unit, {offset = #dsc.dims<3>, strides = #dsc.dims<6, 1>}]} : (tensor<2x3xf32>) -> tensor<2x3xf32> {
    ^bb0(%a: tensor<2x3xf32>):
      dsc.yield %a : tensor<2x3xf32>
    }
    %c = dsc.concat %0, %1 {axis = 1, in_place, places = array<i64: 0>, outputs = [-1]} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x6xf32>
    // expected-error@+1 {{lies in output 0, which returns another value}}
    %2 = dsc.group(%c) {places = array<i64: -1>, outputs = [0]} : (tensor<2x6xf32>) -> tensor<2x6xf32> {
    ^bb0(%a: tensor<2x6xf32>):
      dsc.yield %a : tensor<2x6xf32>
    }
    %r = dsc.group(%c) {places = array<i64: 1>, outputs = [-1]} : (tensor<2x6xf32>) -> tensor<2x6xf32> {
    ^bb0(%a: tensor<2x6xf32>):
      dsc.yield %a : tensor<2x6xf32>
    }
    return %r : tensor<2x6xf32>
  }
}

// -----

// A part of the output is returned as well: no copy moves it.
func.func private @main(tensor<2x3xf32>) -> (tensor<2x6xf32>, tensor<2x3xf32>)
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  func.func @main(%x: tensor<2x3xf32>) -> (tensor<2x6xf32>, tensor<2x3xf32>)
      attributes {dsc.arena = [{bytes = #dsc.dims<64>, live = array<i64: 0, 4>, above = array<i64>},
                               {bytes = #dsc.dims<64>, live = array<i64: 0, 4>, above = array<i64: 0>}]} {
    %0 = dsc.group(%x) {places = array<i64: -1>, outputs = [0], windows = [unit, {offset = #dsc.dims<0>, strides = #dsc.dims<6, 1>}]} : (tensor<2x3xf32>) -> tensor<2x3xf32> {
    ^bb0(%a: tensor<2x3xf32>):
      dsc.yield %a : tensor<2x3xf32>
    }
    // expected-error@+1 {{returns what lies at offset 3, strides [6, 1] of something else}}
    %1 = dsc.group(%x) {places = array<i64: -1>, outputs = [0], windows = [unit, {offset = #dsc.dims<3>, strides = #dsc.dims<6, 1>}]} : (tensor<2x3xf32>) -> tensor<2x3xf32> {
    ^bb0(%a: tensor<2x3xf32>):
      dsc.yield %a : tensor<2x3xf32>
    }
    %c = dsc.concat %0, %1 {axis = 1, in_place, places = array<i64: -1>, outputs = [0]} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x6xf32>
    return %c, %1 : tensor<2x6xf32>, tensor<2x3xf32>
  }
}

// -----

// Equal dims by a relation are no proof.
module attributes {dsc.symbols = [{name = "n", min = 1 : i64, max = 64 : i64, input = 0 : i64, axis = 0 : i64},
                                  {name = "m", min = 1 : i64, max = 64 : i64, input = 1 : i64, axis = 0 : i64}]} {
  func.func private @main(tensor<?x3xf32, #dsc.dims<"n", 3>>, tensor<?x3xf32, #dsc.dims<"m", 3>>) -> tensor<?x6xf32, #dsc.dims<"n", 6>>
  module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
    func.func @main(%x: tensor<?x3xf32, #dsc.dims<"n", 3>>, %y: tensor<?x3xf32, #dsc.dims<"m", 3>>) -> tensor<?x6xf32, #dsc.dims<"n", 6>>
        attributes {dsc.arena = []} {
      %0 = dsc.group(%x) {places = array<i64: -1>, outputs = [0], windows = [unit, {offset = #dsc.dims<0>, strides = #dsc.dims<6, 1>}]}
          : (tensor<?x3xf32, #dsc.dims<"n", 3>>) -> tensor<?x3xf32, #dsc.dims<"n", 3>> {
      ^bb0(%a: tensor<?x3xf32, #dsc.dims<"n", 3>>):
        dsc.yield %a : tensor<?x3xf32, #dsc.dims<"n", 3>>
      }
      %1 = dsc.group(%y) {places = array<i64: -1>, outputs = [0], windows = [unit, {offset = #dsc.dims<3>, strides = #dsc.dims<6, 1>}]}
          : (tensor<?x3xf32, #dsc.dims<"m", 3>>) -> tensor<?x3xf32, #dsc.dims<"m", 3>> {
      ^bb0(%a: tensor<?x3xf32, #dsc.dims<"m", 3>>):
        dsc.yield %a : tensor<?x3xf32, #dsc.dims<"m", 3>>
      }
      // expected-error@+1 {{is in place, but operand 1 has m for dim 0, and the whole n}}
      %c = dsc.concat %0, %1 {axis = 1, in_place, places = array<i64: -1>, outputs = [0]}
          : (tensor<?x3xf32, #dsc.dims<"n", 3>>, tensor<?x3xf32, #dsc.dims<"m", 3>>) -> tensor<?x6xf32, #dsc.dims<"n", 6>>
      return %c : tensor<?x6xf32, #dsc.dims<"n", 6>>
    }
  }
}

// -----

// A transpose that is a view, and one that its input is written into: no error.
func.func private @main(tensor<2x3xf32>) -> tensor<3x2xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  func.func @main(%x: tensor<2x3xf32>) -> tensor<3x2xf32> attributes {dsc.arena = []} {
    %t = dsc.transpose %x {in_place, permutation = [1, 0]} : (tensor<2x3xf32>) -> tensor<3x2xf32>
    %u = dsc.reshape %t : (tensor<3x2xf32>) -> tensor<3x1x2xf32>
    %0 = dsc.group(%u) {places = array<i64: -1>, outputs = [0], windows = [{offset = #dsc.dims<0>, strides = #dsc.dims<1, 2, 3>}, {offset = #dsc.dims<0>, strides = #dsc.dims<2, 2, 1>}]} : (tensor<3x1x2xf32>) -> tensor<3x1x2xf32> {
    ^bb0(%a: tensor<3x1x2xf32>):
      dsc.yield %a : tensor<3x1x2xf32>
    }
    %v = dsc.transpose %0 {in_place = "home", permutation = [1, 0, 2], places = array<i64: -1>, outputs = [0]} : (tensor<3x1x2xf32>) -> tensor<1x3x2xf32>
    %y = dsc.reshape %v : (tensor<1x3x2xf32>) -> tensor<3x2xf32>
    return %y : tensor<3x2xf32>
  }
}

// -----

// The kernel reads the view as if it had been written.
func.func private @main(tensor<2x3xf32>) -> tensor<3x2xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  func.func @main(%x: tensor<2x3xf32>) -> tensor<3x2xf32> attributes {dsc.arena = []} {
    %t = dsc.transpose %x {in_place, permutation = [1, 0]} : (tensor<2x3xf32>) -> tensor<3x2xf32>
    // expected-error@+1 {{reads input 0 at offset 0, strides [2, 1], but it lies at offset 0, strides [1, 3]}}
    %0 = dsc.group(%t) {places = array<i64: -1>, outputs = [0]} : (tensor<3x2xf32>) -> tensor<3x2xf32> {
    ^bb0(%a: tensor<3x2xf32>):
      dsc.yield %a : tensor<3x2xf32>
    }
    return %0 : tensor<3x2xf32>
  }
}

// -----

// The maker writes in its own order.
func.func private @main(tensor<2x3xf32>) -> tensor<3x2xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  func.func @main(%x: tensor<2x3xf32>) -> tensor<3x2xf32> attributes {dsc.arena = []} {
    %0 = dsc.group(%x) {places = array<i64: -1>, outputs = [0]} : (tensor<2x3xf32>) -> tensor<2x3xf32> {
    ^bb0(%a: tensor<2x3xf32>):
      dsc.yield %a : tensor<2x3xf32>
    }
    // expected-error@+1 {{is in place, but operand 0 lies at offset 0, strides [3, 1], where its part is at offset 0, strides [1, 2]}}
    %t = dsc.transpose %0 {in_place = "home", permutation = [1, 0], places = array<i64: -1>, outputs = [0]} : (tensor<2x3xf32>) -> tensor<3x2xf32>
    return %t : tensor<3x2xf32>
  }
}

// -----

// Nobody writes an input into a transpose.
func.func private @main(tensor<2x3xf32>) -> tensor<3x2xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  func.func @main(%x: tensor<2x3xf32>) -> tensor<3x2xf32> attributes {dsc.arena = []} {
    // expected-error@+1 {{is in place, but nobody writes operand 0 there}}
    %t = dsc.transpose %x {in_place = "home", permutation = [1, 0], places = array<i64: -1>, outputs = [0]} : (tensor<2x3xf32>) -> tensor<3x2xf32>
    return %t : tensor<3x2xf32>
  }
}
