"""Of large launches a sample of blocks runs, and counts for all: kernels whose counts are known by hand."""

import ctypes
import json
import os
import sys
import unittest

sys.dont_write_bytecode = True

import numpy as np

import cuda

SAMPLE = int(os.environ["DSCC_SIM_SAMPLE"])
THREADS = 128
ROW = 24  # blocks of a row of the grid

# %r0: thread, %r2: block, %r4: its row, %r5: its place there, %q0 and %q1: the buffers that the arguments name.
HEAD = """.version 8.4
.target sm_80
.address_size 64
.visible .entry NAME(.param .u64 p, .param .u64 q)
{
  .reg .b32 %r<20>; .reg .b64 %q<10>; .reg .f32 %f<8>; .reg .pred %p<4>;
  mov.u32 %r0, %tid.x;
  mov.u32 %r2, %ctaid.x;
  mov.u32 %r3, %ntid.x;
  div.u32 %r4, %r2, ROW;
  rem.u32 %r5, %r2, ROW;
  ld.param.u64 %q0, [p];
  ld.param.u64 %q1, [q];
  mad.lo.u32 %r1, %r2, %r3, %r0;
"""
# A word for each thread of the grid.
STORE = """  mul.wide.u32 %q3, %r1, 4;
  add.u64 %q3, %q3, %q1;
  st.global.f32 [%q3], %f1;
"""
# The words of this block's row and of its column: whole tensors are read, most of them by many blocks.
LOAD_ROW_AND_COLUMN = """  mad.lo.u32 %r6, %r4, %r3, %r0;
  mul.wide.u32 %q4, %r6, 4;
  add.u64 %q4, %q4, %q0;
  ld.global.f32 %f1, [%q4];
  mad.lo.u32 %r7, %r5, %r3, %r0;
  mul.wide.u32 %q5, %r7, 4;
  add.u64 %q5, %q5, %q1;
  ld.global.f32 %f2, [%q5];
"""


class SamplingTest(unittest.TestCase):
    kernels = 0

    def run_kernel(self, body, blocks, first=1 << 22, second=1 << 22):
        """The statistics of a launch of `body` with buffers of so many bytes, all of them 0; and the second buffer."""
        SamplingTest.kernels += 1
        name = f"k{self.kernels}"
        module = DRIVER.load(HEAD.replace("NAME", name).replace("ROW", str(ROW)) + body + "  ret;\n}\n")
        buffers = [DRIVER.upload(np.zeros(size, np.uint8)) for size in (first, second)]
        said = DRIVER.launch(DRIVER.function(module, name), [blocks], [THREADS], buffers)
        self.assertEqual((said.text, said.fault), ("", None))
        self.result = DRIVER.download(buffers[1], np.float32, (second // 4,))
        for buffer in buffers:
            DRIVER.free(buffer)
        row = statistics()["kernels"][-1]
        self.assertEqual((row["name"], row["blocks"]), (name, blocks))
        return row

    def assert_sampled(self, row):
        self.assertGreaterEqual(row["blocks_run"], SAMPLE)
        self.assertLess(row["blocks_run"], row["blocks"])

    def test_regular(self):
        # A multiply-add and a store a thread: every number is as if all blocks had run.
        for blocks in (1000, 1024, 4099):
            row = self.run_kernel("  fma.rn.f32 %f1, %f2, %f3, %f4;\n" + STORE, blocks)
            self.assert_sampled(row)
            threads = blocks * THREADS
            self.assertEqual(row["flop"]["f32"], 2 * threads)
            self.assertEqual(row["memory"]["global"]["store"],
                             {"accesses": threads, "bytes": 4 * threads, "requests": threads // 32,
                              "sectors": threads // 8, "ideal_sectors": threads // 8})
            self.assertEqual((row["dram_written_bytes"], row["dram_read_bytes"]), (4 * threads, 0))
            self.assertEqual(row["l2_sectors"], threads // 8)

    def test_small_launches_run_in_full(self):
        row = self.run_kernel("  mov.f32 %f1, 0f3f800000;\n" + STORE, 4 * SAMPLE)
        self.assertEqual(row["blocks_run"], 4 * SAMPLE)
        self.assertTrue((self.result[:4 * SAMPLE * THREADS] == 1).all())

    def test_results_are_incomplete(self):
        row = self.run_kernel("  mov.f32 %f1, 0f3f800000;\n" + STORE, 1000)
        self.assertEqual(row["blocks_run"] * THREADS, np.count_nonzero(self.result))

    def test_shared_sectors(self):
        # What several blocks read crosses DRAM once: not as often as there are blocks.
        for rows in (40, 64, 171):
            row = self.run_kernel(LOAD_ROW_AND_COLUMN, rows * ROW)
            self.assert_sampled(row)
            self.assertEqual(row["memory"]["global"]["load"]["bytes"], rows * ROW * THREADS * 8)
            self.assertEqual(row["dram_read_bytes"], (rows + ROW) * THREADS * 4)

    def test_edges(self):
        # The last block of each row does nothing.
        body = f"  setp.ge.u32 %p1, %r5, {ROW - 1};\n  @%p1 ret;\n  fma.rn.f32 %f1, %f2, %f3, %f4;\n" + STORE
        for rows in (40, 64, 171):
            row = self.run_kernel(body, rows * ROW)
            self.assert_sampled(row)
            flop = 2 * rows * (ROW - 1) * THREADS
            self.assertAlmostEqual(row["flop"]["f32"] / flop, 1, delta=0.02)
            self.assertAlmostEqual(row["dram_written_bytes"] / (4 * rows * ROW * THREADS), 1, delta=0.02)

    def test_blocks_that_differ(self):
        # As of causal attention, but from nothing to all: a block's work grows with its place in the row, or with its
        # row. A few blocks more or less of either kind show.
        for register in ("%r5", "%r4"):
            body = f"""  mov.u32 %r8, 0;
again:
  fma.rn.f32 %f1, %f2, %f3, %f1;
  add.u32 %r8, %r8, 1;
  setp.le.u32 %p1, %r8, {register};
  @%p1 bra again;
"""
            for rows in (40, 64, 171):
                row = self.run_kernel(body, rows * ROW)
                self.assert_sampled(row)
                last = ROW if register == "%r5" else rows
                average = (1 + last) / 2
                self.assertAlmostEqual(row["flop"]["f32"] / (2 * rows * ROW * THREADS * average), 1, delta=0.05)

    def test_blocks_that_know_of_others(self):
        # The last one to come does the rest, and is the last one of all.
        row = self.run_kernel("""  membar.gl;
  atom.global.add.u32 %r6, [%q0], 1;
""", 1000)
        self.assertEqual(row["blocks_run"], 1000)


def statistics():
    return json.loads(DRIVER.library.dsccSimStatistics(b"json").decode())


if __name__ == "__main__":
    DRIVER = cuda.Driver(sys.argv.pop(1))
    DRIVER.library.dsccSimStatistics.restype = ctypes.c_char_p
    unittest.main()
