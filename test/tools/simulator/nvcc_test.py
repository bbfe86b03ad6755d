"""Programs that nvcc has compiled, at odd sizes: right results, and not a word from the checks."""

import ctypes
import itertools
import os
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

import ml_dtypes
import numpy as np

import nvcc
from nvcc import SIZES, Out, blocks_for


class ProgramTest(unittest.TestCase):
    def run_kernel(self, *arguments, **options):
        said = PROGRAMS.run(*arguments, **options)
        self.assertEqual((said.text, said.fault), ("", None), (arguments[:2], self.case))

    case = None

    def each(self, names, values):
        for self.case in itertools.product(names, values):
            yield *self.case, np.random.default_rng(7)

    def equal(self, got, expected):
        np.testing.assert_array_equal(got, expected, err_msg=str(self.case))


class Blocks(ProgramTest):
    """Programs in which the threads of a block work together."""

    def test_scan(self):
        for name, n, random in self.each(["scan", "scan-O0"], SIZES):
            array, blocks = random.integers(-1000, 1000, n).astype(np.int32), blocks_for(n, 256)
            out, totals = Out(np.int32, n), Out(np.int32, blocks)
            self.run_kernel(name, "scanBlocks", blocks, 256, array, out, totals, n)
            self.run_kernel(name, "scanTotals", 1, 256, totals.array, blocks)
            self.run_kernel(name, "addTotals", blocks, 256, out.array, totals.array, n)
            self.equal(out.array, np.cumsum(array))

    def test_scan_in_one_pass(self):
        for name, n, random in self.each(["scan", "scan-O0"], SIZES):
            array, blocks = random.integers(-1000, 1000, n).astype(np.int32), blocks_for(n, 256)
            out = Out(np.int32, n)
            flags, ticket = np.zeros(blocks, np.int32), np.zeros(1, np.int32)
            self.run_kernel(name, "scanChained", blocks, 256, array, out, Out(np.int32, blocks), flags, ticket, n)
            self.equal(out.array, np.cumsum(array))

    def test_histogram(self):
        for kernel, n, random in self.each(["countShared", "countGlobal"], SIZES):
            array, bins = random.integers(0, 256, n).astype(np.uint8), np.zeros(64, np.uint32)
            self.run_kernel("histogram", kernel, 3, 96, array, bins, n)
            self.equal(bins, np.bincount(array % 64, minlength=64))

    def test_atomics(self):
        for _, n, random in self.each(["histogram"], SIZES):
            array = random.integers(-1000, 1000, n).astype(np.int32)
            ints = np.array([3, 4, 2**31 - 1, -2**31], np.int32)
            words = np.array([2**32 - 1, 0, 2**32 - 1, 0, 5, 0, 0, 1], np.uint32)
            wide = np.zeros(5, np.uint64)
            single, double = np.zeros(1, np.float32), np.zeros(1)
            self.run_kernel("histogram", "combine", blocks_for(n, 128), 128, array, ints, words, wide, single, double, n)
            x, unsigned = array.astype(np.int64), array.view(np.uint32)
            self.equal(ints, [3 + x.sum(), 4 - x.sum(), x.min(), x.max()])
            product = 1
            for value in x:
                product = product * int(2 * value + 1) % 2**32
            # Inc goes from 0 to 6 and around, dec from 4 to 0.
            self.equal(words, [unsigned.min(), unsigned.max(), np.bitwise_and.reduce(unsigned),
                               np.bitwise_or.reduce(unsigned), np.bitwise_xor.reduce(unsigned) ^ 5, n % 7, -n % 5,
                               product])
            both, least = int(np.bitwise_xor.reduce(unsigned)) * 0x100000001, min(0, int(x.min()))
            self.equal(wide, np.array([int(x.sum()) % 2**64, int(unsigned.max()), both, least * 2**20 % 2**64,
                                       int((unsigned % 7).sum())], np.uint64))
            self.equal([single[0], double[0]], [x.sum(), x.sum()])

    def test_transpose(self):
        for name, (rows, columns), random in self.each(["transpose", "transpose-O0"],
                                                       [(1, 1), (31, 33), (33, 31), (1, 255), (65, 7), (100, 129)]):
            array, out = random.standard_normal((rows, columns)).astype(np.float32), Out(np.float32, columns, rows)
            self.run_kernel(name, "transpose", (blocks_for(columns, 32), blocks_for(rows, 32)), (32, 8), array, out, rows,
                            columns)
            self.equal(out.array, array.T)

    def test_sums(self):
        for kernel, n, random in self.each(["sumFloats", "sumDoubles", "sumInts", "sumLongs"], SIZES):
            dtype = {"sumFloats": np.float32, "sumDoubles": np.float64, "sumInts": np.int32, "sumLongs": np.int64}[kernel]
            isFloat = np.issubdtype(dtype, np.floating)
            array = random.standard_normal(n).astype(dtype) if isFloat else random.integers(-10**6, 10**6, n).astype(dtype)
            out = Out(dtype, 3)
            self.run_kernel("reduce", kernel, 3, 160, array, out, n)
            exact = array.astype(np.float64 if isFloat else np.int64).sum()
            # Each of n additions rounds once.
            bound = np.finfo(dtype).eps * n * np.abs(array).max() if isFloat else 0
            self.assertLessEqual(abs(out.array.astype(exact.dtype).sum() - exact), bound)

    def test_warp_reductions(self):
        for _, n, random in self.each(["reduce"], SIZES):
            array, warps = random.integers(-2**31, 2**31, n).astype(np.int32), blocks_for(n, 32)
            out = Out(np.int32, warps, 8)
            self.run_kernel("reduce", "reduceWarps", warps, 32, array, out, n)
            for warp in range(warps):
                part = array[32 * warp:32 * warp + 32]
                word = part.view(np.uint32)
                sums = [part.sum(dtype=np.int32), part.min(), part.max(), word.min(), word.max(),
                        np.bitwise_and.reduce(word), np.bitwise_or.reduce(word), np.bitwise_xor.reduce(word)]
                self.equal(out.array[warp].view(np.uint32), [int(value) % 2**32 for value in sums])

    def test_shuffles(self):
        for _, width, random in self.each(["reduce"], (2, 4, 8, 16, 32)):
            array, out = random.integers(0, 1000, 32).astype(np.int32), Out(np.int32, 4, 32)
            self.run_kernel("reduce", "shuffles", 1, 32, array, out, width)
            lane = np.arange(32)
            below, down = lane % 16 >= 2, lane % width + 5 < width
            self.equal(out.array, [array[lane // 8 * 8 + 3], np.where(below, array[lane - 2], array),
                                   np.where(down, array[(lane + 5) % 32], array),
                                   array[lane // width * width + array % width]])

    def test_pipeline(self):
        for _, tiles, random in self.each(["async"], (1, 2, 5)):
            array, out = random.standard_normal((tiles, 512)).astype(np.float32), Out(np.float32, tiles, 512)
            self.run_kernel("async", "addMirrored", 1, 128, array, out, tiles)
            self.equal(out.array, array + array[:, ::-1])

    def test_padded_copies(self):
        for _, n, random in self.each(["async"], (1, 31, 33, 127, 128, 255, 511, 512)):
            array, out = random.standard_normal(n).astype(np.float32), Out(np.float32, 5, 128)
            self.run_kernel("async", "copyPadded", 1, 128, array, out, n)
            padded = np.zeros(512, np.float32)
            padded[:n] = array
            self.equal(out.array, np.vstack([padded[None, 127::-1], padded.reshape(4, 128)]))


class Warps(ProgramTest):
    NAMES = ["warps", "warps-O0"]

    def test_filter(self):
        for name, n, random in self.each(self.NAMES, SIZES):
            array, out, count = random.integers(-50, 50, n).astype(np.int32), Out(np.int32, n), np.zeros(1, np.int32)
            self.run_kernel(name, "filterPositive", blocks_for(n, 96), 96, array, out, count, n)
            kept = array[array > 0]
            self.assertEqual(count[0], len(kept))
            self.equal(np.sort(out.array[:len(kept)]), np.sort(kept))

    def test_keys(self):
        for name, n, random in self.each(self.NAMES, SIZES):
            keys, counts = random.integers(0, 10, n).astype(np.int32), np.zeros(10, np.int32)
            self.run_kernel(name, "countKeys", blocks_for(n, 96), 96, keys, counts, n)
            self.equal(counts, np.bincount(keys, minlength=10))

    def test_votes(self):
        ballot = lambda which: sum(1 << lane for lane in range(32) if which[lane])
        for name, low, random in self.each(self.NAMES, (0, 10, 11)):
            array, out = random.integers(low, 14, 32).astype(np.int64), Out(np.uint32, 7, 32)
            array[5] += 2**32 if low == 0 else 0
            self.run_kernel(name, "votes", 1, 32, array, out)
            isEqual = (array >> 32 == array[0] >> 32).all()
            halves = [ballot((array & 2 != 0) & (np.arange(32) % 2 == parity)) for parity in (0, 1)]
            self.equal(out.array, [[(array > 10).any()] * 32, [(array > 10).all()] * 32,
                                   [0xffffffff if isEqual else 0] * 32, [isEqual] * 32, [ballot(array & 1)] * 32,
                                   [ballot(array == value) for value in array], halves * 16])

    def test_counting_barriers(self):
        for name, n, random in self.each(self.NAMES, SIZES):
            array, blocks = random.integers(-1, 100, n).astype(np.int32), blocks_for(n, 96)
            out = Out(np.int32, blocks, 3)
            self.run_kernel(name, "countBlock", blocks, 96, array, out, n)
            parts = [array[96 * block:96 * block + 96] for block in range(blocks)]
            self.equal(out.array, [[(part % 2 == 0).sum(), (part > 0).all(), (part > 90).any()] for part in parts])


class Matrices(ProgramTest):
    """wmma: name, shape of a tile, types of operands and sums, whether A and B are stored by columns."""

    ROWS = [("halfRowCol", 16, 16, 16, np.float16, np.float32, False, True),
            ("halfRowRow", 16, 16, 16, np.float16, np.float32, False, False),
            ("halfColCol", 16, 16, 16, np.float16, np.float32, True, True),
            ("halfTall", 32, 8, 16, np.float16, np.float32, False, True),
            ("halfWide", 8, 32, 16, np.float16, np.float32, True, False),
            ("halfSum", 16, 16, 16, np.float16, np.float16, False, True),
            ("bfloatRowCol", 16, 16, 16, ml_dtypes.bfloat16, np.float32, False, True),
            ("bfloatColRow", 8, 32, 16, ml_dtypes.bfloat16, np.float32, True, False),
            ("signedBytes", 16, 16, 16, np.int8, np.int32, False, True),
            ("bytes", 32, 8, 16, np.uint8, np.int32, True, True),
            ("doubles", 8, 8, 4, np.float64, np.float64, False, True),
            ("tensorFloats", 16, 16, 8, np.float32, np.float32, False, True)]

    def random(self, random, dtype, shape):
        if np.issubdtype(dtype, np.integer):
            information = np.iinfo(dtype)
            least, most = max(information.min, -10**6), min(information.max, 10**6)
            return random.integers(least, most, shape, endpoint=True).astype(dtype)
        return random.standard_normal(shape).astype(dtype)

    def test_products(self):
        for row, tiles, random in self.each(self.ROWS, (1, 3)):
            name, tileM, tileN, tileK, dtype, sum_type, columnA, columnB = row
            m, n, k = 2 * tileM * tiles, tileN * tiles, 5 * tileK
            a, b = self.random(random, dtype, (m, k)), self.random(random, dtype, (k, n))
            c = self.random(random, sum_type, (m, n))
            if name == "tensorFloats": # 10 bits of the mantissa count
                a, b = ((x.view(np.uint32) & 0xffffe000).view(np.float32) for x in (a, b))
            exact = a.astype(np.float64) @ b.astype(np.float64) + c.astype(np.float64)
            stored = lambda x, by_columns: np.ascontiguousarray(x.T if by_columns else x)
            self.run_kernel("wmma", name, (n // tileN, m // tileM), 32, stored(a, columnA), stored(b, columnB), c, m, n,
                            k)
            eps = 0 if sum_type == np.int32 else np.finfo(sum_type).eps
            self.assertLessEqual(np.abs(c - exact).max(), 4 * eps * np.abs(exact).max())

    def test_saturation(self):
        random = np.random.default_rng(2)
        a, b = (random.integers(-128, 128, (16, 16)).astype(np.int8) for _ in range(2))
        c = random.choice(np.array([2**31 - 1, -2**31, 0], np.int32), (16, 16))
        wrapped, clamped = Out(np.int32, 16, 16), Out(np.int32, 16, 16)
        self.run_kernel("wmma", "saturated", 1, 32, a, b, c, wrapped, clamped)
        exact = a.astype(np.int64) @ b.astype(np.int64) + c
        self.equal(wrapped.array, exact.astype(np.int32))
        self.equal(clamped.array, np.clip(exact, -2**31, 2**31 - 1))

    def test_through_shared_memory(self):
        random = np.random.default_rng(1)
        a, b = (random.standard_normal((16, 64)).astype(np.float16) for _ in range(2))
        out = Out(np.float32, 16, 64)
        self.run_kernel("wmma", "throughShared", 1, 32, a, b, out, 64)
        exact = a[:, :16].astype(np.float64) @ b[:, :16].astype(np.float64) + 1
        np.testing.assert_allclose(out.array[:, :16], exact, rtol=0, atol=2e-5)


class Segment(ctypes.Structure):
    _fields_ = [("begin", ctypes.c_double), ("end", ctypes.c_double), ("parts", ctypes.c_int), ("tag", ctypes.c_short)]


class Calls(ProgramTest):
    def test_through_a_table(self):
        for _, n, random in self.each(["calls"], SIZES):
            array, which = random.standard_normal(n).astype(np.float32), random.integers(0, 3, n).astype(np.int32)
            out = Out(np.float32, n)
            self.run_kernel("calls", "callThroughTable", blocks_for(n, 64), 64, array, which, out, n)
            results = [array + np.float32(3), array * np.float32(3), array * (array * array)]
            self.equal(out.array, np.choose(which, results))

    def test_virtual(self):
        for _, n, random in self.each(["calls"], SIZES):
            array, out = random.integers(1, 100, n).astype(np.float32), Out(np.float32, n)
            self.run_kernel("calls", "callVirtual", blocks_for(n, 64), 64, array, out, n)
            self.equal(out.array, np.where(np.arange(n) % 3, array * array + 4, 3 * array * array))

    def test_recursion(self):
        fibonacci = [0, 1]
        while len(fibonacci) < 15:
            fibonacci.append(fibonacci[-1] + fibonacci[-2])
        for _, n, random in self.each(["calls"], (1, 31, 33, 255)):
            array, out = random.integers(0, 1000, n).astype(np.uint32), Out(np.uint32, n, 2)
            self.run_kernel("calls", "recurse", blocks_for(n, 64), 64, array, out, n)
            self.equal(out.array[:, 0], np.array(fibonacci)[array % 15])
            self.equal(out.array[:, 1], 2 * (array % 6) + 3)

    def test_deep_recursion(self):
        for _, depth, random in self.each(["calls"], (0, 1, 100, 500)):
            array, out = random.integers(-1, 2, 64).astype(np.float32), Out(np.float32, 64)
            self.run_kernel("calls", "descend", 1, 64, array, out, depth)
            self.equal(out.array, array**depth)

    def test_structs(self):
        offset = (ctypes.c_float * 3)(1, 10, 100)
        for _, n, _ in self.each(["calls"], SIZES):
            out = Out(np.float32, n)
            self.run_kernel("calls", "passStructs", blocks_for(n, 64), 64, Segment(1, 9, 3, 4), offset, out, n)
            halvings = np.arange(n) % 5
            self.equal(out.array, 8 / 2.0**halvings + 3 * 2**halvings + 10 * (4 - halvings) + 100)

    def test_collective_behind_a_pointer(self):
        array, out = np.arange(64, dtype=np.float32), Out(np.float32, 64)
        self.run_kernel("calls", "callCollective", 1, 64, array, out)
        self.equal(out.array, array[63 - (np.arange(64) ^ 1)])

    def test_printf(self):
        array, saved = np.array([5, -6], np.int32), os.dup(1)
        with tempfile.TemporaryFile() as file:
            os.dup2(file.fileno(), 1)
            try:
                self.run_kernel("calls", "say", 1, 2, array, ctypes.c_longlong(-2**40), ctypes.c_double(2.5))
            finally:
                os.dup2(saved, 1)
                os.close(saved)
            file.seek(0)
            said = file.read().decode().splitlines()
        lines = ["%d of two: %3d|%-4d|%04x, -1099511627776, 2.500 x 100%%" % (i, x, x, x % 2**32)
                 for i, x in enumerate(array.tolist())]
        self.assertEqual(sorted(said), lines)

    def test_heap(self):
        for _, n, _ in self.each(["calls"], (1, 31, 1000)):
            out = Out(np.int32, 40)
            self.run_kernel("calls", "useHeap", 1, 40, out, n)
            self.equal(out.array, n * (n - 1) // 2 * np.arange(40))

    def test_waiting_in_a_loop(self):
        for _, threads, _ in self.each(["calls"], (1, 33, 256)):
            out = Out(np.int32, threads)
            self.run_kernel("calls", "waitInLoop", 1, threads, np.zeros(1, np.int32), out)
            self.equal(out.array, [threads - 1] + [-1] * (threads - 1))

    def test_assertions_that_hold(self):
        array, out = np.arange(40, dtype=np.int32), Out(np.int32, 40)
        self.run_kernel("calls", "assertBelow", 1, 40, array, out, 40)
        self.equal(out.array, array)


class Memory(ProgramTest):
    NAMES = ["memory", "memory-O0"]

    def test_constants(self):
        for name, n, random in self.each(self.NAMES, SIZES):
            array, out = random.standard_normal(n).astype(np.float32), Out(np.float32, n)
            self.run_kernel(name, "polynomial", 2, 64, array, out, n)
            coefficients = np.array([0.5, -1, 2, 0.25, 3, -0.125, 1, 4])
            powers = array.astype(np.float64)[:, None] ** np.arange(8)
            error = np.abs(out.array - powers @ coefficients)
            self.assertTrue((error <= 1e-6 * (np.abs(powers) @ np.abs(coefficients))).all())

    def test_tables_and_pointers(self):
        table = np.arange(1, 13).reshape(4, 3)
        for name, n, random in self.each(self.NAMES, SIZES):
            array, out = random.integers(0, 1000, n).astype(np.int32), Out(np.int32, n)
            self.run_kernel(name, "lookUp", blocks_for(n, 64), 64, array, out, n)
            self.equal(out.array, table[array & 3, array % 3] + 5 + 6)

    def test_addresses_in_initial_values(self):
        # nvcc writes them whole; clang writes those of packed structs byte by byte.
        bytes_of = lambda name: ", ".join(f"0xFF{'00' * place}({name})" for place in range(8))
        PROGRAMS.modules["packed"] = PROGRAMS.driver.load(f""".version 8.0
.target sm_80
.address_size 64
.global .align 4 .u32 first = 41;
.global .align 4 .u32 second[2] = {{42, 43}};
.global .align 8 .b8 packed[18] = {{{bytes_of("first")}, {bytes_of("second")}, 8, 9}};
.global .align 8 .u64 plain[2] = {{second+4, generic(packed)}};
.visible .entry k(.param .u64 out)
{{
  .reg.b32 %r<4>;
  .reg.b64 %rd<6>;
  ld.param.u64 %rd1, [out];
  ld.global.u64 %rd2, [plain+8];
  ld.v2.u64 {{%rd3, %rd4}}, [%rd2];
  ld.u32 %r1, [%rd3];
  ld.u32 %r2, [%rd4];
  st.global.v2.u32 [%rd1], {{%r1, %r2}};
  ld.u8 %r1, [%rd2+17];
  ld.global.u64 %rd5, [plain];
  ld.global.u32 %r2, [%rd5];
  st.global.v2.u32 [%rd1+8], {{%r1, %r2}};
  ret;
}}
""")
        out = Out(np.uint32, 4)
        self.run_kernel("packed", "k", 1, 1, out)
        self.equal(out.array, [41, 42, 9, 43])

    def test_dynamic_shared_memory(self):
        for name, n, random in self.each(self.NAMES, SIZES):
            array, out = random.integers(-1000, 1000, n).astype(np.int32), Out(np.int32, n)
            self.run_kernel(name, "sortBlock", blocks_for(n, 64), 64, array, out, n, shared=256)
            self.equal(out.array, np.concatenate([np.sort(array[i:i + 64]) for i in range(0, n, 64)]))

    def test_local_arrays(self):
        for name, n, random in self.each(self.NAMES, SIZES):
            array, out = random.integers(0, 2**32, n).astype(np.uint32), Out(np.uint32, n)
            self.run_kernel(name, "digits", blocks_for(n, 64), 64, array, out, n)
            for i, value in enumerate(array):
                code, text = 0, str(value).lstrip("0")
                for k in range(10):
                    code = code * 3 + text.count(str((k * 7 + i) % 10))
                self.assertEqual(out.array[i], code % 2**32)

    def test_widths(self):
        for name, threads, random in self.each(self.NAMES, (16, 64)):
            array, out = random.integers(-128, 128, 45 * threads).astype(np.int8), Out(np.int8, 45 * threads)
            last = np.arange(threads, dtype=np.int32)
            self.run_kernel(name, "widths", 1, threads, array, out, last)
            self.equal(out.array[:44 * threads], array[:44 * threads])
            self.equal(out.array[44 * threads:], array[44 * threads:] >> 1)
            self.equal(last, np.arange(threads) + 1)

    def test_switch(self):
        for name, n, random in self.each(self.NAMES, SIZES):
            array, out = random.integers(0, 10000, n).astype(np.int32), Out(np.int32, n)
            self.run_kernel(name, "dispatch", blocks_for(n, 64), 64, array, out, n)
            i = np.arange(n)
            ones = np.array([bin(x).count("1") for x in array])
            cases = [array * 3, array ^ i, (i - array) ** 2, i * i, ones, -np.ones(n, int), array // (i + 1), ~array]
            self.equal(out.array, np.choose(array % 8, cases))


class Clusters(ProgramTest):
    def setUp(self):
        if not nvcc.knows_clusters(PROGRAMS):
            self.skipTest("the simulator does not translate barrier.cluster, or the chip has none")

    def test_sum(self):
        for _, n, random in self.each(["cluster"], SIZES):
            clusters = blocks_for(n, 256)
            array, out = random.standard_normal(n).astype(np.float32), Out(np.float32, clusters, 64)
            self.run_kernel("cluster", "sumCluster", 4 * clusters, 64, array, out, n)
            padded = np.zeros(clusters * 256)
            padded[:n] = array
            np.testing.assert_allclose(out.array, padded.reshape(clusters, 4, 64).sum(axis=1), rtol=0, atol=2e-6)

    def test_rotate(self):
        array, out, counts = np.arange(3, 3 + 256, dtype=np.int32), Out(np.int32, 2, 2, 64), Out(np.int32, 2)
        self.run_kernel("cluster", "rotateCluster", 4, 64, array, out, counts)
        parts = array.reshape(2, 2, 64)
        self.equal(out.array, parts[:, ::-1])
        self.equal(counts.array, (parts % 3 == 0).sum(axis=(1, 2)))


if __name__ == "__main__":
    PROGRAMS = nvcc.Programs(sys.argv.pop(1))
    unittest.main()
