// RUN: dscc-opt %s --dsc-split-targets=targets=cpu_v4 --split-input-file --verify-diagnostics

// expected-error@+1 {{has no @main to give each target a copy of}}
module {
}

// -----

// expected-error@+1 {{has no @main to give each target a copy of}}
module {
  func.func private @main(tensor<4xf32>)
}
