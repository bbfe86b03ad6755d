"""Folding a constant changes no bit: every elementwise op on every element type, folded and computed by kernels.

Two modules a type hold the same ops, one on constants and one on inputs with the same elements: all bits at random,
and what is rare (NaN, infinities, zeros of both signs, subnormals, the largest and smallest numbers). The op list is
read from Elementwise.td, so that a new op is tested with the rest; on integers if it is named below.
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[3]
COUNT = 509  # two of the folder's blocks, the second not full; as f64 below what may be folded whatever it is made of

# Bits, and which bit patterns are NaN.
FLOATS = {
    "f64": (64, lambda x: x & (1 << 63) - 1 > 0x7FF << 52), "f32": (32, lambda x: x & 0x7FFFFFFF > 0xFF << 23),
    "f16": (16, lambda x: x & 0x7FFF > 0x1F << 10), "bf16": (16, lambda x: x & 0x7FFF > 0xFF << 7),
    "f8E4M3FN": (8, lambda x: x & 0x7F == 0x7F), "f8E5M2": (8, lambda x: x & 0x7F > 0x7C),
    "f8E4M3FNUZ": (8, lambda x: x == 0x80), "f8E5M2FNUZ": (8, lambda x: x == 0x80),
    "f8E8M0FNU": (8, lambda x: x == 0xFF),
}
INTEGERS = {f"{sign}{bits}": (bits, None) for bits in (8, 16, 32, 64) for sign in ("i", "ui")}
TYPES = {**FLOATS, **INTEGERS, "i1": (8, None)}

# What ops take, where it is not floats alone.
INTEGER_TOO = {"abs", "neg", "sign", "floor", "ceil", "round", "trunc", "relu", "add", "sub", "mul", "div", "floor_mod",
               "trunc_mod", "pow", "min", "max", "equal", "less", "less_equal"}
INTEGER_ONLY = {"and", "or", "xor", "not", "shift_left", "shift_right"}
BOOLEAN = {"and", "or", "xor", "not", "equal", "where", "cast"}
COMPARISONS = {"equal", "less", "less_equal", "is_nan", "is_inf"}
WITH_OTHER_TYPES = {"cast", "bitcast", "where"}


def elementwise_ops():
    """(name, operands) of each op that dialects/dsc/Elementwise.td defines."""
    text = (ROOT / "dialects/dsc/Elementwise.td").read_text()
    arity = {"UnaryOp": 1, "ClassifyOp": 1, "BinaryOp": 2, "CompareOp": 2, "ElementwiseOp": 3, "DscOp": 1}
    return [(name, arity[kind]) for kind, name in re.findall(r'^def \w+ : (\w+)<"(\w+)"', text, re.MULTILINE)]


def numbers(name, random):
    """Elements by their bits: random ones, small numbers, and what is rare, beside each other."""
    bits, _ = TYPES[name]
    kind = np.dtype(f"u{bits // 8}")
    if name == "i1":
        return random.integers(0, 2, COUNT).astype(kind)
    sign, ones = 1 << bits - 1, (1 << bits) - 1
    rare = [0, sign, 1, sign | 1, ones, sign - 1, 2, 3, bits - 1, bits, bits + 1, ones - 1]
    exponents = {"f64": 52, "f32": 23, "f16": 10, "bf16": 7, "f8E4M3FN": 3, "f8E5M2": 2, "f8E4M3FNUZ": 3, "f8E5M2FNUZ": 2}
    if name in exponents:
        infinity = (sign - 1) >> exponents[name] << exponents[name]
        one = (infinity >> 1) & ~((1 << exponents[name]) - 1)
        for size in (infinity, infinity - 1, infinity | 1, 1 << exponents[name], (1 << exponents[name]) - 1, one, one + 1):
            rare += [size, sign | size]
    x = random.integers(0, ones, COUNT, np.uint64, endpoint=True)
    if name in ("f32", "f64"):  # most bit patterns are huge or tiny: half of them shall be numbers of models
        size = (random.standard_normal(COUNT) * 4.0 ** random.integers(-6, 6, COUNT)).astype(f"f{bits // 8}")
        x = np.where(random.random(COUNT) < 0.5, size.view(kind).astype(np.uint64), x)
    elif name in INTEGERS:
        x = np.where(random.random(COUNT) < 0.5, random.integers(0, 20, COUNT, np.uint64) - np.uint64(10), x)
    chosen = random.choice(np.array(rare, np.uint64), COUNT)
    return (np.where(random.random(COUNT) < 0.3, chosen, x) & np.uint64(ones)).astype(kind)


def ops_of(name):
    """(label, op, operands, result type, attributes) for elements of one type."""
    is_float = name in FLOATS
    for op, operands in elementwise_ops():
        takes_integers = op in INTEGER_TOO | INTEGER_ONLY
        if op in WITH_OTHER_TYPES or (op in INTEGER_ONLY if is_float else not takes_integers):
            continue
        if name == "i1" and op not in BOOLEAN:
            continue
        yield op, op, ["a", "b"][:operands], "i1" if op in COMPARISONS else name, ""
    yield "where", "where", ["c", "a", "b"], name, ""
    for other in TYPES:
        yield f"cast_{other}", "cast", ["a"], other, ""
        if other.startswith("f8"):
            yield f"saturate_{other}", "cast", ["a"], other, " {saturate}"
        if name != "i1" and other != "i1" and TYPES[other][0] == TYPES[name][0]:
            yield f"bitcast_{other}", "bitcast", ["a"], other, ""


def literal(values, name):
    if name == "i1":
        return "[" + ", ".join("true" if value else "false" for value in values) + "]"
    return f'"0x{values.tobytes().hex().upper()}"'


def module(name, data, constants):
    """Text of stage `imported`, and the outputs' names."""
    def tensor(element):
        return f"tensor<{COUNT}x{element}>"

    operands = {"a": name, "b": name, "c": "i1"}
    arguments = [f'%{key}{"_input" if constants else ""}: {tensor(element)} {{dsc.name = "{key}"}}'
                 for key, element in operands.items()]
    body = [f"%{key} = dsc.constant dense<{literal(data[key], element)}> : {tensor(element)}"
            for key, element in operands.items()] if constants else []
    rows = list(ops_of(name))
    for label, op, inputs, result, attributes in rows:
        types = ", ".join(tensor(operands[key]) for key in inputs)
        body.append(f'%{label} = dsc.{op} {", ".join("%" + key for key in inputs)}{attributes} : ({types}) -> '
                    f'{tensor(result)} loc("{label}")')
    results = ", ".join(f'{tensor(row[3])} {{dsc.name = "{row[0]}"}}' for row in rows)
    body.append(f'return {", ".join("%" + row[0] for row in rows)} : {", ".join(tensor(row[3]) for row in rows)}')
    return (f'module attributes {{dsc.relations = [], dsc.stage = "imported", dsc.symbols = []}} {{\n'
            f'func.func @main({", ".join(arguments)}) -> ({results}) {{\n' + "\n".join(body) + "\n}\n}\n")


class FoldingTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def call(self, *words):
        child = subprocess.run([str(word) for word in words], capture_output=True, text=True)
        self.assertEqual(child.returncode, 0, child.stderr[-3000:])
        return child.stdout

    def compute(self, name, data, constants, compile_options, run_options):
        source, artifact, out = self.folder / "module.mlir", self.folder / "module.so", self.folder / "out"
        source.write_text(module(name, data, constants))
        self.call("dscc", source, "-o", artifact, *compile_options)
        words = []
        for key in "abc":
            element = "i1" if key == "c" else name
            bits = TYPES[element][0]
            view = {"i1": "bool", "f32": "f4", "f64": "f8", "f16": "f2"}.get(
                element, f"i{bits // 8}" if element in INTEGERS and element[0] == "i" else f"u{bits // 8}")
            np.save(self.folder / f"{key}.npy", data[key].view(view))
            words += ["--input", f"{key}={self.folder / key}.npy"]
        self.call("dscc-run", artifact, "--output", out, *words, *run_options)
        return {row[0]: np.load(out / f"{row[0]}.npy") for row in ops_of(name)}

    def folded(self, name, data):
        """The labels of what is left to kernels although all is known."""
        source = self.folder / "module.mlir"
        source.write_text(module(name, data, True))
        text = self.call("dscc", source, "--until=canonical", "-o", "-")
        places = dict(re.findall(r'^(#loc\d+) = loc\("(\w+)"\)', text, re.MULTILINE))
        return {places.get(place, place) for place in re.findall(r"= dsc\.(?!constant).*loc\((#loc\d+)\)", text)}

    def check(self, name, ways):
        data = {key: numbers("i1" if key == "c" else name, np.random.default_rng(number))
                for number, key in enumerate("abc")}
        left = self.folded(name, data)
        # The integers that NaN and what is out of range become are left open; so are elements that share a byte.
        allowed = {f"cast_{other}" for other in INTEGERS} if name in FLOATS else set()
        self.assertLessEqual(left, allowed)
        ours = self.compute(name, data, True, ["--target=cpu", "--march=x86-64-v3"], ["--device=cpu"])
        for compile_options, run_options in ways:
            expected = self.compute(name, data, False, compile_options, run_options)
            for label, _, _, result, _ in ops_of(name):
                if label in left:
                    continue
                bits = TYPES[result][0]
                a, b = (array[label].view(f"u{bits // 8}") for array in (ours, expected))
                if result in FLOATS:
                    a, b = ([-1 if FLOATS[result][1](int(x)) else int(x) for x in array] for array in (a, b))
                a, b = np.array(a, object), np.array(b, object)
                wrong = a != b
                if label.startswith("bitcast") and name in FLOATS:  # what a NaN carries is nobody's promise
                    wrong &= ~np.array([bool(FLOATS[name][1](int(x))) for x in data["a"]])
                wrong = np.flatnonzero(wrong)
                with self.subTest(type=name, op=label, way=" ".join(compile_options)):
                    self.assertEqual(len(wrong), 0, [(hex(data["a"][i]), hex(data["b"][i]), hex(int(a[i])), hex(int(b[i])))
                                                     for i in wrong[:4]])


WAYS = [(["--target=cpu", "--march=x86-64-v3"], ["--device=cpu"]),
        (["--target=cuda", "--arch=sm_80"], ["--device=sim", "--sim-chip=sm_80"]),
        (["--target=cpu", "--march=x86-64-v4"], ["--device=cpu"])]
for element in TYPES:
    # The last has instructions of its own for floats.
    ways = WAYS if element in ("f64", "f32", "f16", "bf16") else WAYS[:2]
    setattr(FoldingTest, f"test_{element}", lambda self, element=element, ways=ways: self.check(element, ways))

if __name__ == "__main__":
    sys.exit(unittest.main())
