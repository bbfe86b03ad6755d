"""No inner loop of a product, convolution, softmax or norm computes floats one at a time: LLVM IR of one kernel a row.

An inner loop is one that holds no other. Scalars beside vectors are what a row has once (its sum, its scale); a loop with
scalars alone is what must not be. Elementwise loops that read across the last dim are not looked at: no load is wide there.
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "models"))

import numpy as np
import onnx
from onnx import TensorProto, helper

import trained

LEVELS = ("x86-64-v3", "x86-64-v4")
PRECISIONS = ("fp32", "fp16", "bf16")


def node(operator, inputs, **attributes):
    return helper.make_node(operator, inputs.split(), ["y"], **attributes)


def conv(channels, filters, window, groups=1):
    return node("Conv", "x w", group=groups, pads=[window // 2] * 4), {"w": [filters, channels // groups, window, window]}


NORM = {"w": [33], "b": [33]}
# name: (node, dims of the constants), dims of x, dims of z
CASES = {
    **{f"matmul_{k}_{n}": ((node("MatMul", "x w"), {"w": [k, n]}), ["n", k], None)
       for k, n in ((8, 2), (7, 3), (33, 17), (127, 1), (64, 65))},
    **{f"gemm_{k}_{n}": ((node("Gemm", "x w", transB=1), {"w": [n, k]}), ["n", k], None)
       for k, n in ((8, 2), (7, 3), (33, 17), (127, 1), (64, 65))},
    "matmul_open": ((node("MatMul", "x z"), {}), ["n", "k"], ["k", "m"]),
    "matmul_column": ((node("MatMul", "x z"), {}), ["n", "k"], ["k", 1]),
    "matmul_vector": ((node("MatMul", "x z"), {}), ["n", "k"], ["k"]),
    "matmul_batch": ((node("MatMul", "x z"), {}), ["b", "n", 17], ["b", 17, "m"]),
    "conv": (conv(3, 5, 3), ["n", 3, "h", "w_"], None),
    "conv_static": (conv(3, 5, 3), ["n", 3, 17, 13], None),
    "conv_pointwise": (conv(16, 33, 1), ["n", 16, "h", "w_"], None),
    "conv_points": (conv(16, 5, 1), ["n", 16, 1, 1], None),
    "conv_group": (conv(4, 8, 3, 2), ["n", 4, "h", "w_"], None),
    "conv_depthwise": (conv(17, 17, 5, 17), ["n", 17, "h", "w_"], None),
    "softmax": ((node("Softmax", "x"), {}), ["n", "m"], None),
    "softmax_133": ((node("Softmax", "x"), {}), ["n", 133], None),
    "softmax_first": ((node("Softmax", "x", axis=0), {}), ["m", "n"], None),
    "log_softmax": ((node("LogSoftmax", "x"), {}), ["n", "m"], None),
    "layer_norm": ((node("LayerNormalization", "x w b"), NORM), ["n", 33], None),
    "layer_norm_open": ((node("LayerNormalization", "x z"), {}), ["n", "m"], ["m"]),
    "instance_norm": ((node("InstanceNormalization", "x w b"), NORM), ["n", 33, "h", "w_"], None),
    "batch_norm": ((node("BatchNormalization", "x w b b w"), NORM), ["n", 33, "h"], None),
}


def make_model(name):
    (operator, constants), x, z = CASES[name]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, x)]
    if z:
        inputs.append(helper.make_tensor_value_info("z", TensorProto.FLOAT, z))
    random = np.random.default_rng(1)
    weights = [onnx.numpy_helper.from_array(random.uniform(0.5, 1, dims).astype(np.float32), key)
               for key, dims in constants.items()]
    graph = helper.make_graph([operator], name, inputs, [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


FUNCTION = re.compile(r'^define [^\n]*?@"?([\w.$-]+)"?\([^\n]*\{\n(.*?)^\}', re.S | re.M)
ARITHMETIC = re.compile(r"= (?:[a-z]+ )*?(?:fadd|fsub|fmul|fdiv)\b|call [^@]*@llvm\.(?:fma|fmuladd)\.")
VECTOR = re.compile(r"<\d+ x (?:half|bfloat|float|double)>")


def blocks_of(body):
    """Basic blocks by name: their lines."""
    name, blocks = "", {"": []}
    for line in body.splitlines():
        if label := re.match(r"([\w.$-]+):", line):
            name = label.group(1)
            blocks[name] = []
        else:
            blocks[name].append(line)
    return blocks


def components(nodes, successors):
    """Sets of nodes that reach each other: the loops, outermost only. By Kosaraju, without recursion."""
    def walk(start, edges, seen):
        stack, order = [(start, iter(edges.get(start, ())))], []
        seen.add(start)
        while stack:
            at, rest = stack[-1]
            following = next((n for n in rest if n in nodes and n not in seen), None)
            if following is None:
                order.append(at)
                stack.pop()
            else:
                seen.add(following)
                stack.append((following, iter(edges.get(following, ()))))
        return order

    predecessors = {}
    for at in nodes:
        for following in successors.get(at, ()):
            predecessors.setdefault(following, []).append(at)
    seen, order = set(), []
    for at in sorted(nodes):
        if at not in seen:
            order += walk(at, successors, seen)
    seen = set()
    for at in reversed(order):
        if at not in seen:
            part = set(walk(at, predecessors, seen))
            if len(part) > 1 or at in successors.get(at, ()):
                yield part


def inner_loops(nodes, successors):
    for loop in components(nodes, successors):
        entered = {n for at, following in successors.items() if at not in loop for n in following if n in loop}
        inner = list(inner_loops(loop - entered, successors)) if entered else []
        yield from inner or [loop]


def scalar_loops(text):
    """(how many inner loops compute with floats, those of them that have scalars only: function and block)"""
    count, scalar = 0, []
    for function, body in FUNCTION.findall(text):
        blocks = blocks_of(body)
        successors = {name: re.findall(r"label %\"?([\w.$-]+)", "\n".join(lines)) for name, lines in blocks.items()}
        for loop in inner_loops(set(blocks), successors):
            lines = [line for name in loop for line in blocks[name] if ARITHMETIC.search(line)]
            count += bool(lines)
            if lines and not any(VECTOR.search(line) for line in lines):
                scalar.append(f"{function}: {sorted(loop)[0]}")
    return count, scalar


class VectorLoopsTest(unittest.TestCase):
    def test_finds_scalar_loops(self):
        text = ("define void @f(ptr %0) {\n  br label %outer\n\nouter:\n  br label %1\n\n1:\n"
                "  %2 = fadd contract {0} %x, %y\n  br i1 %c, label %1, label %latch\n\nlatch:\n"
                "  br i1 %c, label %outer, label %end\n\nend:\n  ret void\n}\n")
        self.assertEqual(scalar_loops(text.replace("{0}", "float")), (1, ["f: 1"]))
        self.assertEqual(scalar_loops(text.replace("{0}", "<8 x float>")), (1, []))

    def check(self, name):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "m.onnx"
            onnx.save(make_model(name), path)
            for level in LEVELS:
                for precision in PRECISIONS:
                    trained.compile_model(path, path.with_suffix(".ll"), "--target=cpu", f"--march={level}", "--emit=llvm",
                                          f"--precision={precision}")
                    count, scalar = scalar_loops(path.with_suffix(".ll").read_text())
                    with self.subTest(level=level, precision=precision):
                        self.assertGreater(count, 0)
                        self.assertEqual(scalar, [])


for case in CASES:
    setattr(VectorLoopsTest, f"test_{case}", lambda self, name=case: self.check(name))

if __name__ == "__main__":
    unittest.main()
