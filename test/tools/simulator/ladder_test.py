"""The steps by which a published product of matrices was made fast, in the model of time: their order, and about their size.

Prints for each step what the model says of 8192 x 8192 x 8192 and what is published. The published kernels ran on an H100
whose clock falls under such load, and the model's has its data sheet's: the last step, which both bring close to their
peaks, is the measure of that. Products of two smaller depths, on as many tiles for each multiprocessor as make some waves,
tell what the whole depth would take.
"""

import ctypes
import json
import sys
import unittest

sys.dont_write_bytecode = True

import numpy as np

import cuda
import ladder

MULTIPROCESSORS, LAUNCH_US, DEPTH = 132, 2.0, 8192
TILES = {64: 16, 128: 6, 256: 2}  # of a multiprocessor, by the tile's columns


class LadderTest(unittest.TestCase):
    modelled = 0  # us of all launches so far

    def run_step(self, step, down, across, depth, dtype=np.float16):
        """The product, of small whole numbers or zeros, and its time in us."""
        rows, columns = down * step.rows, across * step.columns
        random = np.random.default_rng(depth)
        a, b = ((random.integers(-2, 3, (count, depth)) if self.is_computed else np.zeros((count, depth))).astype(dtype)
                for count in (rows, columns))
        places = [DRIVER.upload(a), DRIVER.upload(b), DRIVER.upload(np.zeros((rows, columns), dtype))]
        maps = [DRIVER.tensor_map("f16", places[0], [depth, rows], [2 * depth], [64, step.rows], 3),
                DRIVER.tensor_map("f16", places[1], [depth, columns], [2 * depth], [64, step.columns // step.cluster], 3),
                DRIVER.tensor_map("f16", places[2], [columns, rows], [2 * columns], [64, 64], 3)]
        function = DRIVER.function(DRIVER.load(step.text()), "gemm")
        DRIVER.call("cuFuncSetAttribute", function, 8, step.shared)
        numbers = [ctypes.c_int32(number) for number in (depth, across, down * across)]
        said = DRIVER.launch(function, [step.blocks(down * across, MULTIPROCESSORS)], [step.threads], [*maps, places[2], *numbers],
                             shared=step.shared)
        self.assertEqual((said.text, said.fault), ("", None))
        self.got = DRIVER.download(places[2], dtype, (rows, columns)) if self.is_computed else None
        self.expected = a.astype(np.float32) @ b.astype(np.float32).T if self.is_computed else None
        for place in places:
            DRIVER.free(place)
        total = json.loads(DRIVER.library.dsccSimStatistics(b"json").decode())["total"]["time"]["modelled_us"]
        LadderTest.modelled, before = total, LadderTest.modelled
        return total - before - LAUNCH_US

    def test_products(self):
        self.is_computed = True
        for step, _ in ladder.STEPS:
            with self.subTest(step=step.name):
                self.run_step(step, 4, 2, 192)
                self.assertEqual(np.abs(self.got - self.expected).max(), 0)

    def test_ladder(self):
        self.is_computed = False
        rates = []
        for step, _ in ladder.STEPS:
            across = 12
            down = MULTIPROCESSORS * TILES[step.columns] // across
            half, whole = (self.run_step(step, down, across, depth) for depth in (512, 1024))
            time = whole + (DEPTH - 1024) / 512 * (whole - half)
            rates.append(2 * down * step.rows * across * step.columns * DEPTH / time / 1e6)
        clock = ladder.STEPS[-1][1] / rates[-1]
        for (step, published), rate in zip(ladder.STEPS, rates):
            print(f"ladder: {step.name:<20} {rate:6.0f} TFLOP/s, {rate * clock:4.0f} at the last step's clock; published {published}")
        for (step, published), rate, last in zip(ladder.STEPS, rates, [0, *rates]):
            with self.subTest(step=step.name):
                # What comes later is no slower, and no step is a quarter away from what is published.
                self.assertGreater(rate, 0.98 * last)
                self.assertLess(abs(rate * clock / published - 1), 0.25)
        self.assertGreater(rates[-1], 2.5 * rates[0])


if __name__ == "__main__":
    DRIVER = cuda.Driver(sys.argv.pop(1))
    DRIVER.library.dsccSimStatistics.restype = ctypes.c_char_p
    unittest.main()
