"""Normalisations. The tolerance is relative to the spread of the row: what is subtracted cancels."""

import numpy as np

from cases import Family, Input, Scalar, case, few, same, scalar, weight
from tolerances import Magnitude, sums


def normalised(x, axes, epsilon=1e-5, scale=1, bias=0, outside=0):
    """(x - mean) / deviation * scale + bias."""
    mean = x.mean(axis=axes, keepdims=True)
    deviation = np.sqrt(((x - mean) ** 2).mean(axis=axes, keepdims=True) + epsilon) + outside
    size = int(np.prod([x.shape[axis] for axis in np.atleast_1d(axes)]))
    bound = (np.abs(x) + np.abs(x).mean(axis=axes, keepdims=True)) / deviation * np.abs(scale) + np.abs(bias)
    return (x - mean) / deviation * scale + bias, Magnitude(bound, size)


def layer(x, scale, bias):
    return normalised(x, -1, 1e-5, scale, bias)


def root_mean_square(x, scale):
    root = np.sqrt((x * x).mean(axis=-1, keepdims=True) + 1e-5)
    return x / root * scale, Magnitude(np.abs(x / root * scale), x.shape[-1])


def channels(values, x):
    return values.reshape(-1, *[1] * (x.ndim - 2))


def instance(x, scale, bias):
    return normalised(x, tuple(range(2, x.ndim)), 1e-5, channels(scale, x), channels(bias, x))


def group(x, scale, bias):
    parts = x.reshape(x.shape[0], 3, -1)
    result, magnitude = normalised(parts, 2)
    total = magnitude.total.reshape(x.shape) * np.abs(channels(scale, x)) + np.abs(channels(bias, x))
    return result.reshape(x.shape) * channels(scale, x) + channels(bias, x), Magnitude(total, magnitude.count)


def batch(x, scale, bias, mean, variance):
    factor = channels(scale, x) / np.sqrt(channels(variance, x) + 1e-5)
    total = (np.abs(x) + np.abs(channels(mean, x))) * np.abs(factor) + np.abs(channels(bias, x))
    return (x - channels(mean, x)) * factor + channels(bias, x), Magnitude(total, 2)


def unit_length(x):
    length = np.sqrt((x * x).sum(axis=-1, keepdims=True))
    return x / length, Magnitude(np.abs(x / length), x.shape[-1])


six, other_six = weight(6), weight(6, seed=2)
NEAR = sums(4, steps=4)

FAMILIES = [Family(
    "norms",
    {"x": Input(["m", 65]), "row": Input(["n", "k"]), "image": Input(["n", 6, "h", "w"]), "scale": Input(["k"]),
     "bias": Input(["k"])},
    {"n": few, "m": same, "k": lambda size: size + 1, "h": lambda size: 2 + size % 29, "w": lambda size: 3 + size % 31},
    [
        case("layer", "LayerNormalization", ["x", weight(65), weight(65, seed=2)], layer, NEAR, axis=-1),
        case("layer_of_row", "LayerNormalization", ["row", "scale", "bias"], layer, NEAR, axis=-1),
        case("root_mean_square", "RMSNormalization", ["row", "scale"], root_mean_square, NEAR, axis=-1),
        case("instance", "InstanceNormalization", ["image", six, other_six], instance, NEAR),
        case("group", "GroupNormalization", ["image", six, other_six], group, NEAR, num_groups=3),
        case("batch", "BatchNormalization", ["image", six, other_six, weight(6, seed=3), Scalar([0.5, 1, 2, 3, 0.25, 1])],
             batch, NEAR),
        case("mean_and_variance", "MeanVarianceNormalization", ["image"], lambda x: normalised(x, (0, 2, 3), 0, outside=1e-9), NEAR),
        case("unit_length", "LpNormalization", ["row"], unit_length, NEAR, axis=-1, p=2),
    ])]
