// RUN: dscc-opt %s --pass-pipeline='builtin.module(builtin.module(dsc-unroll-loops))' | FileCheck %s
// RUN: dscc-opt %s --pass-pipeline='builtin.module(builtin.module(dsc-unroll-loops))' --dsc-statistics -o %t.mlir 2>&1 | FileCheck %s --check-prefix=COUNTS

// COUNTS: dsc-unroll-loops: numDeclined 1
// COUNTS: dsc-unroll-loops: numRemoved 3
// COUNTS: dsc-unroll-loops: numUnrolled 5

module {
  module @cpu_v4 attributes {dsc.target = "cpu_v4"} {
    // Four rounds at once, in order, and the rest one by one.
    // CHECK-LABEL: @sum
    // CHECK: %[[MAIN:.*]] = scf.for %{{.*}} iter_args(%[[S0:.*]] = %{{.*}}) -> (f32) {
    // CHECK: %[[S1:.*]] = arith.addf %[[S0]],
    // CHECK: %[[S2:.*]] = arith.addf %[[S1]],
    // CHECK: %[[S3:.*]] = arith.addf %[[S2]],
    // CHECK: %[[S4:.*]] = arith.addf %[[S3]],
    // CHECK: scf.yield %[[S4]]
    // CHECK: scf.for %{{.*}} iter_args(%[[R:.*]] = %[[MAIN]]) -> (f32) {
    // CHECK: arith.addf %[[R]],
    // CHECK-NEXT: scf.yield
    llvm.func @sum(%p: !llvm.ptr, %n: i64) -> f32 {
      %zero = arith.constant 0 : index
      %one = arith.constant 1 : index
      %start = arith.constant 0.0 : f32
      %end = arith.index_cast %n : i64 to index
      %sum = scf.for %i = %zero to %end step %one iter_args(%s = %start) -> f32 {
        %o = arith.index_cast %i : index to i64
        %a = llvm.getelementptr %p[%o] : (!llvm.ptr, i64) -> !llvm.ptr, f32
        %x = llvm.load %a : !llvm.ptr -> f32
        %t = arith.addf %s, %x : f32
        scf.yield %t : f32
      }
      llvm.return %sum : f32
    }

    // A loop that may begin behind its end must not run then.
    // CHECK-LABEL: @behind
    // CHECK: %[[FROM:.*]] = arith.index_cast %{{.*}} : i64 to index
    // CHECK: %[[TO:.*]] = arith.index_cast %{{.*}} : i64 to index
    // CHECK: %[[END:.*]] = arith.maxsi %[[TO]], %[[FROM]]
    // CHECK: arith.subi %[[END]], %[[FROM]]
    // CHECK: scf.for
    // CHECK: scf.for %{{.*}} to %[[END]]
    llvm.func @behind(%p: !llvm.ptr, %m: i64, %n: i64, %x: f32) {
      %from = arith.index_cast %m : i64 to index
      %to = arith.index_cast %n : i64 to index
      %one = arith.constant 1 : index
      scf.for %i = %from to %to step %one {
        %o = arith.index_cast %i : index to i64
        %a = llvm.getelementptr %p[%o] : (!llvm.ptr, i64) -> !llvm.ptr, f32
        llvm.store %x, %a : f32, !llvm.ptr
      }
      llvm.return
    }

    // Two known rounds: the loop has gone.
    // CHECK-LABEL: @known
    // CHECK-NOT: scf.for
    // CHECK: llvm.store
    // CHECK: llvm.store
    // CHECK-NOT: llvm.store
    // CHECK: llvm.return
    llvm.func @known(%p: !llvm.ptr, %x: f32) {
      %zero = arith.constant 0 : index
      %one = arith.constant 1 : index
      %two = arith.constant 2 : index
      scf.for %i = %zero to %two step %one {
        llvm.store %x, %p : f32, !llvm.ptr
      }
      llvm.return
    }

    // 21 vectors of 512 bits are carried, 6 more live at once: two rounds do not fit 32 registers.
    // CHECK-LABEL: @full_of_registers
    // CHECK: scf.for
    // CHECK-COUNT-6: llvm.load
    // CHECK-NOT: llvm.load
    // CHECK: llvm.return
    llvm.func @full_of_registers(%p: !llvm.ptr, %n: i64, %wide: vector<336xf32>) {
      %zero = arith.constant 0 : index
      %one = arith.constant 1 : index
      %end = arith.index_cast %n : i64 to index
      %sums = scf.for %i = %zero to %end step %one iter_args(%s = %wide) -> vector<336xf32> {
        %a = llvm.load %p : !llvm.ptr -> vector<16xf32>
        %b = llvm.load %p : !llvm.ptr -> vector<16xf32>
        %c = llvm.load %p : !llvm.ptr -> vector<16xf32>
        %d = llvm.load %p : !llvm.ptr -> vector<16xf32>
        %e = llvm.load %p : !llvm.ptr -> vector<16xf32>
        %f = llvm.load %p : !llvm.ptr -> vector<16xf32>
        llvm.store %a, %p : vector<16xf32>, !llvm.ptr
        llvm.store %b, %p : vector<16xf32>, !llvm.ptr
        llvm.store %c, %p : vector<16xf32>, !llvm.ptr
        llvm.store %d, %p : vector<16xf32>, !llvm.ptr
        llvm.store %e, %p : vector<16xf32>, !llvm.ptr
        llvm.store %f, %p : vector<16xf32>, !llvm.ptr
        scf.yield %s : vector<336xf32>
      }
      llvm.return
    }
  }

  // CUDA counts 32-bit registers, of which there are more: here 20 * 4 carried and 8 a round.
  module @cuda_sm80 attributes {dsc.target = "cuda_sm80"} {
    // CHECK-LABEL: @more_registers
    // CHECK: scf.for
    // CHECK-COUNT-4: llvm.load
    // CHECK-NOT: llvm.load
    // CHECK: scf.for
    llvm.func @more_registers(%p: !llvm.ptr, %n: i64, %wide: vector<80xf32>) {
      %zero = arith.constant 0 : index
      %one = arith.constant 1 : index
      %end = arith.index_cast %n : i64 to index
      %sums = scf.for %i = %zero to %end step %one iter_args(%s = %wide) -> vector<80xf32> {
        %a = llvm.load %p : !llvm.ptr -> vector<8xf32>
        llvm.store %a, %p : vector<8xf32>, !llvm.ptr
        scf.yield %s : vector<80xf32>
      }
      llvm.return
    }

    // Of a known number of rounds eight wait together; the seven that remain of 255 are written out.
    // CHECK-LABEL: @known_rounds
    // CHECK: scf.for
    // CHECK-COUNT-8: llvm.load
    // CHECK-NOT: llvm.load
    // CHECK: scf.yield
    // CHECK-NOT: scf.for
    // CHECK-COUNT-7: llvm.load
    // CHECK-NOT: llvm.load
    llvm.func @known_rounds(%p: !llvm.ptr) {
      %zero = arith.constant 0 : index
      %one = arith.constant 1 : index
      %end = arith.constant 255 : index
      %none = arith.constant 0.0 : f32
      %sum = scf.for %i = %zero to %end step %one iter_args(%s = %none) -> f32 {
        %a = llvm.load %p : !llvm.ptr -> f32
        %next = arith.addf %s, %a : f32
        scf.yield %next : f32
      }
      llvm.store %sum, %p : f32, !llvm.ptr
      llvm.return
    }

    // Of a window of 3 x 3 all taps wait together, those of another channel do not: the loop around them has 64 rounds.
    // CHECK-LABEL: @window
    // CHECK-COUNT-1: scf.for
    // CHECK-COUNT-72: llvm.load
    // CHECK-NOT: llvm.load
    llvm.func @window(%p: !llvm.ptr) {
      %zero = arith.constant 0 : index
      %one = arith.constant 1 : index
      %three = arith.constant 3 : index
      %channels = arith.constant 64 : index
      %none = arith.constant 0.0 : f32
      %sum = scf.for %c = %zero to %channels step %one iter_args(%s = %none) -> f32 {
        %rows = scf.for %y = %zero to %three step %one iter_args(%t = %s) -> f32 {
          %taps = scf.for %x = %zero to %three step %one iter_args(%u = %t) -> f32 {
            %a = llvm.load %p : !llvm.ptr -> f32
            %next = arith.addf %u, %a : f32
            scf.yield %next : f32
          }
          scf.yield %taps : f32
        }
        scf.yield %rows : f32
      }
      llvm.store %sum, %p : f32, !llvm.ptr
      llvm.return
    }

    // Where threads meet, rounds stay apart.
    // CHECK-LABEL: @barrier
    // CHECK: scf.for
    // CHECK-COUNT-1: nvvm.barrier0
    // CHECK-NOT: nvvm.barrier0
    llvm.func @barrier(%n: i64) {
      %zero = arith.constant 0 : index
      %one = arith.constant 1 : index
      %end = arith.index_cast %n : i64 to index
      scf.for %i = %zero to %end step %one {
        nvvm.barrier0
      }
      llvm.return
    }
  }
}
