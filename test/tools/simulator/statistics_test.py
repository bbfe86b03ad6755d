"""What the simulator counts, on kernels whose counts are known by hand."""

import ctypes
import json
import sys
import unittest

sys.dont_write_bytecode = True

import numpy as np

import cuda

# %r0: thread, %r1: its number in the grid, %q0: the buffer that the argument names.
HEAD = """.version 8.4
.target sm_80
.address_size 64
.visible .entry NAME(.param .u64 p)
{
  .reg .b32 %r<40>; .reg .b64 %q<20>; .reg .f32 %f<20>; .reg .pred %p<8>; .reg .f64 %d<8>; .reg .b16 %h<8>;
  .shared .align 16 .b8 tile[16384];
  mov.u32 %r0, %tid.x;
  mov.u32 %r2, %ctaid.x;
  mov.u32 %r3, %ntid.x;
  mad.lo.u32 %r1, %r2, %r3, %r0;
  ld.param.u64 %q0, [p];
"""

SHARED_FILL = """  // 16 bytes a thread, side by side: 256 threads write all of the tile's first 4 KiB
  shl.b32 %r20, %r0, 4;
  mov.u32 %r21, tile;
  add.u32 %r20, %r20, %r21;
  mov.u32 %r22, 0;
  st.shared.v4.b32 [%r20], {%r22, %r22, %r22, %r22};
  bar.sync 0;
"""


class StatisticsTest(unittest.TestCase):
    kernels = 0

    def run_kernel(self, body, grid=1, block=32, size=1 << 16, target="sm_80"):
        """The statistics of a launch of `body`, its stores behind `buffer`, where all bytes are 0."""
        StatisticsTest.kernels += 1
        name = f"k{self.kernels}"
        module = DRIVER.load(HEAD.replace("NAME", name).replace("sm_80", target) + body + "  ret;\n}\n")
        buffer = DRIVER.upload(np.zeros(size, np.uint8))
        said = DRIVER.launch(DRIVER.function(module, name), [grid], [block], [buffer])
        self.assertEqual((said.text, said.fault), ("", None))
        self.result = DRIVER.download(buffer, np.uint8, (size,))
        DRIVER.free(buffer)
        document = statistics()
        self.assertEqual(document["kernels"][-1]["name"], name)
        return document["kernels"][-1]

    def load(self, scale, offset=0, kind="b32", target="%r9", **shape):
        """A load of global memory at byte scale * thread + offset."""
        return self.run_kernel(f"""  mul.wide.u32 %q1, %r1, {scale};
  add.u64 %q1, %q1, %q0;
  ld.global.{kind} {target}, [%q1+{offset}];
""", **shape)["memory"]["global"]["load"]

    def check_sectors(self, traffic, requests, sectors, ideal, size):
        self.assertEqual((traffic["requests"], traffic["sectors"], traffic["ideal_sectors"], traffic["bytes"]),
                         (requests, sectors, ideal, size))

    def test_coalesced(self):
        # 32 lanes of 4 bytes are 128 bytes: 4 sectors. 8 warps of 3 blocks.
        self.check_sectors(self.load(4, grid=3, block=256), 24, 96, 96, 24 * 128)

    def test_strides(self):
        self.check_sectors(self.load(8), 1, 8, 4, 128)
        self.check_sectors(self.load(128), 1, 32, 4, 128)

    def test_misaligned(self):
        # 128 bytes from byte 4 on end in a fifth sector.
        self.check_sectors(self.load(4, offset=4), 1, 5, 4, 128)

    def test_broadcast(self):
        self.check_sectors(self.load(0), 1, 1, 1, 128)

    def test_vectors(self):
        self.check_sectors(self.load(16, kind="v4.b32", target="{%r9, %r10, %r11, %r12}"), 1, 16, 16, 512)
        self.check_sectors(self.load(8, kind="v2.b32", target="{%r9, %r10}"), 1, 8, 8, 256)

    def test_scattered(self):
        # Byte 4 * (thread * 5 % 32): another order, the same sectors.
        row = self.run_kernel("""  mul.lo.u32 %r8, %r0, 5;
  and.b32 %r8, %r8, 31;
  mul.wide.u32 %q1, %r8, 4;
  add.u64 %q1, %q1, %q0;
  ld.global.b32 %r9, [%q1];
""")
        self.check_sectors(row["memory"]["global"]["load"], 1, 4, 4, 128)

    def test_partial_warp(self):
        # 20 lanes of 4 bytes: 80 bytes, 3 sectors.
        row = self.run_kernel("""  mul.wide.u32 %q1, %r1, 4;
  add.u64 %q1, %q1, %q0;
  st.global.b32 [%q1], %r0;
""", block=20)
        self.check_sectors(row["memory"]["global"]["store"], 1, 3, 3, 80)
        self.assertEqual(row["warp_instructions"]["store_global"], 1)
        self.assertEqual(row["thread_instructions"]["store_global"], 20)
        self.assertEqual((row["dram_read_bytes"], row["dram_written_bytes"]), (0, 96))

    def wavefronts(self, scale, kind="b32", target="%r9"):
        row = self.run_kernel(SHARED_FILL + f"""  mul.lo.u32 %r8, %r0, {scale};
  and.b32 %r8, %r8, 4095;
  add.u32 %r8, %r8, %r21;
  setp.gt.u32 %p1, %r0, 31;
  @%p1 bra OVER;
  ld.shared.{kind} {target}, [%r8];
OVER:
""", block=256)
        traffic = row["memory"]["shared"]["load"]
        self.assertEqual(traffic["requests"], 1)
        self.least = traffic["least_wavefronts"]
        return traffic["wavefronts"], traffic["ideal_wavefronts"]

    def test_bank_conflicts(self):
        # Words 1, 2, 4 and 32 apart: as many lanes share a bank. 0 apart: one word, which is free.
        for scale, expected in [(4, 1), (8, 2), (16, 4), (128, 32), (0, 1), (132, 1), (12, 1)]:
            with self.subTest(scale=scale):
                self.assertEqual(self.wavefronts(scale), (expected, 1))
        # Several lanes in one word.
        self.assertEqual(self.wavefronts(2, "b16", "%h1"), (1, 1))
        self.assertEqual(self.wavefronts(1, "u8", "%h1"), (1, 1))

    def test_wide_shared(self):
        pair, four = "{%r9, %r10}", "{%r9, %r10, %r11, %r12}"
        self.assertEqual(self.wavefronts(8, "v2.b32", pair), (2, 2))
        self.assertEqual(self.wavefronts(16, "v4.b32", four), (4, 4))
        # 16 bytes in each 128: the 8 lanes of a quarter all want the same 4 banks.
        self.assertEqual(self.wavefronts(128, "v4.b32", four), (32, 4))
        self.assertEqual(self.least, 32)
        # All want the same 16 bytes: the bound of the roofline does not count the quarters.
        self.assertEqual(self.wavefronts(0, "v4.b32", four), (4, 4))
        self.assertEqual(self.least, 1)

    def test_shared_store(self):
        row = self.run_kernel(SHARED_FILL, block=256)
        # 8 warps, each in quarters of 8 lanes with 16 bytes.
        self.assertEqual(row["memory"]["shared"]["store"], {"requests": 8, "accesses": 256, "bytes": 4096,
                                                           "wavefronts": 32, "ideal_wavefronts": 32,
                                                           "least_wavefronts": 32})
        self.assertEqual(row["barriers"], 8)

    def test_flop(self):
        row = self.run_kernel("""  mov.f32 %f1, 0f3F800000;
  mov.f32 %f2, %f1;
  mov.f64 %d2, 0d0000000000000000;
  mov.u32 %r4, 0;
  mov.u32 %r5, 0;
  mov.u32 %r6, 0;
LOOP:
  fma.rn.f32 %f2, %f1, %f1, %f2;
  add.f32 %f3, %f1, %f1;
  mul.f64 %d1, %d2, %d2;
  fma.rn.f16x2 %r5, %r6, %r6, %r5;
  ex2.approx.f32 %f4, %f1;
  add.u32 %r4, %r4, 1;
  setp.lt.u32 %p1, %r4, 10;
  @%p1 bra LOOP;
""", grid=2, block=64)
        # 10 turns of 128 threads.
        self.assertEqual(row["flop"], {"f32": 1280 * 3, "f64": 1280, "f16_bf16": 1280 * 4})
        warps = row["warp_instructions"]
        # 4 warps. One multiply-add of integers before the loop, one addition in it; 10 branches and the return.
        self.assertEqual((warps["f32"], warps["f64"], warps["f16_bf16"], warps["special_function"]), (80, 40, 40, 40))
        self.assertEqual((warps["integer"], warps["compare"], warps["control"]), (44, 40, 44))
        self.assertEqual(row["thread_instructions"]["total"], 32 * warps["total"])
        self.assertEqual(row["active_lanes"], 1)

    def test_divergent_halves(self):
        row = self.run_kernel("""  setp.lt.u32 %p1, %r0, 16;
  @%p1 bra LOW;
  add.u32 %r4, %r0, 1;
  add.u32 %r4, %r4, 1;
  bra JOIN;
LOW:
  add.u32 %r4, %r0, 3;
JOIN:
  add.u32 %r4, %r4, 4;
""")
        warps, threads = row["warp_instructions"], row["thread_instructions"]
        # mad, 2 of one half, 1 of the other, 1 of all.
        self.assertEqual((warps["integer"], threads["integer"]), (5, 32 + 2 * 16 + 16 + 32))
        self.assertEqual((warps["control"], threads["control"]), (3, 32 + 16 + 32))
        self.assertLess(row["active_lanes"], 1)

    def test_loops_of_different_length(self):
        # Lane i takes i + 1 turns; behind the loop all are together again, in each of 3 turns of an outer loop.
        row = self.run_kernel("""  mov.u32 %r4, 0;
OUTER:
  mov.u32 %r5, 0;
INNER:
  add.u32 %r5, %r5, 1;
  setp.le.u32 %p1, %r5, %r0;
  @%p1 bra INNER;
  mul.wide.u32 %q1, %r1, 4;
  add.u64 %q1, %q1, %q0;
  st.global.b32 [%q1], %r5;
  add.u32 %r4, %r4, 1;
  setp.lt.u32 %p1, %r4, 3;
  @%p1 bra OUTER;
""")
        self.check_sectors(row["memory"]["global"]["store"], 3, 12, 12, 3 * 128)
        warps, threads = row["warp_instructions"], row["thread_instructions"]
        turns = 32 * 33 // 2
        self.assertEqual((warps["compare"], threads["compare"]), (3 * 32 + 3, 3 * turns + 3 * 32))

    def test_one_lane_in_turn(self):
        # In turn i only lane i stores: 32 requests, although each lane does it once.
        row = self.run_kernel("""  mov.u32 %r4, 0;
LOOP:
  setp.ne.u32 %p1, %r4, %r0;
  @%p1 bra NEXT;
  mul.wide.u32 %q1, %r1, 4;
  add.u64 %q1, %q1, %q0;
  st.global.b32 [%q1], %r4;
NEXT:
  add.u32 %r4, %r4, 1;
  setp.lt.u32 %p1, %r4, 32;
  @%p1 bra LOOP;
""")
        self.check_sectors(row["memory"]["global"]["store"], 32, 32, 32, 128)

    def test_loop_with_two_entries(self):
        # No iteration numbers here: the n-th time of each lane counts as one. 5 turns of 2 sums each, but for the first.
        row = self.run_kernel("""  mov.u32 %r4, 0;
  setp.lt.u32 %p2, %r3, 1000;
  @%p2 bra SECOND;
FIRST:
  add.u32 %r5, %r4, 7;
SECOND:
  add.u32 %r4, %r4, 1;
  setp.lt.u32 %p1, %r4, 5;
  @%p1 bra FIRST;
""")
        self.assertEqual((row["warp_instructions"]["integer"], row["thread_instructions"]["integer"]), (10, 320))

    def test_long_loop(self):
        # More than a log keeps at once; with a barrier the lanes take turns, without one they do not.
        for barrier in ("", "  bar.sync 0;\n"):
            row = self.run_kernel(barrier + """  mov.u32 %r4, 0;
LOOP:
  ld.global.b32 %r5, [%q0];
  add.u32 %r4, %r4, 1;
  setp.lt.u32 %p1, %r4, 140000;
  @%p1 bra LOOP;
""", block=40)
            self.check_sectors(row["memory"]["global"]["load"], 280000, 280000, 280000, 140000 * 40 * 4)
            self.assertEqual(row["warp_instructions"]["integer"], 280002)

    def test_predicates(self):
        # The warp issues it, 8 lanes do it.
        row = self.run_kernel("""  setp.lt.u32 %p1, %r0, 8;
  mul.wide.u32 %q1, %r1, 4;
  add.u64 %q1, %q1, %q0;
  mov.f32 %f1, 0f3F800000;
  @%p1 add.f32 %f1, %f1, %f1;
  @%p1 st.global.b32 [%q1], %r0;
""")
        self.assertEqual(row["warp_instructions"]["f32"], 1)
        self.assertEqual(row["flop"], {"f32": 8})
        self.check_sectors(row["memory"]["global"]["store"], 1, 1, 1, 32)

    def test_atomics(self):
        row = self.run_kernel("  red.global.add.u32 [%q0], 1;\n", block=64)
        self.assertEqual(row["atomics"], 64)
        self.assertEqual(row["warp_instructions"]["atomic"], 2)
        self.check_sectors(row["memory"]["global"]["atomic"], 2, 2, 2, 256)
        self.assertEqual(self.result.view(np.uint32)[0], 64)

    def test_shared_atomics(self):
        # On one word the lanes go one after the other.
        row = self.run_kernel(SHARED_FILL + "  red.shared.add.u32 [tile], 1;\n", block=256)
        self.assertEqual(row["atomics"], 256)
        self.assertEqual(row["memory"]["shared"]["atomic"]["wavefronts"], 256)

    def test_mma(self):
        a, b, c = "{%r4, %r5, %r6, %r7}", "{%r8, %r9}", "{%r10, %r11, %r12, %r13}"
        row = self.run_kernel("".join(f"  mov.b32 %r{i}, 0;\n" for i in range(4, 14)) + f"""
  mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {c}, {a}, {b}, {c};
  mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {c}, {a}, {b}, {c};
""", block=64)
        # 2 * 16 * 8 * 16 a warp, and half of that.
        self.assertEqual(row["flop"], {"tensor_f16": 2 * 4096, "tensor_tf32": 2 * 2048})
        self.assertEqual(row["warp_instructions"]["matrix"], 4)
        # A multiprocessor of the H100 does 4096 of f16 a clock, 2048 of tf32: 989 and 495 TFLOP/s of the chip.
        self.assertAlmostEqual(row["roofline"]["limits_us"]["tensor"], (2 + 2) / 1830, places=9)

    def test_wgmma(self):
        row = self.run_kernel("".join(f"  mov.b32 %r{i}, 0;\n" for i in range(4, 8)) + SHARED_FILL + """  fence.proxy.async;
  bar.sync 0;
  mov.b64 %q2, 0x0000001000080000;
  setp.eq.u32 %p1, %r4, %r4;
  wgmma.fence.sync.aligned;
  wgmma.mma_async.sync.aligned.m64n8k16.f32.f16.f16 {%r4, %r5, %r6, %r7}, %q2, %q2, %p1, 1, 1, 0, 0;
  wgmma.commit_group.sync.aligned;
  wgmma.wait_group.sync.aligned 0;
""", block=128, target="sm_90a")
        self.assertEqual(row["flop"], {"tensor_f16": 2 * 64 * 8 * 16})

    def test_bulk_copies(self):
        """One thread moves 256 bytes, from the middle of a sector, and adds them at a sector's beginning."""
        row = self.run_kernel("""  setp.ne.u32 %p1, %r0, 0;
  @%p1 bra DONE;
  mov.u32 %r4, tile;
  mbarrier.init.shared.b64 [%r4+4096], 1;
  mbarrier.arrive.expect_tx.shared.b64 _, [%r4+4096], 256;
  add.u64 %q1, %q0, 16;
  cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%r4], [%q1], 256, [%r4+4096];
WAIT:
  mbarrier.try_wait.parity.shared.b64 %p2, [%r4+4096], 0;
  @!%p2 bra WAIT;
  cp.reduce.async.bulk.global.shared::cta.bulk_group.add.u32 [%q0], [%r4], 256;
  cp.async.bulk.commit_group;
  cp.async.bulk.wait_group 0;
DONE:
""", target="sm_90")
        self.check_sectors(row["memory"]["global"]["load"], 1, 9, 8, 256)
        self.check_sectors(row["memory"]["global"]["atomic"], 1, 8, 8, 256)
        self.assertEqual(row["memory"]["shared"]["store"]["bytes"], 256)
        self.assertEqual(row["memory"]["shared"]["load"]["bytes"], 256)

    def test_ldmatrix(self):
        rows = """  shl.b32 %r8, %r0, SHIFT;
  and.b32 %r8, %r8, 4095;
  add.u32 %r8, %r8, %r21;
  ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r9, %r10, %r11, %r12}, [%r8];
"""
        # Rows side by side: a wavefront a matrix. 128 bytes apart: all 8 rows of a matrix in the same banks.
        for shift, expected in [(4, 4), (7, 32)]:
            row = self.run_kernel(SHARED_FILL + rows.replace("SHIFT", str(shift)), block=256)
            traffic = row["memory"]["shared"]["load"]
            self.assertEqual((traffic["requests"], traffic["wavefronts"]), (8, 8 * expected))
            self.assertEqual(traffic["bytes"], 8 * 512)

    def test_async_copy(self):
        row = self.run_kernel("""  shl.b32 %r8, %r0, 4;
  mov.u32 %r9, tile;
  add.u32 %r9, %r9, %r8;
  cvt.u64.u32 %q1, %r8;
  add.u64 %q1, %q1, %q0;
  cp.async.cg.shared.global [%r9], [%q1], 16;
  cp.async.wait_all;
""", block=64)
        self.check_sectors(row["memory"]["global"]["load"], 2, 32, 32, 1024)
        self.assertEqual(row["memory"]["shared"]["store"]["wavefronts"], 8)
        self.assertEqual(row["warp_instructions"]["async_copy"], 4)
        self.assertEqual(row["dram_read_bytes"], 1024)

    def test_generic_and_local(self):
        row = self.run_kernel("""  .local .align 4 .b8 own[16];
  mov.u64 %q1, own;
  st.local.b32 [%q1], %r0;
  cvta.local.u64 %q2, %q1;
  ld.b32 %r4, [%q2];
  ld.b32 %r5, [%q0];
""")
        memory = row["memory"]
        self.assertEqual((memory["local"]["store"]["bytes"], memory["local"]["load"]["bytes"]), (128, 128))
        self.check_sectors(memory["global"]["load"], 1, 1, 1, 128)
        self.assertEqual(row["warp_instructions"]["load_generic"], 2)

    def test_barriers_in_loops(self):
        row = self.run_kernel("""  mov.u32 %r4, 0;
LOOP:
  bar.sync 0;
  add.u32 %r4, %r4, 1;
  setp.lt.u32 %p1, %r4, 5;
  @%p1 bra LOOP;
""", grid=2, block=96)
        self.assertEqual(row["barriers"], 2 * 3 * 5)
        self.assertEqual(row["thread_instructions"]["barrier"], 2 * 96 * 5)

    def test_sectors_of_caches(self):
        # Each of 4 blocks loads the same 128 bytes twice: L1 keeps them once a block, DRAM gives them once.
        row = self.run_kernel("""  mul.wide.u32 %q1, %r0, 4;
  add.u64 %q1, %q1, %q0;
  ld.global.b32 %r9, [%q1];
  ld.global.b32 %r9, [%q1];
""", grid=4)
        self.check_sectors(row["memory"]["global"]["load"], 8, 32, 32, 1024)
        self.assertEqual((row["l2_sectors"], row["dram_read_bytes"]), (16, 128))

    def test_calls(self):
        # A function that half of the lanes call, twice.
        module = DRIVER.load(""".version 8.4
.target sm_80
.address_size 64
.func (.param .b32 out) twice(.param .b32 in)
{
  .reg .b32 %r<4>;
  ld.param.b32 %r1, [in];
  add.u32 %r2, %r1, %r1;
  st.param.b32 [out], %r2;
  ret;
}
.visible .entry calls()
{
  .reg .b32 %r<8>; .reg .pred %p<2>;
  mov.u32 %r1, %tid.x;
  setp.lt.u32 %p1, %r1, 16;
  @%p1 bra OVER;
  { .param .b32 in; .param .b32 out; st.param.b32 [in], %r1;
    call (out), twice, (in); ld.param.b32 %r1, [out]; }
  { .param .b32 in; .param .b32 out; st.param.b32 [in], %r1;
    call (out), twice, (in); ld.param.b32 %r1, [out]; }
OVER:
  ret;
}
""")
        DRIVER.launch(DRIVER.function(module, "calls"), [1], [32], [])
        row = statistics()["kernels"][-1]
        self.assertEqual((row["warp_instructions"]["integer"], row["thread_instructions"]["integer"]), (2, 32))

    def test_roofline(self):
        # One block on one multiprocessor of an H100 at 1.83 GHz: 2000 turns of a multiply-add of 1024 threads take
        # 2 * 1024 * 2000 / 256 clocks.
        row = self.run_kernel("""  mov.u32 %r4, 0;
  mov.f32 %f1, 0f00000000;
LOOP:
""" + "  fma.rn.f32 %f1, %f1, %f1, %f1;\n" * 20 + """  add.u32 %r4, %r4, 1;
  setp.lt.u32 %p1, %r4, 100;
  @%p1 bra LOOP;
""", block=1024)
        roofline = row["roofline"]
        self.assertAlmostEqual(roofline["limits_us"]["f32"], 16000 / 1830, places=6)
        self.assertEqual(roofline["limit"], "issue")
        # 32 warps, 4 a clock: 23 instructions a turn; outside the loop mad and ret, moves and parameters are free.
        self.assertAlmostEqual(roofline["limits_us"]["issue"], 32 * (23 * 100 + 2) / 4 / 1830, places=6)
        self.assertAlmostEqual(roofline["bound_us"], roofline["limits_us"]["issue"])
        small = self.run_kernel("")["roofline"]
        self.assertEqual((small["limit"], small["bound_us"]), ("launch", 2))

    def test_sums(self):
        self.load(4)
        document = statistics()
        for key in ("launches", "blocks", "threads", "l2_sectors", "atomics"):
            self.assertEqual(sum(row[key] for row in document["kernels"]), document["total"][key])
        self.assertAlmostEqual(sum(row["roofline"]["bound_us"] for row in document["kernels"]),
                               document["total"]["roofline"]["bound_us"])

    def test_order_does_not_matter(self):
        # The same kernel again: sums of two launches.
        module = DRIVER.load(HEAD.replace("NAME", "again") + "  st.global.b32 [%q0], %r3;\n  ret;\n}\n")
        buffer = DRIVER.allocate(4)
        for _ in range(2):
            DRIVER.launch(DRIVER.function(module, "again"), [1], [32], [buffer])
        row = statistics()["kernels"][-1]
        self.assertEqual((row["launches"], row["memory"]["global"]["store"]["requests"]), (2, 2))
        self.assertEqual(row["roofline"]["bound_us"], 4)

    def test_text(self):
        self.load(4)
        lines = statistics_text().splitlines()
        self.assertIn("modelled time, and bounds", lines[0])
        self.assertEqual(lines[1].split(), ["model", "us", "waits", "for", "bound", "us", "share", "limit", "launches", "instr", "lanes", "DRAM", "B",
                                            "sectors", "shared", "FLOP", "kernel"])
        self.assertEqual(len(lines), 3 + len(statistics()["kernels"]))
        self.assertRegex(lines[-2], r"^ *2\.\d\d \d+% [a-z_]+ +2\.00 .* launch +1 +\d+ +100% +128 +100% +- +0 +k\d+$")
        self.assertRegex(lines[-1], r" total$")
        self.assertIsNone(DRIVER.library.dsccSimStatistics(b"xml"))


def statistics_text(form=b"text"):
    return DRIVER.library.dsccSimStatistics(form).decode()


def statistics():
    return json.loads(statistics_text(b"json"))


if __name__ == "__main__":
    DRIVER = cuda.Driver(sys.argv.pop(1))
    DRIVER.library.dsccSimStatistics.restype = ctypes.c_char_p
    unittest.main()
