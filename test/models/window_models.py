"""Blocks of vision models that join and split: dense, C2f with a head of three levels, Inception, U-Net. Random He-scaled
weights.

    python window_models.py dense out.onnx [--dims batch,3,height,13]

Exporters write a dense block as joins that each begin like the one before, and C2f as a split whose parts meet again.
"""

import argparse
import pathlib
import sys

sys.dont_write_bytecode = True

import numpy as np

from graph_builder import GraphBuilder

DIMS = ("batch", 6, "height", 11)


def conv(build, x, depth, channels, size=1, stride=1, activation="Relu", groups=1):
    weight = build.normal((channels, depth // groups, size, size), (2 * groups / (depth * size * size)) ** 0.5)
    x = build.node("Conv", x, build.constant(weight), build.constant(build.normal(channels, 0.1), "bias"),
                   kernel_shape=[size, size], strides=[stride, stride], pads=[size // 2] * 4, group=groups)
    if activation == "Silu":
        return build.node("Mul", x, build.node("Sigmoid", x))
    return build.node(activation, x) if activation else x


def scale(build, x, depth):
    """A batch norm that no convolution precedes, as exporters fold it."""
    factor, shift = build.normal((1, depth, 1, 1), 0.1, 1), build.normal((1, depth, 1, 1), 0.1)
    return build.node("Relu", build.node("Add", build.node("Mul", x, build.constant(factor)), build.constant(shift)))


def dense(build, x, depth, _, layers=18, growth=3):
    """Each layer reads all that the earlier ones have made; then a transition halves it."""
    features = [conv(build, x, depth, 10)]
    depth = 10
    for _ in range(layers):
        joined = build.node("Concat", *features, axis=1) if len(features) > 1 else features[0]
        inner = conv(build, scale(build, joined, depth), depth, 2 * growth)
        features.append(conv(build, inner, 2 * growth, growth, 3, activation=None))
        depth += growth
    joined = build.node("Concat", *features, axis=1)
    y = conv(build, scale(build, joined, depth), depth, depth // 2, activation=None)
    return [(y, depth // 2)]


def c2f(build, x, depth, channels, blocks=2):
    """Split in two; the second half goes through bottlenecks, and all meet again."""
    half = channels // 2
    x = conv(build, x, depth, channels, activation="Silu")
    sizes = build.integers(half, half)
    parts = list(build.node("Split", x, sizes, outputs=2, axis=1))
    for _ in range(blocks):
        inner = conv(build, parts[-1], half, half, 3, activation="Silu")
        inner = conv(build, inner, half, half, 3, activation="Silu")
        parts.append(build.node("Add", parts[-1], inner))
    joined = build.node("Concat", *parts, axis=1)
    return conv(build, joined, half * len(parts), channels, activation="Silu")


def yolo(build, x, depth, _, classes=7, bins=4):
    """C2f at three levels, an upsampled join, and the head: boxes and classes of all levels in one tensor."""
    levels = []
    for channels in (8, 12, 16):
        x = c2f(build, conv(build, x, depth, channels, 3, stride=2, activation="Silu"), channels, channels)
        levels.append((x, channels))
        depth = channels
    outputs = []
    for x, channels in levels:
        box = conv(build, conv(build, x, channels, 8, 3, activation="Silu"), 8, 4 * bins, activation=None)
        score = conv(build, conv(build, x, channels, 8, 3, activation="Silu"), 8, classes, activation=None)
        level = build.node("Concat", box, score, axis=1)
        outputs.append(build.node("Reshape", level, build.integers(0, 4 * bins + classes, -1)))
    joined = build.node("Concat", *outputs, axis=2)
    box, score = build.node("Split", joined, build.integers(4 * bins, classes), outputs=2, axis=1)
    box = build.node("Softmax", build.node("Reshape", box, build.integers(0, 4, bins, -1)), axis=2)
    box = build.node("ReduceSum", build.node("Mul", box, build.constant(np.arange(bins, dtype=np.float32)[None, None, :, None])),
                     build.integers(2), keepdims=0)
    y = build.node("Concat", box, build.node("Sigmoid", score), axis=1)
    return [(y, None)]


def inception(build, x, depth, _):
    """Four branches: 1x1; 1x1, 3x3; 1x1, 3x3, and a fork 1x3, 3x1; pool, 1x1."""
    a = conv(build, x, depth, 7)
    b = conv(build, conv(build, x, depth, 5), 5, 9, 3)
    c = conv(build, conv(build, x, depth, 4), 4, 6, 3)
    fork = build.node("Concat", conv(build, c, 6, 3), conv(build, c, 6, 4), axis=1)
    pool = build.node("MaxPool", x, kernel_shape=[3, 3], strides=[1, 1], pads=[1, 1, 1, 1])
    joined = build.node("Concat", a, b, fork, conv(build, pool, depth, 5), axis=1)
    return [(joined, 28), (conv(build, joined, 28, 8, 3), 8)]


def unet(build, x, depth, width, levels=(8, 12, 16)):
    """What each level has on the way down meets what comes up again: its window waits for the whole way."""
    skips = []
    for channels in levels:
        x = conv(build, conv(build, x, depth, channels, 3), channels, channels, 3)
        skips.append((x, channels, width % 2))
        depth, width = channels, width // 2
        x = build.node("MaxPool", x, kernel_shape=[1, 2], strides=[1, 2])
    x = conv(build, x, depth, depth, 3)
    for skip, channels, odd in reversed(skips):
        weight = build.normal((depth, channels, 1, 2), depth ** -0.5)
        up = build.node("ConvTranspose", x, build.constant(weight), kernel_shape=[1, 2], strides=[1, 2],
                        output_padding=[0, odd])
        x = conv(build, build.node("Concat", skip, up, axis=1), 2 * channels, channels, 3)
        depth = channels
    return [(x, depth)]


BLOCKS = {"dense": dense, "yolo": yolo, "inception": inception, "unet": unet}


def write_model(name, path, dims=DIMS, seed=3):
    build = GraphBuilder(opset=17, seed=seed)
    x = build.input("x", np.float32, list(dims))
    for number, (y, _) in enumerate(BLOCKS[name](build, x, dims[1], dims[3])):
        build.output(y, f"y{number}", None)
    build.save(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=BLOCKS)
    parser.add_argument("path", type=pathlib.Path)
    parser.add_argument("--dims", default=",".join(map(str, DIMS)))
    arguments = parser.parse_args()
    dims = [int(dim) if dim.isdigit() else dim for dim in arguments.dims.split(",")]
    write_model(arguments.name, arguments.path, dims)


if __name__ == "__main__":
    main()
