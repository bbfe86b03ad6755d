// RUN: dscc-opt %s --split-input-file --verify-diagnostics

// A case or more for each numbered constraint of Recurrent.td.

// recurrence (C1)
func.func @f(%x: tensor<5x2x3xf32>, %r: tensor<1x3x3xf32>, %h0: tensor<1x2x3xf32>) {
  // expected-error@+1 {{has 1 weights for 2 parts}}
  %y, %h = dsc.recurrence gates(%x : tensor<5x2x3xf32>) weights(%r : tensor<1x3x3xf32>)
           initial(%h0 : tensor<1x2x3xf32>) reverse [0] -> tensor<5x1x2x3xf32>, tensor<1x2x3xf32> {
  ^bb0(%g: tensor<3xf32>, %s: tensor<3xf32>, %p: tensor<3xf32>):
    dsc.yield %g : tensor<3xf32>
  }, {
  ^bb0(%g: tensor<3xf32>, %s: tensor<3xf32>, %p: tensor<3xf32>):
    dsc.yield %g : tensor<3xf32>
  }
  return
}

// -----

// recurrence (C1)
func.func @f(%x: tensor<5x2x3xf32>, %r: tensor<1x3x4xf32>, %h0: tensor<1x2x3xf32>) {
  // expected-error@+1 {{has weights of 1 x 3 x 4, which are not [directions, units, sums * units]}}
  %y, %h = dsc.recurrence gates(%x : tensor<5x2x3xf32>) weights(%r : tensor<1x3x4xf32>)
           initial(%h0 : tensor<1x2x3xf32>) reverse [0] -> tensor<5x1x2x3xf32>, tensor<1x2x3xf32> {
  ^bb0(%g: tensor<3xf32>, %s: tensor<3xf32>, %p: tensor<3xf32>):
    dsc.yield %g : tensor<3xf32>
  }
  return
}

// -----

// recurrence (C1)
func.func @f(%x: tensor<5x2x3xf32>, %r: tensor<2x3x3xf32>, %h0: tensor<1x2x3xf32>) {
  // expected-error@+1 {{has weights of 2 x 3 x 3, which are not [directions, units, sums * units]}}
  %y, %h = dsc.recurrence gates(%x : tensor<5x2x3xf32>) weights(%r : tensor<2x3x3xf32>)
           initial(%h0 : tensor<1x2x3xf32>) reverse [0] -> tensor<5x1x2x3xf32>, tensor<1x2x3xf32> {
  ^bb0(%g: tensor<3xf32>, %s: tensor<3xf32>, %p: tensor<3xf32>):
    dsc.yield %g : tensor<3xf32>
  }
  return
}

// -----

// recurrence (C2)
func.func @f(%x: tensor<5x2x4xf32>, %r: tensor<1x3x3xf32>, %h0: tensor<1x2x3xf32>) {
  // expected-error@+1 {{has gates of 5 x 2 x 4 for 1 directions of 3 units}}
  %y, %h = dsc.recurrence gates(%x : tensor<5x2x4xf32>) weights(%r : tensor<1x3x3xf32>)
           initial(%h0 : tensor<1x2x3xf32>) reverse [0] -> tensor<5x1x2x3xf32>, tensor<1x2x3xf32> {
  ^bb0(%g: tensor<3xf32>, %s: tensor<3xf32>, %p: tensor<3xf32>):
    dsc.yield %g : tensor<3xf32>
  }
  return
}

// -----

// recurrence (C2)
func.func @f(%x: tensor<5x2x3xf32>, %r: tensor<1x3x3xf32>, %h0: tensor<1x2x3xf32>, %b: tensor<1x4xf32>) {
  // expected-error@+1 {{has parameters of 1 x 4}}
  %y, %h = dsc.recurrence gates(%x : tensor<5x2x3xf32>) weights(%r : tensor<1x3x3xf32>) parameters(%b : tensor<1x4xf32>)
           initial(%h0 : tensor<1x2x3xf32>) reverse [0] -> tensor<5x1x2x3xf32>, tensor<1x2x3xf32> {
  ^bb0(%g: tensor<3xf32>, %s: tensor<3xf32>, %p: tensor<3xf32>):
    dsc.yield %g : tensor<3xf32>
  }
  return
}

// -----

// recurrence (C3)
func.func @f(%x: tensor<5x2x3xf32>, %r: tensor<1x3x3xf32>, %h0: tensor<1x1x3xf32>) {
  // expected-error@+1 {{begins with a state of 1 x 1 x 3, which must be 1 x 2 x 3}}
  %y, %h = dsc.recurrence gates(%x : tensor<5x2x3xf32>) weights(%r : tensor<1x3x3xf32>)
           initial(%h0 : tensor<1x1x3xf32>) reverse [0] -> tensor<5x1x2x3xf32>, tensor<1x2x3xf32> {
  ^bb0(%g: tensor<3xf32>, %s: tensor<3xf32>, %p: tensor<3xf32>):
    dsc.yield %g : tensor<3xf32>
  }
  return
}

// -----

// recurrence (C3)
func.func @f(%x: tensor<5x2x3xf32>, %r: tensor<1x3x3xf32>, %h0: tensor<1x2x3xf32>, %l: tensor<2xi64>) {
  // expected-error@+1 {{has lengths of type 'tensor<2xi64>', which must be an i32 for each of 2 rows}}
  %y, %h = dsc.recurrence gates(%x : tensor<5x2x3xf32>) weights(%r : tensor<1x3x3xf32>) lengths(%l : tensor<2xi64>)
           initial(%h0 : tensor<1x2x3xf32>) reverse [0] -> tensor<5x1x2x3xf32>, tensor<1x2x3xf32> {
  ^bb0(%g: tensor<3xf32>, %s: tensor<3xf32>, %p: tensor<3xf32>):
    dsc.yield %g : tensor<3xf32>
  }
  return
}

// -----

// recurrence (C4)
func.func @f(%x: tensor<5x2x3xf32>, %r: tensor<1x3x3xf32>, %h0: tensor<1x2x3xf32>) {
  // expected-error@+1 {{has the directions [2], which must be 0 or 1 each}}
  %y, %h = dsc.recurrence gates(%x : tensor<5x2x3xf32>) weights(%r : tensor<1x3x3xf32>)
           initial(%h0 : tensor<1x2x3xf32>) reverse [2] -> tensor<5x1x2x3xf32>, tensor<1x2x3xf32> {
  ^bb0(%g: tensor<3xf32>, %s: tensor<3xf32>, %p: tensor<3xf32>):
    dsc.yield %g : tensor<3xf32>
  }
  return
}

// -----

// recurrence (C4)
func.func @f(%x: tensor<5x2x3xf32>, %r: tensor<1x3x3xf32>, %h0: tensor<1x2x3xf32>) {
  // expected-error@+1 {{has the directions [], which must be 0 or 1 each}}
  %y, %h = dsc.recurrence gates(%x : tensor<5x2x3xf32>) weights(%r : tensor<1x3x3xf32>)
           initial(%h0 : tensor<1x2x3xf32>) reverse [] -> tensor<5x1x2x3xf32>, tensor<1x2x3xf32> {
  ^bb0(%g: tensor<3xf32>, %s: tensor<3xf32>, %p: tensor<3xf32>):
    dsc.yield %g : tensor<3xf32>
  }
  return
}

// -----

// recurrence (C5)
func.func @f(%x: tensor<5x2x3xf32>, %r: tensor<1x3x3xf32>, %h0: tensor<1x2x3xf32>) {
  // expected-error@+1 {{has a part 0 that takes 'tensor<3xf32>', 'tensor<3xf32>', which must be 3 of 'tensor<3xf32>'}}
  %y, %h = dsc.recurrence gates(%x : tensor<5x2x3xf32>) weights(%r : tensor<1x3x3xf32>)
           initial(%h0 : tensor<1x2x3xf32>) reverse [0] -> tensor<5x1x2x3xf32>, tensor<1x2x3xf32> {
  ^bb0(%g: tensor<3xf32>, %s: tensor<3xf32>):
    dsc.yield %g : tensor<3xf32>
  }
  return
}

// -----

// recurrence (C5)
func.func @f(%x: tensor<5x2x3xf32>, %r: tensor<1x3x3xf32>, %h0: tensor<1x2x3xf32>) {
  // expected-error@+1 {{has a part 0 that takes 'tensor<3xf32>', 'tensor<3xf32>', 'tensor<3xf16>', which must be 3 of 'tensor<3xf32>'}}
  %y, %h = dsc.recurrence gates(%x : tensor<5x2x3xf32>) weights(%r : tensor<1x3x3xf32>)
           initial(%h0 : tensor<1x2x3xf32>) reverse [0] -> tensor<5x1x2x3xf32>, tensor<1x2x3xf32> {
  ^bb0(%g: tensor<3xf32>, %s: tensor<3xf32>, %p: tensor<3xf16>):
    dsc.yield %g : tensor<3xf32>
  }
  return
}

// -----

// recurrence (C5)
func.func @f(%x: tensor<5x2x3xf32>, %r: tensor<1x3x3xf32>, %h0: tensor<1x2x3xf32>) {
  // expected-error@+1 {{has a part 0 that does not end in dsc.yield of a new value for each state, each of 'tensor<3xf32>'}}
  %y, %h = dsc.recurrence gates(%x : tensor<5x2x3xf32>) weights(%r : tensor<1x3x3xf32>)
           initial(%h0 : tensor<1x2x3xf32>) reverse [0] -> tensor<5x1x2x3xf32>, tensor<1x2x3xf32> {
  ^bb0(%g: tensor<3xf32>, %s: tensor<3xf32>, %p: tensor<3xf32>):
    dsc.yield %g, %s : tensor<3xf32>, tensor<3xf32>
  }
  return
}

// -----

// recurrence (C5)
func.func @f(%x: tensor<5x2x3xf32>, %r: tensor<1x3x3xf32>, %h0: tensor<1x2x3xf32>) {
  // expected-error@+1 {{has a part 0 that does not end in dsc.yield of what the next part needs, each of 'tensor<3xf32>'}}
  %y, %h = dsc.recurrence gates(%x : tensor<5x2x3xf32>) weights(%r, %r : tensor<1x3x3xf32>, tensor<1x3x3xf32>)
           initial(%h0 : tensor<1x2x3xf32>) reverse [0] -> tensor<5x1x2x3xf32>, tensor<1x2x3xf32> {
  ^bb0(%g: tensor<3xf32>, %s: tensor<3xf32>, %p: tensor<3xf32>):
    %0 = dsc.cast %g : (tensor<3xf32>) -> tensor<3xf16>
    dsc.yield %0 : tensor<3xf16>
  }, {
  ^bb0(%g: tensor<3xf32>, %s: tensor<3xf32>, %p: tensor<3xf32>):
    dsc.yield %g : tensor<3xf32>
  }
  return
}

// -----

// recurrence (C6)
func.func @f(%x: tensor<5x2x3xf32>, %r: tensor<1x3x3xf32>, %h0: tensor<1x2x3xf32>) {
  // expected-error@+1 {{makes 'tensor<5x1x2x3xf32>', 'tensor<1x2x3xf16>', which must be outputs of 5 x 1 x 2 x 3 and a state of 1 x 2 x 3 for each of 1, all of 'f32'}}
  %y, %h = dsc.recurrence gates(%x : tensor<5x2x3xf32>) weights(%r : tensor<1x3x3xf32>)
           initial(%h0 : tensor<1x2x3xf32>) reverse [0] -> tensor<5x1x2x3xf32>, tensor<1x2x3xf16> {
  ^bb0(%g: tensor<3xf32>, %s: tensor<3xf32>, %p: tensor<3xf32>):
    dsc.yield %g : tensor<3xf32>
  }
  return
}

// -----

// recurrence (C3): none at all, which only the generic form can say.
func.func @f(%x: tensor<5x2x3xf32>, %r: tensor<1x3x3xf32>) {
  // expected-error@+1 {{has no state}}
  %y = "dsc.recurrence"(%x, %r) <{operandSegmentSizes = array<i32: 1, 1, 0, 0, 0>, reverse = [0]}> ({
  ^bb0(%g: tensor<3xf32>, %s: tensor<3xf32>):
    dsc.yield %g : tensor<3xf32>
  }) : (tensor<5x2x3xf32>, tensor<1x3x3xf32>) -> tensor<5x1x2x3xf32>
  return
}
