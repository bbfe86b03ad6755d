// Two builds of which one chooses otherwise: its explanation is edited. Each way is listed with the estimates of both,
// where both know it; beside itself a build has changed nothing.
// RUN: rm -rf %t && mkdir %t
// RUN: echo '#!/bin/sh' > %t/before
// RUN: echo 'dscc "$@" 2>&1 | sed -e "s/rows, accumulators = 8, width = 16>, the/rows, accumulators = 4, width = 16>, the/" -e "s/; #dsc.schedule<rows, accumulators = 8, [^;]*//" >&2' >> %t/before
// RUN: chmod +x %t/before
// RUN: printf '#!/bin/sh\necho knows no such schedule >&2; exit 1\n' > %t/refusing && chmod +x %t/refusing
// RUN: %venv_python %src/test/bench/choices.py --before %t/before --after dscc %s --option=--target=cpu --json %t/json > %t/out
// RUN: FileCheck %s < %t/out
// RUN: FileCheck %s --check-prefix=JSON < %t/json
// RUN: %venv_python %src/test/bench/choices.py --before dscc --after dscc %s --option=--target=cpu | FileCheck %s --check-prefix=SAME
// Schedules that are taken over give the same bits; a build that does not know them says so.
// RUN: %venv_python %src/test/bench/choices.py --pinned --before dscc --after dscc %s --option=--target=cpu | FileCheck %s --check-prefix=PINNED
// RUN: %venv_python %src/test/bench/choices.py --pinned --before dscc --after %t/refusing %s --option=--target=cpu | FileCheck %s --check-prefix=REFUSED

// PINNED: choices: 2 of 2 outputs have equal bits; the largest difference is 0.0e+00
// PINNED-NEXT: 2 of 2 outputs have equal bits; 0 of 1 left out
// REFUSED: choices: left out: knows no such schedule

// CHECK: choices cpu_v4 {{.*}}choices.mlir:
// CHECK-NEXT: before #dsc.schedule<rows, accumulators = 4, width = 16>: {{[0-9.]+}} us before, {{[0-9.]+}} us after
// CHECK-NEXT: after #dsc.schedule<rows, accumulators = 8, width = 16>: - us before, {{[0-9.]+}} us after
// CHECK-NEXT: 1 of 4 groups changed; 0 are there before only, 0 after only
// SAME: 0 of 4 groups changed
// JSON: {"model": "choices", "target": "cpu_v4", "nodes": {{.*}}"side": "after", "schedule": "#dsc.schedule<rows, accumulators = 8, width = 16>", "before_us": null, "after_us": {{[0-9.]+}}}
module attributes {dsc.relations = [], dsc.stage = "imported", dsc.symbols = []} {
  func.func @main(%x: tensor<24x4096xf32> {dsc.name = "x"})
      -> (tensor<24x1xf32> {dsc.name = "sums"}, tensor<4096x24xf32> {dsc.name = "turned"}) {
    %sums = dsc.reduce_sum %x {axes = [1]} : (tensor<24x4096xf32>) -> tensor<24x1xf32>
    %turned = dsc.transpose %x {permutation = [1, 0]} : (tensor<24x4096xf32>) -> tensor<4096x24xf32>
    return %sums, %turned : tensor<24x1xf32>, tensor<4096x24xf32>
  }
}
