// One artifact for several machines: each program has its code, and a constant that several use is stored once.
// RUN: dscc %s -o %t.so -v 2>&1 | FileCheck %s --check-prefix=REPORT
// RUN: llvm-nm %t.so | FileCheck %s

// 64 B shared by both levels, then 3 booleans of a byte each.
// REPORT: 3 kernels for 3 launches, 67 bytes of weights
// REPORT: {{^}}cpu_v4: 1 kernel{{.*}}, arena of
// REPORT: {{^}}cpu_v3: 1 kernel{{.*}}, arena of
// REPORT: {{^}}cuda_sm80: 1 kernel{{.*}}, arena of

// CHECK-NOT: {{ U }}
// CHECK-DAG: t cpu_v3.scaled_exp
// CHECK-DAG: t cpu_v4.scaled_exp
// CHECK-DAG: t cuda_sm80.run
// CHECK-DAG: D dscc_model

module attributes {
  dsc.stage = "streamed",
  dsc.symbols = [{name = "n", min = 1 : i64, max = 1024 : i64, input = 0 : i64, axis = 0 : i64}]
} {
  func.func private @main(tensor<?x16xf32, #dsc.dims<"n", 16>> {dsc.name = "x"})
      -> (tensor<?x16xf32, #dsc.dims<"n", 16>> {dsc.name = "y"})

  llvm.func @dims(%symbols: !llvm.ptr, %dims: !llvm.ptr) {
    %n = llvm.load %symbols : !llvm.ptr -> i64
    %c16 = llvm.mlir.constant(16 : i64) : i64
    llvm.store %n, %dims : i64, !llvm.ptr
    %1 = llvm.getelementptr %dims[1] : (!llvm.ptr) -> !llvm.ptr, i64
    llvm.store %c16, %1 : i64, !llvm.ptr
    %2 = llvm.getelementptr %dims[2] : (!llvm.ptr) -> !llvm.ptr, i64
    llvm.store %n, %2 : i64, !llvm.ptr
    %3 = llvm.getelementptr %dims[3] : (!llvm.ptr) -> !llvm.ptr, i64
    llvm.store %c16, %3 : i64, !llvm.ptr
    llvm.return
  }

  module @cpu_v4 attributes {dsc.target = "cpu_v4",
      dsc.weights = [dense<2.0> : tensor<16xf32>],
      dsc.services = ["launch"], dsc.launches = [{kernel = @scaled_exp, nodes = "exp1;mul1"}]} {
    llvm.func @scaled_exp(%block: !llvm.ptr, %args: !llvm.ptr)
        attributes {dsc.kernel = {scratch = 0 : i64}} {
      %row = llvm.load %block : !llvm.ptr -> i64
      %argX = llvm.load %args : !llvm.ptr -> !llvm.ptr
      %slotW = llvm.getelementptr %args[1] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
      %argW = llvm.load %slotW : !llvm.ptr -> !llvm.ptr
      %slotY = llvm.getelementptr %args[2] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
      %argY = llvm.load %slotY : !llvm.ptr -> !llvm.ptr
      %x = llvm.load %argX : !llvm.ptr -> !llvm.ptr
      %w = llvm.load %argW : !llvm.ptr -> !llvm.ptr
      %y = llvm.load %argY : !llvm.ptr -> !llvm.ptr
      %c16 = llvm.mlir.constant(16 : i64) : i64
      %offset = llvm.mul %row, %c16 : i64
      %from = llvm.getelementptr %x[%offset] : (!llvm.ptr, i64) -> !llvm.ptr, f32
      %to = llvm.getelementptr %y[%offset] : (!llvm.ptr, i64) -> !llvm.ptr, f32
      %a = llvm.load %from {alignment = 4 : i64} : !llvm.ptr -> vector<16xf32>
      %s = llvm.load %w {alignment = 64 : i64} : !llvm.ptr -> vector<16xf32>
      %e = math.exp %a : vector<16xf32>
      %p = arith.mulf %e, %s : vector<16xf32>
      llvm.store %p, %to {alignment = 4 : i64} : vector<16xf32>, !llvm.ptr
      llvm.return
    }
    llvm.func @arena_bytes(%segment: i32, %symbols: !llvm.ptr) -> i64 {
      %zero = llvm.mlir.constant(0 : i64) : i64
      llvm.return %zero : i64
    }
    // struct dscc_run_args: services, queue, symbols, inputs, outputs, arena, weights.
    llvm.func @run(%args: !llvm.ptr) -> i32 {
      %one = llvm.mlir.constant(1 : i64) : i64
      %c3 = llvm.mlir.constant(3 : i64) : i64
      %kernel = llvm.mlir.constant(0 : i32) : i32
      %services = llvm.load %args : !llvm.ptr -> !llvm.ptr
      %f1 = llvm.getelementptr %args[1] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
      %queue = llvm.load %f1 : !llvm.ptr -> !llvm.ptr
      %f2 = llvm.getelementptr %args[2] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
      %symbols = llvm.load %f2 : !llvm.ptr -> !llvm.ptr
      %f3 = llvm.getelementptr %args[3] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
      %inputs = llvm.load %f3 : !llvm.ptr -> !llvm.ptr
      %f4 = llvm.getelementptr %args[4] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
      %outputs = llvm.load %f4 : !llvm.ptr -> !llvm.ptr
      %f6 = llvm.getelementptr %args[6] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
      %weights = llvm.load %f6 : !llvm.ptr -> !llvm.ptr
      %n = llvm.load %symbols : !llvm.ptr -> i64
      %grid = llvm.alloca %c3 x i64 : (i64) -> !llvm.ptr
      llvm.store %n, %grid : i64, !llvm.ptr
      %g1 = llvm.getelementptr %grid[1] : (!llvm.ptr) -> !llvm.ptr, i64
      llvm.store %one, %g1 : i64, !llvm.ptr
      %g2 = llvm.getelementptr %grid[2] : (!llvm.ptr) -> !llvm.ptr, i64
      llvm.store %one, %g2 : i64, !llvm.ptr
      %values = llvm.alloca %c3 x !llvm.ptr : (i64) -> !llvm.ptr
      llvm.store %inputs, %values : !llvm.ptr, !llvm.ptr
      %v1 = llvm.getelementptr %values[1] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
      llvm.store %weights, %v1 : !llvm.ptr, !llvm.ptr
      %v2 = llvm.getelementptr %values[2] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
      llvm.store %outputs, %v2 : !llvm.ptr, !llvm.ptr
      %slot = llvm.getelementptr %services[8] : (!llvm.ptr) -> !llvm.ptr, i8
      %launch = llvm.load %slot : !llvm.ptr -> !llvm.ptr
      %status = llvm.call %launch(%queue, %kernel, %grid, %values) : !llvm.ptr, (!llvm.ptr, i32, !llvm.ptr, !llvm.ptr) -> i32
      llvm.return %status : i32
    }
  }

  module @cpu_v3 attributes {dsc.target = "cpu_v3",
      dsc.weights = [dense<2.0> : tensor<16xf32>, dense<[true, false, true]> : tensor<3xi1>],
      dsc.services = ["launch"], dsc.launches = [{kernel = @scaled_exp, nodes = "exp1;mul1"}]} {
    llvm.func @scaled_exp(%block: !llvm.ptr, %args: !llvm.ptr)
        attributes {dsc.kernel = {scratch = 0 : i64}} {
      %row = llvm.load %block : !llvm.ptr -> i64
      %argX = llvm.load %args : !llvm.ptr -> !llvm.ptr
      %slotW = llvm.getelementptr %args[1] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
      %argW = llvm.load %slotW : !llvm.ptr -> !llvm.ptr
      %slotY = llvm.getelementptr %args[2] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
      %argY = llvm.load %slotY : !llvm.ptr -> !llvm.ptr
      %x = llvm.load %argX : !llvm.ptr -> !llvm.ptr
      %w = llvm.load %argW : !llvm.ptr -> !llvm.ptr
      %y = llvm.load %argY : !llvm.ptr -> !llvm.ptr
      %c16 = llvm.mlir.constant(16 : i64) : i64
      %offset = llvm.mul %row, %c16 : i64
      %from = llvm.getelementptr %x[%offset] : (!llvm.ptr, i64) -> !llvm.ptr, f32
      %to = llvm.getelementptr %y[%offset] : (!llvm.ptr, i64) -> !llvm.ptr, f32
      %a = llvm.load %from {alignment = 4 : i64} : !llvm.ptr -> vector<16xf32>
      %s = llvm.load %w {alignment = 64 : i64} : !llvm.ptr -> vector<16xf32>
      %e = math.exp %a : vector<16xf32>
      %p = arith.mulf %e, %s : vector<16xf32>
      llvm.store %p, %to {alignment = 4 : i64} : vector<16xf32>, !llvm.ptr
      llvm.return
    }
    llvm.func @arena_bytes(%segment: i32, %symbols: !llvm.ptr) -> i64 {
      %zero = llvm.mlir.constant(0 : i64) : i64
      llvm.return %zero : i64
    }
    // struct dscc_run_args: services, queue, symbols, inputs, outputs, arena, weights.
    llvm.func @run(%args: !llvm.ptr) -> i32 {
      %one = llvm.mlir.constant(1 : i64) : i64
      %c3 = llvm.mlir.constant(3 : i64) : i64
      %kernel = llvm.mlir.constant(0 : i32) : i32
      %services = llvm.load %args : !llvm.ptr -> !llvm.ptr
      %f1 = llvm.getelementptr %args[1] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
      %queue = llvm.load %f1 : !llvm.ptr -> !llvm.ptr
      %f2 = llvm.getelementptr %args[2] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
      %symbols = llvm.load %f2 : !llvm.ptr -> !llvm.ptr
      %f3 = llvm.getelementptr %args[3] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
      %inputs = llvm.load %f3 : !llvm.ptr -> !llvm.ptr
      %f4 = llvm.getelementptr %args[4] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
      %outputs = llvm.load %f4 : !llvm.ptr -> !llvm.ptr
      %f6 = llvm.getelementptr %args[6] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
      %weights = llvm.load %f6 : !llvm.ptr -> !llvm.ptr
      %n = llvm.load %symbols : !llvm.ptr -> i64
      %grid = llvm.alloca %c3 x i64 : (i64) -> !llvm.ptr
      llvm.store %n, %grid : i64, !llvm.ptr
      %g1 = llvm.getelementptr %grid[1] : (!llvm.ptr) -> !llvm.ptr, i64
      llvm.store %one, %g1 : i64, !llvm.ptr
      %g2 = llvm.getelementptr %grid[2] : (!llvm.ptr) -> !llvm.ptr, i64
      llvm.store %one, %g2 : i64, !llvm.ptr
      %values = llvm.alloca %c3 x !llvm.ptr : (i64) -> !llvm.ptr
      llvm.store %inputs, %values : !llvm.ptr, !llvm.ptr
      %v1 = llvm.getelementptr %values[1] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
      llvm.store %weights, %v1 : !llvm.ptr, !llvm.ptr
      %v2 = llvm.getelementptr %values[2] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
      llvm.store %outputs, %v2 : !llvm.ptr, !llvm.ptr
      %slot = llvm.getelementptr %services[8] : (!llvm.ptr) -> !llvm.ptr, i8
      %launch = llvm.load %slot : !llvm.ptr -> !llvm.ptr
      %status = llvm.call %launch(%queue, %kernel, %grid, %values) : !llvm.ptr, (!llvm.ptr, i32, !llvm.ptr, !llvm.ptr) -> i32
      llvm.return %status : i32
    }
  }

  module @cuda_sm80 attributes {dsc.target = "cuda_sm80", dsc.services = ["launch"], dsc.launches = [{kernel = @double_it, nodes = "mul1"}]} {
    gpu.module @kernels {
      llvm.func @double_it(%x: !llvm.ptr<1> {llvm.noalias, llvm.readonly}, %y: !llvm.ptr<1> {llvm.noalias},
                           %n: i64) attributes {nvvm.kernel, nvvm.reqntid = array<i32: 256, 1, 1>,
            dsc.kernel = {threads = [256, 1, 1], shared = 0 : i64}} {
        %t = nvvm.read.ptx.sreg.tid.x : i32
        %start = arith.index_cast %t : i32 to index
        %end = arith.index_cast %n : i64 to index
        %step = arith.constant 256 : index
        scf.for %i = %start to %end step %step {
          %o = arith.index_cast %i : index to i32
          %from = llvm.getelementptr %x[%o] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
          %to = llvm.getelementptr %y[%o] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
          %a = llvm.load %from {alignment = 4 : i64} : !llvm.ptr<1> -> f32
          %b = arith.addf %a, %a : f32
          llvm.store %b, %to {alignment = 4 : i64} : f32, !llvm.ptr<1>
        } {loop_annotation = #llvm.loop_annotation<unroll = <disable = true>>}
        llvm.return
      }
    }
    llvm.func @arena_bytes(%segment: i32, %symbols: !llvm.ptr) -> i64 {
      %zero = llvm.mlir.constant(0 : i64) : i64
      llvm.return %zero : i64
    }
    llvm.func @run(%args: !llvm.ptr) -> i32 {
      %zero = llvm.mlir.constant(0 : i32) : i32
      llvm.return %zero : i32
    }
  }
}
