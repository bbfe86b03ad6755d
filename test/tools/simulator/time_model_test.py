"""The model of time, on kernels whose order is known: what hides latency is faster than what does not."""

import ctypes
import json
import sys
import unittest

sys.dont_write_bytecode = True

import numpy as np

import cuda

# Of an H100, as tools/simulator/Chips.cpp and Latencies.cpp have it.
CLOCK, BYTES_A_SECOND, MULTIPROCESSORS, LAUNCH_US = 1.83e9, 3.35e12, 132, 2.0
DRAM, L2, L1, SHARED, BARRIER = 479, 263, 41, 29, 22  # clocks; a launch ends when its stores have come to L2
TENSOR_FLOP = 4096  # a clock and multiprocessor

# %r0: thread, %r1: its number in the grid, %r2: block, %q0 and %q1: the buffers.
HEAD = """.version 8.4
.target sm_90a
.address_size 64
.visible .entry NAME(.param .u64 p, .param .u64 q) CLUSTER
{
  .reg .b32 %r<64>; .reg .b64 %q<64>; .reg .f32 %f<80>; .reg .pred %p<8>;
  .shared .align 128 .b8 tile[SHARED];
  .shared .align 8 .b8 bars[64];
  mov.u32 %r0, %tid.x;
  mov.u32 %r2, %ctaid.x;
  mov.u32 %r3, %ntid.x;
  mad.lo.u32 %r1, %r2, %r3, %r0;
  ld.param.u64 %q0, [p];
  ld.param.u64 %q1, [q];
"""
STORE = """  mul.wide.u32 %q2, %r1, 4;
  add.u64 %q2, %q1, %q2;
  st.global.f32 [%q2], %f0;
"""


def loop(trips, body):
    return f"""  mov.u32 %r5, 0;
LOOP:
{body}  add.u32 %r5, %r5, 1;
  setp.lt.u32 %p1, %r5, {trips};
  @%p1 bra LOOP;
"""


class TimeModelTest(unittest.TestCase):
    kernels = 0

    def run_kernel(self, body, grid=1, block=32, size=1 << 16, out=1 << 16, shared=16, cluster=1):
        """Clocks of a launch, without what is between two of them; `self.row` has its statistics."""
        TimeModelTest.kernels += 1
        name = f"t{self.kernels}"
        head = HEAD.replace("NAME", name).replace("SHARED", str(shared))
        head = head.replace("CLUSTER", f".reqnctapercluster {cluster}, 1, 1" if cluster > 1 else "")
        module = DRIVER.load(head + body + "  ret;\n}\n")
        buffers = [DRIVER.upload(np.zeros(count, np.uint8)) for count in (size, out)]
        said = DRIVER.launch(DRIVER.function(module, name), [grid], [block], buffers)
        self.assertEqual((said.text, said.fault), ("", None))
        for buffer in buffers:
            DRIVER.free(buffer)
        self.row = next(row for row in statistics()["kernels"] if row["name"] == name)
        time = self.row["time"]
        self.assertAlmostEqual(time["launch_us"], LAUNCH_US * self.row["launches"])
        own = time["modelled_us"] - time["launch_us"]
        self.assertAlmostEqual(sum(time["stalls_us"].values()), own, delta=1e-6 * own)
        # The bound has the launch for itself; without it no unit needs longer than the model says.
        limits = self.row["roofline"]["limits_us"]
        self.assertGreaterEqual(own * 1.000001, max(us for unit, us in limits.items() if unit != "launch"))
        return own * 1e-6 * CLOCK

    def share(self, stall):
        time = self.row["time"]
        return time["stalls_us"][stall] / (time["modelled_us"] - time["launch_us"])

    def between(self, value, low, high):
        self.assertGreaterEqual(value, low)
        self.assertLessEqual(value, high)

    def test_dependent_loads(self):
        # Each address is what the load before has brought: 16 latencies, and 2 additions behind each.
        chain = "  ld.global.u64 %q2, [%q0];\n  add.u64 %q0, %q0, %q2;\n  add.u64 %q0, %q0, 1024;\n" * 16
        self.between(self.run_kernel(chain + "  st.global.u64 [%q1], %q0;\n"), 16 * DRAM + L2, 16 * (DRAM + 20) + L2)
        self.assertGreater(self.share("memory_latency"), 0.9)

    def test_independent_loads(self):
        # The same loads, one latency: although each sum stands before the next load, as compilers write it, ptxas puts
        # the loads first.
        body = "".join(f"  ld.global.u64 %q{8 + i}, [%q0+{1024 * i}];\n  add.u64 %q1, %q1, %q{8 + i};\n" for i in range(16))
        self.between(self.run_kernel(body + "  st.global.u64 [%q1], %q0;\n"), DRAM + L2, 1.3 * DRAM + L2)

    def test_loads_that_hit(self):
        # The second of two loads of one line comes from L1.
        self.between(self.run_kernel("  ld.global.u64 %q2, [%q0];\n  add.u64 %q0, %q0, %q2;\n  ld.global.u64 %q2, [%q0+8];\n"
                                     "  st.global.u64 [%q1], %q2;\n"), DRAM + L1 + L2, DRAM + L1 + L2 + 40)
        cold = self.run_kernel("  ld.global.u64 %q2, [%q0];\n  add.u64 %q0, %q0, %q2;\n  ld.global.u64 %q2, [%q0+4096];\n"
                               "  st.global.u64 [%q1], %q2;\n")
        self.assertGreater(cold, 2 * DRAM + L2)

    def test_dependent_arithmetic(self):
        # 1600 multiply-adds, each of the one before: 4 clocks each; four chains: the same, in the gaps.
        self.between(self.run_kernel(loop(100, "  fma.rn.f32 %f0, %f0, %f0, %f0;\n" * 16) + STORE), 1600 * 4, 1600 * 4.5 + L2)
        self.assertGreater(self.share("arithmetic"), 0.6)
        four = "".join(f"  fma.rn.f32 %f{i}, %f{i}, %f{i}, %f{i};\n" for i in range(4)) * 16
        self.between(self.run_kernel(loop(100, four) + STORE), 6400, 6400 * 1.15 + L2)

    def test_shared_memory(self):
        # A chain of 64 loads, of address 0 each; then 32 lanes a word of one bank each, which takes 32 turns.
        chain = "  mov.u32 %r8, tile;\n  st.shared.u32 [%r8], %r8;\n" + "  ld.shared.u32 %r8, [%r8];\n" * 64
        self.between(self.run_kernel(chain + "  st.global.u32 [%q1], %r8;\n"), 64 * SHARED + L2, 64 * SHARED + L2 + 100)
        self.assertGreater(self.share("shared"), 0.6)
        head = "  mul.lo.u32 %r8, %r0, SCALE;\n  mov.u32 %r9, tile;\n  add.u32 %r8, %r8, %r9;\n"
        body = head + loop(50, "".join(f"  st.shared.u32 [%r8], %r0;\n" for _ in range(8)))
        slow, fast = (self.run_kernel(body.replace("SCALE", str(scale)), shared=4096) for scale in (128, 4))
        self.between(slow, 400 * 32, 400 * 33 + 500)
        self.assertLess(fast, slow / 10)

    COPY = """  mul.wide.u32 %q2, %r1, 16;
  add.u64 %q3, %q0, %q2;
  add.u64 %q4, %q1, %q2;
"""
    MOVE = "  ld.global.v4.u32 {%r10, %r11, %r12, %r13}, [%q3];\n  st.global.v4.u32 [%q4], {%r10, %r11, %r12, %r13};\n"

    def bandwidth(self, blocks, threads, trips=1):
        """Of a copy, over that of the data sheet."""
        step = 16 * blocks * threads
        body = self.MOVE if trips == 1 else loop(trips, self.MOVE + f"  add.u64 %q3, %q3, {step};\n  add.u64 %q4, %q4, {step};\n")
        clocks = self.run_kernel(self.COPY + body, grid=blocks, block=threads, size=step * trips, out=step * trips)
        return 2 * step * trips / (clocks / CLOCK) / BYTES_A_SECOND

    def test_copy(self):
        # 8 blocks of 256 threads fill a multiprocessor: four waves come close to what copies reach on hardware, 90 %.
        self.between(self.bandwidth(MULTIPROCESSORS * 32, 256), 0.87, 0.92)
        self.assertGreater(self.share("bandwidth"), 0.6)
        # One warp on each has 512 bytes under way, of some 6,400 that the latency asks for.
        self.between(self.bandwidth(MULTIPROCESSORS, 32, trips=32), 0.04, 0.15)
        self.assertGreater(self.share("memory_latency"), 0.6)

    def test_sizes(self):
        # Only three waves are replayed of any size: the time of the rest follows, and a block more is a wave more.
        step = 4 * 256 * 64
        body = self.COPY + loop(16, "  ld.global.f32 %f1, [%q3];\n  fma.rn.f32 %f0, %f1, %f1, %f0;\n  add.u64 %q3, %q3, 4096;\n") + STORE
        each = []
        for waves in (4, 8, 16):
            blocks = MULTIPROCESSORS * 8 * waves
            clocks = self.run_kernel(body, grid=blocks, block=256, size=16 * 256 * blocks + 16 * 4096 + step, out=4 * 256 * blocks)
            each.append(clocks / waves)
        for one in each:
            self.between(one / each[-1], 0.95, 1.1)
        chain = loop(100, "  fma.rn.f32 %f0, %f0, %f0, %f0;\n" * 16) + STORE
        alone, more = (self.run_kernel(chain, grid=blocks, block=1024, out=4 * 1024 * blocks)
                       for blocks in (2 * MULTIPROCESSORS, 2 * MULTIPROCESSORS + 1))
        self.between(more / alone, 1.3, 2.1)

    def resident(self, block=256, shared=16, sums=0):
        """Blocks at a time, of a kernel with so many sums that live as long as it."""
        body = "".join(f"  ld.global.f32 %f{i}, [%q0+{4 * i}];\n" for i in range(sums))
        body += "".join(f"  st.global.f32 [%q1+{4 * i}], %f{i};\n" for i in reversed(range(sums)))
        body = "  mov.u32 %r4, tile;\n" + loop(2, body)
        grid = min(32, 2048 // block) * MULTIPROCESSORS
        self.run_kernel(body + STORE, grid=grid, block=block, out=4 * grid * block, shared=shared)
        return self.row["time"]["resident_blocks"]

    def test_occupancy(self):
        # 2048 threads, or 32 blocks, or 228 KB with 1 KB for each block, or 65,536 registers of which 64 sums are most.
        self.assertEqual([self.resident(block=block) for block in (1024, 256, 32)], [2, 8, 32])
        self.assertEqual(self.resident(shared=30000), 7)
        self.assertEqual(self.resident(sums=64), 3)

    def test_long(self):
        # Of 32 warps some 65,000 records are kept each: what comes behind goes on as it began. One lane of each is enough.
        body = "  and.b32 %r9, %r0, 31;\n  setp.ne.u32 %p2, %r9, 0;\n  @%p2 exit;\n"
        short, long = (self.run_kernel(body + loop(trips, "  fma.rn.f32 %f0, %f0, %f0, %f0;\n" * 8) + STORE, block=1024)
                       for trips in (20000, 100000))
        self.between(long / short, 4.95, 5.05)

    def test_barrier(self):
        # Warp 0 works, the others wait for it, ten times.
        work = "  setp.gt.u32 %p2, %r0, 31;\n" + loop(10, """  @%p2 bra OVER;
""" + "  fma.rn.f32 %f0, %f0, %f0, %f0;\n" * 100 + "OVER:\n  bar.sync 0;\n") + STORE
        self.between(self.run_kernel(work, block=128), 10 * (400 + BARRIER) + L2, 10 * (400 + BARRIER + 60) + L2)
        self.assertGreater(self.share("barrier"), 0.5)

    THREADS, BYTES = 128, 16 * 8  # of each thread a step

    def pipeline(self, stages, steps=12):
        """Steps of 16 KB by cp.async, and 256 multiply-adds on each: so many stages of them are under way at a time."""
        size = self.THREADS * self.BYTES
        text = f"""  mul.wide.u32 %q2, %r2, {steps * size};
  add.u64 %q3, %q0, %q2;
  mul.wide.u32 %q2, %r0, 16;
  add.u64 %q3, %q3, %q2;
  mov.u32 %r4, tile;
  shl.b32 %r5, %r0, 4;
  add.u32 %r4, %r4, %r5;
"""

        def copies(stage):
            return "".join(f"  cp.async.cg.shared.global [%r4+{stage * size + i * 16 * self.THREADS}], [%q3+{i * 16 * self.THREADS}], 16;\n"
                           for i in range(8)) + f"  cp.async.commit_group;\n  add.u64 %q3, %q3, {size};\n"

        def products(stage):
            loads = "".join(f"  ld.shared.v4.f32 {{%f{4 * i}, %f{4 * i + 1}, %f{4 * i + 2}, %f{4 * i + 3}}}, "
                            f"[%r4+{stage * size + i * 16 * self.THREADS}];\n" for i in range(8))
            return loads + "".join(f"  fma.rn.f32 %f{40 + i % 32}, %f{i % 32}, %f{(i + 1) % 32}, %f{40 + i % 32};\n" for i in range(256))

        for step in range(stages - 1):
            text += copies(step)
        for step in range(steps):
            ahead = step + stages - 1
            text += copies(0) if stages == 1 else ""
            text += f"  cp.async.wait_group {max(0, stages - 2)};\n  bar.sync 0;\n"
            if stages > 1:
                text += copies(ahead % stages) if ahead < steps else "  cp.async.commit_group;\n"
            text += products(step % stages) + ("  bar.sync 0;\n" if stages == 1 else "")
        return self.run_kernel(text + "  add.f32 %f0, %f40, %f41;\n" + STORE, grid=MULTIPROCESSORS, block=self.THREADS,
                               size=MULTIPROCESSORS * steps * size, out=4 * MULTIPROCESSORS * self.THREADS, shared=stages * size)

    def test_stages(self):
        one, two, three = map(self.pipeline, (1, 2, 3))
        self.assertGreater(one / two, 1.15)
        self.assertGreater(two / three, 1.2)
        # With three, DRAM is busy nearly all the time.
        self.assertLess(three / CLOCK * 1e6, 1.3 * self.row["roofline"]["limits_us"]["dram"])

    def products(self, sums, threads=128):
        """mma.sync into so many sums in turn; of the tensor cores' peak."""
        body = "".join("  mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {{{0}}}, {{%r10, %r11, %r12, %r13}}, {{%r14, %r15}}, {{{0}}};\n"
                       .format(", ".join(f"%f{4 * (i % sums) + e}" for e in range(4))) for i in range(16))
        clocks = self.run_kernel(loop(32, body) + STORE, block=threads)
        return self.row["flop"]["tensor_f16"] / TENSOR_FLOP / clocks

    def test_products(self):
        # mma.sync reaches 62 % of Hopper's peak, whose rest only wgmma gets; a chain of them is far from it.
        self.between(self.products(16), 0.5, 0.62)
        self.between(self.products(1), 0.1, 0.16)
        self.assertGreater(self.share("tensor"), 0.8)
        # So is one whose chains are of four warps a scheduler, which fill each other's gaps.
        self.between(self.products(1, threads=512), 0.45, 0.62)

    def warpgroup_products(self, left):
        """wgmma m64n256k16, as many as a step of 64 has, and a wait for all but some of the groups."""
        sums = ", ".join(f"%g{i}" for i in range(128))
        product = f"  wgmma.mma_async.sync.aligned.m64n256k16.f32.f16.f16 {{{sums}}}, %q8, %q8, 1, 1, 1, 0, 0;\n"
        body = "  wgmma.fence.sync.aligned;\n" + product * 4 + f"  wgmma.commit_group.sync.aligned;\n  wgmma.wait_group.sync.aligned {left};\n"
        head = "  .reg .f32 %g<128>;\n" + "".join(f"  mov.f32 %g{i}, 0f00000000;\n" for i in range(128)) + "  mov.u64 %q8, 0;\n  mov.u32 %r9, tile;\n"
        clocks = self.run_kernel(head + loop(16, body)
                                 + "  wgmma.wait_group.sync.aligned 0;\n  mov.f32 %f0, %g0;\n" + STORE, block=128, shared=49152)
        return self.row["flop"]["tensor_f16"] / TENSOR_FLOP / clocks

    def test_warpgroup_products(self):
        # 128 clocks each: close to the peak. What is waited for at once has nothing to follow it.
        self.between(self.warpgroup_products(1), 0.88, 1)
        self.between(self.warpgroup_products(0) / self.warpgroup_products(1), 0.8, 0.99)

    def ring(self, stages, steps=16, size=8192, work=600):
        """A warp brings tiles by bulk copies, the others work on them: mbarriers tell when they are full, and empty."""
        text = f"""  setp.ne.u32 %p2, %r0, 0;
  setp.lt.u32 %p3, %r0, 32;
  mov.u32 %r4, tile;
  mov.u32 %r6, bars;
  mul.wide.u32 %q2, %r2, {steps * size};
  add.u64 %q3, %q0, %q2;
  @%p2 bra MADE;
""" + "".join(f"  mbarrier.init.shared.b64 [%r6+{8 * i}], 1;\n  mbarrier.init.shared.b64 [%r6+{32 + 8 * i}], 4;\n" for i in range(stages)) + """MADE:
  bar.sync 0;
  @!%p3 bra CONSUME;
  @%p2 bra END;
"""
        wait = "W{0}:\n  mbarrier.try_wait.parity.shared.b64 %p4, [%r6+{1}], {2};\n  @%p4 bra D{0};\n  bra W{0};\nD{0}:\n"
        for step in range(steps):
            at, turn = step % stages, step // stages
            text += wait.format(step, 32 + 8 * at, 1 - turn % 2)
            text += f"""  mbarrier.arrive.expect_tx.shared.b64 _, [%r6+{8 * at}], {size};
  add.u32 %r7, %r4, {at * size};
  cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%r7], [%q3+{step * size}], {size}, [%r6+{8 * at}];
"""
        text += "  bra END;\nCONSUME:\n  and.b32 %r8, %r0, 31;\n  setp.eq.u32 %p5, %r8, 0;\n"
        for step in range(steps):
            at, turn = step % stages, step // stages
            text += wait.format(steps + step, 8 * at, turn % 2)
            text += "  ld.shared.f32 %f1, [%r4];\n" + "  fma.rn.f32 %f0, %f0, %f0, %f1;\n" * (work // 4)
            text += f"  bar.warp.sync -1;\n  @%p5 mbarrier.arrive.shared.b64 _, [%r6+{32 + 8 * at}];\n"
        return self.run_kernel(text + "END:\n" + STORE, grid=MULTIPROCESSORS, block=160, size=MULTIPROCESSORS * steps * size,
                               out=4 * 160 * MULTIPROCESSORS, shared=stages * size)

    def test_ring(self):
        one, two, three = map(self.ring, (1, 2, 3))
        # One stage: copy, work, copy, ... Three: whatever takes longer, which are the copies.
        self.assertGreater(one / two, 1.4)
        self.assertGreater(two, three)
        self.assertLess(three / CLOCK * 1e6, 1.3 * self.row["roofline"]["limits_us"]["dram"])

    def test_cluster(self):
        # Warps that come early wait for those of the other block.
        body = "  setp.eq.u32 %p2, %r2, 0;\n  @%p2 bra OVER;\n" + "  fma.rn.f32 %f0, %f0, %f0, %f0;\n" * 500 + """OVER:
  barrier.cluster.arrive.aligned;
  barrier.cluster.wait.aligned;
  add.f32 %f0, %f0, %f0;
""" + STORE
        self.between(self.run_kernel(body, grid=2, block=64, cluster=2), 2000, 3000)
        self.assertGreater(self.share("barrier"), 0.2)
        # Behind the barrier its lanes go on one by one, and are a warp all the same: 4 warps, once each.
        self.assertEqual(self.row["warp_instructions"]["f32"], 500 * 2 + 4)

    def test_async_stores(self):
        # Block 1 works, and stores then into block 0, which waits for the bytes of all lanes.
        body = """  mov.u32 %r6, bars;
  mov.u32 %r4, tile;
  setp.ne.u32 %p2, %r0, 0;
  @%p2 bra MADE;
  mbarrier.init.shared.b64 [%r6], 1;
  mbarrier.arrive.expect_tx.shared.b64 _, [%r6], 128;
MADE:
  barrier.cluster.arrive.aligned;
  barrier.cluster.wait.aligned;
  setp.eq.u32 %p2, %r2, 0;
  @%p2 bra WAIT;
""" + "  fma.rn.f32 %f0, %f0, %f0, %f0;\n" * 500 + """  mapa.shared::cluster.u32 %r7, %r6, 0;
  mapa.shared::cluster.u32 %r8, %r4, 0;
  st.async.weak.shared::cluster.mbarrier::complete_tx::bytes.u32 [%r8], %r0, [%r7];
  bra END;
WAIT:
  mbarrier.try_wait.parity.shared.b64 %p3, [%r6], 0;
  @!%p3 bra WAIT;
END:
  barrier.cluster.arrive.aligned;
  barrier.cluster.wait.aligned;
""" + STORE
        self.between(self.run_kernel(body, grid=2, block=32, cluster=2), 2000 + 190, 2000 + 1200)
        self.assertGreater(self.share("shared"), 0.2)


def statistics():
    return json.loads(DRIVER.library.dsccSimStatistics(b"json").decode())


if __name__ == "__main__":
    DRIVER = cuda.Driver(sys.argv.pop(1))
    DRIVER.library.dsccSimStatistics.restype = ctypes.c_char_p
    unittest.main()
