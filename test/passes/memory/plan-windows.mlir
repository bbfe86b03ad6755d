// RUN: dscc-opt %s --dsc-plan-memory --split-input-file | FileCheck %s

// One place for both parts, from the first write on to the last read of the join or of a part: step 0 to 5.
// CHECK-LABEL: @join
// CHECK-SAME: bytes = #dsc.dims<"64*floordiv(24*n + 63, 64)">, live = array<i64: 0, 5>
func.func @join(%x: tensor<?x3xf32, #dsc.dims<"n", 3>>) -> (tensor<?x6xf32, #dsc.dims<"n", 6>>, tensor<?x3xf32, #dsc.dims<"n", 3>>) {
  // CHECK: dsc.group(%arg0) {outputs = [-1], places = array<i64: [[PARENT:.]]>, windows
  %0 = dsc.group(%x) {windows = [unit, {offset = #dsc.dims<0>, strides = #dsc.dims<6, 1>}]}
      : (tensor<?x3xf32, #dsc.dims<"n", 3>>) -> tensor<?x3xf32, #dsc.dims<"n", 3>> {
  ^bb0(%a: tensor<?x3xf32, #dsc.dims<"n", 3>>):
    dsc.yield %a : tensor<?x3xf32, #dsc.dims<"n", 3>>
  }
  // What is used between the parts lies apart.
  // CHECK: dsc.group(%arg0) {outputs = [-1], places = array<i64: [[OTHER:.]]>}
  // CHECK-NOT: array<i64: [[OTHER]]>
  %1 = dsc.group(%x) : (tensor<?x3xf32, #dsc.dims<"n", 3>>) -> tensor<?x3xf32, #dsc.dims<"n", 3>> {
  ^bb0(%a: tensor<?x3xf32, #dsc.dims<"n", 3>>):
    dsc.yield %a : tensor<?x3xf32, #dsc.dims<"n", 3>>
  }
  // A part takes over nobody's bytes.
  // CHECK: dsc.group(%{{.*}}) {outputs = [-1], places = array<i64: [[PARENT]]>
  %2 = dsc.group(%1) {windows = [unit, {offset = #dsc.dims<3>, strides = #dsc.dims<6, 1>}]}
      : (tensor<?x3xf32, #dsc.dims<"n", 3>>) -> tensor<?x3xf32, #dsc.dims<"n", 3>> {
  ^bb0(%a: tensor<?x3xf32, #dsc.dims<"n", 3>>):
    %b = dsc.exp %a : (tensor<?x3xf32, #dsc.dims<"n", 3>>) -> tensor<?x3xf32, #dsc.dims<"n", 3>>
    dsc.yield %b : tensor<?x3xf32, #dsc.dims<"n", 3>>
  }
  // CHECK: dsc.concat {{.*}}in_place, outputs = [-1], places = array<i64: [[PARENT]]>
  %3 = dsc.concat %0, %2 {axis = 1, in_place} : (tensor<?x3xf32, #dsc.dims<"n", 3>>, tensor<?x3xf32, #dsc.dims<"n", 3>>) -> tensor<?x6xf32, #dsc.dims<"n", 6>>
  // CHECK: dsc.group({{.*}}) {outputs = [0], places = array<i64: -1>}
  %4 = dsc.group(%3) : (tensor<?x6xf32, #dsc.dims<"n", 6>>) -> tensor<?x6xf32, #dsc.dims<"n", 6>> {
  ^bb0(%a: tensor<?x6xf32, #dsc.dims<"n", 6>>):
    dsc.yield %a : tensor<?x6xf32, #dsc.dims<"n", 6>>
  }
  %5 = dsc.group(%2) {windows = [{offset = #dsc.dims<3>, strides = #dsc.dims<6, 1>}, unit]}
      : (tensor<?x3xf32, #dsc.dims<"n", 3>>) -> tensor<?x3xf32, #dsc.dims<"n", 3>> {
  ^bb0(%a: tensor<?x3xf32, #dsc.dims<"n", 3>>):
    dsc.yield %a : tensor<?x3xf32, #dsc.dims<"n", 3>>
  }
  return %4, %5 : tensor<?x6xf32, #dsc.dims<"n", 6>>, tensor<?x3xf32, #dsc.dims<"n", 3>>
}

// -----

// A join that is returned is the caller's buffer, parts of parts included: nothing is in the arena.
// CHECK-LABEL: @returned
// CHECK-SAME: dsc.arena = []
func.func @returned(%x: tensor<2x3xf32>) -> tensor<2x9xf32> {
  // CHECK-COUNT-3: dsc.group(%arg0) {outputs = [0], places = array<i64: -1>, windows
  %0 = dsc.group(%x) {windows = [unit, {offset = #dsc.dims<0>, strides = #dsc.dims<9, 1>}]} : (tensor<2x3xf32>) -> tensor<2x3xf32> {
  ^bb0(%a: tensor<2x3xf32>):
    dsc.yield %a : tensor<2x3xf32>
  }
  %1 = dsc.group(%x) {windows = [unit, {offset = #dsc.dims<3>, strides = #dsc.dims<9, 1>}]} : (tensor<2x3xf32>) -> tensor<2x3xf32> {
  ^bb0(%a: tensor<2x3xf32>):
    dsc.yield %a : tensor<2x3xf32>
  }
  %2 = dsc.group(%x) {windows = [unit, {offset = #dsc.dims<6>, strides = #dsc.dims<9, 1>}]} : (tensor<2x3xf32>) -> tensor<2x3xf32> {
  ^bb0(%a: tensor<2x3xf32>):
    dsc.yield %a : tensor<2x3xf32>
  }
  // CHECK-COUNT-2: dsc.concat {{.*}}outputs = [0], places = array<i64: -1>
  %3 = dsc.concat %0, %1 {axis = 1, in_place, windows = [{offset = #dsc.dims<0>, strides = #dsc.dims<9, 1>}]} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x6xf32>
  %4 = dsc.concat %3, %2 {axis = 1, in_place} : (tensor<2x6xf32>, tensor<2x3xf32>) -> tensor<2x9xf32>
  return %4 : tensor<2x9xf32>
}

// -----

// What follows a join element by element takes over its bytes; not so where it reads a part of them.
// CHECK-LABEL: @take_over
func.func @take_over(%x: tensor<2x4xf32>) -> (tensor<2x8xf32>, tensor<2x4xf32>) {
  // CHECK: dsc.group(%arg0) {outputs = [-1], places = array<i64: [[PARENT:.]]>, windows
  %0 = dsc.group(%x) {windows = [unit, {offset = #dsc.dims<0>, strides = #dsc.dims<8, 1>}]} : (tensor<2x4xf32>) -> tensor<2x4xf32> {
  ^bb0(%a: tensor<2x4xf32>):
    dsc.yield %a : tensor<2x4xf32>
  }
  %1 = dsc.group(%x) {windows = [unit, {offset = #dsc.dims<4>, strides = #dsc.dims<8, 1>}]} : (tensor<2x4xf32>) -> tensor<2x4xf32> {
  ^bb0(%a: tensor<2x4xf32>):
    dsc.yield %a : tensor<2x4xf32>
  }
  %2 = dsc.concat %0, %1 {axis = 1, in_place} : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x8xf32>
  // CHECK: dsc.concat
  // CHECK: dsc.group(%{{.*}}) {outputs = [-1], places = array<i64: [[PARENT]]>}
  %3 = dsc.group(%2) : (tensor<2x8xf32>) -> tensor<2x8xf32> {
  ^bb0(%a: tensor<2x8xf32>):
    %b = dsc.exp %a : (tensor<2x8xf32>) -> tensor<2x8xf32>
    dsc.yield %b : tensor<2x8xf32>
  }
  %4 = dsc.slice %3 {in_place, starts = #dsc.dims<0, 4>, sizes = #dsc.dims<2, 4>, steps = [1, 1]} : (tensor<2x8xf32>) -> tensor<2x4xf32>
  %5 = dsc.group(%3) : (tensor<2x8xf32>) -> tensor<2x8xf32> {
  ^bb0(%a: tensor<2x8xf32>):
    %b = dsc.exp %a : (tensor<2x8xf32>) -> tensor<2x8xf32>
    dsc.yield %b : tensor<2x8xf32>
  }
  // CHECK: dsc.slice
  // CHECK-NOT: places = array<i64: [[PARENT]]>
  %6 = dsc.group(%4) {windows = [{offset = #dsc.dims<4>, strides = #dsc.dims<8, 1>}, unit]} : (tensor<2x4xf32>) -> tensor<2x4xf32> {
  ^bb0(%a: tensor<2x4xf32>):
    %b = dsc.exp %a : (tensor<2x4xf32>) -> tensor<2x4xf32>
    dsc.yield %b : tensor<2x4xf32>
  }
  %7 = dsc.group(%6) : (tensor<2x4xf32>) -> tensor<2x4xf32> {
  ^bb0(%a: tensor<2x4xf32>):
    dsc.yield %a : tensor<2x4xf32>
  }
  return %5, %7 : tensor<2x8xf32>, tensor<2x4xf32>
}

// -----

// A transpose that its input is written into holds the bytes; one that is a view keeps those of its input live.
// CHECK-LABEL: @transposes
// CHECK-SAME: live = array<i64: 0, 3>
func.func @transposes(%x: tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
  // CHECK: dsc.group(%arg0) {outputs = [-1], places = array<i64: [[HOME:.]]>, windows
  %0 = dsc.group(%x) {windows = [unit, {offset = #dsc.dims<0>, strides = #dsc.dims<4, 8, 1>}]} : (tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
  ^bb0(%a: tensor<2x3x4xf32>):
    dsc.yield %a : tensor<2x3x4xf32>
  }
  // CHECK: dsc.transpose {{.*}}in_place = "home", outputs = [-1], permutation = [1, 0, 2], places = array<i64: [[HOME]]>
  %1 = dsc.transpose %0 {in_place = "home", permutation = [1, 0, 2]} : (tensor<2x3x4xf32>) -> tensor<3x2x4xf32>
  %2 = dsc.transpose %1 {in_place, permutation = [1, 0, 2]} : (tensor<3x2x4xf32>) -> tensor<2x3x4xf32>
  // What is read at other places than it is written is taken over by nobody.
  // CHECK: dsc.group({{.*}}) {outputs = [0], places = array<i64: -1>, windows
  %3 = dsc.group(%2) {windows = [{offset = #dsc.dims<0>, strides = #dsc.dims<4, 8, 1>}, unit]} : (tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
  ^bb0(%a: tensor<2x3x4xf32>):
    %b = dsc.exp %a : (tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
    dsc.yield %b : tensor<2x3x4xf32>
  }
  return %3 : tensor<2x3x4xf32>
}
