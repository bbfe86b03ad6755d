"""Convolutions and pools with their channels last, at odd sizes, against ONNX Runtime.

Those of KINDS are written as text, with constant filters, so that nobody chooses their layout: on both levels of CPUs
and, every fourth of them, in the simulator. Whole graphs go the usual way, with their batch, height and width left open: there the test sees
that the channels were moved.
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

from graph_builder import GraphBuilder

TOLERANCE = 2e-5  # of the largest number of an output
TARGETS = {"cpu_v4": (["--target=cpu", "--march=x86-64-v4"], ["--device=cpu", "--threads=2"]),
           "cpu_v3": (["--target=cpu", "--march=x86-64-v3"], ["--device=cpu", "--threads=2"]),
           "sim": (["--target=cuda", "--arch=sm_80"], ["--device=sim", "--sim-chip=sm_80", "--sim-check=all"])}


class Window:
    """A convolution, or with `pool` the op of a pool; sizes, windows and so on one number a spatial dim."""

    def __init__(self, batch, taken, made, sizes, window, strides=None, dilations=None, pads=None, groups=1, pool=None,
                 more="", like=None):
        rank = len(sizes)
        self.batch, self.taken, self.made, self.sizes, self.window = batch, taken, made, sizes, window
        self.strides, self.dilations, self.pads = strides or [1] * rank, dilations or [1] * rank, pads or [0] * 2 * rank
        self.groups, self.pool, self.more, self.like = groups, pool, more, like or {}

    def filter(self):
        dims = (self.made, self.taken // self.groups, *self.window)
        random = np.random.default_rng(dims)
        return (random.standard_normal(dims) / np.prod(dims[1:]) ** 0.5).astype(np.float32)

    def expect(self, image):
        attributes = {"kernel_shape": self.window, "strides": self.strides, "dilations": self.dilations, "pads": self.pads}
        if self.pool:
            name = {"max_pool": "MaxPool", "average_pool": "AveragePool"}[self.pool]
            node = helper.make_node(name, ["x"], ["y"], **attributes, **self.like)
        else:
            node = helper.make_node("Conv", ["x", "w"], ["y"], **attributes, group=self.groups)
        weights = [] if self.pool else [onnx.numpy_helper.from_array(self.filter(), "w")]
        graph = helper.make_graph([node], "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, image.shape)],
                                  [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)], weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9)
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        return session.run(None, {"x": image})[0]

    def text(self, number, result):
        """Its lines within a function of which %x and a number is the image."""
        x, y = tensor(to_last_dims(self.batch, self.taken, self.sizes)), tensor(result)
        shape = f"strides = {self.strides}, dilations = {self.dilations}, pads = {self.pads}"
        if self.pool:
            return f"%y{number} = dsc.{self.pool} %x{number} {{channels_last, window = {list(self.window)}, {shape}{self.more}}}" \
                f" : ({x}) -> {y}"
        rank = len(self.sizes)
        weights = self.filter().transpose(*range(2, rank + 2), 1, 0)
        w = tensor(weights.shape)
        return f'%w{number} = dsc.constant dense<"0x{np.ascontiguousarray(weights).tobytes().hex().upper()}"> : {w}\n' \
            f"%c{number} = dsc.conv %x{number}, %w{number} {{channels_last, {shape}, groups = {self.groups}}}" \
            f" : ({x}, {w}) -> {y}\n%y{number} = dsc.relu %c{number} : ({y}) -> {y}"


def tensor(dims):
    return f"tensor<{''.join(f'{dim}x' for dim in dims)}f32>"


def to_last_dims(batch, channels, sizes):
    return (batch, *sizes, channels)


def to_last(array):
    return np.ascontiguousarray(np.moveaxis(array, 1, -1))


ODD = [1, 3, 7, 17, 33]
KINDS = {
    "channels": [Window(1, taken, made, (5, 9), (3, 3), pads=[1] * 4) for taken in ODD for made in ODD if (taken, made) != (1, 1)],
    "sizes": [Window(2, 4, 18, (height, width), (3, 3), pads=[1] * 4) for height in ODD for width in ODD],
    "windows": [
        Window(1, 3, 20, (9, 11), (5, 3), pads=[2, 0, 2, 0]), # lines at once
        Window(2, 3, 33, (17, 12), (7, 7), [2, 2], pads=[3, 0, 3, 0]),
        Window(1, 17, 33, (12, 13), (3, 3), [2, 2], pads=[1, 1, 0, 2]),
        Window(1, 17, 33, (12, 13), (3, 3), [2, 3], [1, 2], [0, 2, 1, 3]),
        Window(1, 7, 16, (10, 9), (2, 4), dilations=[3, 2], pads=[3, 1, 0, 5]),
        Window(1, 7, 16, (1, 1), (3, 3), pads=[1] * 4), Window(3, 5, 19, (4, 4), (4, 4)),
        Window(2, 33, 17, (6, 7), (1, 1)), Window(2, 33, 17, (6, 7), (1, 1), [2, 2]), Window(1, 9, 40, (6, 7), (1, 1), pads=[1, 0, 0, 2]),
        Window(1, 6, 32, (8, 8), (3, 3), pads=[5, 0, 4, 1]), Window(1, 2, 65, (3, 40), (1, 9), pads=[0, 4, 0, 4]),
        Window(1, 64, 64, (7, 7), (3, 3), pads=[1] * 4)],
    "groups": [Window(1, 32, 48, (6, 5), (3, 3), pads=[1] * 4, groups=2), Window(2, 6, 9, (6, 5), (3, 3), pads=[1] * 4, groups=3),
               Window(1, 32, 64, (6, 5), (1, 1), groups=2), Window(1, 4, 8, (5, 5), (3, 3), pads=[1] * 4, groups=4)],
    "depthwise": [Window(1, channels, channels, (size, size + 2), (3, 3), [stride] * 2, pads=[1] * 4, groups=channels)
                  for channels, size, stride in [(2, 1, 1), (3, 7, 2), (7, 3, 1), (17, 9, 2), (33, 6, 1), (64, 7, 1), (100, 5, 2)]]
                 + [Window(2, 18, 18, (9, 8), (5, 5), [1, 2], [2, 1], [4, 2, 3, 2], 18), Window(1, 35, 35, (11, 11), (7, 7), pads=[3] * 4, groups=35),
                    Window(1, 20, 20, (11, 13), (9, 2), pads=[0, 1, 4, 0], groups=20), Window(1, 16, 16, (5, 6), (1, 1), groups=16)],
    "other_ranks": [Window(2, 3, 17, (33,), (3,), pads=[1, 1]), Window(1, 17, 5, (40,), (5,), [2], [3], [6, 2]),
                    Window(1, 19, 19, (21,), (3,), pads=[2, 0], groups=19), Window(1, 3, 17, (4, 5, 6), (3, 3, 3), pads=[1] * 6),
                    Window(1, 5, 18, (5, 4, 3), (2, 3, 1), [2, 1, 1], [1, 1, 1], [0, 1, 0, 1, 1, 0]),
                    Window(1, 9, 9, (3, 4, 5), (3, 3, 3), pads=[1] * 6, groups=9)],
    "pools": [Window(2, channels, channels, (9, 10), (3, 2), strides, pads=[1, 0, 1, 1], pool=pool, more=more, like=like)
              for channels in (1, 7, 33) for strides in ([1, 1], [2, 2])
              for pool, more, like in (("max_pool", "", {}), ("average_pool", "", {}),
                                       ("average_pool", ", count_include_pad", {"count_include_pad": 1}))]
             + [Window(1, 17, 17, (7, 8), (3, 3), [2, 2], pads=[0] * 4, pool="max_pool", more=", ceil_mode", like={"ceil_mode": 1}),
                Window(1, 17, 17, (21,), (3,), [2], pads=[1, 1], pool="max_pool"),
                Window(1, 5, 5, (4, 5, 6), (2, 2, 2), pads=[0] * 6, pool="average_pool")],
}

# taken, made, window, strides, pads and output padding of transposed convolutions, of which all are worth moving
TRANSPOSED = [
    (24, 24, [2, 2], [2, 2], [0] * 4, [0, 0]), (24, 1, [2, 2], [2, 2], [0] * 4, [0, 0]), (17, 9, [3, 3], [2, 2], [1] * 4, [1, 1]),
    (7, 33, [4, 4], [2, 2], [1] * 4, [0, 0]), (16, 5, [3, 2], [1, 3], [0, 1, 1, 0], [0, 2]), (9, 16, [5, 3], [3, 2], [0, 2, 1, 0], [2, 0]),
    (8, 7, [2, 3], [3, 4], [0] * 4, [0, 0]), (12, 10, [5], [2], [2, 1], [1]), (6, 8, [2, 2, 3], [2, 2, 2], [0, 0, 1, 0, 0, 1], [0, 0, 1]),
]


def call(*command):
    child = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if child.returncode != 0 or "dscc-sim:" in child.stderr:
        raise AssertionError(f"{' '.join(map(str, command))}: exit {child.returncode}\n{child.stderr}")
    return child.stdout


def whole_graph(path):
    """What convolutional networks are made of, between two ends that keep the model's order."""
    build = GraphBuilder(opset=17, seed=3)
    x = build.input("x", np.float32, ["n", 3, "h", "w"])

    def conv(x, taken, made, size, stride=1, groups=1, activation="Relu"):
        weight = build.weight((made, taken // groups, size, size))
        y = build.node("Conv", x, weight, build.constant(build.normal(made, 0.1), "bias"), kernel_shape=[size, size],
                       strides=[stride, stride], pads=[size // 2] * 4, group=groups)
        return build.node(activation, y) if activation else y

    x = conv(x, 3, 17, 7, 2)
    x = build.node("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    for _ in range(2):
        y = conv(conv(x, 17, 33, 1), 33, 33, 3, groups=33, activation="HardSwish")
        squeezed = build.node("GlobalAveragePool", y)
        scale = conv(conv(squeezed, 33, 9, 1), 9, 33, 1, activation="Sigmoid")
        x = build.node("Add", x, conv(build.node("Mul", y, scale), 33, 17, 1, activation=None))
    a, b = conv(x, 17, 33, 3, 2), build.node("AveragePool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    joined = build.node("Concat", a, b, axis=1)
    part = build.node("Slice", joined, build.integers(5), build.integers(47), build.integers(1))
    padded = build.node("Pad", part, build.integers(0, 0, 1, 0, 0, 0, 0, 2))
    larger = build.node("Resize", padded, "", build.constant(np.array([1, 1, 2, 2], np.float32)), mode="nearest",
                        coordinate_transformation_mode="asymmetric", nearest_mode="floor")
    x = conv(larger, 42, 20, 3)
    build.output(build.node("Softmax", x, axis=1), "y", None)
    build.output(build.node("ReduceMax", x, axes=[2, 3], keepdims=0), "z", None)
    build.save(path)


class ChannelsLastTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.holder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.holder.cleanup)
        cls.folder = pathlib.Path(cls.holder.name)

    def compare(self, mine, theirs, **what):
        with self.subTest(**what):
            self.assertEqual(mine.shape, theirs.shape)
            np.testing.assert_allclose(mine, theirs, rtol=0, atol=TOLERANCE * max(1, np.abs(theirs).max()))

    def check_kind(self, kind, target):
        windows = KINDS[kind][::4 if target == "sim" else 1]
        compiling, running = TARGETS[target]
        random = np.random.default_rng(5)
        lines, inputs, expected = [], [], []
        for number, window in enumerate(windows):
            image = random.standard_normal((window.batch, window.taken, *window.sizes), np.float32)
            result = to_last(window.expect(image))
            expected.append(result if window.pool else np.maximum(result, 0))
            lines.append(window.text(number, result.shape))
            np.save(self.folder / f"x{number}.npy", to_last(image))
            inputs.append(tensor(to_last(image).shape))
        results = [tensor(result.shape) for result in expected]
        text = "func.func @main(" + ", ".join(f'%x{i}: {x} {{dsc.name = "x{i}"}}' for i, x in enumerate(inputs)) + ") -> (" + \
            ", ".join(f'{y} {{dsc.name = "y{i}"}}' for i, y in enumerate(results)) + ") {\n" + "\n".join(lines) + \
            "\nreturn " + ", ".join(f"%y{i}" for i in range(len(results))) + " : " + ", ".join(results) + "\n}\n"
        model, out = self.folder / f"{kind}.mlir", self.folder / f"{kind}.{target}"
        model.write_text(text)
        call("dscc", model, "-o", f"{out}.so", *compiling)
        call("dscc-run", f"{out}.so", *running, "--output", out,
             *[word for i in range(len(windows)) for word in ("--input", f"x{i}={self.folder}/x{i}.npy")])
        for number, theirs in enumerate(expected):
            self.compare(np.load(out / f"y{number}.npy"), theirs, window=vars(windows[number]))

    def test_transposed(self):
        """As convolutions of phases, with what follows each pixel before they are woven, on both levels of CPUs."""
        build = GraphBuilder(opset=17, seed=9)
        outputs = []
        for number, (taken, made, window, strides, pads, extra) in enumerate(TRANSPOSED):
            x = build.input(f"x{number}", np.float32, ["n", taken, *["h", "w", "d"][:len(window)]])
            y = build.node("ConvTranspose", x, build.weight((taken, made, *window)), build.constant(build.normal(made), "bias"),
                           kernel_shape=window, strides=strides, pads=pads, output_padding=extra)
            y = build.node("Relu" if number % 3 else "HardSwish", y)
            build.output(y, f"y{number}", None)
        model = self.folder / "transposed.onnx"
        build.save(model)
        text = call("dscc", model, "--target=cpu", "--march=x86-64-v4", "--until=laidout", "-o", "-")
        self.assertNotIn("dsc.conv_transpose ", text)
        self.check_sizes(model, [(1, 1, 1, 1), (2, 7, 3, 2), (1, 17, 33, 3)],
                         lambda size: {f"x{number}": (size[0], taken, *size[1:1 + len(window)])
                                       for number, (taken, _, window, *_) in enumerate(TRANSPOSED)})

    def check_sizes(self, model, sizes, shapes):
        session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
        for target in ("cpu_v4", "cpu_v3"):
            compiling, running = TARGETS[target]
            artifact = self.folder / f"{model.stem}.{target}.so"
            call("dscc", model, "-o", artifact, *compiling)
            for size in sizes:
                random = np.random.default_rng(size)
                feed = {name: random.standard_normal(shape, np.float32) for name, shape in shapes(size).items()}
                for name, array in feed.items():
                    np.save(self.folder / f"{name}.npy", array)
                call("dscc-run", artifact, *running, "--output", self.folder / "out",
                     *[word for name in feed for word in ("--input", f"{name}={self.folder / name}.npy")])
                for output, theirs in zip(session.get_outputs(), session.run(None, feed)):
                    self.compare(np.load(self.folder / "out" / f"{output.name}.npy"), theirs, target=target, size=size,
                                 output=output.name)

    def test_whole_graph(self):
        model = self.folder / "whole.onnx"
        whole_graph(model)
        text = call("dscc", model, "--target=cpu", "--march=x86-64-v4", "--until=laidout", "-o", "-")
        self.assertEqual(text.count("channels_last"), len(re.findall(r"dsc\.(?:conv|max_pool|average_pool) ", text)))
        self.assertEqual(text.count("dsc.transpose "), 2)
        self.check_sizes(model, [(1, 33, 47), (2, 17, 16), (3, 64, 65), (1, 8, 9)],
                         lambda size: {"x": (size[0], 3, *size[1:])})


for kind in KINDS:
    for target in TARGETS:
        setattr(ChannelsLastTest, f"test_{kind}_{target}", lambda self, k=kind, t=target: self.check_kind(k, t))

if __name__ == "__main__":
    unittest.main()
