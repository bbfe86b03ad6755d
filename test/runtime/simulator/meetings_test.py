"""Threads that meet and what orders their accesses, by the manual: what is right is silent and right, what is not is told.

A kernel finds its thread in %r0, its lane in %r1, its warp in %r2, 256 words in %q0, and 4096 bytes of shared memory at sm.
"""

import sys
import unittest

sys.dont_write_bytecode = True

import numpy as np

import cuda

ILLEGAL, TIMEOUT, MISALIGNED = ("CUDA_ERROR_ILLEGAL_INSTRUCTION", "CUDA_ERROR_LAUNCH_TIMEOUT",
                                "CUDA_ERROR_MISALIGNED_ADDRESS")

HEAD = """.version 8.6
.target sm_90a
.address_size 64
.const .align 4 .b32 fixed = 7;
.visible .entry k(.param .u64 p)
{
  .reg .pred %p<10>;
  .reg .b32 %r<40>;
  .reg .b64 %q<20>;
  .reg .f32 %f<20>;
  .local .align 4 .b8 own[16];
  .shared .align 1024 .b8 sm[4096];
  ld.param.u64 %q0, [p];
  mov.u32 %r0, %tid.x;
  and.b32 %r1, %r0, 31;
  shr.u32 %r2, %r0, 5;
  mul.wide.u32 %q1, %r0, 4;
  add.u64 %q1, %q1, %q0;
"""

# A thread's result.
OUT = "  st.global.u32 [%q1], %r9;\n"


class Case:
    """`said`: a pattern of the report, or silence. `out`: the first words that the kernel leaves, if it matters."""

    def __init__(self, body, threads=64, said="", fault=None, out=None, initial=(), blocks=1):
        self.body, self.threads, self.said, self.fault = body, threads, said, fault
        self.out, self.initial, self.blocks = out, initial, blocks


# name: case, or the PTX of an instruction that is refused and what is said
CASES, REFUSED = {}, {}

# Barriers count warps.
CASES["barrier of a part of a warp"] = Case("  bar.sync 1, 64;\n", threads=48)
CASES["barrier without a lane that has ended"] = Case(
    "  setp.eq.u32 %p1, %r0, 5;\n  @%p1 ret;\n  bar.sync 1, 64;\n  mov.u32 %r9, 1;\n" + OUT, out=[1] * 5 + [0] + [1] * 58)
CASES["lane that ends while its warp waits"] = Case(
    "  setp.eq.u32 %p1, %r1, 31;\n  @!%p1 barrier.sync 1, 64;\n  mov.u32 %r9, 1;\n" + OUT, out=[1] * 64)
CASES["half warps at a barrier"] = Case("""  setp.lt.u32 %p1, %r1, 16;
  @%p1 barrier.sync 1, 32;
  bar.sync 0;
""", said=r"deadlock .*threads 0-15 wait for barrier 1 .* threads 16-31 wait for barrier 0", fault=TIMEOUT)
CASES["barrier in both arms of a branch"] = Case("""  setp.lt.u32 %p1, %r1, 16;
  @%p1 bra A;
  bar.sync 0;
  bra E;
A: barrier.sync 0;
E: mov.u32 %r9, 1;
""" + OUT, out=[1] * 64)
CASES["all threads, and a count of all"] = Case("""  setp.ge.u32 %p1, %r0, 32;
  @%p1 bra B;
  mov.u32 %r3, 7;
  setp.eq.u32 %p2, %r0, 0;
  @%p2 st.shared.u32 [sm], %r3;
  bar.arrive 1, 64;
  ret;
B: bar.sync 1;
  ld.shared.u32 %r9, [sm];
""" + OUT, out=[0] * 32 + [7] * 32)
CASES["two counts"] = Case("""  setp.ge.u32 %p1, %r0, 32;
  @%p1 bar.sync 1, 96;
  @!%p1 bar.sync 1, 64;
""", said="divergence at a barrier .* was begun with (64|96) threads and is met with (96|64)", fault=ILLEGAL)
CASES["reduction beside a barrier"] = Case("""  setp.ge.u32 %p1, %r0, 32;
  @%p1 bra B;
  bar.red.popc.u32 %r9, 1, 64, %p1;
  ret;
B: bar.sync 1, 64;
""", said="divergence at a barrier .* bar.red", fault=ILLEGAL)
CASES["arrival of nobody"] = Case("  mov.u32 %r3, 0;\n  bar.arrive 1, %r3;\n",
                                  said="illegal barrier .*number of threads", fault=ILLEGAL)
REFUSED["bar.arrive 1;"] = "needs a number of threads"
# Two pairs of warps one after the other; each has to get its own sum, whoever reads it last.
REUSED = """  setp.{first}.u32 %p1, %r2, 2;
  setp.eq.u32 %p2, %r2, {last};
  @%p1 bra A;
  bar.sync 2, 96;
A: bar.red.popc.u32 %r9, 1, 64, %p1;
  @%p2 bar.arrive 2, 96;
""" + OUT
CASES["sum of a barrier that is used again"] = Case(REUSED.format(first="lt", last=1), threads=128,
                                                    out=[64] * 64 + [0] * 64)
CASES["sum of a barrier that was used before"] = Case(REUSED.format(first="ge", last=3), threads=128,
                                                      out=[0] * 64 + [64] * 64)
CASES["reductions of a barrier"] = Case("""  setp.lt.u32 %p1, %r0, 40;
  bar.red.popc.u32 %r3, 0, %p1;
  bar.red.and.pred %p2, 0, %p1;
  bar.red.or.pred %p3, 0, %p1;
  selp.u32 %r4, 100, 0, %p2;
  selp.u32 %r5, 1000, 0, %p3;
  add.u32 %r9, %r3, %r4;
  add.u32 %r9, %r9, %r5;
""" + OUT, threads=72, out=[1040] * 72)


class Meetings(unittest.TestCase):
    def run_case(self, case):
        function = driver.function(driver.load(HEAD + case.body + "  ret;\n}\n"), "k")
        words = np.zeros(256, np.uint32)
        words[:len(case.initial)] = case.initial
        target = driver.upload(words)
        said = driver.launch(function, [case.blocks], [case.threads], [target])
        out = None if said.fault else driver.download(target, np.uint32, words.shape)
        if said.fault: # the context is lost
            driver.library.cuDevicePrimaryCtxRelease_v2(0)
            driver.__init__(LIBRARY)
        if case.said:
            self.assertRegex(said.text, case.said)
        else:
            self.assertEqual(said.text, "", "false alarm")
        self.assertEqual(said.fault, case.fault)
        if case.out is not None:
            self.assertEqual(out[:len(case.out)].tolist(), list(case.out))

    def test_cases(self):
        for name, case in CASES.items():
            with self.subTest(name):
                self.run_case(case)

    def test_refused(self):
        for instruction, why in REFUSED.items():
            with self.subTest(instruction), cuda.Listening() as said:
                with self.assertRaises(cuda.CudaError):
                    driver.load(HEAD + "  " + instruction + "\n  ret;\n}\n")
            self.assertIn(why, said.text)


if __name__ == "__main__":
    LIBRARY = sys.argv.pop(1)
    driver = cuda.Driver(LIBRARY)
    unittest.main()
