// RUN: dscc-opt %s --pass-pipeline='builtin.module(builtin.module(dsc-emit-kernels))' --split-input-file --verify-diagnostics

// Emitters follow schedules that they can follow, and no others.

func.func private @main(tensor<4xf32>) -> tensor<4xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
    // expected-error@+1 {{has no schedule}}
    %0 = dsc.group(%x) : (tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%a: tensor<4xf32>):
      %1 = dsc.relu %a : (tensor<4xf32>) -> tensor<4xf32>
      dsc.yield %1 : tensor<4xf32>
    }
    return %0 : tensor<4xf32>
  }
}

// -----

func.func private @main(tensor<4xf32>) -> tensor<4xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
    // expected-error@+1 {{has the schedule #dsc.schedule<elementwise>, which lacks 'width'}}
    %0 = dsc.group(%x) {schedule = #dsc.schedule<elementwise>} : (tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%a: tensor<4xf32>):
      %1 = dsc.relu %a : (tensor<4xf32>) -> tensor<4xf32>
      dsc.yield %1 : tensor<4xf32>
    }
    return %0 : tensor<4xf32>
  }
}

// -----

func.func private @main(tensor<4xf32>) -> tensor<4xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
    // expected-error@+1 {{has the schedule #dsc.schedule<magic>, which names no emitter}}
    %0 = dsc.group(%x) {schedule = #dsc.schedule<magic>} : (tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%a: tensor<4xf32>):
      %1 = dsc.relu %a : (tensor<4xf32>) -> tensor<4xf32>
      dsc.yield %1 : tensor<4xf32>
    }
    return %0 : tensor<4xf32>
  }
}

// -----

func.func private @main(tensor<4xf32>) -> tensor<4xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
    // expected-error@+1 {{has the schedule #dsc.schedule<rows, accumulators = 4, width = 1>, which does not fit the group: there are no rows that all of the group, and its result, agree on}}
    %0 = dsc.group(%x) {schedule = #dsc.schedule<rows, accumulators = 4, width = 1>} : (tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%a: tensor<4xf32>):
      %1 = dsc.relu %a : (tensor<4xf32>) -> tensor<4xf32>
      dsc.yield %1 : tensor<4xf32>
    }
    return %0 : tensor<4xf32>
  }
}

// -----

func.func private @main(tensor<4xf32>) -> tensor<4xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
    // expected-error@+1 {{has the schedule #dsc.schedule<elementwise, width = 3>, which cannot be followed: a thread has 1, 2, 4 or 8 lanes}}
    %0 = dsc.group(%x) {schedule = #dsc.schedule<elementwise, width = 3>} : (tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%a: tensor<4xf32>):
      %1 = dsc.relu %a : (tensor<4xf32>) -> tensor<4xf32>
      dsc.yield %1 : tensor<4xf32>
    }
    return %0 : tensor<4xf32>
  }
}

// -----

func.func private @main(tensor<4xf32>) -> tensor<4xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
    // expected-error@+1 {{has the schedule #dsc.schedule<elementwise, width = 8>, which cannot be followed: rows are not made of whole vectors}}
    %0 = dsc.group(%x) {schedule = #dsc.schedule<elementwise, width = 8>} : (tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%a: tensor<4xf32>):
      %1 = dsc.relu %a : (tensor<4xf32>) -> tensor<4xf32>
      dsc.yield %1 : tensor<4xf32>
    }
    return %0 : tensor<4xf32>
  }
}

// -----

// 2^22 rows times 2^22 columns times 2^22 terms are more steps than 64 bits can count.

func.func private @main(tensor<4194304x4194304xf32>, tensor<4194304x4194304xf32>) -> tensor<4194304x4194304xf32>
module @cpu_v3 attributes {dsc.target = "cpu_v3"} {
  func.func @main(%x: tensor<4194304x4194304xf32>, %w: tensor<4194304x4194304xf32>) -> tensor<4194304x4194304xf32> {
    // expected-error@+1 {{takes a number of steps that is too large, or too long a formula of the named dims}}
    %0 = dsc.group(%x, %w) {schedule = #dsc.schedule<tiles, columns_outside = 1, packed = 0, row_tiles = 1048576, rows = 4, vectors = 2, width = 8>}
        : (tensor<4194304x4194304xf32>, tensor<4194304x4194304xf32>) -> tensor<4194304x4194304xf32> {
    ^bb0(%a: tensor<4194304x4194304xf32>, %b: tensor<4194304x4194304xf32>):
      %1 = dsc.matmul %a, %b : (tensor<4194304x4194304xf32>, tensor<4194304x4194304xf32>) -> tensor<4194304x4194304xf32>
      dsc.yield %1 : tensor<4194304x4194304xf32>
    }
    return %0 : tensor<4194304x4194304xf32>
  }
}

// -----

// A parameter that is out of range, one that nobody knows, and more sums than there are registers.

func.func private @main(tensor<32x32xf32>) -> tensor<32x32xf32>
module @cpu_v3 attributes {dsc.target = "cpu_v3"} {
  func.func @main(%x: tensor<32x32xf32>) -> tensor<32x32xf32> {
    // expected-error@+1 {{has 'rows' outside of [1, 32]}}
    %0 = dsc.group(%x) {schedule = #dsc.schedule<tiles, columns_outside = 1, packed = 0, row_tiles = 1, rows = 33, vectors = 1, width = 8>}
        : (tensor<32x32xf32>) -> tensor<32x32xf32> {
    ^bb0(%a: tensor<32x32xf32>):
      %1 = dsc.matmul %a, %a : (tensor<32x32xf32>, tensor<32x32xf32>) -> tensor<32x32xf32>
      dsc.yield %1 : tensor<32x32xf32>
    }
    return %0 : tensor<32x32xf32>
  }
}

// -----

func.func private @main(tensor<4xf32>) -> tensor<4xf32>
module @cpu_v3 attributes {dsc.target = "cpu_v3"} {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
    // expected-error@+1 {{has 'height', which its emitter does not know}}
    %0 = dsc.group(%x) {schedule = #dsc.schedule<elementwise, height = 4, width = 4>} : (tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%a: tensor<4xf32>):
      %1 = dsc.relu %a : (tensor<4xf32>) -> tensor<4xf32>
      dsc.yield %1 : tensor<4xf32>
    }
    return %0 : tensor<4xf32>
  }
}

// -----

func.func private @main(tensor<32x32xf32>) -> tensor<32x32xf32>
module @cpu_v3 attributes {dsc.target = "cpu_v3"} {
  func.func @main(%x: tensor<32x32xf32>) -> tensor<32x32xf32> {
    // expected-error@+1 {{cannot be followed: so many sums do not fit the registers}}
    %0 = dsc.group(%x) {schedule = #dsc.schedule<tiles, columns_outside = 1, packed = 0, row_tiles = 1, rows = 6, vectors = 3, width = 8>}
        : (tensor<32x32xf32>) -> tensor<32x32xf32> {
    ^bb0(%a: tensor<32x32xf32>):
      %1 = dsc.matmul %a, %a : (tensor<32x32xf32>, tensor<32x32xf32>) -> tensor<32x32xf32>
      dsc.yield %1 : tensor<32x32xf32>
    }
    return %0 : tensor<32x32xf32>
  }
}

// -----

// What the schedule says about panels must be so.
func.func private @main(tensor<32x32xf32>) -> tensor<32x32xf32>
module @cpu_v4 attributes {dsc.target = "cpu_v4"} {
  func.func @main(%x: tensor<32x32xf32>) -> tensor<32x32xf32> {
    // expected-error@+1 {{cannot be followed: 'packed' does not tell whether columns are read from panels}}
    %0 = dsc.group(%x) {schedule = #dsc.schedule<tiles, columns_outside = 1, packed = 1, row_tiles = 1, rows = 6, vectors = 3, width = 8>}
        : (tensor<32x32xf32>) -> tensor<32x32xf32> {
    ^bb0(%a: tensor<32x32xf32>):
      %1 = dsc.matmul %a, %a : (tensor<32x32xf32>, tensor<32x32xf32>) -> tensor<32x32xf32>
      dsc.yield %1 : tensor<32x32xf32>
    }
    return %0 : tensor<32x32xf32>
  }
}

// -----

func.func private @main(tensor<3x1025xf32>) -> tensor<3x1xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  func.func @main(%x: tensor<3x1025xf32>) -> tensor<3x1xf32> {
    // expected-error@+1 {{has 0 bytes of workspace, where its schedules want 96}}
    %0 = dsc.group(%x) {schedule = #dsc.schedule<split_rows, parts = 4, width = 1>, places = array<i64: -1>, outputs = [0]}
       : (tensor<3x1025xf32>) -> tensor<3x1xf32> {
    ^bb0(%a: tensor<3x1025xf32>):
      %1 = dsc.reduce_mean %a {axes = [1]} : (tensor<3x1025xf32>) -> tensor<3x1xf32>
      dsc.yield %1 : tensor<3x1xf32>
    }
    return %0 : tensor<3x1xf32>
  }
}

// -----

// Boxes of a copy by tensor maps are rows of whole 16 bytes, and lie in shared memory.
func.func private @main(tensor<64x64xf32>) -> tensor<64x40xf32>
module @cuda_sm90a attributes {dsc.target = "cuda_sm90a"} {
  func.func @main(%x: tensor<64x64xf32>) -> tensor<64x40xf32> {
    // expected-error@+1 {{cannot be followed: the columns of a box are no multiple of 16 bytes}}
    %y = dsc.group(%x) {schedule = #dsc.schedule<bulk_copy, columns = 30, rows = 8>} : (tensor<64x64xf32>) -> tensor<64x40xf32> {
    ^bb0(%a: tensor<64x64xf32>):
      %0 = dsc.slice %a {starts = #dsc.dims<0, 5>, sizes = #dsc.dims<64, 40>, steps = [1, 1]} : (tensor<64x64xf32>) -> tensor<64x40xf32>
      dsc.yield %0 : tensor<64x40xf32>
    }
    return %y : tensor<64x40xf32>
  }
}

// -----

func.func private @main(tensor<64x64xf32>) -> tensor<64x40xf32>
module @cuda_sm90a attributes {dsc.target = "cuda_sm90a"} {
  func.func @main(%x: tensor<64x64xf32>) -> tensor<64x40xf32> {
    // expected-error@+1 {{cannot be followed: a box does not fit into shared memory}}
    %y = dsc.group(%x) {schedule = #dsc.schedule<bulk_copy, columns = 256, rows = 48>} : (tensor<64x64xf32>) -> tensor<64x40xf32> {
    ^bb0(%a: tensor<64x64xf32>):
      %0 = dsc.slice %a {starts = #dsc.dims<0, 5>, sizes = #dsc.dims<64, 40>, steps = [1, 1]} : (tensor<64x64xf32>) -> tensor<64x40xf32>
      dsc.yield %0 : tensor<64x40xf32>
    }
    return %y : tensor<64x40xf32>
  }
}

// -----

func.func private @main(tensor<64x64xf32>) -> tensor<64x41xf32>
module @cuda_sm90a attributes {dsc.target = "cuda_sm90a"} {
  func.func @main(%x: tensor<64x64xf32>) -> tensor<64x41xf32> {
    // expected-error@+1 {{does not fit the group: rows do not lie at multiples of 16 bytes}}
    %y = dsc.group(%x) {schedule = #dsc.schedule<bulk_copy, columns = 32, rows = 8>} : (tensor<64x64xf32>) -> tensor<64x41xf32> {
    ^bb0(%a: tensor<64x64xf32>):
      %0 = dsc.slice %a {starts = #dsc.dims<0, 5>, sizes = #dsc.dims<64, 41>, steps = [1, 1]} : (tensor<64x64xf32>) -> tensor<64x41xf32>
      dsc.yield %0 : tensor<64x41xf32>
    }
    return %y : tensor<64x41xf32>
  }
}

// -----

func.func private @main(tensor<64x64xf32>) -> tensor<64x20xf32>
module @cuda_sm90a attributes {dsc.target = "cuda_sm90a"} {
  func.func @main(%x: tensor<64x64xf32>) -> tensor<64x20xf32> {
    // expected-error@+1 {{does not fit the group: the group does more than move a regular part of one tensor}}
    %y = dsc.group(%x) {schedule = #dsc.schedule<bulk_copy, columns = 32, rows = 8>} : (tensor<64x64xf32>) -> tensor<64x20xf32> {
    ^bb0(%a: tensor<64x64xf32>):
      %0 = dsc.slice %a {starts = #dsc.dims<0, 5>, sizes = #dsc.dims<64, 20>, steps = [1, 2]} : (tensor<64x64xf32>) -> tensor<64x20xf32>
      dsc.yield %0 : tensor<64x20xf32>
    }
    return %y : tensor<64x20xf32>
  }
}

// -----

func.func private @main(tensor<64x64xf32>) -> tensor<64x40xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  func.func @main(%x: tensor<64x64xf32>) -> tensor<64x40xf32> {
    // expected-error@+1 {{does not fit the group: the target has no tensor maps}}
    %y = dsc.group(%x) {schedule = #dsc.schedule<bulk_copy, columns = 32, rows = 8>} : (tensor<64x64xf32>) -> tensor<64x40xf32> {
    ^bb0(%a: tensor<64x64xf32>):
      %0 = dsc.slice %a {starts = #dsc.dims<0, 5>, sizes = #dsc.dims<64, 40>, steps = [1, 1]} : (tensor<64x64xf32>) -> tensor<64x40xf32>
      dsc.yield %0 : tensor<64x40xf32>
    }
    return %y : tensor<64x40xf32>
  }
}
