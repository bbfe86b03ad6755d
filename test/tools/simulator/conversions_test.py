"""cvt: whole tables of small formats and the edges of large ones, bit by bit against a reference of its own.

One kernel a conversion, one thread a value. NaN is compared as NaN, but where PTX names its bits.
"""

import functools
import sys
import unittest

sys.dont_write_bytecode = True

import numpy as np

import cuda
from rounding import FORMATS, Exact, flush, relu, round_to, saturate

BLOCK = 256
INTEGERS = {f"{sign}{bits}": np.dtype(f"{'i' if sign == 's' else 'u'}{bits // 8}") for sign in "su" for bits in (8, 16, 32, 64)}
FLOATS = ("f16", "bf16", "f32", "f64")
WHOLE_MODES = {"rni": np.rint, "rzi": np.trunc, "rmi": np.floor, "rpi": np.ceil}


# The operands, as bit patterns.

def padded(bits):
    """As many as whole blocks have."""
    return np.ascontiguousarray(np.resize(bits, -(-len(bits) // BLOCK) * BLOCK))


def midpoints(name):
    """All numbers of a format, and those halfway between neighbours, exactly."""
    target = FORMATS[name]
    half = np.arange(2 ** (target.bits - 1), dtype=np.uint64)
    values = target.decode(half)
    values = values[np.isfinite(values)]
    both = np.concatenate([values, (values[1:] + values[:-1]) / 2, [Exact(target.largest) + (values[-1] - values[-2]) / 2]])
    return np.concatenate([both, -both])


def with_neighbours(values, name):
    """The bit patterns of values, and of the next numbers of the format on both sides."""
    target = FORMATS[name]
    bits = target.encode(round_to(values, target, "rn"))
    return np.concatenate([bits, bits + target.unsigned.type(1), bits - target.unsigned.type(1)])


def integer_edges():
    powers = [Exact(2) ** k for k in range(65)]
    around = [p + d for p in powers for d in (-1, -0.5, 0, 0.5, 1)] + [Exact(k) / 4 for k in range(20)]
    return np.array(around + [-x for x in around], Exact)


@functools.cache
def float_operands(name):
    target, random = FORMATS[name], np.random.default_rng(5)
    if target.bits <= 16:
        return padded(np.arange(2**target.bits, dtype=target.unsigned))
    parts = [with_neighbours(integer_edges(), name)]
    for small, step in (("e4m3", 1), ("e5m2", 1), ("f16", 5), ("bf16", 5)):  # every fifth: all exponents, all low bits
        parts.append(with_neighbours(midpoints(small)[::step], name))
    anything = random.integers(0, 2**64, 20000, np.uint64, endpoint=False).astype(target.unsigned)
    parts += [anything, anything & target.unsigned.type(2 ** (target.precision - 1) - 1)]  # subnormals too
    if name == "f64":  # ties of f32 and tf32, and numbers of its range
        singles = (anything & 0xffffffff).astype(np.uint32)
        values = FORMATS["f32"].decode(np.concatenate([singles, singles & np.uint32(0x807fffff)]))
        values = values[np.isfinite(values)]
        step = np.abs(values - FORMATS["f32"].decode(FORMATS["f32"].encode(values) ^ np.uint32(1)))
        parts.append(with_neighbours(np.concatenate([values, values + step / 2]), name))
    infinity = int(FORMATS[name].encode(np.array([np.inf], Exact))[0])
    signs = [0, 2 ** (target.bits - 1)]
    parts.append(np.array([s + x for s in signs for x in (0, 1, infinity - 1, infinity, infinity + 1, infinity + 2**12,
                                                          target.nan, target.nan - 1)], target.unsigned))
    return padded(np.unique(np.concatenate(parts)))


@functools.cache
def integer_operands(name):
    kind, random = INTEGERS[name], np.random.default_rng(6)
    if kind.itemsize <= 2:
        return np.arange(2 ** (8 * kind.itemsize), dtype=f"u{kind.itemsize}")
    bits = 8 * kind.itemsize
    anything = random.integers(0, 2**64, 20000, np.uint64, endpoint=False)
    shifted = anything >> random.integers(0, 64, 20000, np.uint64)
    # Ties of each precision, and their neighbours: a mantissa, one more bit, zeros, and a little.
    top = [(m << 1 | 1) << k for p in (8, 11, 24, 53) for k in range(0, bits - p - 1, 3)
           for m in (2 ** (p - 1), 2 ** (p - 1) + 1, 2**p - 1)]
    edges = [2**k for k in range(bits)] + top
    around = np.array([(e + d) % 2**64 for e in edges for d in (-1, 0, 1)], np.uint64)
    return padded(np.concatenate([anything, shifted, around, ~around + np.uint64(1)]).astype(f"u{kind.itemsize}"))


@functools.cache
def exact_values(name):
    if name in INTEGERS:
        return integer_operands(name).view(INTEGERS[name]).astype(Exact)
    return FORMATS[name].decode(float_operands(name))


# The reference.

def to_integer(values, kind, mode, source):
    limits = np.iinfo(kind)
    whole = WHOLE_MODES[mode](values)
    clamped = np.minimum(np.maximum(whole, Exact(limits.min)), Exact(limits.max))
    is_nan = np.isnan(values)
    result = np.where(is_nan, Exact(0), clamped).astype(kind)
    if source == "f64" or kind.itemsize == 8:
        return np.where(is_nan, np.array(2 ** (8 * kind.itemsize - 1), f"u{kind.itemsize}").view(kind), result)
    return result


def to_float(values, name, mode, flags):
    target = FORMATS[name]
    values = WHOLE_MODES[mode](values) if mode in WHOLE_MODES else round_to(values, target, mode or "rn")
    if "ftz" in flags and name == "f32":
        values = flush(values, target)
    if "satfinite" in flags:
        values = np.where(np.isnan(values), values, np.clip(values, -Exact(target.largest), Exact(target.largest)))
    if "relu" in flags:
        values = relu(values)
    return saturate(values) if "sat" in flags else values


class Conversion:
    """cvt.<modes>.<target>.<source>: its kernel and its reference."""

    def __init__(self, target, source, mode="", flags=()):
        self.target, self.source, self.mode, self.flags = target, source, mode, flags
        words = ["cvt", mode, *flags, target, source]
        # A format of 8 bits reads f16x2, or two f32; the order of the words is that of the manual.
        self.text = ".".join(word for word in words if word)

    def operands(self):
        if self.source in INTEGERS:
            return integer_operands(self.source)
        if self.source.endswith("x2"):
            return np.arange(2**16, dtype=np.uint16) if self.source[0] == "e" else pairs_of_halves()
        return float_operands(self.source)

    def exact(self, bits):
        is_table = self.source in INTEGERS or bits is float_operands(self.source)
        values = exact_values(self.source) if is_table else FORMATS[self.source].decode(bits)
        return flush(values, FORMATS["f32"]) if "ftz" in self.flags and self.source == "f32" else values

    def expected(self, bits):
        """The bits of the result, in the width that is stored."""
        if self.target in INTEGERS and self.source in INTEGERS:
            kind = INTEGERS[self.target]
            values = bits.view(INTEGERS[self.source])
            if "sat" in self.flags:
                limits = np.iinfo(kind)
                return np.minimum(np.maximum(values.astype(Exact), Exact(limits.min)), Exact(limits.max)).astype(kind)
            return values.astype(kind)
        if self.target in INTEGERS:
            return to_integer(self.exact(bits), INTEGERS[self.target], self.mode, self.source)
        return FORMATS[self.target].encode(to_float(self.exact(bits), self.target, self.mode, self.flags))

    def has_canonical_nan(self):
        return "relu" in self.flags or self.target[0] == "e"


def pairs_of_halves():
    """Each f16 as the lower half beside another as the upper half."""
    lower = np.arange(2**16, dtype=np.uint32)
    return lower | (lower * 40503 + 77) % 2**16 << 16


def register_bits(name, other):
    """8-bit integers are extended to a register of 32 bits, beside a bf16 they stay as they are."""
    if name in ("s8", "u8"):
        return 8 if other == "bf16" else 32
    if name in INTEGERS:
        return 8 * INTEGERS[name].itemsize
    return {"f16x2": 32, "bf16x2": 32, "e4m3x2": 16, "e5m2x2": 16}.get(name) or FORMATS[name].bits


def kernel(index, conversion):
    """Two operands, if the target is a pair of f32: the second comes from the reversed table."""
    source, target = conversion.source, conversion.target
    takes_two = target.endswith("x2") and not source.endswith("x2")
    x, y = register_bits(source, target), register_bits(target, source)
    size = 8 if source in ("s8", "u8") else x
    lines = [f".visible .entry k{index}(.param .u64 from, .param .u64 second, .param .u64 to)", "{",
             "  .reg .b32 %r<4>;", "  .reg .b64 %a<6>;", f"  .reg .b{x} %x<2>;", f"  .reg .b{y} %y;",
             "  mov.u32 %r0, %ctaid.x;", "  mov.u32 %r1, %ntid.x;", "  mov.u32 %r2, %tid.x;",
             "  mad.lo.u32 %r0, %r0, %r1, %r2;", "  ld.param.u64 %a0, [from];", "  ld.param.u64 %a1, [second];",
             "  ld.param.u64 %a2, [to];", f"  mul.wide.u32 %a3, %r0, {size // 8};", f"  mul.wide.u32 %a4, %r0, {y // 8};",
             "  add.u64 %a0, %a0, %a3;", "  add.u64 %a1, %a1, %a3;", "  add.u64 %a2, %a2, %a4;",
             f"  ld.global.{'u' if size == 8 else 'b'}{size} %x0, [%a0];"]
    if takes_two:
        lines += [f"  ld.global.b{size} %x1, [%a1];"]
    return lines + [f"  {conversion.text} %y, {'%x1, %x0' if takes_two else '%x0'};", f"  st.global.b{y} [%a2], %y;",
                    "  ret;", "}"]


def module(conversions):
    lines = [".version 8.6", f".target {TARGET}", ".address_size 64"]
    for index, conversion in enumerate(conversions):
        lines += kernel(index, conversion)
    return "\n".join(lines) + "\n"


def subsets(*flags):
    result = [()]
    for flag in flags:
        result += [chosen + (flag,) for chosen in result]
    return result


def conversions_of(source):
    """All that PTX allows from one type, up to sm_90."""
    if source in INTEGERS:
        for target in INTEGERS:
            yield Conversion(target, source)
            own, limits = np.iinfo(INTEGERS[source]), np.iinfo(INTEGERS[target])
            if own.min < limits.min or own.max > limits.max:
                yield Conversion(target, source, "", ("sat",))
        for target in FLOATS:
            for mode in ("rn", "rz", "rm", "rp"):
                for flags in [()] if target == "bf16" else subsets("sat"):
                    yield Conversion(target, source, mode, flags)
        return
    ftz = ["ftz"] if source == "f32" else []
    for target in INTEGERS:
        for mode in WHOLE_MODES:
            for flags in subsets(*ftz, *(["sat"] if source != "bf16" else [])):
                yield Conversion(target, source, mode, flags)
    for target in FLOATS:
        flags = subsets(*(["ftz"] if "f32" in (source, target) and "bf16" not in (source, target) else []),
                        *(["sat"] if "bf16" not in (source, target) else []))
        is_exact = target == source or target == "f64" or (target == "f32" and source in ("f16", "bf16"))
        modes = ["", *WHOLE_MODES] if target == source else [""] if is_exact else ["rn", "rz", "rm", "rp"]
        for mode in modes:
            if target == source == "bf16" and not mode:
                continue
            for chosen in flags:
                yield Conversion(target, source, mode, chosen)


def packed_conversions(source):
    if source == "f32":
        for target in ("f16", "bf16", "f16x2", "bf16x2"):
            for mode in ("rn", "rz"):
                for flags in subsets("relu", "satfinite"):
                    yield Conversion(target, source, mode, flags)
        for mode, flags in [("rna", ()), *[(mode, flags) for mode in ("rn", "rz") for flags in subsets("relu")]]:
            yield Conversion("tf32", source, mode, flags)
        for mode, flags in [("rna", ("satfinite",))]:
            yield Conversion("tf32", source, mode, flags)
    if source in ("f32", "f16x2"):
        for target in ("e4m3x2", "e5m2x2"):
            for flags in (("satfinite",), ("satfinite", "relu")):
                yield Conversion(target, source, "rn", flags)
    if source in ("e4m3x2", "e5m2x2"):
        for flags in subsets("relu"):
            yield Conversion("f16x2", source, "rn", flags)


def halves(bits, name):
    """The two elements of each pair, lower and upper."""
    element = FORMATS[name[:-2]]
    return map(np.ascontiguousarray, bits.view(element.unsigned).reshape(-1, 2).T)


class ConversionsTest(unittest.TestCase):
    compared = 0

    def run_all(self, conversions):
        conversions = list(conversions)
        loaded = DRIVER.load(module(conversions))
        for index, conversion in enumerate(conversions):
            with self.subTest(conversion=conversion.text):
                self.check(conversion, DRIVER.function(loaded, f"k{index}"))
        DRIVER.call("cuModuleUnload", loaded)

    def launch(self, conversion, function, operands, second):
        count = len(operands)
        stored = np.dtype(f"u{register_bits(conversion.target, conversion.source) // 8}")
        addresses = [DRIVER.upload(operands), DRIVER.upload(second), DRIVER.allocate(count * stored.itemsize)]
        said = DRIVER.launch(function, [count // BLOCK], [BLOCK], addresses)
        self.assertEqual((said.text, said.fault), ("", None))
        got = DRIVER.download(addresses[2], stored, count)
        for address in addresses:
            DRIVER.free(address)
        return got

    def check(self, conversion, function):
        operands = conversion.operands()
        second = np.ascontiguousarray(operands[::-1])
        got = self.launch(conversion, function, operands, second)
        if not conversion.target.endswith("x2"):
            expected = conversion.expected(operands)
            if conversion.target in INTEGERS:  # in a wider register: extended by their sign
                wide = np.dtype(f"{'i' if conversion.target[0] == 's' else 'u'}{got.itemsize}")
                expected = expected.astype(wide).view(got.dtype)
            return self.compare(conversion, conversion.target, operands, got, expected)
        element = Conversion(conversion.target[:-2], conversion.source.removesuffix("x2"), conversion.mode, conversion.flags)
        sources = halves(operands, conversion.source) if conversion.source.endswith("x2") else (operands, second)
        for place, of in zip(halves(got, conversion.target), sources):
            self.compare(conversion, element.target, of, np.ascontiguousarray(place), element.expected(of))

    def compare(self, conversion, target, operands, got, expected):
        if target == "tf32":  # the lower bits mean nothing
            got = got & np.uint32(0xffffe000)
            expected = np.where(np.isnan(expected.view(np.float32)), expected, expected & np.uint32(0xffffe000))
        differs = got != expected
        if target in FORMATS and not (conversion.has_canonical_nan() and target != "tf32"):
            differs &= ~(FORMATS[target].is_nan(got) & FORMATS[target].is_nan(expected))
        ConversionsTest.compared += len(got)
        if differs.any():
            at = int(np.flatnonzero(differs)[0])
            self.fail(f"{conversion.text}: {int(differs.sum())} of {len(got)} differ; of {int(operands[at]):#x} the "
                      f"simulator makes {int(got[at]):#x}, and {int(expected[at]):#x} is right")

    def test_scalars(self):
        for source in (*INTEGERS, *FLOATS):
            self.run_all(conversions_of(source))

    def test_packed(self):
        for source in ("f32", "f16x2", "e4m3x2", "e5m2x2"):
            self.run_all(packed_conversions(source))

    @classmethod
    def tearDownClass(cls):
        print(f"{cls.compared} results compared")


if __name__ == "__main__":
    LIBRARY, TARGET = sys.argv.pop(1), "sm_90"
    if LIBRARY == "--ptx":  # the modules themselves, for an assembler to look at
        for name in (*INTEGERS, *FLOATS, "f16x2", "e4m3x2", "e5m2x2"):
            with open(f"{sys.argv[1]}/{name}.ptx", "w", encoding="utf-8") as file:
                file.write(module([*(conversions_of(name) if not name.endswith("x2") else []), *packed_conversions(name)]))
        sys.exit()
    DRIVER = cuda.Driver(LIBRARY)
    unittest.main()
