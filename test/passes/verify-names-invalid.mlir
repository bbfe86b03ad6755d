// RUN: dscc-opt %s --dsc-verify-stage=stage=imported --split-input-file --verify-diagnostics

// Every name in a dim has a value at run time.

// expected-error@+1 {{depends on the dim 'n', which dsc.symbols does not name}}
func.func @main(%x: tensor<?xf32, #dsc.dims<"n">>) {
  return
}

// -----

module attributes {dsc.symbols = [{name = "n", min = 1 : i64, max = 64 : i64, input = 0 : i64, axis = 0 : i64}]} {
  func.func @main(%x: tensor<?xf32, #dsc.dims<"n">>) -> tensor<?xf32, #dsc.dims<"m">> {
    // expected-error@+1 {{depends on the dim 'm', which dsc.symbols does not name}}
    %0 = dsc.reshape %x : (tensor<?xf32, #dsc.dims<"n">>) -> tensor<?xf32, #dsc.dims<"m">>
    return %0 : tensor<?xf32, #dsc.dims<"m">>
  }
}

// -----

// In an attribute.
func.func @main(%x: tensor<4xf32>) -> tensor<2xf32> {
  // expected-error@+1 {{depends on the dim 'k', which dsc.symbols does not name}}
  %0 = dsc.slice %x {starts = #dsc.dims<"k">, sizes = #dsc.dims<2>, steps = [1]} : (tensor<4xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----

module attributes {dsc.symbols = [{name = "n", min = 1 : i64, max = 64 : i64, input = 0 : i64, axis = 0 : i64}]} {
  // expected-error@+1 {{has no dim 'n' at axis 0 of input 0, where dsc.symbols has it}}
  func.func @main(%x: tensor<4xf32>) {
    return
  }
}

// -----

module attributes {dsc.symbols = [{name = "n", min = 1 : i64, max = 64 : i64, input = 7 : i64, axis = 0 : i64}]} {
  // expected-error@+1 {{has no dim 'n' at axis 0 of input 7, where dsc.symbols has it}}
  func.func @main(%x: tensor<?xf32, #dsc.dims<"n">>) {
    return
  }
}
