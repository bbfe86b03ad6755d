"""Transposes in place against ONNX Runtime: attention, and random graphs of products, transposes, reshapes and parts.

    python transposes_test.py             as the tests run it
    python transposes_test.py 100 250     the random graphs of these seeds only

Each graph is compiled once, with its batch and length left open, and runs on the CPU and in the simulator, which checks
every access; at a length of 1, where transposes move nothing, and at others.
"""

import math
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

import numpy as np

from graph_builder import GraphBuilder
from windows_test import check_sizes

SEEDS = range(12)
SIZES = [(1, 1), (2, 1), (1, 7), (3, 18)]  # batch and length
WIDTH, HEADS = 24, 3


def attention(build, x):
    """As exporters write it: the key's transpose goes to [batch, heads, size, length]."""
    def heads(permutation):
        projected = build.node("MatMul", x, build.weight((WIDTH, WIDTH)))
        split = build.node("Reshape", projected, build.integers(0, 0, HEADS, WIDTH // HEADS))
        return build.node("Transpose", split, perm=permutation)

    scores = build.node("MatMul", heads([0, 2, 1, 3]), heads([0, 2, 3, 1]))
    mixed = build.node("MatMul", build.node("Softmax", scores, axis=-1), heads([0, 2, 1, 3]))
    joined = build.node("Reshape", build.node("Transpose", mixed, perm=[0, 2, 1, 3]), build.integers(0, 0, WIDTH))
    return build.node("Add", x, build.node("MatMul", joined, build.weight((WIDTH, WIDTH))))


def joint_attention(build, x):
    """One projection for all three, of which each takes a part; returned before and after the merge."""
    projected = build.node("MatMul", x, build.weight((WIDTH, 3 * WIDTH)))
    parts = build.node("Split", projected, build.integers(WIDTH, WIDTH, WIDTH), outputs=3, axis=2)
    query, key, value = (
        build.node("Transpose", build.node("Reshape", part, build.integers(0, 0, HEADS, WIDTH // HEADS)), perm=[0, 2, 1, 3])
        for part in parts)
    scores = build.node("MatMul", query, build.node("Transpose", key, perm=[0, 1, 3, 2]))
    mixed = build.node("MatMul", build.node("Softmax", scores, axis=-1), value)
    turned = build.node("Transpose", mixed, perm=[0, 2, 1, 3])
    turned = build.output(turned, "turned", None)
    return build.node("Reshape", turned, build.integers(0, 0, WIDTH))


class RandomGraph:
    """Tensors as (name, dims); a dim is "batch", "length" or a number, each name in exactly one of them."""

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)
        self.build = GraphBuilder(opset=17, seed=seed)
        self.values = [(self.build.input("x", np.float32, ["batch", "length", WIDTH]), ["batch", "length", WIDTH])]
        kinds = 3 * ["linear"] + 3 * ["transpose"] + ["split", "merge", "part", "elementwise", "rows", "join"]
        while len(self.values) < 20:
            getattr(self, str(self.random.choice(kinds)))()
        used = {name for node in self.build._nodes for name in node.input}
        for number, (name, _) in enumerate(self.values[1:]):
            if name not in used or self.random.random() < 0.1:
                self.build.output(name, f"y{number}", None)

    def pick(self, accepts=lambda dims: True):
        fitting = [value for value in self.values[-5:] if accepts(value[1])]
        return fitting[int(self.random.integers(len(fitting)))] if fitting else None

    def linear(self):
        if found := self.pick(lambda dims: isinstance(dims[-1], int)):
            x, dims = found
            columns = int(self.random.choice([dims[-1], 4, 24]))
            self.values.append((self.build.node("MatMul", x, self.build.weight((dims[-1], columns))), dims[:-1] + [columns]))

    def transpose(self):
        x, dims = self.pick()
        moved = len(dims) - (self.random.random() < 0.8)
        permutation = [int(axis) for axis in self.random.permutation(moved)] + list(range(moved, len(dims)))
        y = self.build.node("Transpose", x, perm=permutation)
        self.values.append((y, [dims[axis] for axis in permutation]))

    def reshape(self, x, dims):
        numbers = self.build.node("Concat", *(
            self.build.integers(dim) if isinstance(dim, int) else self.sizes(dim) for dim in dims), axis=0)
        self.values.append((self.build.node("Reshape", x, numbers), dims))

    def sizes(self, name):
        shape, axis = self.build.node("Shape", "x"), ["batch", "length"].index(name)
        return self.build.node("Slice", shape, self.build.integers(axis), self.build.integers(axis + 1))

    def split(self):
        """A dim becomes two."""
        x, dims = self.pick()
        places = [i for i, dim in enumerate(dims) if isinstance(dim, int) and dim % 4 == 0 and dim > 4]
        if places and len(dims) < 6:
            i = int(self.random.choice(places))
            inner = int(self.random.choice([2, 4, dims[i] // 4]))
            self.reshape(x, dims[:i] + [dims[i] // inner, inner] + dims[i + 1:])

    def merge(self):
        """Two dims become one."""
        x, dims = self.pick()
        places = [i for i in range(len(dims) - 1) if isinstance(dims[i], int) and isinstance(dims[i + 1], int)]
        if places and len(dims) > 3:
            i = int(self.random.choice(places))
            self.reshape(x, dims[:i] + [dims[i] * dims[i + 1]] + dims[i + 2:])

    def part(self):
        x, dims = self.pick()
        places = [i for i, dim in enumerate(dims) if isinstance(dim, int) and dim >= 8]
        if places:
            i = int(self.random.choice(places))
            sizes = (4, dims[i] - 4)
            for y, size in zip(self.build.node("Split", x, self.build.integers(*sizes), outputs=2, axis=i), sizes):
                self.values.append((y, dims[:i] + [size] + dims[i + 1:]))

    def elementwise(self):
        x, dims = self.pick()
        alike = [name for name, other in self.values if other == dims]
        y = alike[int(self.random.integers(len(alike)))]
        kind = str(self.random.choice(["Add", "Sigmoid", "Relu"]))
        self.values.append((self.build.node(kind, x, y) if kind == "Add" else self.build.node(kind, x), dims))

    def rows(self):
        x, dims = self.pick()
        self.values.append((self.build.node("Softmax", x, axis=int(self.random.integers(len(dims)))), dims))

    def join(self):
        """With itself, or with what has the same dims."""
        x, dims = self.pick()
        places = [i for i, dim in enumerate(dims) if isinstance(dim, int)]
        if math.prod(dims[i] for i in places) < 1000:
            i = int(self.random.choice(places))
            alike = [name for name, other in self.values if other == dims]
            y = alike[int(self.random.integers(len(alike)))]
            self.values.append((self.build.node("Concat", x, y, axis=i), dims[:i] + [2 * dims[i]] + dims[i + 1:]))


def count_in_place(path):
    module = subprocess.run(["dscc", path, "--until=grouped", "-o", "-", "--march=x86-64-v3", "--arch=sm_80"],
                            capture_output=True, text=True, check=True).stdout
    return sum("dsc.transpose" in line and "in_place" in line for line in module.splitlines())


class Transposes(unittest.TestCase):
    def test_attention(self):
        # On each of two targets. But for the keys of the first: their last dim is another one.
        for name, write, in_place in (("split", attention, 3 + 3), ("joint", joint_attention, 4 + 4)):
            with self.subTest(name=name), tempfile.TemporaryDirectory() as folder:
                build = GraphBuilder(opset=17, seed=3)
                y = write(build, build.input("x", np.float32, ["batch", "length", WIDTH]))
                build.output(y, "y", None)
                path = build.save(pathlib.Path(folder) / f"{name}.onnx")
                self.assertEqual(count_in_place(path), in_place)
                check_sizes(self, path, ["batch", "length", WIDTH], 1, SIZES)
                # With matrix instructions, for which operands are copied from where they lie.
                check_sizes(self, path, ["batch", "length", WIDTH], 1, SIZES[-2:], "--precision=fp16", tolerance=1e-2)

    def test_random_graphs(self):
        in_place = 0
        with tempfile.TemporaryDirectory() as folder:
            for seed in SEEDS:
                with self.subTest(seed=seed):
                    path = RandomGraph(seed).build.save(pathlib.Path(folder) / f"random{seed}.onnx")
                    check_sizes(self, path, ["batch", "length", WIDTH], seed, SIZES)
                    in_place += count_in_place(path)
        self.assertGreater(in_place, len(SEEDS) // 2)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        SEEDS = range(int(sys.argv.pop(1)), int(sys.argv.pop(1)))
        unittest.main(defaultTest="Transposes.test_random_graphs")
    unittest.main()
