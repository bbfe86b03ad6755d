"""Products by wgmma against double precision, in the simulator with all its checks.

Every kind of schedule is forced, at sizes around the tiles' edges and with operands that lie in every way. The counts of
what a kernel does are those of the problem: each product once, and no conflicts of banks.
"""

import json
import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

import numpy as np

from forced_tiles import ForcedTiles, product_text

NUMBERS = ("rows", "columns", "stages", "warpgroups", "parts", "cluster", "persistent", "multicast")
WAYS = [
    (64, 64, 4, 1, 1, 0, 0, 1),
    (128, 256, 3, 2, 1, 0, 0, 1),
    (128, 256, 3, 2, 1, 0, 0, 2),
    (128, 128, 4, 2, 1, 0, 1, 1),
    (64, 128, 3, 1, 1, 0, 1, 4),
    (256, 64, 2, 4, 1, 0, 0, 1),
    (128, 128, 3, 1, 1, 0, 0, 1),
    (64, 96, 3, 1, 3, 0, 0, 1),
    (128, 48, 2, 2, 8, 0, 0, 1),
    (128, 128, 4, 2, 4, 1, 0, 1),
    (64, 96, 3, 1, 8, 1, 0, 1),
    (64, 128, 3, 1, 2, 1, 0, 4),
]
# Rows, inner dim and columns; maps want rows of operands at multiples of 16 bytes.
SIZES = [(1, 8, 8), (63, 64, 24), (65, 72, 136), (129, 200, 264), (8, 136, 1032), (257, 328, 56)]


def schedule(way):
    return "warpgroup_tiles, " + ", ".join(f"{name} = {number}" for name, number in sorted(zip(NUMBERS, way)))


class WarpgroupTiles(ForcedTiles):
    def check(self, folder, way, size, transposed, element="f16", result=None, options=()):
        _, _, text = product_text(*size, transposed, element, result or element)
        done = self.force(folder, text, schedule(way), "sm_90a")
        self.assertEqual(done.returncode, 0, done.stderr)
        return self.check_product(folder, size, transposed, "sm_90a", element, options)

    def test_forced(self):
        with tempfile.TemporaryDirectory() as folder:
            for number, way in enumerate(WAYS):
                for place, size in enumerate(SIZES):
                    # Rows of an operand that lies along its places are as long as the matrix, all others as K.
                    transposed = ("", "A", "B", "AB")[(number + place) % 4]
                    if "A" in transposed and size[0] % 8:
                        transposed = transposed.replace("A", "")
                    with self.subTest(way=way, size=size, transposed=transposed):
                        self.check(pathlib.Path(folder), way, size, transposed,
                                   options=[f"--sim-seed={number * len(SIZES) + place}"])

    def test_results(self):
        """Results of other types leave by slabs, and bf16 is a type of its own."""
        with tempfile.TemporaryDirectory() as folder:
            for way in (WAYS[0], WAYS[3], WAYS[9]):
                with self.subTest(way=way):
                    self.check(pathlib.Path(folder), way, (65, 72, 136), "", result="f32")
                    self.check(pathlib.Path(folder), way, (129, 72, 136), "B", element="bf16", result="f32")

    def test_counts(self):
        """Of ways whose results leave by bulk copies."""
        rows, inner, columns = size = (256, 512, 256)
        with tempfile.TemporaryDirectory() as folder:
            for way in (WAYS[0], WAYS[1], WAYS[3], WAYS[4]):
                for transposed in ("", "AB"):
                    told = self.check(pathlib.Path(folder), way, size, transposed,
                                      options=["--stats=json", "--sim-check=none"])
                    kernel = json.loads(told[told.index("{"):])["statistics"]["kernels"][0]
                    with self.subTest(way=way, transposed=transposed):
                        tiles = -(-columns // way[1]) * way[1] / columns
                        self.assertEqual(kernel["flop"]["tensor_f16"], 2 * rows * inner * columns * tiles)
                        shared = kernel["memory"]["shared"]
                        for access in ("load", "store"):
                            if access in shared:
                                self.assertLess(shared[access]["wavefronts"],
                                                1.1 * shared[access]["ideal_wavefronts"], access)


if __name__ == "__main__":
    unittest.main()
