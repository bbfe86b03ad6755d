"""How fast the simulator is: a few kernels, on one host thread, at each level of checks.

    python test/bench/simulator.py                            all kernels
    python test/bench/simulator.py --kernel matmul --check none --rounds 9
    python test/bench/simulator.py --library old.so --library new.so     both in turn, round by round

A round runs every kernel once, in a process for each library and level of checks (settings are read once a process), so
that a busy machine hurts all alike. A row is the median over the rounds of the processor's time, which others on the
machine do not lengthen as they do the clock's. Thread-instructions are PTX instructions times the threads that execute
them; the results are compared with NumPy's each time.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent / "tools" / "simulator"))

import numpy as np

import cuda

CHECKS = ("none", "memory", "all")


class Code:
    """PTX lines, and how many instructions a thread executes."""

    def __init__(self):
        self.lines, self.count, self.labels = [], 0, 0

    def add(self, text, times=1):
        for line in text.strip().splitlines():
            self.lines.append("  " + line.strip())
            is_instruction = not line.strip().startswith((".", "//", "{", "}")) and not line.strip().endswith(":")
            self.count += times * is_instruction

    def loop(self, trips, counter, body):
        """`body`, `trips` times, at least once; `counter` is a register of 32 bits."""
        self.labels += 1
        label = f"LOOP{self.labels}"
        self.add(f"mov.u32 {counter}, 0;")
        self.lines.append(label + ":")
        self.add(body, trips)
        self.add(f"add.u32 {counter}, {counter}, 1;\nsetp.lt.u32 %p7, {counter}, {trips};\n@%p7 bra {label};", trips)

    def kernel(self, shared=""):
        head = [".version 8.0", ".target sm_80", ".address_size 64",
                ".visible .entry k(.param .u64 in, .param .u64 second, .param .u64 out)", "{", "  .reg .pred %p<8>;",
                "  .reg .b32 %r<200>;", "  .reg .f32 %f<80>;", "  .reg .b64 %q<40>;", shared]
        return "\n".join(head + self.lines + ["  ret;", "}"]) + "\n"


START = """ld.param.u64 %q1, [in];
           ld.param.u64 %q2, [second];
           ld.param.u64 %q3, [out];
           mov.u32 %r1, %tid.x;
           mov.u32 %r2, %ctaid.x;"""


class Bench:
    """A kernel (`text`), its operands, and what it has to make of them."""

    blocks, threads, flops = 0, 256, 0


class Elementwise(Bench):
    """out = max(in * second + 1, 0): each thread strides through its block's part."""

    def __init__(self):
        self.blocks, self.trips = 16, 128
        random = np.random.default_rng(1)
        self.inputs = [random.standard_normal(self.blocks * self.threads * self.trips).astype(np.float32) for _ in "ab"]
        self.expected = np.maximum(self.inputs[0] * self.inputs[1] + np.float32(1), 0)
        self.tolerance = 1e-5

    def text(self):
        code = Code()
        code.add(START + f"""
            mul.lo.u32 %r3, %r2, {self.threads * self.trips};
            add.u32 %r3, %r3, %r1;
            mul.wide.u32 %q4, %r3, 4;
            add.u64 %q1, %q1, %q4;
            add.u64 %q2, %q2, %q4;
            add.u64 %q3, %q3, %q4;""")
        code.loop(self.trips, "%r4", f"""
            ld.global.f32 %f1, [%q1];
            ld.global.f32 %f2, [%q2];
            fma.rn.f32 %f3, %f1, %f2, 0f3F800000;
            max.f32 %f3, %f3, 0f00000000;
            st.global.f32 [%q3], %f3;
            add.u64 %q1, %q1, {4 * self.threads};
            add.u64 %q2, %q2, {4 * self.threads};
            add.u64 %q3, %q3, {4 * self.threads};""")
        return code, code.kernel()


class Reduction(Bench):
    """The sum of each block's row: strided sums of the threads, then a tree in shared memory with a barrier a level."""

    def __init__(self, rows, trips):
        self.blocks, self.rows, self.trips = 16, rows, trips
        random = np.random.default_rng(2)
        shape = (self.blocks, rows, trips * self.threads)
        self.inputs = [random.integers(-8, 8, shape).astype(np.float32), np.zeros(1, np.float32)]
        self.expected = self.inputs[0].sum(axis=2, dtype=np.float64).astype(np.float32).ravel()
        self.tolerance = 0

    def text(self):
        code = Code()
        code.add(START + f"""
            mul.lo.u32 %r3, %r2, {self.rows * self.trips * self.threads};
            add.u32 %r3, %r3, %r1;
            mul.wide.u32 %q4, %r3, 4;
            add.u64 %q1, %q1, %q4;
            mul.wide.u32 %q5, %r2, {4 * self.rows};
            add.u64 %q3, %q3, %q5;
            mov.u32 %r5, tile;
            shl.b32 %r6, %r1, 2;
            add.u32 %r5, %r5, %r6;
            setp.eq.u32 %p2, %r1, 0;
            mov.u32 %r9, 0;""")
        code.lines.append("ROWS:")
        before = code.count
        code.add("mov.f32 %f1, 0f00000000;")
        code.loop(self.trips, "%r4", f"""
            ld.global.f32 %f2, [%q1];
            add.rn.f32 %f1, %f1, %f2;
            add.u64 %q1, %q1, {4 * self.threads};""")
        code.add("bar.sync 0;\nst.shared.f32 [%r5], %f1;\nbar.sync 0;")
        stride = self.threads // 2
        while stride:
            code.add(f"""setp.lt.u32 %p1, %r1, {stride};
                         @%p1 ld.shared.f32 %f3, [%r5+{4 * stride}];
                         @%p1 ld.shared.f32 %f4, [%r5];
                         @%p1 add.rn.f32 %f4, %f4, %f3;
                         @%p1 st.shared.f32 [%r5], %f4;
                         bar.sync 0;""")
            stride //= 2
        code.add("""@%p2 ld.shared.f32 %f5, [%r5];
                    @%p2 st.global.f32 [%q3], %f5;
                    add.u64 %q3, %q3, 4;
                    add.u32 %r9, %r9, 1;""")
        code.add(f"setp.lt.u32 %p3, %r9, {self.rows};\n@%p3 bra ROWS;")
        code.count = before + (code.count - before) * self.rows
        return code, code.kernel(f"  .shared .align 16 .b8 tile[{4 * self.threads}];")


class Matmul(Bench):
    """f16 with sums in f32, in tiles of 64 x 64 x 32: cp.async into two stages, ldmatrix, mma.sync; four warps a block,
    each with 32 x 32 of the tile."""

    m, n, k, tile, depth = 256, 256, 512, 64, 32
    a_row, b_row = 2 * depth + 16, 2 * tile + 16  # bytes, with padding

    def __init__(self):
        self.threads, self.blocks = 128, self.m // self.tile * (self.n // self.tile)
        self.flops = 2 * self.m * self.n * self.k
        random = np.random.default_rng(3)
        self.inputs = [random.standard_normal(shape).astype(np.float16) for shape in ((self.m, self.k), (self.k, self.n))]
        self.expected = (self.inputs[0].astype(np.float64) @ self.inputs[1].astype(np.float64)).astype(np.float32).ravel()
        self.tolerance = 1e-3

    def copies(self, stage):
        """This thread's part of the next tiles, to a stage; the pointers move on."""
        text = ""
        for i in range(2):
            text += f"cp.async.cg.shared.global [%r10+{stage * self.stage + 32 * i * self.a_row}], [%q10+{32 * i * 2 * self.k}], 16;\n"
            text += f"cp.async.cg.shared.global [%r11+{stage * self.stage + 16 * i * self.b_row}], [%q11+{16 * i * 2 * self.n}], 16;\n"
        return text + (f"cp.async.commit_group;\nadd.u64 %q10, %q10, {2 * self.depth};\n"
                       f"add.u64 %q11, %q11, {2 * self.depth * self.n};\n")

    def products(self, stage):
        text = ""
        for k in range(0, self.depth, 16):
            for i in range(2):
                text += (f"ldmatrix.sync.aligned.m8n8.x4.shared.b16 {{%r{20 + 4 * i}, %r{21 + 4 * i}, %r{22 + 4 * i}, %r{23 + 4 * i}}}, "
                         f"[%r12+{stage * self.stage + 16 * i * self.a_row + 2 * k}];\n")
                text += (f"ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {{%r{30 + 4 * i}, %r{31 + 4 * i}, %r{32 + 4 * i}, %r{33 + 4 * i}}}, "
                         f"[%r13+{stage * self.stage + k * self.b_row + 32 * i}];\n")
            for i in range(2):
                for j in range(4):
                    sums = ", ".join(f"%f{4 * (4 * i + j) + e}" for e in range(4))
                    text += (f"mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {{{sums}}}, "
                             f"{{%r{20 + 4 * i}, %r{21 + 4 * i}, %r{22 + 4 * i}, %r{23 + 4 * i}}}, "
                             f"{{%r{30 + 2 * j}, %r{31 + 2 * j}}}, {{{sums}}};\n")
        return text

    def text(self):
        self.stage = self.tile * self.a_row + self.depth * self.b_row
        code = Code()
        code.add(START + f"""
            shr.u32 %r3, %r2, {(self.n // self.tile).bit_length() - 1};
            and.b32 %r4, %r2, {self.n // self.tile - 1};
            mul.lo.u32 %r3, %r3, {self.tile};
            mul.lo.u32 %r4, %r4, {self.tile};
            // copies of A: 4 threads a row, 32 rows at a time
            shr.u32 %r5, %r1, 2;
            and.b32 %r6, %r1, 3;
            add.u32 %r7, %r3, %r5;
            mul.wide.u32 %q4, %r7, {2 * self.k};
            mul.wide.u32 %q5, %r6, 16;
            add.u64 %q10, %q1, %q4;
            add.u64 %q10, %q10, %q5;
            mov.u32 %r9, tile;
            mad.lo.u32 %r10, %r5, {self.a_row}, %r9;
            mad.lo.u32 %r10, %r6, 16, %r10;
            // copies of B: 8 threads a row, 16 rows at a time
            shr.u32 %r5, %r1, 3;
            and.b32 %r6, %r1, 7;
            mul.wide.u32 %q4, %r5, {2 * self.n};
            mad.lo.u32 %r7, %r6, 8, %r4;
            mul.wide.u32 %q5, %r7, 2;
            add.u64 %q11, %q2, %q4;
            add.u64 %q11, %q11, %q5;
            add.u32 %r8, %r9, {self.tile * self.a_row};
            mad.lo.u32 %r11, %r5, {self.b_row}, %r8;
            mad.lo.u32 %r11, %r6, 16, %r11;
            // where ldmatrix reads: row lane % 16, column 8 * (lane / 16)
            and.b32 %r14, %r1, 31;
            shr.u32 %r15, %r1, 5;
            and.b32 %r5, %r14, 15;
            shr.u32 %r6, %r14, 4;
            shr.u32 %r16, %r15, 1;
            and.b32 %r17, %r15, 1;
            mad.lo.u32 %r7, %r16, 32, %r5;
            mad.lo.u32 %r12, %r7, {self.a_row}, %r9;
            mad.lo.u32 %r12, %r6, 16, %r12;
            mad.lo.u32 %r13, %r5, {self.b_row}, %r8;
            mad.lo.u32 %r13, %r6, 16, %r13;
            mad.lo.u32 %r13, %r17, 64, %r13;""")
        code.add("\n".join(f"mov.f32 %f{i}, 0f00000000;" for i in range(32)))
        code.add(self.copies(0))
        # Two steps of k a trip: the last copy reads beyond the matrices, and is left out by a step of its own.
        trips = self.k // self.depth // 2 - 1
        steps = [self.copies(1), self.products(0), self.copies(0), self.products(1)]
        wait = "cp.async.wait_group {};\nbar.sync 0;\n"
        body = steps[0] + wait.format(1) + steps[1] + "bar.sync 0;\n" + steps[2] + wait.format(1) + steps[3] + "bar.sync 0;"
        code.loop(trips, "%r18", body)
        code.add(steps[0] + wait.format(1) + steps[1] + wait.format(0) + steps[3])
        code.add(f"""shr.u32 %r5, %r14, 2;
            and.b32 %r6, %r14, 3;
            mad.lo.u32 %r7, %r16, 32, %r3;
            add.u32 %r7, %r7, %r5;
            mad.lo.u32 %r8, %r17, 32, %r4;
            mad.lo.u32 %r8, %r6, 2, %r8;
            mad.lo.u32 %r7, %r7, {self.n}, %r8;
            mul.wide.u32 %q4, %r7, 4;
            add.u64 %q3, %q3, %q4;""")
        for i in range(2):
            for j in range(4):
                for half in range(2):
                    first = 4 * (4 * i + j) + 2 * half
                    code.add(f"st.global.v2.f32 [%q3+{4 * (16 * i + 8 * half) * self.n + 32 * j}], {{%f{first}, %f{first + 1}}};")
        return code, code.kernel(f"  .shared .align 128 .b8 tile[{2 * self.stage}];")


KERNELS = {"elementwise": Elementwise, "reduction, streaming": lambda: Reduction(1, 256),
           "reduction, barriers": lambda: Reduction(64, 1), "matmul": Matmul}


def run_once(library, names):
    """In a process of its own: seconds of each kernel, the second of two launches."""
    driver = cuda.Driver(library)
    rows = {}
    for name in names:
        bench = KERNELS[name]()
        code, text = bench.text()
        function = driver.function(driver.load(text), "k")
        buffers = [driver.upload(array) for array in bench.inputs]
        out = driver.allocate(bench.expected.nbytes)
        for _ in range(2):
            begin = time.process_time()
            said = driver.launch(function, [bench.blocks], [bench.threads], [*buffers, out])
            seconds = time.process_time() - begin
        if said.text or said.fault:
            sys.exit(f"{name}: {said.text or said.fault}")
        error = np.abs(driver.download(out, np.float32, bench.expected.size) - bench.expected).max()
        if not error <= bench.tolerance * max(1, np.abs(bench.expected).max()):
            sys.exit(f"{name}: a result differs from NumPy's by {error}")
        rows[name] = {"seconds": seconds, "instructions": code.count * bench.blocks * bench.threads, "flops": bench.flops}
    return rows


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", action="append", help="default: that of build/; several are compared")
    parser.add_argument("--kernel", choices=KERNELS, action="append", help="only this kernel; may be repeated")
    parser.add_argument("--check", choices=CHECKS, action="append", help="only this level; may be repeated")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="default: %(default)s")
    parser.add_argument("--once", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    names = arguments.kernel or list(KERNELS)
    libraries = arguments.library or [str(ROOT / "build" / "lib" / "libdscc_cuda_sim.so")]
    if arguments.once:
        print(json.dumps(run_once(libraries[0], names)))
        return
    rounds = []
    for _ in range(arguments.rounds):
        rounds.append({})
        for check in arguments.check or CHECKS:
            for library in libraries:
                command = [sys.executable, __file__, "--once", "--library", library]
                child = subprocess.run([*command, *[word for name in names for word in ("--kernel", name)]],
                                       capture_output=True, text=True,
                                       env={**os.environ, "DSCC_SIM_CHECK": check, "DSCC_SIM_THREADS": "1",
                                            "OPENBLAS_NUM_THREADS": "1"})
                if child.returncode != 0:
                    sys.exit(f"{library} with checks {check}: {child.stderr.strip()}")
                rounds[-1][check, library] = json.loads(child.stdout)
    print(f"{'kernel':<22} {'check':<7} {'CPU ms':>9} {'M thread-instr/s':>17} {'GFLOP/s':>8}")
    for name in names:
        for check, library in rounds[0]:
            row = rounds[0][check, library][name]
            seconds = statistics.median(one[check, library][name]["seconds"] for one in rounds)
            gflops = f"{row['flops'] / seconds / 1e9:8.2f}" if row["flops"] else f"{'':>8}"
            print(f"{name:<22} {check:<7} {1e3 * seconds:>9.2f} {row['instructions'] / seconds / 1e6:>17.0f} {gflops}"
                  + (f"  {library}" if len(libraries) > 1 else ""))


if __name__ == "__main__":
    main()
