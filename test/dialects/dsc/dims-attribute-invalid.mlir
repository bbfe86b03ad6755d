// RUN: dscc-opt %s --split-input-file --verify-diagnostics

// One case for each numbered constraint of #dsc.dims.

// dims attribute (C1)
// expected-error@+1 {{'n +' is not a dim expression}}
func.func private @f(tensor<?xf32, #dsc.dims<"n +">>)

// -----

// dims attribute (C1)
// expected-error@+1 {{'1 + n' is not in normal form, which is 'n + 1'}}
func.func private @f(tensor<?xf32, #dsc.dims<"1 + n">>)

// -----

// dims attribute (C1)
// expected-error@+1 {{'3' is not in normal form, which is '3'}}
func.func private @f(tensor<?xf32, #dsc.dims<"3">>)

// -----

// dims attribute (C2)
// expected-error@+1 {{has 2 dim expressions for 1 dims}}
func.func private @f(tensor<?xf32, #dsc.dims<"n", 3>>)

// -----

// dims attribute (C3)
// expected-error@+1 {{has the dim expression 4 : i64 where the shape says 3}}
func.func private @f(tensor<3xf32, #dsc.dims<4>>)

// -----

// dims attribute (C3)
// expected-error@+1 {{has the dim expression 4 : i64 where the shape says '?'}}
func.func private @f(tensor<?xf32, #dsc.dims<4>>)

// -----

// dims attribute (C3)
// expected-error@+1 {{has the dim expression "n" where the shape says 3}}
func.func private @f(tensor<3xf32, #dsc.dims<"n">>)
