"""Vision models as torchvision exports them, and chains of equal products, with random weights that are calibrated.

    python vision_models.py resnet50 out.onnx

Convolutions are He-scaled. Batch norms have the statistics of a pass over one small picture of noise, so that
activations keep a deviation of about 1; most exporters fold them into the convolution before, as here. Where a norm
stands before its convolution (DenseNet) it stays a node.
"""

import argparse
import dataclasses
import pathlib
import sys
import typing

sys.dont_write_bytecode = True

import numpy as np

from graph_builder import GraphBuilder

SAMPLE = (2, 3, 160, 160)  # the pictures for the statistics
CLASSES = 1000
EPSILON = 1e-5


def convolve(build, x, weight, bias, stride, groups):
    pads = [size // 2 for size in weight.shape[2:]] * 2
    tensors = [build.constant(weight)] + ([build.constant(bias, "bias")] if bias is not None else [])
    return build.node("Conv", x, *tensors, kernel_shape=list(weight.shape[2:]), strides=[stride, stride], pads=pads,
                      dilations=[1, 1], group=groups)


def rounded(number):
    """To three digits, so that no processor's last bits are in the model."""
    return float(f"{number:.3g}")


def statistics(array):
    """Mean and variance of each channel. In the last layers few pixels are left to know a variance by."""
    mean, variance = np.mean(array, axis=(0, 2, 3)), np.var(array, axis=(0, 2, 3))
    variance = np.maximum(variance, variance.mean() / 2)
    return [np.float32([rounded(number) for number in numbers]) for numbers in (mean, variance)]


def conv_norm(build, x, channels, size=3, stride=1, groups=1):
    """A convolution and its batch norm, folded into one as exporters do."""
    depth = build.values[x].shape[1] // groups
    weight = build.normal((channels, depth, size, size), (2 / (depth * size * size)) ** 0.5)
    trial = GraphBuilder(build.opset)
    source = trial.input("x", np.float32, None, build.values[x])
    mean, variance = statistics(trial.values[convolve(trial, source, weight, None, stride, groups)])
    gamma = build.normal(channels, 0.1, 1) / np.sqrt(variance + np.float32(EPSILON))
    bias = build.normal(channels, 0.1) - gamma * mean
    return convolve(build, x, weight * gamma[:, None, None, None], bias, stride, groups)


def norm(build, x):
    """A batch norm that no convolution precedes."""
    mean, variance = statistics(build.values[x])
    gamma, beta = build.normal(len(mean), 0.1, 1), build.normal(len(mean), 0.1)
    tensors = [build.constant(array, name) for name, array in
               (("weight", gamma), ("bias", beta), ("running_mean", mean), ("running_var", variance))]
    return build.node("BatchNormalization", x, *tensors, epsilon=EPSILON, momentum=0.9)


def linear(build, x, rows, columns):
    weight, bias = build.weight((rows, columns), columns**-0.5), build.constant(build.normal(rows, 0.1), "bias")
    return build.node("Gemm", x, weight, bias, transB=1)


def pool_and_classify(build, x):
    depth = build.values[x].shape[1]
    flat = build.node("Flatten", build.node("GlobalAveragePool", x), axis=1)
    with build.scope("fc"):
        return linear(build, flat, CLASSES, depth)


def max_pool(build, x):
    return build.node("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], ceil_mode=0)


# ResNet

RESNET50 = [(64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)]  # width, blocks, stride


def bottleneck(build, x, width, stride, project):
    with build.scope("conv1"):
        y = build.node("Relu", conv_norm(build, x, width, 1))
    with build.scope("conv2"):
        y = build.node("Relu", conv_norm(build, y, width, 3, stride))
    with build.scope("conv3"):
        y = conv_norm(build, y, 4 * width, 1)
    if project:
        with build.scope("downsample"):
            x = conv_norm(build, x, 4 * width, 1, stride)
    return build.node("Relu", build.node("Add", y, x))


def resnet(build, x, stages):
    x = max_pool(build, build.node("Relu", conv_norm(build, x, 64, 7, 2)))
    for stage, (width, blocks, stride) in enumerate(stages, 1):
        for block in range(blocks):
            with build.scope(f"layer{stage}/layer{stage}.{block}"):
                x = bottleneck(build, x, width, stride if block == 0 else 1, block == 0)
    return pool_and_classify(build, x)


# MobileNet and EfficientNet: blocks that widen, filter each channel alone, squeeze and excite, and narrow.


def silu(build, x):
    return build.node("Mul", x, build.node("Sigmoid", x))


ACTIVATIONS = {"relu": lambda build, x: build.node("Relu", x),
               "hard_swish": lambda build, x: build.node("HardSwish", x), "silu": silu}
GATES = {"hard_sigmoid": lambda build, x: build.node("HardSigmoid", x, alpha=1 / 6, beta=0.5),
         "sigmoid": lambda build, x: build.node("Sigmoid", x)}


@dataclasses.dataclass
class Inverted:
    """One block: kernel, channels inside and out, squeezed channels or 0, stride."""

    kernel: int
    inside: int
    out: int
    squeezed: int
    activation: str
    stride: int
    gate: str
    squeezed_activation: str = "relu"


def squeeze_excite(build, x, block):
    with build.scope("se"):
        y = build.node("GlobalAveragePool", x)
        activation, gate = ACTIVATIONS[block.squeezed_activation], GATES[block.gate]
        for channels, act in ((block.squeezed, activation), (block.inside, gate)):
            depth = build.values[y].shape[1]
            weight, bias = build.normal((channels, depth, 1, 1), depth**-0.5), build.normal(channels, 0.1)
            y = act(build, convolve(build, y, weight, bias, 1, 1))
        return build.node("Mul", x, y)


def inverted(build, x, block):
    depth, act = build.values[x].shape[1], ACTIVATIONS[block.activation]
    y = x
    if block.inside != depth:
        with build.scope("expand"):
            y = act(build, conv_norm(build, y, block.inside, 1))
    with build.scope("depthwise"):
        y = act(build, conv_norm(build, y, block.inside, block.kernel, block.stride, block.inside))
    if block.squeezed:
        y = squeeze_excite(build, y, block)
    with build.scope("project"):
        y = conv_norm(build, y, block.out, 1)
    return build.node("Add", y, x) if block.stride == 1 and block.out == depth else y


def mobile_rows():
    """MobileNetV3-Large's table."""
    rows = [(3, 16, 16, 0, "relu", 1), (3, 64, 24, 0, "relu", 2), (3, 72, 24, 0, "relu", 1), (5, 72, 40, 24, "relu", 2),
            (5, 120, 40, 32, "relu", 1), (5, 120, 40, 32, "relu", 1), (3, 240, 80, 0, "hard_swish", 2),
            (3, 200, 80, 0, "hard_swish", 1), (3, 184, 80, 0, "hard_swish", 1), (3, 184, 80, 0, "hard_swish", 1),
            (3, 480, 112, 120, "hard_swish", 1), (3, 672, 112, 168, "hard_swish", 1),
            (5, 672, 160, 168, "hard_swish", 2), (5, 960, 160, 240, "hard_swish", 1),
            (5, 960, 160, 240, "hard_swish", 1)]
    return [Inverted(*row, "hard_sigmoid") for row in rows]


def efficient_rows():
    """EfficientNet-B0's: kernel, widening, channels, blocks, stride; a quarter of what enters is squeezed."""
    stages = [(3, 1, 16, 1, 1), (3, 6, 24, 2, 2), (5, 6, 40, 2, 2), (3, 6, 80, 3, 2), (5, 6, 112, 3, 1),
              (5, 6, 192, 4, 2), (3, 6, 320, 1, 1)]
    rows, depth = [], 32
    for kernel, widening, out, blocks, stride in stages:
        for block in range(blocks):
            step = stride if block == 0 else 1
            rows.append(Inverted(kernel, widening * depth, out, depth // 4, "silu", step, "sigmoid", "silu"))
            depth = out
    return rows


def mobile(build, x, rows, first, last, act, hidden):
    with build.scope("features.0"):
        x = ACTIVATIONS[act](build, conv_norm(build, x, first, 3, 2))
    for index, block in enumerate(rows, 1):
        with build.scope(f"features.{index}"):
            x = inverted(build, x, block)
    with build.scope(f"features.{len(rows) + 1}"):
        x = ACTIVATIONS[act](build, conv_norm(build, x, last, 1))
    if not hidden:
        return pool_and_classify(build, x)
    x = build.node("Flatten", build.node("GlobalAveragePool", x), axis=1)
    with build.scope("classifier"):
        return linear(build, ACTIVATIONS[act](build, linear(build, x, hidden, last)), CLASSES, hidden)


# DenseNet

DENSENET121, GROWTH = [6, 12, 24, 16], 32


def densenet(build, x, stages):
    x = max_pool(build, build.node("Relu", conv_norm(build, x, 2 * GROWTH, 7, 2)))
    for stage, layers in enumerate(stages, 1):
        for layer in range(layers):
            with build.scope(f"denseblock{stage}/denselayer{layer + 1}"):
                y = build.node("Relu", conv_norm(build, build.node("Relu", norm(build, x)), 4 * GROWTH, 1))
                weight = build.normal((GROWTH, 4 * GROWTH, 3, 3), (2 / (36 * GROWTH)) ** 0.5)
                x = build.node("Concat", x, convolve(build, y, weight, None, 1, 1), axis=1)
        if stage < len(stages):
            with build.scope(f"transition{stage}"):
                depth = build.values[x].shape[1]
                weight = build.normal((depth // 2, depth, 1, 1), (2 / depth) ** 0.5)
                x = convolve(build, build.node("Relu", norm(build, x)), weight, None, 1, 1)
                x = build.node("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
    return pool_and_classify(build, build.node("Relu", norm(build, x)))


# Vision transformer


@dataclasses.dataclass
class Transformer:
    hidden: int
    layers: int
    heads: int
    mlp: int
    patch: int


VIT_B_16 = Transformer(768, 12, 12, 3072, 16)


def layer_norm(build, x, hidden):
    tensors = build.constant(build.normal(hidden, 0.1, 1)), build.constant(build.normal(hidden, 0.1), "bias")
    return build.node("LayerNormalization", x, *tensors, axis=-1, epsilon=1e-6)


def dense(build, x, rows, columns, scale=1.0):
    """A product on the last dim; the weight is the transposed one already."""
    product = build.node("MatMul", x, build.weight((columns, rows), scale * columns**-0.5))
    return build.node("Add", build.constant(build.normal(rows, 0.1), "bias"), product)


def gelu(build, x):
    """As opset 18 has to write it."""
    erf = build.node("Erf", build.node("Div", x, build.number(2**0.5)))
    return build.node("Mul", build.node("Mul", x, build.node("Add", erf, build.number(1))), build.number(0.5))


def self_attention(build, x, net, tokens, scale):
    """Q, K and V by one product, then split by a transpose and three gathers, as MultiheadAttention is exported."""
    head = net.hidden // net.heads
    packed = dense(build, x, 3 * net.hidden, net.hidden)
    packed = build.node("Reshape", packed, build.integers(-1, tokens, 3, net.heads, head))
    packed = build.node("Transpose", packed, perm=[2, 0, 3, 1, 4])
    query, key, value = (build.node("Gather", packed, build.constant(np.array(index), "index"), axis=0)
                         for index in range(3))
    query = build.node("Mul", query, build.number(head**-0.25))
    key = build.node("Mul", build.node("Transpose", key, perm=[0, 1, 3, 2]), build.number(head**-0.25))
    weights = build.node("Softmax", build.node("MatMul", query, key), axis=-1)
    y = build.node("Transpose", build.node("MatMul", weights, value), perm=[0, 2, 1, 3])
    return dense(build, build.node("Reshape", y, build.integers(-1, tokens, net.hidden)), net.hidden, net.hidden, scale)


def transformer(build, x, net, changed=None, picture=224):
    tokens, scale = (picture // net.patch) ** 2 + 1, (2 * net.layers) ** -0.5
    weight = build.normal((net.hidden, 3, net.patch, net.patch), (3 * net.patch**2) ** -0.5)
    patches = build.node("Conv", x, build.constant(weight), build.constant(build.normal(net.hidden, 0.1), "bias"),
                         kernel_shape=[net.patch] * 2, strides=[net.patch] * 2, pads=[0] * 4, dilations=[1, 1], group=1)
    rows = build.node("Transpose", build.node("Reshape", patches, build.integers(0, net.hidden, -1)), perm=[0, 2, 1])
    batch = build.node("Gather", build.node("Shape", x), build.constant(np.array([0]), "axis"))
    dims = build.node("Concat", batch, build.integers(-1, -1), axis=0)
    dims = build.node("Where", build.node("Equal", dims, build.integers(-1)), build.integers(1), dims)
    token = build.node("Expand", build.constant(build.normal((1, 1, net.hidden))), dims)
    positions = build.constant(build.normal((1, tokens, net.hidden), 0.1), "positions")
    x = build.node("Add", build.node("Concat", token, rows, axis=1), positions)
    for layer in range(net.layers):
        with build.scope(f"encoder_layer_{layer}"):
            with build.scope("self_attention"):
                x = build.node("Add", self_attention(build, layer_norm(build, x, net.hidden), net, tokens, scale), x)
            with build.scope("mlp"):
                y = dense(build, layer_norm(build, x, net.hidden), net.mlp, net.hidden)
                y = build.node("Relu", y) if layer == changed else gelu(build, y)
                x = build.node("Add", x, dense(build, y, net.hidden, net.mlp, scale))
    first = build.node("Gather", layer_norm(build, x, net.hidden), build.constant(np.array(0), "index"), axis=1)
    with build.scope("heads"):
        return linear(build, first, CLASSES, net.hidden)


# All of them


@dataclasses.dataclass
class Model:
    """How to write one: a function, its further arguments, and whether a picture is needed for statistics."""

    write: typing.Callable
    arguments: tuple
    sampled: bool = True
    opset: int = 18


MODELS = {
    "resnet50": Model(resnet, (RESNET50,)),
    "mobilenet_v3": Model(mobile, (mobile_rows(), 16, 960, "hard_swish", 1280)),
    "efficientnet_b0": Model(mobile, (efficient_rows(), 32, 1280, "silu", 0)),
    "densenet121": Model(densenet, (DENSENET121,)),
    "vit_b_16": Model(transformer, (VIT_B_16,), sampled=False),
}


def write_model(name, path, batch="batch", seed=1, **arguments):
    """Writes one of MODELS: input [batch, 3, 224, 224], output [batch, 1000]. More arguments are its function's."""
    model = MODELS[name]
    build = GraphBuilder(model.opset, seed)
    picture = np.random.default_rng(seed).standard_normal(SAMPLE) if model.sampled else None
    x = build.input("input", np.float32, [batch, 3, 224, 224], sample=picture)
    build.output(model.write(build, x, *model.arguments, **arguments), "output", [batch, CLASSES])
    return build.save(path)


def write_products(path, count=800, width=64, changed=None, seed=1):
    """A chain of equal products and ReLUs, each with a weight of its own.

    `changed` is the place of one ReLU that is a LeakyRelu instead; with another seed all weights are others."""
    build = GraphBuilder(18, seed)
    x, sample = build.input("x", np.float32, [width, width]), build.normal((width, width))
    for index in range(count):
        with build.scope(f"layer{index}"):
            weight = build.normal((width, width), width**-0.5)
            # Over 800 layers what a ReLU takes is not quite half the square.
            size = np.float32(rounded(np.maximum(sample @ weight, 0).std()))
            weight, sample = weight / size, np.maximum(sample @ (weight / size), 0)
            x = build.node("MatMul", x, build.constant(weight))
            x = build.node("LeakyRelu", x, alpha=0.125) if index == changed else build.node("Relu", x)
    build.output(x, "y", [width, width])
    return build.save(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=[*MODELS, "products"])
    parser.add_argument("path", type=pathlib.Path)
    parser.add_argument("--batch", default="batch", help="a number, or the name of a dim (default: batch)")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if arguments.name == "products":
        write_products(arguments.path, seed=arguments.seed)
    else:
        batch = int(arguments.batch) if arguments.batch.isdigit() else arguments.batch
        write_model(arguments.name, arguments.path, batch, arguments.seed)


if __name__ == "__main__":
    main()
