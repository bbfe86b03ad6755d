"""What float formats can hold and how numbers round to them, with arithmetic of its own: in the 64 bits of mantissa that
np.longdouble has (whole tables at once), or in fractions (any operation, one number at a time).
"""

import fractions
import math

import ml_dtypes
import numpy as np

Exact = np.longdouble
assert np.finfo(Exact).nmant >= 63, "the reference needs a long double that holds 64-bit integers"


class Format:
    def __init__(self, kind, precision, min_exponent, max_exponent, largest=None, nan=None):
        self.kind = np.dtype(kind)  # NumPy's
        self.bits = 8 * self.kind.itemsize
        self.unsigned = np.dtype(f"u{self.kind.itemsize}")
        self.precision = precision  # bits of mantissa, the leading one included
        self.min_exponent = min_exponent  # of the smallest normal number
        self.largest = largest or (2 - 2.0 ** (1 - precision)) * 2.0**max_exponent
        self.smallest = 2.0**min_exponent
        self.nan = nan if nan is not None else 2 ** (self.bits - 1) - 1  # the canonical one

    def decode(self, bits):
        """The exact values of an array of bit patterns."""
        values = bits.astype(self.unsigned).view(self.kind)
        return (values if self.bits >= 32 else values.astype(np.float32)).astype(Exact)

    def encode(self, values):
        """The bit patterns of values that the format holds."""
        narrow = values.astype(np.float64 if self.bits == 64 else np.float32)
        return np.where(np.isnan(values), self.unsigned.type(self.nan), narrow.astype(self.kind).view(self.unsigned))

    def is_nan(self, bits):
        return np.isnan(self.decode(bits))


FORMATS = {"f16": Format(np.float16, 11, -14, 15), "bf16": Format(ml_dtypes.bfloat16, 8, -126, 127),
           "f32": Format(np.float32, 24, -126, 127), "f64": Format(np.float64, 53, -1022, 1023),
           "tf32": Format(np.float32, 11, -126, 127),
           "e4m3": Format(ml_dtypes.float8_e4m3fn, 4, -6, 8, largest=448.0),
           "e5m2": Format(ml_dtypes.float8_e5m2, 3, -14, 15)}

WHOLE = {"rn": np.rint, "rz": np.trunc, "rm": np.floor, "rp": np.ceil,
         "rna": lambda x: np.copysign(np.floor(np.abs(x) + 0.5), x)}


def round_to(values, target, mode):
    """Exact values to those that the format holds."""
    _, exponent = np.frexp(values)
    step = np.maximum(exponent, target.min_exponent + 1) - target.precision
    rounded = np.ldexp(WHOLE[mode](np.ldexp(values, -step)), step)
    goes_to_infinity = (mode in ("rn", "rna")) | (np.signbit(values) if mode == "rm" else ~np.signbit(values) & (mode == "rp"))
    beyond = np.where(goes_to_infinity, Exact(np.inf), Exact(target.largest))
    rounded = np.where(np.abs(rounded) > target.largest, np.copysign(beyond, values), rounded)
    return np.where(np.isfinite(values), rounded, values)


def flush(values, target):
    """What .ftz does: subnormals become zeros of their sign."""
    return np.where(np.abs(values) < target.smallest, np.copysign(Exact(0), values), values)


def saturate(values):
    """.sat: to [0, 1], NaN to 0."""
    return np.where(values > 0, np.minimum(values, Exact(1)), Exact(0))


def relu(values):
    return np.where((values > 0) | np.isnan(values), values, Exact(0))


def round_fraction(value, target, mode, sticky=0):
    """A fraction, not 0, to the format. `sticky`, if not 0, is the sign of a rest too small to matter but for its sign."""
    magnitude = abs(value)
    exponent = magnitude.numerator.bit_length() - magnitude.denominator.bit_length()
    if magnitude >= fractions.Fraction(2) ** exponent:
        exponent += 1  # now magnitude is in [2 ** (exponent - 1), 2 ** exponent)
    step = max(exponent, target.min_exponent + 1) - target.precision
    scaled = value / fractions.Fraction(2) ** step
    below = math.floor(scaled)
    rest = scaled - below
    is_exact = rest == 0 and not sticky
    if rest == 0 and sticky < 0:
        below, rest = below - 1, fractions.Fraction(3, 4)
    elif rest == 0 and sticky > 0:
        rest = fractions.Fraction(1, 4)
    elif rest == fractions.Fraction(1, 2) and sticky:
        rest += fractions.Fraction(sticky, 4)
    if is_exact or mode == "rm" or (mode == "rz" and value > 0):
        whole = below
    elif mode in ("rp", "rz"):
        whole = below + 1
    else:
        whole = below + (rest > fractions.Fraction(1, 2) or (rest == fractions.Fraction(1, 2) and below % 2 == 1))
    result = whole * fractions.Fraction(2) ** step
    sign = -1.0 if value < 0 else 1.0
    if abs(result) > target.largest:
        goes_to_infinity = mode == "rn" or mode == ("rp" if value > 0 else "rm")
        return sign * (math.inf if goes_to_infinity else target.largest)
    return math.copysign(float(result), sign)
