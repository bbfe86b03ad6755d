// RUN: dscc-opt %s --split-input-file --verify-diagnostics

// One case for each numbered constraint of Group.td.

// group (C1)
func.func @f(%x: tensor<4xf32>) {
  // expected-error@+1 {{has inputs 'tensor<4xf32>' but a body that takes 'tensor<5xf32>'}}
  %0 = dsc.group(%x) : (tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%a: tensor<5xf32>):
    %0 = dsc.slice %a {starts = #dsc.dims<0>, sizes = #dsc.dims<4>, steps = [1]} : (tensor<5xf32>) -> tensor<4xf32>
    dsc.yield %0 : tensor<4xf32>
  }
  return
}

// -----

// group (C2)
func.func @f(%x: tensor<4xf32>) {
  // expected-error@+1 {{must end in dsc.yield}}
  %0 = dsc.group(%x) : (tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%a: tensor<4xf32>):
    %0 = dsc.relu %a : (tensor<4xf32>) -> tensor<4xf32>
  }
  return
}

// -----

// group (C2)
func.func @f(%x: tensor<4xf32>) {
  // expected-error@+1 {{yields 'tensor<4xi1>' but returns 'tensor<4xf32>'}}
  %0 = dsc.group(%x) : (tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%a: tensor<4xf32>):
    %0 = dsc.less %a, %a : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xi1>
    dsc.yield %0 : tensor<4xi1>
  }
  return
}

// -----

// group (C3)
func.func @f(%x: tensor<4xf32>) {
  // expected-error@+1 {{has the schedule "rows", which is no #dsc.schedule for all runs, nor a list that ends in one}}
  %0 = dsc.group(%x) {schedule = "rows"} : (tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%a: tensor<4xf32>):
    dsc.yield %a : tensor<4xf32>
  }
  return
}

// -----

// group (C3): the last of a list is for all runs.
func.func @f(%x: tensor<4xf32>) {
  // expected-error@+1 {{which is no #dsc.schedule for all runs, nor a list that ends in one}}
  %0 = dsc.group(%x) {schedule = [#dsc.schedule<elementwise, width = 1, "n" up_to 4>]} : (tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%a: tensor<4xf32>):
    dsc.yield %a : tensor<4xf32>
  }
  return
}

// -----

// schedule (C1)
// expected-error@+1 {{has the parameter 'rows' twice}}
func.func private @f() attributes {schedule = #dsc.schedule<tiles, rows = 1, rows = 2>}

// -----

// schedule (C2)
// expected-error@+1 {{'4' is no dim expression in normal form}}
func.func private @f() attributes {schedule = #dsc.schedule<tiles, rows = 1, "4" up_to 2>}

// -----

// launch (C3)
func.func @f(%x: tensor<4xf32>) {
  // expected-error@+1 {{has the alternatives [{kernel = @k}], which are not {kernel, grid, dim, most}}}
  %0 = dsc.launch @k(%x) {grid = #dsc.dims<1, 1, 1>, symbols = [], alternatives = [{kernel = @k}]} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

// group (C4)
func.func @f(%x: tensor<4xf32>) {
  // expected-error@+1 {{has the places array<i64: 0, 1> for 1 results}}
  %0 = dsc.group(%x) {places = array<i64: 0, 1>} : (tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%a: tensor<4xf32>):
    dsc.yield %a : tensor<4xf32>
  }
  return
}

// -----

// group (C4)
func.func @f(%x: tensor<4xf32>) {
  // expected-error@+1 {{has the places array<i64: -2> for 1 results}}
  %0 = dsc.group(%x) {places = array<i64: -2>} : (tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%a: tensor<4xf32>):
    dsc.yield %a : tensor<4xf32>
  }
  return
}

// -----

// group (C4)
func.func @f(%x: tensor<4xf32>) {
  // expected-error@+1 {{has the places 0 : i64 for 1 results}}
  %0 = dsc.group(%x) {places = 0} : (tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%a: tensor<4xf32>):
    dsc.yield %a : tensor<4xf32>
  }
  return
}

// -----

// group (C4)
func.func @f(%x: tensor<4xf32>) {
  // expected-error@+1 {{has the outputs [] for 1 results}}
  %0 = dsc.group(%x) {outputs = []} : (tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%a: tensor<4xf32>):
    dsc.yield %a : tensor<4xf32>
  }
  return
}

// -----

// group (C4)
func.func @f(%x: tensor<4xf32>) {
  // expected-error@+1 {{has the outputs ["y"] for 1 results}}
  %0 = dsc.group(%x) {outputs = ["y"]} : (tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%a: tensor<4xf32>):
    dsc.yield %a : tensor<4xf32>
  }
  return
}

// -----

// launch (C1)
func.func @f(%x: tensor<4xf32>) {
  // expected-error@+1 {{has a grid of 2 counts, which must be 3}}
  %0 = dsc.launch @k(%x) {grid = #dsc.dims<1, 1>, symbols = []} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

// launch (C2)
func.func @f(%x: tensor<4xf32>) {
  // expected-error@+1 {{has the places array<i64> for 1 results}}
  %0 = dsc.launch @k(%x) {grid = #dsc.dims<1, 1, 1>, symbols = [], places = array<i64>} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

// launch (C2)
func.func @f(%x: tensor<4xf32>) {
  // expected-error@+1 {{has the outputs [-2] for 1 results}}
  %0 = dsc.launch @k(%x) {grid = #dsc.dims<1, 1, 1>, symbols = [], outputs = [-2]} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

// group (C5)
func.func @f(%x: tensor<4xf32>) {
  // expected-error@+1 {{has the windows [unit] for 2 tensors}}
  %0 = dsc.group(%x) {windows = [unit]} : (tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%a: tensor<4xf32>):
    dsc.yield %a : tensor<4xf32>
  }
  return
}

// -----

// group (C5)
func.func @f(%x: tensor<4xf32>) {
  // expected-error@+1 {{has the windows [unit, {offset = #dsc.dims<0>, strides = #dsc.dims<4, 1>}] for 2 tensors}}
  %0 = dsc.group(%x) {windows = [unit, {offset = #dsc.dims<0>, strides = #dsc.dims<4, 1>}]} : (tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%a: tensor<4xf32>):
    dsc.yield %a : tensor<4xf32>
  }
  return
}

// -----

// launch (C3)
func.func @f(%x: tensor<4xf32>) {
  // expected-error@+1 {{has the windows [unit, 3] for 2 tensors}}
  %0 = dsc.launch @k(%x) {grid = #dsc.dims<1, 1, 1>, symbols = [], windows = [unit, 3]} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

// group (C6)
func.func @f(%x: tensor<4xf32>) {
  // expected-error@+1 {{has the workspace #dsc.dims<4, 5>, which is no single dim expression}}
  %0 = dsc.group(%x) {workspace = #dsc.dims<4, 5>} : (tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%a: tensor<4xf32>):
    dsc.yield %a : tensor<4xf32>
  }
  return
}

// -----

// launch (C6)
func.func @f(%x: tensor<4xf32>) {
  // expected-error@+1 {{has its workspace in place -1}}
  %0 = dsc.launch @k(%x) {grid = #dsc.dims<1, 1, 1>, symbols = [], workspace_place = -1 : i64} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

// launch (C5)
func.func @f(%x: tensor<4xf32>) {
  // expected-error@+1 {{has before it [{kernel = @j}], which are not {kernel, grid}}}
  %0 = dsc.launch @k(%x) {grid = #dsc.dims<1, 1, 1>, symbols = [], before = [{kernel = @j}]} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

// launch (C3)
func.func @f(%x: tensor<4xf32>) {
  // expected-error@+1 {{which are not {kernel, grid, dim, most}}}
  %0 = dsc.launch @k(%x) {grid = #dsc.dims<1, 1, 1>, symbols = [],
      alternatives = [{kernel = @j, grid = #dsc.dims<1, 1, 1>, dim = #dsc.dims<4>, most = 4, before = [{kernel = @j}]}]}
     : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

// group (C7)
func.func @other_ops_beside(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  // expected-error @+1 {{has groups in its body, and other ops beside them}}
  %0:2 = dsc.group(%x) : (tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  ^bb0(%a: tensor<4xf32>):
    %1 = dsc.group(%a) {schedule = #dsc.schedule<elementwise, width = 1>} : (tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%b: tensor<4xf32>):
      %2 = dsc.relu %b : (tensor<4xf32>) -> tensor<4xf32>
      dsc.yield %2 : tensor<4xf32>
    }
    %3 = dsc.relu %a : (tensor<4xf32>) -> tensor<4xf32>
    dsc.yield %1, %3 : tensor<4xf32>, tensor<4xf32>
  }
  return %0#0, %0#1 : tensor<4xf32>, tensor<4xf32>
}

// -----

// group (C7)
func.func @part_without_schedule(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = dsc.group(%x) : (tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%a: tensor<4xf32>):
    // expected-error @+1 {{stands beside others and has no schedule}}
    %1 = dsc.group(%a) : (tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%b: tensor<4xf32>):
      %2 = dsc.relu %b : (tensor<4xf32>) -> tensor<4xf32>
      dsc.yield %2 : tensor<4xf32>
    }
    dsc.yield %1 : tensor<4xf32>
  }
  return %0 : tensor<4xf32>
}

// -----

// group (C7)
func.func @part_reads_another(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %0:2 = dsc.group(%x) : (tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  ^bb0(%a: tensor<4xf32>):
    %1 = dsc.group(%a) {schedule = #dsc.schedule<elementwise, width = 1>} : (tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%b: tensor<4xf32>):
      %2 = dsc.relu %b : (tensor<4xf32>) -> tensor<4xf32>
      dsc.yield %2 : tensor<4xf32>
    }
    // expected-error @+1 {{reads what a group beside it makes}}
    %3 = dsc.group(%1) {schedule = #dsc.schedule<elementwise, width = 1>} : (tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%b: tensor<4xf32>):
      %2 = dsc.relu %b : (tensor<4xf32>) -> tensor<4xf32>
      dsc.yield %2 : tensor<4xf32>
    }
    dsc.yield %1, %3 : tensor<4xf32>, tensor<4xf32>
  }
  return %0#0, %0#1 : tensor<4xf32>, tensor<4xf32>
}

// -----

// group (C7)
func.func @parts_out_of_order(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  // expected-error @+1 {{does not yield what the groups in its body make, in order}}
  %0:2 = dsc.group(%x) : (tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  ^bb0(%a: tensor<4xf32>):
    %1 = dsc.group(%a) {schedule = #dsc.schedule<elementwise, width = 1>} : (tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%b: tensor<4xf32>):
      %2 = dsc.relu %b : (tensor<4xf32>) -> tensor<4xf32>
      dsc.yield %2 : tensor<4xf32>
    }
    %3 = dsc.group(%a) {schedule = #dsc.schedule<elementwise, width = 1>} : (tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%b: tensor<4xf32>):
      %2 = dsc.sigmoid %b : (tensor<4xf32>) -> tensor<4xf32>
      dsc.yield %2 : tensor<4xf32>
    }
    dsc.yield %3, %1 : tensor<4xf32>, tensor<4xf32>
  }
  return %0#0, %0#1 : tensor<4xf32>, tensor<4xf32>
}

// -----

// group (C7)
func.func @part_in_another_window(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = dsc.group(%x) : (tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%a: tensor<4xf32>):
    // expected-error @+1 {{has input 0 in another window than the group that it is in}}
    %1 = dsc.group(%a) {schedule = #dsc.schedule<elementwise, width = 1>,
                        windows = [{offset = #dsc.dims<4>, strides = #dsc.dims<2>}, unit]} : (tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%b: tensor<4xf32>):
      %2 = dsc.relu %b : (tensor<4xf32>) -> tensor<4xf32>
      dsc.yield %2 : tensor<4xf32>
    }
    dsc.yield %1 : tensor<4xf32>
  }
  return %0 : tensor<4xf32>
}
