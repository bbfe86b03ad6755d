"""How far a result may be from double precision. All are stated here, and none depends on the device.

An ulp is the distance to the next number of the result's type: 2^-23 of the result for float32, 2^-10 for float16, 2^-7
for bfloat16, 2^-52 for float64 at most, and below the smallest normal number that of the smallest normal number.

    EXACT      the number itself: nothing is computed, or it is exact; integers and truth values always, but for `absolute`
    VALUE      the same, but a zero may have either sign: nobody says what the least of -0 and 0 is
    ROUNDED    rounded to nearest once: half an ulp, and 0.0005 for a second rounding of a wider type
    ulps(n)    n ulps; and where a function ends in numbers below the smallest normal one of float32 (for float64: of float64),
               zero will do
    units=n    more, for formulas that cancel, such as exp(x) - 1: n half ulps of 1
    SUM        half an ulp for rounding the result, and for sums of k numbers: (8 + 2 sqrt(k)) * 2^-24 (float64: 2^-53) times
               the sum of the magnitudes of what is added. The short types are added in float32
    steps=n    more, where results of steps are rounded to the type: n * 2^-24, 2^-11, 2^-8 or 2^-53 times that sum

NaN is NaN, infinities and signs of zeros are as they are, unless the reference is within its tolerance of the largest
number or of zero.
"""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Tolerance:
    ulps: float = 0
    is_sum: bool = False
    units: float = 0
    steps: float = 0
    is_function: bool = False
    absolute: float = 0  # of whole numbers too
    text: str = "exact"


EXACT = Tolerance()
VALUE = Tolerance(text="exact, zeros of either sign")
ROUNDED = Tolerance(ulps=0.5005, text="rounded once")
SUM = Tolerance(ulps=0.51, is_sum=True, text="SUM")


def ulps(count, units=0):
    return Tolerance(ulps=count, units=units, is_function=True, text=f"{count} ulps" + (f", {units} units" if units else ""))


def sums(count, steps=0):
    """A result that is computed from sums, and so many ulps."""
    return Tolerance(ulps=count, is_sum=True, steps=steps, text=f"SUM, {count} ulps" + (f", {steps} steps" if steps else ""))


def summed(x, axis, keepdims=True):
    """The sum and the sum of the magnitudes, with how many there are, as a SUM wants them."""
    return x.sum(axis=axis, keepdims=keepdims), Magnitude(np.abs(x).sum(axis=axis, keepdims=keepdims), count(x, axis))


def count(x, axis):
    axes = range(x.ndim) if axis is None else np.atleast_1d(axis)
    return int(np.prod([x.shape[axis] for axis in axes]))


@dataclasses.dataclass(frozen=True)
class Magnitude:
    """What bounds the error of a sum: the sum of magnitudes, and of how many."""

    total: np.ndarray
    count: int


def ulp(values, element):
    """At each of the values, which are finite."""
    _, exponent = np.frexp(values)
    return np.ldexp(np.ones_like(values), np.maximum(exponent, element.min_exponent + 1) - element.precision)


def allowed(expected, magnitude, element, tolerance):
    """The largest error at each value."""
    finite = np.where(np.isfinite(expected), expected, 0)
    bound = tolerance.ulps * ulp(finite, element) + tolerance.absolute + tolerance.units * 2.0**-element.precision
    if tolerance.is_function:
        bound = bound + element.wide(2) ** (-1022 if element.name == "f64" else -126)
    if tolerance.is_sum:
        share = (8 + 2 * np.sqrt(magnitude.count)) * 2.0**-element.sum_precision + tolerance.steps * 2.0**-element.precision
        bound = bound + share * magnitude.total
    return np.asarray(bound, expected.dtype)


def largest(element):
    highest = {"f16": 15, "f64": 1023, "e4m3": 8, "e5m2": 15}.get(element.name, 127)
    return element.wide(2) ** highest * (2 - element.wide(2) ** (1 - element.precision))


def compare(got, expected, magnitude, element, tolerance):
    """(how many are wrong, the worst error in tolerances, where it is). `got` is of the element's type."""
    if not element.is_float:
        expected = np.asarray(expected).astype(element.numpy)
        wrong = got != expected
        if tolerance.absolute:
            wrong = np.abs(got.astype(np.float64) - expected.astype(np.float64)) > tolerance.absolute
        return int(wrong.sum()), np.inf if wrong.any() else 0.0, int(wrong.argmax()) if wrong.size else 0
    with np.errstate(all="ignore"):
        got, expected = got.astype(element.wide), np.asarray(expected, element.wide)
        bound = allowed(expected, magnitude, element, tolerance)
        error = np.abs(got - expected)
        far = error / np.where(bound > 0, bound, 1)
        far = np.where((bound == 0) & (error > 0), np.inf, far)
        special = ~np.isfinite(expected) | ~np.isfinite(got)
        alike = np.where(np.isnan(expected), np.isnan(got), got == expected)
        # What rounds to infinity, or nearly does.
        edge = largest(element)
        overflows = np.isinf(got) & (np.abs(expected) + bound >= edge) & (np.signbit(got) == np.signbit(expected))
        stays = (np.abs(got) == edge) & np.isinf(expected) & (np.signbit(got) == np.signbit(expected))
        stays &= tolerance.ulps > 0
        far = np.where(special, np.where(alike | overflows | stays, 0, np.inf), far)
        if tolerance == EXACT:
            far = np.where((got == 0) & (expected == 0) & (np.signbit(got) != np.signbit(expected)), np.inf, far)
    if not far.size:
        return 0, 0.0, 0
    far = np.where(np.isnan(far), np.inf, far)
    return int((far > 1).sum()), float(far.max()), int(far.argmax())
