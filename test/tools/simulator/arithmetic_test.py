"""Float arithmetic in every rounding, with every modifier, bit by bit against fractions.

Operands: all pairs of special numbers, numbers of all sizes, sums that cancel, and for the small formats products halfway
between neighbours with a little added, which a computation that rounds twice gets wrong. NaN is compared as NaN, but
where PTX names its bits.
"""

import fractions
import functools
import math
import sys
import unittest

sys.dont_write_bytecode = True

import numpy as np

import cuda
import elementwise
from rounding import FORMATS, Exact, round_fraction, round_to

MODES = ("rn", "rz", "rm", "rp")
ARITY = {"add": 2, "sub": 2, "mul": 2, "div": 2, "fma": 3, "sqrt": 1, "rcp": 1, "min": 2, "max": 2, "abs": 1, "neg": 1}


# The operands.

def special_bits(target):
    infinity = int(target.encode(np.array([np.inf], Exact))[0])
    normal = int(target.encode(np.array([target.smallest], Exact))[0])
    one = int(target.encode(np.array([1], Exact))[0])
    magnitudes = [0, 1, 2, normal - 1, normal, normal + 1, 2 * normal, one - 1, one, one + 1, 2 * one - normal,
                  infinity - 1, infinity, infinity + 1, target.nan]
    return np.array(magnitudes + [m + 2 ** (target.bits - 1) for m in magnitudes], target.unsigned)


def numbers(target, count, random, spread):
    """Random mantissas, exponents up to `spread` from 0."""
    exponents = random.integers(max(-spread, target.min_exponent - target.precision), spread + 1, count)
    values = np.ldexp(Exact(1) + random.random(count).astype(Exact), exponents) * random.choice([-1, 1], count)
    return round_to(values, target, "rn")


def halfway_products(target, count, random):
    """x * y halfway between two numbers of the format, and something tiny to add."""
    x, y = (np.abs(numbers(target, 400 * count, random, 0)) for _ in "xy")
    product = x * y
    _, exponent = np.frexp(product)
    scaled = np.ldexp(product, target.precision - exponent)
    found = np.flatnonzero(scaled - np.floor(scaled) == 0.5)[:count]
    tiny = np.ldexp(Exact(1), random.integers(max(-45, target.min_exponent - target.precision + 1), -target.precision - 4, len(found)))
    return x[found], y[found], tiny * random.choice([-1, 1], len(found))


@functools.cache
def operands(name):
    target, random = FORMATS[name], np.random.default_rng(21)
    special = special_bits(target)
    x, y = (side.ravel() for side in np.meshgrid(special, special))
    parts = [(x, y, np.resize(special[::-1], len(x)))]
    anything = random.integers(0, 2**64, (3, 400), np.uint64, endpoint=False)
    parts.append(tuple(anything.astype(target.unsigned)))
    for spread in (1, 12, target.precision * 2):
        parts.append(tuple(target.encode(numbers(target, 300, random, spread)) for _ in "xyz"))
    x, y = (numbers(target, 300, random, 6) for _ in "xy")  # cancels
    parts.append((target.encode(x), target.encode(y), target.encode(round_to(-x * y, target, "rn"))))
    parts.append((target.encode(x), target.encode(-x) + target.unsigned.type(1), target.encode(y)))
    if target.bits == 16:
        parts.append(tuple(map(target.encode, halfway_products(target, 300, random))))
    return tuple(np.concatenate(column) for column in zip(*parts))


# The reference, a number at a time. Python's floats hold all numbers of all formats, and infinity and NaN.

def sum_of(x, y, mode):
    """Exact, or a float if it is special: the sign of a sum of 0 depends on the rounding."""
    if not (math.isfinite(x) and math.isfinite(y)):
        return x + y
    total = fractions.Fraction(x) + fractions.Fraction(y)
    if total:
        return total
    if x == 0 and y == 0 and math.copysign(1, x) == math.copysign(1, y):
        return x
    return -0.0 if mode == "rm" else 0.0


def product_of(x, y):
    if math.isfinite(x) and math.isfinite(y) and x and y:
        return fractions.Fraction(x) * fractions.Fraction(y)
    return x * y


def fused(x, y, z, mode):
    product = product_of(x, y)
    if not isinstance(product, fractions.Fraction):
        return sum_of(product, z, mode)
    if not math.isfinite(z):
        return z
    return product + fractions.Fraction(z) or (-0.0 if mode == "rm" else 0.0)


def quotient_of(x, y):
    if math.isfinite(x) and math.isfinite(y) and x and y:
        return fractions.Fraction(x) / fractions.Fraction(y)
    with np.errstate(all="ignore"):
        return float(np.float64(x) / np.float64(y))


def root_of(x):
    """The root to 100 bits, and whether something is missing."""
    if not (math.isfinite(x) and x > 0):
        return (x if x == 0 or x == math.inf else math.nan), 0
    square = fractions.Fraction(x)
    shift = max(0, 220 - square.numerator.bit_length() + square.denominator.bit_length()) // 2
    scaled = square * 4**shift
    root = math.isqrt(math.floor(scaled))
    return fractions.Fraction(root, 2**shift), int(root * root != scaled)


def compute(op, mode, values):
    sticky = 0
    if op == "sqrt":
        exact, sticky = root_of(*values)
    elif op == "fma":
        exact = fused(*values, mode)
    elif op in ("add", "sub"):
        exact = sum_of(values[0], values[1] if op == "add" else -values[1], mode)
    elif op == "mul":
        exact = product_of(*values)
    else:
        exact = quotient_of(*(values if op == "div" else (1.0, *values)))
    return exact, sticky


def extremum(op, flags, x, y):
    sign = math.copysign(1, x) * math.copysign(1, y)
    if "xorsign.abs" in flags:
        x, y = abs(x), abs(y)
    if math.isnan(x) or math.isnan(y):
        result = math.nan if "NaN" in flags or (math.isnan(x) and math.isnan(y)) else y if math.isnan(x) else x
    else:
        order = lambda value: (value, math.copysign(1, value))  # -0 is below 0
        result = (min if op == "min" else max)(x, y, key=order)
    return math.copysign(result, sign) if "xorsign.abs" in flags else result


class Operation:
    def __init__(self, op, name, mode="", flags=()):
        self.op, self.name, self.mode, self.flags = op, name, mode, flags
        self.target = FORMATS[name.removesuffix("x2")]
        self.text = ".".join(word for word in (op, mode, *flags, name) if word)
        self.arity = ARITY[op]

    def signature(self):
        return self.text, self.arity, 2 * self.target.bits if self.name.endswith("x2") else self.target.bits

    def expected(self, *bits):
        """The bit patterns of the results for elements, given as bit patterns."""
        columns = [self.target.decode(column) for column in bits]
        if "ftz" in self.flags:
            columns = [np.where(np.abs(c) < self.target.smallest, np.copysign(Exact(0), c), c) for c in columns]
        columns = [column.astype(np.float64).tolist() for column in columns]
        return self.target.encode(np.array([self.one(values) for values in zip(*columns)], Exact))

    def one(self, values):
        if self.op in ("min", "max"):
            return extremum(self.op, self.flags, *values)
        if self.op in ("abs", "neg"):
            return abs(values[0]) if self.op == "abs" else -values[0]
        result, sticky = compute(self.op, self.mode, values)
        if isinstance(result, fractions.Fraction):
            result = round_fraction(result, self.target, self.mode, sticky)
        if "ftz" in self.flags and abs(result) < self.target.smallest:
            result = math.copysign(0.0, result)
        if "relu" in self.flags and not math.isnan(result):
            result = max(0.0, result) or 0.0
        if "sat" in self.flags:
            result = min(result, 1.0) if result > 0 else 0.0
        return result

    def has_canonical_nan(self):
        return self.name != "f64" and (self.op in ("min", "max") or "relu" in self.flags)


def subsets(*flags):
    result = [()]
    for flag in flags:
        result += [chosen + (flag,) for chosen in result]
    return result


def wide_operations(name):
    flags = ["ftz", "sat"] if name == "f32" else []
    for mode in MODES:
        for op in ("add", "sub", "mul", "fma"):
            for chosen in subsets(*flags):
                yield Operation(op, name, mode, chosen)
        for op in ("div", "sqrt", "rcp"):
            for chosen in subsets(*flags[:1]):
                yield Operation(op, name, mode, chosen)
    for op in ("min", "max"):
        for chosen in subsets("ftz", "NaN", "xorsign.abs") if name == "f32" else [()]:
            yield Operation(op, name, "", chosen)
    for op in ("abs", "neg"):
        for chosen in subsets(*flags[:1]):
            yield Operation(op, name, "", chosen)


def narrow_operations(name):
    flags = ["ftz", "sat"] if name.startswith("f16") else []
    for op in ("add", "sub", "mul", "fma"):
        for chosen in subsets(*flags):
            yield Operation(op, name, "rn", chosen)
    for chosen in subsets(*flags[:1]):
        yield Operation("fma", name, "rn", (*chosen, "relu"))
        for op in ("abs", "neg"):
            yield Operation(op, name, "", chosen)
    for op in ("min", "max"):
        for chosen in subsets(*flags[:1], "NaN", "xorsign.abs"):
            yield Operation(op, name, "", chosen)


class ArithmeticTest(unittest.TestCase):
    compared = 0

    def run_all(self, operations):
        operations = list(operations)
        loaded = DRIVER.load(elementwise.module([operation.signature() for operation in operations]))
        for index, operation in enumerate(operations):
            with self.subTest(operation=operation.text):
                self.check(operation, DRIVER.function(loaded, f"k{index}"))

    def check(self, operation, function, columns=None, expected=None):
        columns = columns or operands(operation.name.removesuffix("x2"))[: operation.arity]
        if operation.name.endswith("x2"):
            # The upper half has the same operands, from the last to the first.
            words = [column.astype(np.uint32) | column[::-1].astype(np.uint32) << 16 for column in columns]
            both = elementwise.launch(DRIVER, function, words)
            results = [both.astype(np.uint16), (both >> 16).astype(np.uint16)[::-1]]
        else:
            results = [elementwise.launch(DRIVER, function, columns)]
        expected = operation.expected(*columns) if expected is None else expected
        for got in results:
            self.compare(operation, columns, got, expected)

    def compare(self, operation, columns, got, expected):
        differs = got != expected
        if not operation.has_canonical_nan():
            differs &= ~(operation.target.is_nan(got) & operation.target.is_nan(expected))
        ArithmeticTest.compared += len(got)
        if differs.any():
            at = int(np.flatnonzero(differs)[0])
            given = ", ".join(f"{int(column[at]):#x}" for column in columns)
            self.fail(f"{operation.text}: {int(differs.sum())} of {len(got)} differ; of {given} the simulator makes "
                      f"{int(got[at]):#x}, and {int(expected[at]):#x} is right")

    def test_wide(self):
        for name in ("f32", "f64"):
            self.run_all(wide_operations(name))

    def test_narrow(self):
        for name in ("f16", "f16x2", "bf16", "bf16x2"):
            self.run_all(narrow_operations(name))

    def test_all_mantissas(self):
        """Products of all pairs of mantissas of bf16, down to where they are subnormal, and beyond."""
        operation, target = Operation("mul", "bf16", "rn"), FORMATS["bf16"]
        function = DRIVER.function(DRIVER.load(elementwise.module([operation.signature()])), "k0")
        mantissas = Exact(1) + np.arange(128).astype(Exact) / 128
        x, y = (side.ravel() for side in np.meshgrid(mantissas, mantissas))
        for exponent in (0, -126, -127, -130, -133, -134, -135):
            bits = target.encode(np.ldexp(x, exponent // 2)), target.encode(np.ldexp(y, exponent - exponent // 2))
            self.check(operation, function, bits, target.encode(round_to(np.ldexp(x * y, exponent), target, "rn")))

    @classmethod
    def tearDownClass(cls):
        print(f"{cls.compared} results compared")


if __name__ == "__main__":
    LIBRARY = sys.argv.pop(1)
    if LIBRARY == "--ptx":  # the modules themselves, for an assembler to look at
        for name in ("f32", "f64", "f16", "f16x2", "bf16", "bf16x2"):
            operations = wide_operations(name) if name in ("f32", "f64") else narrow_operations(name)
            with open(f"{sys.argv[1]}/arithmetic-{name}.ptx", "w", encoding="utf-8") as file:
                file.write(elementwise.module([operation.signature() for operation in operations]))
        sys.exit()
    DRIVER = cuda.Driver(LIBRARY)
    unittest.main()
