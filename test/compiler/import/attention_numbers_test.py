"""Attention in all combinations of cache, masks and heads against NumPy in double precision.

One model holds a node for each combination. The reference is written from the text of the standard with its erratum
(after ONNX 1.22): a query's place is its number plus the length of the past, or plus nonpad_kv_seqlen less the number of
queries; a query that may see no key gets zeros.
"""

import itertools
import sys
import unittest

sys.dont_write_bytecode = True

import numpy as np
from onnx import TensorProto, helper

import run_models

BATCH, HEAD, VALUE, PAST = 3, 6, 4, 6
CACHES = ("none", "past", "outside")
MASKS = ("", "keys", "any", "added", "short")
# (query heads, key heads)
HEADS = ((2, 2), (6, 2), (3, 1))
# (queries, keys, lengths of the caches): a decoder's step, a chunk, more queries than a cache has keys, and one key.
SIZES = ((1, 7, (7, 3, 1)), (4, 9, (4, 9, 6)), (5, 5, (5, 2, 0)), (1, 1, (1, 0, 1)))


def combinations():
    """A node each: its name, cache, mask, heads, rank and attributes."""
    turns = itertools.cycle(itertools.product(HEADS, (3, 4)))
    for cache, mask, causal in itertools.product(CACHES, MASKS, (0, 1)):
        heads, rank = next(turns)
        yield f"{cache}_{mask or 'free'}_{causal}", cache, mask, heads, rank, {"is_causal": causal}
    for mode in range(4):
        yield f"mode_{mode}", "outside", "any", (6, 2), 4, {"is_causal": 1, "softcap": 0.5, "qk_matmul_output_mode": mode}
    for left, right, causal in ((1, -1, 0), (-1, 1, 0), (2, 1, 0), (1, 5, 1), (0, 0, 0)):
        for cache in CACHES:
            name = f"window_{left}_{right}_{cache}".replace("-1", "all")
            yield name, cache, "", (2, 2), 4, {"left_window_size": left, "right_window_size": right, "is_causal": causal}
    yield "scaled", "past", "added", (2, 2), 3, {"scale": 0.25, "softmax_precision": TensorProto.DOUBLE}


def split(x, heads):
    batch, length, size = x.shape
    return x.reshape(batch, length, heads, size // heads).transpose(0, 2, 1, 3)


def mask_name(mask, heads):
    return f"{mask}_{heads[0]}" if mask == "added" else mask


def names_of(cache, mask, heads, rank):
    """The names of a node's inputs; they tell what is in them."""
    q, g = heads
    return [f"q{rank}_{q}", f"k{rank}_{g}", f"v{rank}_{g}", mask_name(mask, heads) + ("_past" * (cache == "past") if mask else ""),
            *([f"past_k_{g}", f"past_v_{g}"] if cache == "past" else ["", ""]), "lengths" if cache == "outside" else ""]


def attend(arrays, cache, mask, heads, rank, attributes):
    """The results of one node in double precision: y and qk_matmul_output."""
    named = [arrays[name] if name else None for name in names_of(cache, mask, heads, rank)]
    q, k, v, bias, past_k, past_v, lengths = [x.astype(np.float64) if x is not None and x.dtype == np.float32 else x
                                              for x in named]
    if rank == 3:
        q, k, v = split(q, heads[0]), split(k, heads[1]), split(v, heads[1])
    if cache == "past":
        k, v = np.concatenate([past_k, k], 2), np.concatenate([past_v, v], 2)
    k, v = (np.repeat(x, heads[0] // heads[1], axis=1) for x in (k, v))
    queries, keys = q.shape[2], k.shape[2]
    raw = q @ k.swapaxes(2, 3) * attributes.get("scale", 1 / np.sqrt(q.shape[3]))
    cap = attributes.get("softcap", 0)
    capped = np.tanh(raw / cap) * cap if cap else raw

    seen = np.ones((len(q), 1, queries, keys), bool)
    if bias is not None:
        pads = [(0, 0)] * (bias.ndim - 1) + [(0, keys - bias.shape[-1])]
        seen = seen & (np.pad(bias, pads) if bias.dtype == bool else np.isfinite(np.pad(bias, pads, constant_values=-np.inf)))
    if cache == "outside":
        offset = (lengths - queries).reshape(-1, 1, 1, 1)
        seen = seen & (np.arange(keys) < lengths.reshape(-1, 1, 1, 1))
    else:
        offset = PAST if cache == "past" else 0
    place, key = np.arange(queries).reshape(1, 1, -1, 1) + offset, np.arange(keys)
    left, right = attributes.get("left_window_size", -1), attributes.get("right_window_size", -1)
    if attributes.get("is_causal"):
        seen = seen & (key <= place)
    if left >= 0:
        seen = seen & (key >= place - left)
    if right >= 0:
        seen = seen & (key <= place + right)
    added = capped + (np.pad(bias, pads, constant_values=-np.inf) if bias is not None and bias.dtype != bool else 0)
    scores = np.where(seen, added, -np.inf)

    top = np.max(scores, -1, keepdims=True)
    weights = np.exp(scores - np.where(np.isfinite(top), top, 0))
    total = weights.sum(-1, keepdims=True)
    weights = weights / np.where(total == 0, 1, total)
    y = weights @ v
    if rank == 3:
        y = y.transpose(0, 2, 1, 3).reshape(len(y), queries, -1)
    return y, [raw, capped, scores, weights][attributes.get("qk_matmul_output_mode", 0)]


def make_arrays(queries, keys, lengths, random):
    arrays = {"lengths": np.array(lengths, np.int64)}
    def fill(name, *dims):
        arrays[name] = random.standard_normal(dims).astype(np.float32)

    for q, g in HEADS:
        fill(f"q3_{q}", BATCH, queries, q * HEAD)
        fill(f"q4_{q}", BATCH, q, queries, HEAD)
        fill(f"k3_{g}", BATCH, keys, g * HEAD)
        fill(f"k4_{g}", BATCH, g, keys, HEAD)
        fill(f"v3_{g}", BATCH, keys, g * VALUE)
        fill(f"v4_{g}", BATCH, g, keys, VALUE)
        fill(f"past_k_{g}", BATCH, g, PAST, HEAD)
        fill(f"past_v_{g}", BATCH, g, PAST, VALUE)
    for suffix, total in (("", keys), ("_past", PAST + keys)):
        arrays["keys" + suffix] = random.random(total) > 0.2
        arrays["any" + suffix] = random.random((BATCH, 1, queries, total)) > 0.4
        arrays["short" + suffix] = random.random((queries, (total + 1) // 2)) > 0.3
        for q, _ in HEADS:
            fill(f"added_{q}{suffix}", q, queries, total)
            arrays[f"added_{q}{suffix}"].flat[::7] = -np.inf
    return arrays


def make_model():
    nodes, outputs, used = [], {}, set()
    for name, cache, mask, heads, rank, attributes in combinations():
        inputs = names_of(cache, mask, heads, rank)
        used.update(inputs)
        if rank == 3:
            attributes = {**attributes, "q_num_heads": heads[0], "kv_num_heads": heads[1]}
        scores = f"{name}_scores" if "qk_matmul_output_mode" in attributes else ""
        nodes.append(helper.make_node("Attention", inputs, [name, "", "", scores], name=name, **attributes))
        outputs |= {key: (TensorProto.FLOAT, None) for key in (name, scores) if key}
    types = {np.dtype(np.float32): TensorProto.FLOAT, np.dtype(bool): TensorProto.BOOL, np.dtype(np.int64): TensorProto.INT64}
    # Sizes by which each dim can be told, since the model leaves them open.
    arrays = make_arrays(11, 13, [1] * BATCH, np.random.default_rng(0))
    dims = {11: "s", 13: "t", PAST + 13: "all", 7: "short", 10: "short_past"}
    inputs = {key: (types[array.dtype], [dims.get(size, size) if key[0] != "p" else size for size in array.shape])
              for key, array in arrays.items() if key in used}
    return run_models.make_model(nodes, inputs, outputs, 24)


class AttentionTest(unittest.TestCase):
    def test_all_combinations(self):
        random = np.random.default_rng(1)
        inputs = [make_arrays(*sizes, random) for sizes in SIZES]
        model = make_model()
        used = {value.name for value in model.graph.input}
        chosen = [{key: array for key, array in arrays.items() if key in used} for arrays in inputs]
        for way, index, outputs in run_models.run_model(model, chosen, ("cpu, O3", "sim")):
            for name, *rest in combinations():
                with self.subTest(way=way, sizes=SIZES[index], node=name):
                    y, scores = attend(inputs[index], *rest)
                    np.testing.assert_allclose(outputs[name], y, rtol=1e-4, atol=1e-5)
                    if name + "_scores" in outputs:
                        np.testing.assert_allclose(outputs[name + "_scores"], scores, rtol=1e-4, atol=1e-5)


if __name__ == "__main__":
    unittest.main()
