"""Windows over images, for the references of convolutions and pools: plain loops over the places of the kernel."""

import itertools

import numpy as np

from tolerances import Magnitude


def out_dims(dims, kernel, strides, pads, dilations):
    rank = len(kernel)
    return [(dims[i] + pads[i] + pads[rank + i] - dilations[i] * (kernel[i] - 1) - 1) // strides[i] + 1 for i in range(rank)]


def padded(x, pads, fill):
    rank = len(pads) // 2
    return np.pad(x, [(0, 0), (0, 0), *zip(pads[:rank], pads[rank:])], constant_values=fill)


def each_window(x, kernel, strides, pads, dilations, fill=0):
    """For each place of the kernel: (place, what lies under it in all windows), [n, c, out...]."""
    out = out_dims(x.shape[2:], kernel, strides, pads, dilations)
    wide = padded(x, pads, fill)
    for place in itertools.product(*map(range, kernel)):
        at = tuple(slice(p * d, p * d + (o - 1) * s + 1, s) for p, d, o, s in zip(place, dilations, out, strides))
        yield place, wide[(slice(None), slice(None), *at)]


def spread(attributes, rank):
    return (attributes.get("strides", [1] * rank), attributes.get("pads", [0] * 2 * rank),
            attributes.get("dilations", [1] * rank))


def convolve(x, w, attributes):
    group, kernel = attributes.get("group", 1), w.shape[2:]
    strides, pads, dilations = spread(attributes, len(kernel))
    total = 0
    for place, under in each_window(x, kernel, strides, pads, dilations):
        n, _, *out = under.shape
        filters = w[(slice(None), slice(None), *place)].reshape(group, w.shape[0] // group, w.shape[1])
        parts = filters @ under.reshape(n, group, w.shape[1], -1)
        total = total + parts.reshape(n, w.shape[0], *out)
    return total


def convolution(**attributes):
    """The reference of Conv: the result and its magnitude."""
    def reference(x, w, b=None):
        bias = 0 if b is None else b.reshape(-1, *[1] * (x.ndim - 2))
        total = convolve(np.abs(x), np.abs(w), attributes) + np.abs(bias)
        return convolve(x, w, attributes) + bias, Magnitude(total, int(np.prod(w.shape[1:])) + 1)
    return reference


def transposed(x, w, attributes):
    group, kernel = attributes.get("group", 1), w.shape[2:]
    strides, pads, dilations = spread(attributes, len(kernel))
    more = attributes.get("output_padding", [0] * len(kernel))
    n, channels = x.shape[0], w.shape[1] * group
    whole = [(d - 1) * s + (k - 1) * l + 1 + m for d, s, k, l, m in zip(x.shape[2:], strides, kernel, dilations, more)]
    total = np.zeros((n, channels, *whole), x.dtype)
    flat = x.reshape(n, group, x.shape[1] // group, -1)
    for place in itertools.product(*map(range, kernel)):
        filters = w[(slice(None), slice(None), *place)].reshape(group, w.shape[0] // group, w.shape[1]).transpose(0, 2, 1)
        at = tuple(slice(p * l, p * l + (d - 1) * s + 1, s) for p, l, d, s in zip(place, dilations, x.shape[2:], strides))
        total[(slice(None), slice(None), *at)] += (filters @ flat).reshape(n, channels, *x.shape[2:])
    rank = len(kernel)
    inner = tuple(slice(pads[i], whole[i] - pads[rank + i]) for i in range(rank))
    return total[(slice(None), slice(None), *inner)]


def transposed_convolution(**attributes):
    def reference(x, w, b=None):
        bias = 0 if b is None else b.reshape(-1, *[1] * (x.ndim - 2))
        total = transposed(np.abs(x), np.abs(w), attributes) + np.abs(bias)
        return transposed(x, w, attributes) + bias, Magnitude(total, int(np.prod(w.shape)) // w.shape[1] + 1)
    return reference


def max_pool(kernel, **attributes):
    def reference(x):
        best = None
        for _, under in each_window(x, kernel, *spread(attributes, len(kernel)), -np.inf if x.dtype.kind == "f" else 0):
            best = under if best is None else np.maximum(best, under)
        return best
    return reference


def max_pool_and_places(kernel, **attributes):
    """Of several maxima the first; places are counted in the whole tensor."""
    def reference(x):
        places = spread(attributes, len(kernel))
        numbers = np.arange(x.size).reshape(x.shape)
        best = where = None
        for (_, under), (_, number) in zip(each_window(x, kernel, *places, -np.inf), each_window(numbers, kernel, *places, -1)):
            better = number >= 0 if best is None else (number >= 0) & ((where < 0) | (under > best))
            best = under if best is None else np.where(better, under, best)
            where = number if where is None else np.where(better, number, where)
        return best, where
    return reference


def average_pool(kernel, count_include_pad=0, **attributes):
    def reference(x):
        places = spread(attributes, len(kernel))
        total = sum(under for _, under in each_window(x, kernel, *places))
        inside = sum(under for _, under in each_window(np.ones_like(x), kernel, *places))
        share = np.prod(kernel) if count_include_pad else inside
        size = sum(under for _, under in each_window(np.abs(x), kernel, *places))
        return total / share, Magnitude(size / share, int(np.prod(kernel)))
    return reference
