// RUN: dscc-opt %s --dsc-build-program --split-input-file --verify-diagnostics

// What the stage `emitted` promises is checked here once more: dscc-opt runs passes on any IR.

func.func private @main(tensor<4xf32>) -> tensor<4xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  llvm.func @k() attributes {dsc.kernel = {}}
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> attributes {dsc.arena = []} {
    // expected-error@+1 {{launches @nobody, which is no kernel of this module}}
    %0 = dsc.launch @nobody (%x) {grid = #dsc.dims<1, 1, 1>, symbols = [], outputs = [0]} : (tensor<4xf32>) -> tensor<4xf32>
    return %0 : tensor<4xf32>
  }
}

// -----

func.func private @main(tensor<4xf32>) -> tensor<4xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  llvm.func @k() attributes {dsc.kernel = {}}
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> attributes {dsc.arena = []} {
    // expected-error@+1 {{has not become a kernel}}
    %0 = dsc.group(%x) : (tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%a: tensor<4xf32>):
      dsc.yield %a : tensor<4xf32>
    }
    return %0 : tensor<4xf32>
  }
}

// -----

func.func private @main(tensor<4xf32>) -> tensor<4xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  llvm.func @k() attributes {dsc.kernel = {}}
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> attributes {dsc.arena = []} {
    // expected-error@+1 {{is neither a launch, a constant nor a view}}
    %0 = dsc.relu %x : (tensor<4xf32>) -> tensor<4xf32>
    return %0 : tensor<4xf32>
  }
}

// -----

func.func private @main(tensor<4xf32>) -> tensor<4xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  llvm.func @k() attributes {dsc.kernel = {}}
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> attributes {dsc.arena = []} {
    // expected-error@+1 {{has no places}}
    %0 = dsc.launch @k (%x) {grid = #dsc.dims<1, 1, 1>, symbols = []} : (tensor<4xf32>) -> tensor<4xf32>
    return %0 : tensor<4xf32>
  }
}

// -----

func.func private @main(tensor<4xf32>) -> tensor<4xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  llvm.func @k() attributes {dsc.kernel = {}}
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> attributes {dsc.arena = []} {
    // expected-error@+1 {{writes into place 0, and there are 0}}
    %0 = dsc.launch @k (%x) {grid = #dsc.dims<1, 1, 1>, symbols = [], places = array<i64: 0>} : (tensor<4xf32>) -> tensor<4xf32>
    return %0 : tensor<4xf32>
  }
}

// -----

func.func private @main(tensor<4xf32>) -> tensor<4xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  llvm.func @k() attributes {dsc.kernel = {}}
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> attributes {dsc.arena = []} {
    // expected-error@+1 {{writes into place -1, and there are 0}}
    %0 = dsc.launch @k (%x) {grid = #dsc.dims<1, 1, 1>, symbols = [], places = array<i64: -1>, outputs = [-1]} : (tensor<4xf32>) -> tensor<4xf32>
    return %0 : tensor<4xf32>
  }
}

// -----

func.func private @main(tensor<4xf32>) -> tensor<4xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  llvm.func @k() attributes {dsc.kernel = {}}
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> attributes {dsc.arena = []} {
    // expected-error@+1 {{writes into output 3, and there are 1}}
    %0 = dsc.launch @k (%x) {grid = #dsc.dims<1, 1, 1>, symbols = [], places = array<i64: -1>, outputs = [3]} : (tensor<4xf32>) -> tensor<4xf32>
    return %0 : tensor<4xf32>
  }
}

// -----

func.func private @main(tensor<4xf32>) -> tensor<4xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  llvm.func @k() attributes {dsc.kernel = {}}
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> attributes {dsc.arena = []} {
    // expected-error@+1 {{hands on the dim 'n', which dsc.symbols does not name}}
    %0 = dsc.launch @k (%x) {grid = #dsc.dims<1, 1, 1>, symbols = ["n"], outputs = [0]} : (tensor<4xf32>) -> tensor<4xf32>
    return %0 : tensor<4xf32>
  }
}

// -----

func.func private @main(tensor<4xf32>) -> tensor<4xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  // expected-error@+1 {{place 0 of dsc.arena is not {bytes, live, above}}}
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> attributes {dsc.arena = [{bytes = 64 : i64}]} {
    return %x : tensor<4xf32>
  }
}

// -----

func.func private @main(tensor<4xf32>) -> tensor<4xf32>
// expected-error@+1 {{has no @main of one block}}
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
}

// -----

// expected-error@+1 {{has no @main}}
module {
  module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  }
}

// -----

func.func private @main(tensor<4xf32>) -> tensor<4xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  llvm.func @k() attributes {dsc.kernel = {}}
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> attributes {dsc.arena = []} {
    // expected-error@+1 {{launches @nobody, which is no kernel of this module}}
    %0 = dsc.launch @k (%x) {grid = #dsc.dims<1, 1, 1>, symbols = [], outputs = [0],
                             before = [{kernel = @nobody, grid = #dsc.dims<1, 1, 1>}]} : (tensor<4xf32>) -> tensor<4xf32>
    return %0 : tensor<4xf32>
  }
}

// -----

func.func private @main(tensor<4xf32>) -> tensor<4xf32>
module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
  llvm.func @k() attributes {dsc.kernel = {}}
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> attributes {dsc.arena = []} {
    // expected-error@+1 {{has its workspace in place 0, and there are 0}}
    %0 = dsc.launch @k (%x) {grid = #dsc.dims<1, 1, 1>, symbols = [], outputs = [0], workspace_place = 0 : i64} : (tensor<4xf32>) -> tensor<4xf32>
    return %0 : tensor<4xf32>
  }
}
