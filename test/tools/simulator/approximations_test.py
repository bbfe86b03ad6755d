"""Approximate functions: within the error that the PTX manual allows, and exact where it says what the result is.

f16 and bf16: all operands. f32: numbers of all sizes. Against long double.
"""

import sys
import unittest

sys.dont_write_bytecode = True

import numpy as np

import cuda
import elementwise
from rounding import FORMATS, Exact

PI = Exact(np.pi) + Exact(1.2246467991473532e-16)


def relative(exponent):
    return lambda x, y: np.abs(y) * 2.0**exponent


def absolute(exponent):
    return lambda x, y: np.full(len(y), 2.0**exponent)


def ulps(count):
    def bound(x, y):
        _, exponent = np.frexp(y)
        return count * np.ldexp(Exact(1), np.maximum(exponent - 24, -149))
    return bound


def logarithm_bound(x, y):
    return np.where((x > 0.5) & (x < 2), Exact(2) ** -22, np.abs(y) * 2.0**-22)


def wave_bound(x, y):
    return np.where(np.abs(x) <= 2 * PI, 2.0**-20.5, 2.0**-14.7)


def within(limit):
    return lambda x: np.abs(x) <= limit


# name, format, function, largest error, where it holds
FUNCTIONS = [
    ("ex2.approx", "f32", np.exp2, ulps(2), None), ("ex2.approx.ftz", "f32", np.exp2, ulps(2), None),
    ("ex2.approx", "f16", np.exp2, relative(-9.9), None), ("ex2.approx.ftz", "bf16", np.exp2, relative(-7), None),
    ("ex2.approx", "f16x2", np.exp2, relative(-9.9), None), ("ex2.approx.ftz", "bf16x2", np.exp2, relative(-7), None),
    ("lg2.approx", "f32", np.log2, logarithm_bound, None), ("lg2.approx.ftz", "f32", np.log2, logarithm_bound, None),
    ("sin.approx", "f32", np.sin, wave_bound, within(100 * PI)), ("cos.approx", "f32", np.cos, wave_bound, within(100 * PI)),
    ("sin.approx.ftz", "f32", np.sin, wave_bound, within(100 * PI)),
    ("cos.approx.ftz", "f32", np.cos, wave_bound, within(100 * PI)),
    ("tanh.approx", "f32", np.tanh, relative(-11), None), ("tanh.approx", "f16", np.tanh, absolute(-10.987), None),
    ("tanh.approx", "bf16", np.tanh, absolute(-8), None), ("tanh.approx", "f16x2", np.tanh, absolute(-10.987), None),
    ("tanh.approx", "bf16x2", np.tanh, absolute(-8), None),
    ("rcp.approx", "f32", lambda x: 1 / x, ulps(1), None), ("rcp.approx.ftz", "f32", lambda x: 1 / x, ulps(1), None),
    ("rsqrt.approx", "f32", lambda x: 1 / np.sqrt(x), relative(-22.9), None),
    ("rsqrt.approx.ftz", "f32", lambda x: 1 / np.sqrt(x), relative(-22.9), None),
    ("sqrt.approx", "f32", np.sqrt, relative(-23), None), ("sqrt.approx.ftz", "f32", np.sqrt, relative(-23), None),
]
# The upper words alone: 20 bits of mantissa.
HALVED = [("rcp.approx.ftz", lambda x: 1 / x), ("rsqrt.approx.ftz", lambda x: 1 / np.sqrt(x))]


def singles(count, seed):
    random = np.random.default_rng(seed)
    anything = random.integers(0, 2**32, count, np.uint64).astype(np.uint32)
    near = (random.standard_normal(count) * 2.0 ** random.integers(-8, 9, count)).astype(np.float32).view(np.uint32)
    special = np.array([0, 0x80000000, 0x7f800000, 0xff800000, 0x7fffffff, 0x7f800001, 1, 0x80000001, 0x007fffff,
                        0x807fffff, 0x00800000, 0x80800000, 0x7f7fffff, 0xff7fffff, 0x3f800000, 0xbf800000, 0x3f7fffff,
                        0x3f800001, 0x3f000000, 0x40000000, 0x43000000, 0xc3000000, 0xc2fc0000, 0xc3160000], np.uint32)
    return np.concatenate([special, anything, near])


def flushed(values, target):
    return np.where(np.abs(values) < target.smallest, np.copysign(Exact(0), values), values)


class ApproximationsTest(unittest.TestCase):
    def load(self, signatures):
        loaded = DRIVER.load(elementwise.module(signatures))
        return [DRIVER.function(loaded, f"k{i}") for i in range(len(signatures))]

    def compare(self, text, target, columns, got, exact, bound, has_ftz):
        """A number: within the bound, or the next number of the format. All else: the same."""
        if has_ftz:
            exact = flushed(exact, target)
        is_special = ~np.isfinite(exact) | (exact == 0)
        alike = np.where(np.isnan(exact), np.isnan(got), (got == exact) & (np.signbit(got) == np.signbit(exact)))
        smallest = Exact(2) ** (target.min_exponent - target.precision + 1)
        error = np.abs(got - exact)
        is_near = error <= np.maximum(bound, smallest)
        # Beyond the largest number, and with .ftz below the smallest normal one, there is a step.
        is_near |= (np.abs(exact) >= target.largest) & np.isinf(got) & (np.signbit(got) == np.signbit(exact))
        if has_ftz:
            is_near |= (np.abs(exact) <= target.smallest * (1 + 2.0**-6)) & (got == 0)
        bad = np.flatnonzero(~np.where(is_special, alike, is_near))
        if len(bad):
            given = ", ".join(str(column[bad[0]]) for column in columns)
            self.fail(f"{text}: {len(bad)} of {len(got)} are wrong; of {given} the simulator makes {got[bad[0]]}, and "
                      f"{exact[bad[0]]} is right")
        with np.errstate(invalid="ignore", divide="ignore"):
            worst = np.nanmax(np.where(is_special | ~np.isfinite(got), 0, error / np.maximum(bound, smallest)))
        print(f"{text}: {len(got)} results, largest error {float(worst):.2f} of what is allowed")

    def test_functions(self):
        functions = self.load([(f"{name}.{kind}", 1, 32 if "x2" in kind else FORMATS[kind].bits)
                               for name, kind, *_ in FUNCTIONS])
        for (name, kind, function, bound, domain), kernel in zip(FUNCTIONS, functions):
            with self.subTest(function=f"{name}.{kind}"), np.errstate(all="ignore"):
                target = FORMATS[kind.removesuffix("x2")]
                bits = singles(60000, 9) if kind == "f32" else np.arange(2**16, dtype=np.uint16)
                if domain:
                    bits = bits[domain(target.decode(bits)) | ~np.isfinite(target.decode(bits))]
                if kind.endswith("x2"):
                    words = bits.astype(np.uint32) | bits[::-1].astype(np.uint32) << 16
                    both = elementwise.launch(DRIVER, kernel, [words])
                    results = [both.astype(np.uint16), (both >> 16).astype(np.uint16)[::-1]]
                else:
                    results = [elementwise.launch(DRIVER, kernel, [bits])]
                x = target.decode(bits)
                operand = flushed(x, target) if "ftz" in name else x
                exact = function(operand)
                for got in results:
                    self.compare(f"{name}.{kind}", target, [x], target.decode(got), exact, bound(operand, exact),
                                 "ftz" in name)

    def test_division(self):
        names = ["div.approx.f32", "div.approx.ftz.f32", "div.full.f32", "div.full.ftz.f32"]
        target = FORMATS["f32"]
        x, y = singles(40000, 1), np.random.default_rng(2).permutation(singles(40000, 3))
        for text, kernel in zip(names, self.load([(name, 2, 32) for name in names])):
            with self.subTest(function=text), np.errstate(all="ignore"):
                columns = [target.decode(bits) for bits in (x, y)]
                a, b = (flushed(c, target) for c in columns) if "ftz" in text else columns
                exact = a / b
                if "approx" in text:
                    is_large = (np.abs(b) > Exact(2) ** 126) & np.isfinite(b)
                    exact = np.where(is_large, np.where(np.isfinite(a), np.copysign(Exact(0), exact), Exact(np.nan)), exact)
                got = target.decode(elementwise.launch(DRIVER, kernel, [x, y]))
                self.compare(text, target, columns, got, exact, ulps(2)(b, exact), "ftz" in text)

    def test_upper_words(self):
        target = FORMATS["f64"]
        random = np.random.default_rng(4)
        bits = random.integers(0, 2**64, 20000, np.uint64)
        special = [0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, 5e-324, -5e-324, 1e-310, 2.2250738585072014e-308, 1.7e308]
        bits = np.concatenate([np.array(special).view(np.uint64), bits[(bits >> 32) & 0x7ff00000 != 0x7ff00000]])
        for (name, function), kernel in zip(HALVED, self.load([(f"{name}.f64", 1, 64) for name, _ in HALVED])):
            with self.subTest(function=name), np.errstate(all="ignore"):
                got = elementwise.launch(DRIVER, kernel, [bits])
                self.assertFalse((got & np.uint64(0xffffffff)).any())
                x = flushed(target.decode(bits & np.uint64(0xffffffff00000000)), target)
                exact = function(x)
                self.compare(f"{name}.f64", target, [x], target.decode(got), exact, np.abs(exact) * 2.0**-20, True)


if __name__ == "__main__":
    LIBRARY = sys.argv.pop(1)
    DRIVER = cuda.Driver(LIBRARY)
    unittest.main()
