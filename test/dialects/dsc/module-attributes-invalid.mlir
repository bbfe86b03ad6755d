// RUN: dscc-opt %s --split-input-file --verify-diagnostics

// The attributes of modules and functions: each sentence of ModuleAttributes.cpp.

// expected-error@+1 {{has a dsc.symbols that is no list}}
module attributes {dsc.symbols = "n"} {}

// -----

// expected-error@+1 {{has a row 0 of dsc.symbols that is not {name, min, max, input, axis}}}
module attributes {dsc.symbols = [3]} {}

// -----

// expected-error@+1 {{has a row 0 of dsc.symbols that is not {name, min, max, input, axis}}}
module attributes {dsc.symbols = [{name = "n", min = 1 : i64, max = 8 : i64}]} {}

// -----

// expected-error@+1 {{has a row 0 of dsc.symbols that is not {name, min, max, input, axis}}}
module attributes {dsc.symbols = [{name = "n", min = 1 : i64, max = 8 : i32, input = 0 : i64, axis = 0 : i64}]} {}

// -----

// expected-error@+1 {{has the dim 'n + 1' in dsc.symbols, which is no name}}
module attributes {dsc.symbols = [{name = "n + 1", min = 1 : i64, max = 8 : i64, input = 0 : i64, axis = 0 : i64}]} {}

// -----

// expected-error@+1 {{has the dim 'n' in dsc.symbols twice}}
module attributes {dsc.symbols = [{name = "n", min = 1 : i64, max = 8 : i64, input = 0 : i64, axis = 0 : i64}, {name = "n", min = 1 : i64, max = 8 : i64, input = 0 : i64, axis = 0 : i64}]} {}

// -----

// expected-error@+1 {{has the dim 'n' in dsc.symbols with bounds 1 and 0}}
module attributes {dsc.symbols = [{name = "n", min = 1 : i64, max = 0 : i64, input = 0 : i64, axis = 0 : i64}]} {}

// -----

// expected-error@+1 {{has the dim 'n' in dsc.symbols with bounds -1 and 8}}
module attributes {dsc.symbols = [{name = "n", min = -1 : i64, max = 8 : i64, input = 0 : i64, axis = 0 : i64}]} {}

// -----

// expected-error@+1 {{has the dim 'n' in dsc.symbols at axis -1 of input 0}}
module attributes {dsc.symbols = [{name = "n", min = 1 : i64, max = 8 : i64, input = 0 : i64, axis = -1 : i64}]} {}

// -----

// expected-error@+1 {{has a dsc.relations that is no list}}
module attributes {dsc.relations = {}} {}

// -----

// expected-error@+1 {{has a row 0 of dsc.relations that is not {kind, lhs, rhs, node}}}
module attributes {dsc.relations = [{kind = "equal", lhs = "n", rhs = 4 : i64, node = "add"}]} {}

// -----

// expected-error@+1 {{has a relation of kind 'less'; known are equal, broadcast and multiple}}
module attributes {dsc.symbols = [{name = "n", min = 1 : i64, max = 8 : i64, input = 0 : i64, axis = 0 : i64}], dsc.relations = [{kind = "less", lhs = "n", rhs = "4", node = "add"}]} {}

// -----

// expected-error@+1 {{has a relation of '4 *', which is no dim expression}}
module attributes {dsc.symbols = [{name = "n", min = 1 : i64, max = 8 : i64, input = 0 : i64, axis = 0 : i64}], dsc.relations = [{kind = "equal", lhs = "n", rhs = "4 *", node = "add"}]} {}

// -----

// expected-error@+1 {{has a relation of 'm', with a name that dsc.symbols lacks}}
module attributes {dsc.symbols = [{name = "n", min = 1 : i64, max = 8 : i64, input = 0 : i64, axis = 0 : i64}], dsc.relations = [{kind = "equal", lhs = "n", rhs = "m", node = "add"}]} {}

// -----

// expected-error@+1 {{has a relation of 'n', with a name that dsc.symbols lacks}}
module attributes {dsc.relations = [{kind = "equal", lhs = "n", rhs = "4", node = "add"}]} {}

// -----

// expected-error@+1 {{is for the target "cpu_v9", which is no row of the table of targets}}
module attributes {dsc.target = "cpu_v9"} {}

// -----

// expected-error@+1 {{is for the target 3 : i64, which is no row of the table of targets}}
module attributes {dsc.target = 3 : i64} {}

// -----

// expected-error@+1 {{has a dsc.weights that is no list}}
module attributes {dsc.weights = 3 : i64} {}

// -----

// expected-error@+1 {{has a weight 1 that is no dense constant of ONNX's numbers}}
module attributes {dsc.weights = [dense<1.0> : tensor<2xf32>, "w"]} {}

// -----

// expected-error@+1 {{has a weight 0 that is no dense constant of ONNX's numbers}}
module attributes {dsc.weights = [dense<1> : tensor<2xindex>]} {}

// -----

// expected-error@+1 {{has the name 3 : i64, which is no text}}
module attributes {dsc.stage = 3 : i64} {}

// -----

// expected-error@+1 {{has the attribute 'dsc.stages', which the dialect lacks}}
module attributes {dsc.stages = "typed"} {}

// -----

// expected-error@+1 {{has the attribute 'dsc.kernel', which belongs elsewhere}}
module attributes {dsc.kernel = {}} {}

// -----

// expected-error@+1 {{has the attribute 'dsc.symbols', which belongs elsewhere}}
func.func private @f() attributes {dsc.symbols = []}

// -----

// expected-error@+1 {{has a dsc.arena that is no list}}
func.func private @f() attributes {dsc.arena = 64 : i64}

// -----

// expected-error@+1 {{has a dsc.kernel 3 : i64, which is not {threads, cluster, shared, scratch, overlaps}}}
llvm.func @k() attributes {dsc.kernel = 3 : i64}

// -----

// expected-error@+1 {{has a dsc.kernel {nodes = "a"}, which is not {threads, cluster, shared, scratch, overlaps}}}
llvm.func @k() attributes {dsc.kernel = {nodes = "a"}}

// -----

// expected-error@+1 {{has a dsc.kernel {threads = [256, 1]}, which is not {threads, cluster, shared, scratch, overlaps}}}
llvm.func @k() attributes {dsc.kernel = {threads = [256, 1]}}

// -----

// expected-error@+1 {{has a dsc.kernel {threads = [2048, 1, 1]}, which is not {threads, cluster, shared, scratch, overlaps}}}
llvm.func @k() attributes {dsc.kernel = {threads = [2048, 1, 1]}}

// -----

// expected-error@+1 {{has a dsc.kernel {threads = [0, 1, 1]}, which is not {threads, cluster, shared, scratch, overlaps}}}
llvm.func @k() attributes {dsc.kernel = {threads = [0, 1, 1]}}

// -----

// expected-error@+1 {{has a dsc.kernel {shared = -1 : i64}, which is not {threads, cluster, shared, scratch, overlaps}}}
llvm.func @k() attributes {dsc.kernel = {shared = -1 : i64}}

// -----

// expected-error@+1 {{has a dsc.kernel {scratch = "lots"}, which is not {threads, cluster, shared, scratch, overlaps}}}
llvm.func @k() attributes {dsc.kernel = {scratch = "lots"}}

// -----

// expected-error@+1 {{has a dsc.kernel {cluster = [16, 1, 1]}, which is not {threads, cluster, shared, scratch, overlaps}}}
llvm.func @k() attributes {dsc.kernel = {cluster = [16, 1, 1]}}

// -----

// expected-error@+1 {{has a dsc.kernel {overlaps = true}, which is not {threads, cluster, shared, scratch, overlaps}}}
llvm.func @k() attributes {dsc.kernel = {overlaps = true}}

// -----

// expected-error@+1 {{has the dsc.tensor_maps [{box = array<i64: 1, 1, 1, 1, 1, 1>, element = f32, swizzle = 0 : i64}], which are not {element, box, swizzle, pixels}}}
module attributes {dsc.tensor_maps = [{element = f32, box = array<i64: 1, 1, 1, 1, 1, 1>, swizzle = 0 : i64}]} {}

// -----

// A map of pixels has a matrix as its box, and a corner for each of 1 to 3 spatial dims.
module attributes {dsc.tensor_maps = [{element = f32, box = array<i64: 128, 8>, swizzle = 0 : i64,
    pixels = {lower = array<i64: -1>, upper = array<i64: 1>, steps = array<i64: 2>}}]} {}

// -----

// expected-error@+1 {{which are not {element, box, swizzle, pixels}}}
module attributes {dsc.tensor_maps = [{element = f32, box = array<i64: 1, 128, 8>, swizzle = 0 : i64,
    pixels = {lower = array<i64: -1>, upper = array<i64: 1>, steps = array<i64: 2>}}]} {}

// -----

// expected-error@+1 {{which are not {element, box, swizzle, pixels}}}
module attributes {dsc.tensor_maps = [{element = f32, box = array<i64: 128, 8>, swizzle = 0 : i64,
    pixels = {lower = array<i64: -1>, upper = array<i64: 1>, steps = array<i64: 2, 2>}}]} {}

// -----

// expected-error@+1 {{which are not {element, box, swizzle, pixels}}}
module attributes {dsc.tensor_maps = [{element = f32, box = array<i64: 128, 8>, swizzle = 0 : i64, pixels}]} {}

// -----

// expected-error@+1 {{has the dsc.services ["launch", "dance"], which are no services of the runtime}}
module attributes {dsc.services = ["launch", "dance"]} {}

// -----

// expected-error@+1 {{has a dsc.kernel {grid = 3 : i64}, which is not {threads, cluster, shared, scratch, overlaps}}}
llvm.func @k() attributes {dsc.kernel = {grid = 3 : i64}}

// -----

// expected-error@+1 {{has the name 3 : i64, which is no text}}
func.func private @f(tensor<2xf32> {dsc.name = 3 : i64})

// -----

// expected-error@+1 {{has an argument or result with the attribute 'dsc.kernel', which belongs elsewhere}}
func.func private @f(tensor<2xf32> {dsc.kernel = {}})

// -----

// expected-error@+1 {{has the name 3 : i64, which is no text}}
func.func private @f() -> (tensor<2xf32> {dsc.name = 3 : i64})

// -----

// expected-error@+1 {{has an argument or result with the attribute 'dsc.kernel', which belongs elsewhere}}
func.func private @f() -> (tensor<2xf32> {dsc.kernel = {}})

// -----

// The value that stands in for an input is a constant.
// expected-error@+1 {{has the default 3 : i64, which is no constant}}
func.func private @f(tensor<2xf32> {dsc.default = 3 : i64})

// -----

// expected-error@+1 {{has a dsc.launches that is no list}}
module attributes {dsc.launches = 3 : i64} {}

// -----

// expected-error@+1 {{has a row 1 of dsc.launches that is not {kernel, nodes}}}
module attributes {dsc.launches = [{kernel = @k, nodes = "a"}, {kernel = @k}]} {
  llvm.func @k() attributes {dsc.kernel = {}}
}

// -----

// expected-error@+1 {{has a row 0 of dsc.launches that is not {kernel, nodes}}}
module attributes {dsc.launches = [{kernel = "k", nodes = "a"}]} {}

// -----

// A function that is no kernel cannot be launched.
// expected-error@+1 {{has a launch 0 of the kernel @k, which it lacks}}
module attributes {dsc.launches = [{kernel = @k, nodes = "a"}]} {
  llvm.func @k()
}
