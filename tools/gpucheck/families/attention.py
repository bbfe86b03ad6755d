"""Attention: plain, causal, masked, with fewer heads of keys than of queries."""

import numpy as np

import values
from cases import Family, Input, case, few, same
from tolerances import Magnitude, sums


def attend(q, k, v, bias=0):
    """Heads of keys are shared by neighbouring heads of queries."""
    times = q.shape[1] // k.shape[1]
    k, v = k.repeat(times, 1), v.repeat(times, 1)
    scores = q @ k.swapaxes(-1, -2) / np.sqrt(q.dtype.type(q.shape[-1])) + bias
    shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares = shares / shares.sum(axis=-1, keepdims=True)
    # What errs in a score errs in its exponential: by the scores' own size.
    size = np.abs(q) @ np.abs(k).swapaxes(-1, -2) / np.sqrt(q.dtype.type(q.shape[-1]))
    return shares @ v, Magnitude((shares * (1 + 2 * size)) @ np.abs(v), k.shape[-2] + q.shape[-1])


def causal(q, k, v):
    allowed = np.tril(np.ones((q.shape[2], k.shape[2]), bool))
    return attend(q, k, v, np.where(allowed, 0, -np.inf))


def masked(q, k, v, mask):
    return attend(q, k, v, np.where(mask, 0, -np.inf))


def mask(random, shape, element):
    """Somebody is seen by everybody."""
    array = random.random(shape) < 0.7
    array[:, 0] = True
    return array


FAMILIES = [Family(
    "attention",
    {"q": Input(["n", 4, "s", 16]), "k": Input(["n", 4, "t", 16]), "v": Input(["n", 4, "t", 16]), "k2": Input(["n", 2, "t", 16]),
     "v2": Input(["n", 2, "t", 16]), "mask": Input(["s", "t"], mask, "bool"), "one": Input(["n", 4, 1, 16])},
    {"n": lambda size: 1 + size % 2, "s": lambda size: 1 + size % 63, "t": lambda size: 1 + size % 83},
    [
        case("plain", "Attention", ["q", "k", "v"], attend, sums(2, steps=4)),
        case("causal", "Attention", ["q", "k", "v"], causal, sums(2, steps=4), is_causal=1),
        case("masked", "Attention", ["q", "k", "v", "mask"], masked, sums(2, steps=4)),
        case("grouped", "Attention", ["q", "k2", "v2"], attend, sums(2, steps=4)),
        case("one_query", "Attention", ["one", "k2", "v2"], attend, sums(2, steps=4)),
    ], types=("f32", "f16", "bf16"), sizes=(1, 3, 17, 127, 255), fixed_sizes=(33,))]
