"""Compares the compiler's math library with Python's: random arguments, then the special ones."""

import ctypes
import math
import random
import sys

library = ctypes.CDLL(sys.argv[1])
random.seed(1)
failures = []


def function(name, count=1):
    result = getattr(library, name)
    result.restype, result.argtypes = ctypes.c_double, [ctypes.c_double] * count
    return result


def check(name, got, wanted, arguments, tolerance):
    same = got == wanted or (math.isnan(got) and math.isnan(wanted))
    if not same and not abs(got - wanted) <= tolerance * abs(wanted):
        failures.append(f"{name}{arguments} is {got!r}, not {wanted!r}")


RANGES = {"exp": (-740, 709), "exp2": (-1070, 1023), "expm1": (-5, 5), "log": (0, 1e6), "log2": (0, 1e6),
          "log10": (0, 1e6), "log1p": (-1, 10), "sin": (-1e6, 1e6), "cos": (-1e6, 1e6), "tan": (-100, 100),
          "atan": (-50, 50), "asin": (-1, 1), "acos": (-1, 1), "sinh": (-709, 709), "cosh": (-709, 709),
          "tanh": (-30, 30), "asinh": (-100, 100), "acosh": (1, 100), "atanh": (-1, 1), "erf": (-7, 7),
          "cbrt": (-1e5, 1e5)}
for name, (low, high) in RANGES.items():
    ours, theirs = function(name), getattr(math, name)
    for step in range(3000):
        # Small arguments too, where cancellation shows; but no nearer to a bound than the range says.
        x = random.uniform(low, high)
        if step % 3 == 0 and low <= 0 <= high:
            x *= random.random() ** 8
        # 3e-15 is 14 units in the last place; results below the normal range have fewer digits.
        wanted = theirs(x)
        check(name, ours(x), wanted, (x,), 3e-15 if abs(wanted) > 3e-308 else 1)

# Angles of all sizes, to the last turn.
for name in ("sin", "cos", "tan"):
    for _ in range(3000):
        x = random.choice([-1, 1]) * random.uniform(1, 2) * 2.0 ** random.randint(20, 1023)
        check(name, function(name)(x), getattr(math, name)(x), (x,), 3e-15)

fmod, pow_, atan2 = function("fmod", 2), function("pow", 2), function("atan2", 2)
for _ in range(3000):
    x, y = (random.uniform(-1, 1) * 10.0 ** random.uniform(-320, 300) for _ in range(2))
    if y:
        check("fmod", fmod(x, y), math.fmod(x, y), (x, y), 0)
    check("atan2", atan2(x, y), math.atan2(x, y), (x, y), 1e-15)
    x, y = random.uniform(0, 100), random.uniform(-40, 40)
    check("pow", pow_(x, y), math.pow(x, y), (x, y), 1e-13)

inf, nan = math.inf, math.nan
SPECIAL = {"exp": {inf: inf, -inf: 0, nan: nan, 0: 1}, "log": {0: -inf, -1: nan, inf: inf, 1: 0},
           "tanh": {inf: 1, -inf: -1, nan: nan}, "erf": {inf: 1, -inf: -1, nan: nan}, "sin": {inf: nan, 0: 0},
           "acosh": {0.5: nan, -5: nan, 1: 0}, "atanh": {1: inf, -1: -inf, 2: nan}, "log1p": {-1: -inf, -2: nan, inf: inf},
           "asin": {1: math.pi / 2, -1: -math.pi / 2, 2: nan}, "acos": {-1: math.pi, 1: 0}, "cbrt": {-inf: -inf, 0: 0}}
for name, values in SPECIAL.items():
    for x, wanted in values.items():
        check(name, function(name)(x), wanted, (x,), 1e-15)
for x, y, wanted in [(3, 2, 9), (-2, 3, -8), (0, -1, inf), (-8, 1 / 3, nan), (0, 0.5, 0), (inf, -2, 0), (-0.0, -3, -inf),
                     (nan, 0, 1), (1, nan, 1), (2, 1024, inf), (2, -1070, 2.0 ** -1070), (2, 500, 2.0 ** 500), (-1, inf, 1), (0.5, -inf, inf)]:
    check("pow", pow_(x, y), wanted, (x, y), 0)

for failure in failures[:20]:
    print(failure)
print(len(failures), "failures")
