"""Arithmetic that nvcc has compiled, a row of the output an operation, against Python's integers and doubles."""

import math
import sys
import unittest
from fractions import Fraction

sys.dont_write_bytecode = True

import ml_dtypes
import numpy as np

import nvcc
from nvcc import SIZES, Out, blocks_for

WORD = 2**32


def signed(value, bits=32):
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def parts(value, bits, is_signed=False):
    """The parts of a word, the lowest first."""
    values = [value >> at & ((1 << bits) - 1) for at in range(0, 32, bits)]
    return [signed(part, bits) for part in values] if is_signed else values


def joined(values, bits):
    return sum((value & ((1 << bits) - 1)) << at for value, at in zip(values, range(0, 32, bits)))


def by_parts(bits, operation, is_signed=False):
    return lambda x, y: joined([operation(a, b) for a, b in zip(parts(x, bits, is_signed), parts(y, bits, is_signed))], bits)


def dot(x, y, x_bits, is_signed, first=0):
    return 7 + sum(a * b for a, b in zip(parts(x, x_bits, is_signed), parts(y, 8, is_signed)[first:]))


def permuted(x, y, places):
    """The bytes of a word at `places` of the pair, the lowest first."""
    return joined([(x | y << 32) >> 8 * place for place in places], 8)


def clamp(value, least, most):
    return max(least, min(most, value))


def highest(value):
    return value.bit_length() - 1


def nth_set(mask, n):
    places = [at for at in range(32) if mask >> at & 1]
    return places[n - 1] if n <= len(places) else -1


def extended(x, length, is_signed):
    field = x & ((1 << length) - 1)
    return signed(field, length) if is_signed and length else field


def field_of(x, at):
    """bfe.s32 of 9 bits: above the top bit is the sign."""
    return signed(signed(x) >> at, 9) if at + 8 < 32 else signed(x) >> at


WORDS = [lambda x, y: int(f"{x:032b}"[::-1], 2), lambda x, y: x.bit_count(), lambda x, y: (x & -x).bit_length(),
         lambda x, y: 32 - x.bit_length(), lambda x, y: (y << 32 | x) << (y & 31) >> 32,
         lambda x, y: (y << 32 | x) >> (y & 31),
         lambda x, y: (y << 32 | x) << min(y & 63, 32) >> 32, lambda x, y: (y << 32 | x) >> min(y & 63, 32),
         lambda x, y: permuted(x, y, [x >> (8 + 4 * i) & 7 for i in range(4)]), lambda x, y: dot(x, y, 8, True),
         lambda x, y: dot(x, y, 8, False), lambda x, y: dot(x, y, 16, True), lambda x, y: dot(x, y, 16, False, 2),
         lambda x, y: abs(signed(x) - signed(y)) + 5, lambda x, y: abs(x - y) + 5,
         lambda x, y: (x & y) ^ (~x | 0x0f0f0f0f), lambda x, y: signed(x) * signed(y) >> 32, lambda x, y: x * y >> 32,
         lambda x, y: signed(x, 24) * signed(y, 24), lambda x, y: (x & 0xffffff) * (y & 0xffffff),
         lambda x, y: signed(x) + signed(y) >> 1, lambda x, y: signed(x) + signed(y) + 1 >> 1, lambda x, y: x + y >> 1,
         by_parts(8, lambda a, b: a + b), by_parts(8, lambda a, b: abs(a - b)), by_parts(16, max, True),
         by_parts(8, lambda a, b: 255 * (a > b)), by_parts(8, lambda a, b: a + b + 1 >> 1), lambda x, y: nth_set(x | 1, 2)]

INLINED = [lambda x, y: x >> 5 & 511, lambda x, y: field_of(x, y & 31),
           lambda x, y: y & ~0xfffff0 | x << 4 & 0xfffff0, lambda x, y: highest(x),
           lambda x, y: 31 - highest(x ^ -(x >> 31) % WORD) if x not in (0, WORD - 1) else -1,
           lambda x, y: x & y | x & 0x12345678 | y & 0x12345678, lambda x, y: permuted(x, y, [3, 4, 5, 6]),
           lambda x, y: permuted(x, y, [1, 0, 7, 6]), lambda x, y: permuted(x, y, [2, 2, 2, 2]),
           lambda x, y: permuted(x, y, [2, 2, 2, 3]), lambda x, y: permuted(x, y, [0, 1, 1, 1]),
           lambda x, y: permuted(x, y, [2, 3, 2, 3]), lambda x, y: extended(x, y & 31, True),
           lambda x, y: extended(x, min(y & 63, 32), False), lambda x, y: ((1 << (y & 31)) - 1) << (x & 31),
           lambda x, y: joined([clamp(signed(y), -2**15, 2**15 - 1), clamp(signed(x), -2**15, 2**15 - 1)], 16),
           lambda x, y: x << 16 | clamp(x >> 20, 0, 255) << 8 | clamp(signed(y) >> 22, 0, 255),
           lambda x, y: min(abs(x - signed(y)), 2**31 - 1), lambda x, y: (x & 255) + (y >> 24) + x,
           lambda x, y: max(signed(x) >> 16, signed(y, 16)), lambda x, y: x << (y & 31), lambda x, y: x > signed(y),
           lambda x, y: signed(x, 16) * signed(y >> 8, 8) + signed(y)]


class NumbersTest(unittest.TestCase):
    def run_rows(self, name, kernel, count, out_type, x, y=None):
        """The rows of the output, for two arrays of inputs."""
        n, out = len(x), Out(out_type, count, len(x))
        inputs = [x] if y is None else [x, y]
        said = PROGRAMS.run(name, kernel, blocks_for(n, 128), 128, *inputs, out, n)
        self.assertEqual((said.text, said.fault), ("", None), (name, kernel, n))
        return out.array

    def check_integers(self, name, kernel, rows, bits, x, y):
        out = self.run_rows(name, kernel, len(rows), {32: np.uint32, 64: np.uint64}[bits], x, y)
        for row, function in enumerate(rows):
            expected = [function(*pair) % (1 << bits) for pair in zip(x.tolist(), y.tolist())]
            np.testing.assert_array_equal(out[row], np.array(expected, out.dtype), err_msg=f"{kernel}, row {row}")

    def integers(self, bits, n, random):
        """Random numbers of all lengths, the ends of the range among them."""
        dtype = {32: np.uint32, 64: np.uint64}[bits]
        values = random.integers(0, 1 << bits, n, dtype=dtype) >> random.integers(0, bits, n).astype(dtype)
        values[::7] = ~values[::7]
        values[::11] = random.choice(np.array([0, 1, 2**(bits - 1), 2**bits - 1], dtype), len(values[::11]))
        return values


class Integers(NumbersTest):
    def test_words(self):
        for n in SIZES:
            random = np.random.default_rng(n)
            for kernel, rows in (("words", WORDS), ("inlined", INLINED)):
                self.check_integers("bits", kernel, rows, 32, self.integers(32, n, random), self.integers(32, n, random))

    def test_wide_words(self):
        x = self.integers(64, 1000, np.random.default_rng(1))
        out = self.run_rows("bits", "wideWords", 5, np.uint32, x)
        for i, value in enumerate(x.tolist()):
            reverse = int(f"{value:064b}"[::-1], 2)
            self.assertEqual(out[:, i].tolist(), [reverse % WORD, reverse >> 32, value.bit_count(),
                                                  (value & -value).bit_length(), 64 - value.bit_length()])

    def test_longs(self):
        def quotient(x, y):
            return abs(x) // abs(y) * (1 if (x < 0) == (y < 0) else -1)

        long = lambda value: signed(value, 64)
        rows = [lambda x, y: long(x) * long(y) >> 64, lambda x, y: x * y >> 64, lambda x, y: quotient(long(x), long(y)),
                lambda x, y: long(x) - quotient(long(x), long(y)) * long(y), lambda x, y: x // y, lambda x, y: x % y,
                lambda x, y: long(x) >> (y & 63), lambda x, y: x << (y & 63), lambda x, y: quotient(long(x), 1000003),
                lambda x, y: quotient(signed(x), 7) + math.fmod(signed(y), 10).__int__()]
        for n in SIZES:
            random = np.random.default_rng(n)
            x, y = self.integers(64, n, random), self.integers(64, n, random) | np.uint64(1)
            self.check_integers("integers", "longs", rows, 64, x, y)

    def test_128_bits(self):
        full = 1 << 128
        a, b = (lambda x, y: x << 64 | y), (lambda x, y: (y << 32 | x) % full)
        wide = [lambda x, y: a(x, y) + b(x, y), lambda x, y: a(x, y) - b(x, y), lambda x, y: a(x, y) * b(x, y),
                lambda x, y: a(x, y) << (x & 127), lambda x, y: a(x, y) >> (y & 127),
                lambda x, y: signed(a(x, y), 128) >> (y & 127)]
        halves = [half for function in wide for half in (function, lambda x, y, f=function: f(x, y) % full >> 64)]
        rows = halves + [lambda x, y: a(x, y) < b(x, y), lambda x, y: signed(a(x, y), 128) < signed(b(x, y), 128)]
        divisor = lambda x, y: y >> 40 << 64 | x | 1
        quotients = [lambda x, y: a(x, y) // divisor(x, y), lambda x, y: a(x, y) // divisor(x, y) >> 64,
                     lambda x, y: a(x, y) % divisor(x, y), lambda x, y: a(x, y) % divisor(x, y) >> 64]
        for n in SIZES:
            random = np.random.default_rng(n)
            x, y = self.integers(64, n, random), self.integers(64, n, random)
            self.check_integers("integers", "wides", rows, 64, x, y)
            self.check_integers("integers", "divideWides", quotients, 64, x, y)

    def test_chains_of_carries(self):
        whole = lambda words: sum(word << 32 * place for place, word in enumerate(words))
        words = lambda value, count: [value >> 32 * place & (WORD - 1) for place in range(count)]
        for n in SIZES:
            random = np.random.default_rng(n)
            x, y = (self.integers(32, 4 * n, random).reshape(n, 4) for _ in range(2))
            out = Out(np.uint32, n, 18)
            said = PROGRAMS.run("integers", "chains", blocks_for(n, 128), 128, x, y, out, n)
            self.assertEqual(said.text, "")
            for i in range(n):
                a, b = whole(x[i].tolist()), whole(y[i].tolist())
                self.assertEqual(out.array[i].tolist(), words(a + b, 5) + words(a - b, 5) + words(a * b, 8))


def rounded_to(dtype, exact, mode):
    """A fraction as the next number of the type above ("up"), below ("down") or towards zero ("zero")."""
    nearest = np.array(float(exact)).astype(dtype)
    is_above = Fraction(float(nearest)) > exact
    if mode == "zero":
        mode = "down" if exact > 0 else "up"
    if Fraction(float(nearest)) == exact or is_above == (mode == "up"):
        return nearest
    return np.nextafter(nearest, dtype(np.inf if mode == "up" else -np.inf))


def bfloat(values):
    """Doubles to bfloat16 in one rounding: by way of a float with its last bit stuck to what is lost."""
    values = np.asarray(values, np.float64)
    single = values.astype(np.float32)
    lower = np.where(np.abs(single.astype(np.float64)) > np.abs(values), np.nextafter(single, np.float32(0)), single)
    bits = lower.view(np.uint32) | (lower.astype(np.float64) != values)
    return bits.astype(np.uint32).view(np.float32).astype(ml_dtypes.bfloat16)


class Floats(NumbersTest):
    def check_rows(self, out, expected, ulps, what):
        """Rows of results against rows of exact ones, each with its bound in units of the last place."""
        type_of = out.dtype.type
        for row, (exact, bound) in enumerate(zip(expected, ulps)):
            exact = np.asarray(exact, np.float64)
            with np.errstate(over="ignore", invalid="ignore"):
                nearest = exact.astype(type_of)
                spacing = np.spacing(np.abs(nearest)).astype(np.float64)
                error = np.abs(out[row].astype(np.float64) - exact) / spacing
            isSame = (out[row] == nearest) | (np.isnan(out[row]) & np.isnan(nearest))
            wrong = ~(isSame | (error <= bound))
            self.assertFalse(wrong.any(), f"{what}, row {row}: {out[row][wrong][:3]} for {exact[wrong][:3]}")

    def test_halves(self):
        for n in SIZES:
            random = np.random.default_rng(n)
            pairs = [random.standard_normal((n, 2)).astype(np.float16) for _ in range(2)]
            out = self.run_rows("half", "halves", 16, np.uint32, *[pair.view(np.uint32)[:, 0] for pair in pairs])
            out = out.view(np.float16).reshape(16, -1)
            x, y = (pair.astype(np.float64).reshape(-1) for pair in pairs)
            exact = [x + y, x - y, x * y, x * y + x, x / y, np.minimum(x, y), np.maximum(x, y), np.abs(x), -x,
                     np.clip(x + y, 0, 1), x > y, np.sqrt(np.abs(x)), np.exp2(y), np.floor(x), np.maximum(x * y + x, 0),
                     x.reshape(-1, 2)[:, ::-1].reshape(-1)]
            # Divisions, roots and powers are made of approximations in f32.
            self.check_rows(out, exact, [1 if row in (4, 11, 12) else 0.5 for row in range(16)], "half")

    def test_bfloats(self):
        for n in SIZES:
            random = np.random.default_rng(n)
            pairs = [random.standard_normal((n, 2)).astype(ml_dtypes.bfloat16) for _ in range(2)]
            out = self.run_rows("half", "bfloats", 10, np.uint32, *[pair.view(np.uint32)[:, 0] for pair in pairs])
            out = out.view(ml_dtypes.bfloat16).reshape(10, -1)
            x, y = (pair.astype(np.float64).reshape(-1) for pair in pairs)
            exact = [x + y, x - y, x * y, x * y + x, np.minimum(x, y), np.maximum(x, y), np.abs(x), -x, x >= y,
                     np.sqrt(np.abs(x))]
            for row, values in enumerate(exact):
                np.testing.assert_array_equal(out[row], bfloat(values), err_msg=f"row {row}")

    def test_conversions(self):
        for n in SIZES:
            random = np.random.default_rng(n)
            x = (random.standard_normal(n) * 10.0 ** random.integers(-3, 4, n)).astype(np.float32)
            halves, bfloats, ints = Out(np.float16, 4, n), Out(ml_dtypes.bfloat16, 4, n), Out(np.int32, 6, n)
            said = PROGRAMS.run("half", "convert", blocks_for(n, 128), 128, x, halves, bfloats, ints, n)
            self.assertEqual(said.text, "")
            half, exact = x.astype(np.float16), [Fraction(float(value)) for value in x]
            with np.errstate(over="ignore"):
                square = half * half + np.arange(n).astype(np.float16)
            np.testing.assert_array_equal(halves.array, [half, [rounded_to(np.float16, value, "zero") for value in exact],
                                                         [rounded_to(np.float16, value, "up") for value in exact], square])
            cut = (x.view(np.uint32) & 0xffff0000).view(np.float32).astype(ml_dtypes.bfloat16)
            bfloat_x = bfloat(x)
            np.testing.assert_array_equal(bfloats.array, [bfloat_x, cut, bfloat(bfloat_x.astype(np.float64) / 2),
                                                          np.maximum(bfloat_x, ml_dtypes.bfloat16(-1))])
            millionths = np.rint(x.astype(np.float64) * 1e6).astype(np.int64).astype(np.int32)
            largest = (0x7fffffff - np.arange(n)) & ~127 # 24 of 31 bits
            np.testing.assert_array_equal(ints.array, [np.floor(half), np.rint(half), np.ceil(x), millionths, half < 0,
                                                       largest.astype(np.float32).view(np.int32)])

    # The rows of math.cu, each with its bound in units of the last place of an f32.
    FUNCTIONS = [(lambda x, y: math.sin(x), 2), (lambda x, y: math.cos(x), 2), (lambda x, y: exponential(x), 2),
                 (lambda x, y: math.log(abs(x)), 1), (lambda x, y: power(abs(x), y), 4), (lambda x, y: math.tanh(x), 2),
                 (lambda x, y: math.erf(x), 2), (lambda x, y: math.sqrt(abs(x)), 0.5), (lambda x, y: abs(x) ** -0.5, 2),
                 (lambda x, y: x / y, 0.5), (lambda x, y: x / y, 2), (lambda x, y: math.fmod(x, y), 0),
                 (lambda x, y: math.atan2(x, y), 3), (lambda x, y: float(np.float32(math.floor(x) + math.trunc(y))), 0),
                 (lambda x, y: clamp(x, 0, 1), 0), (lambda x, y: x * y + x, 0.5), (lambda x, y: math.log1p(abs(x)), 2),
                 (lambda x, y: 10**y, 2), (lambda x, y: math.cbrt(x), 1), (lambda x, y: round(x), 0)]

    def floats(self, n, random, largest_exponent):
        x = (random.standard_normal(n) * 10.0 ** random.uniform(-4, largest_exponent, n)).astype(np.float32)
        y = random.uniform(-8, 8, n).astype(np.float32)
        return x, y

    def reference(self, x, y, functions):
        return [[function(a, b) for a, b in zip(x.tolist(), y.tolist())] for function in functions]

    def test_floats(self):
        for n in SIZES:
            # Up to 1e6, and, for every third number, far beyond where sin and cos reduce their argument in one step.
            x, y = self.floats(n, np.random.default_rng(n), 6)
            x[::3] *= np.float32(1e25)
            out = self.run_rows("math", "floats", len(self.FUNCTIONS), np.float32, x, y)
            functions, bounds = zip(*self.FUNCTIONS)
            self.check_rows(out, self.reference(x, y, functions), bounds, "math")

    def test_fast_floats(self):
        for n in SIZES:
            random = np.random.default_rng(n)
            x, y = random.uniform(-3, 3, n).astype(np.float32), random.uniform(-4, 4, n).astype(np.float32)
            x, y = (np.where(np.abs(values) < 0.01, np.float32(0.5), values) for values in (x, y))
            out = self.run_rows("math-fast", "floats", len(self.FUNCTIONS), np.float32, x, y)
            exact = np.array(self.reference(x, y, [row[0] for row in self.FUNCTIONS]))
            # Approximations promise a few units of 2^-22 of what they are made of; fmod is its quotient's error times y.
            error = np.abs(out - exact)
            bound = 2e-6 * np.maximum(1, np.abs(exact))
            is_wrapped = np.isclose(error[11], np.abs(y), rtol=0, atol=1e-5)
            error[11][is_wrapped] = 0
            self.assertTrue((error <= bound).all(), np.argwhere(error > bound)[:5])

    def test_doubles(self):
        ulps = [2, 2, 1, 1, 0.5, 0.5, 0.5, 0.5, 1, 2, 2, 2, 0, 0, 0, 0]
        functions = [lambda x, y: math.sin(x), lambda x, y: math.cos(x), lambda x, y: math.exp(y),
                     lambda x, y: math.log(abs(x)), lambda x, y: math.sqrt(abs(x)),
                     lambda x, y: float(Fraction(x) * Fraction(y) + Fraction(x)),
                     lambda x, y: x / y, lambda x, y: 1 / x, lambda x, y: 1 / math.sqrt(abs(x)), lambda x, y: math.erf(y),
                     lambda x, y: math.tanh(y), lambda x, y: power(abs(x), y / 4),
                     lambda x, y: rounded_to(np.float64, Fraction(x) + Fraction(y), "down"),
                     lambda x, y: rounded_to(np.float64, Fraction(x) * Fraction(y), "up"),
                     lambda x, y: rounded_to(np.float64, Fraction(x) / Fraction(y), "zero"),
                     lambda x, y: root_above(abs(x))]
        for n in SIZES:
            random = np.random.default_rng(n)
            x = random.standard_normal(n) * 10.0 ** random.uniform(-5, 5, n)
            x[::3] *= 10.0 ** random.uniform(5, 200, len(x[::3])) # 2 / pi to hundreds of bits
            y = random.uniform(-8, 8, n)
            out = self.run_rows("math", "doubles", 16, np.float64, x, y)
            # The library's own last place may be wrong.
            bounds = [bound + (1 if bound > 0.5 else 0) for bound in ulps]
            self.check_rows(out, self.reference(x, y, functions), bounds, "doubles")


def exponential(x):
    return math.exp(x) if x < 700 else math.inf


def power(x, y):
    try:
        return x**y
    except OverflowError:
        return math.inf


def root_above(x):
    root = math.sqrt(x)
    return root if Fraction(root) ** 2 >= Fraction(x) else math.nextafter(root, math.inf)


if __name__ == "__main__":
    PROGRAMS = nvcc.Programs(sys.argv.pop(1))
    unittest.main()
