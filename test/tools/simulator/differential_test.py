"""Generates C functions of all integer and float operations, compiles them for NVPTX and for the host at each level of
optimisation, runs both on the same numbers, and compares bit by bit (two NaN count as equal).
"""

import ctypes
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

import numpy as np

import cuda

COUNT = 2048
LEVELS = ["-O0", "-O1", "-O2", "-O3"]

# Operand types: C's name, NumPy's, how an operand is made of 64 random bits.
INTEGERS = {"i8": ("signed char", np.int8), "u8": ("unsigned char", np.uint8), "i16": ("short", np.int16),
            "u16": ("unsigned short", np.uint16), "i32": ("int", np.int32), "u32": ("unsigned", np.uint32),
            "i64": ("long", np.int64), "u64": ("unsigned long", np.uint64)}
FLOATS = {"f16": ("_Float16", np.float16), "f32": ("float", np.float32), "f64": ("double", np.float64)}
TYPES = INTEGERS | FLOATS


def unsigned(name):
    return TYPES["u" + name[1:]][0]


def integer_operations(name):
    c, wide = TYPES[name][0], name.endswith(("32", "64"))
    bits = int(name[1:])
    u = unsigned(name)
    yield from (f"({c})(({u})a + ({u})b)", f"({c})(({u})a - ({u})b)", f"({c})(({u})a * ({u})b)",
                "a & b", "a | b", "a ^ b", "~a", f"({c})(({u})a << (b & {bits - 1}))", f"a >> (b & {bits - 1})",
                "a < b ? a : b", "a > b ? a : b", "a == b", "a != b", "a <= b ? c : a", "a >= b ? c : b",
                f"({c})(({u})a * ({u})b + ({u})c)", "a ? b : c")
    guard = f"(a == ({c})(({u})1 << {bits - 1}) && b == -1)" if name[0] == "i" else "0"
    yield from (f"b == 0 || {guard} ? 0 : a / b", f"b == 0 || {guard} ? 0 : a % b", f"a / 7", "a % 10", "a / 16")
    if wide:
        suffix = "l" if bits == 64 else ""
        yield from (f"__builtin_popcount{suffix}(({u})a)", f"a ? __builtin_clz{suffix}(({u})a) : {bits}",
                    f"a ? __builtin_ctz{suffix}(({u})a) : {bits}", f"({c})__builtin_bswap{bits}(({u})a)",
                    f"({c})((({u})a << (b & {bits - 1})) | (({u})a >> (-b & {bits - 1})))",
                    f"({c})__builtin_bitreverse{bits}(({u})a)")
    if name == "u32":
        yield from ("(unsigned)((unsigned long)a * b >> 32)", "(a >> 3 & 0x1ff) | (b << 9 & 0xfe00)",
                    "(unsigned)(((unsigned long)b << 32 | a) >> (c & 31))")


def float_operations(name):
    yield from ("a + b", "a - b", "a * b", "a / b", "-a", "a < b ? a : b", "a > b ? a : b", "a == b", "a != b", "a <= b",
                "a >= b ? c : a", "a * b + c")
    if name != "f16":
        f = "f" if name == "f32" else ""
        yield from (f"__builtin_sqrt{f}(a < 0 ? -a : a)", f"__builtin_fma{f}(a, b, c)", f"__builtin_floor{f}(a)",
                    f"__builtin_ceil{f}(a)", f"__builtin_trunc{f}(a)", f"__builtin_rint{f}(a)", f"__builtin_fabs{f}(a)",
                    f"__builtin_copysign{f}(a, b)", f"__builtin_fmin{f}(a, b)", f"__builtin_fmax{f}(a, b)")


def conversions(name):
    """To every other type; floats to integers within the range, where C defines the result."""
    for other, (c, _) in TYPES.items():
        if other == name:
            continue
        if name in FLOATS and other in INTEGERS:
            bits = int(other[1:])
            limit = 2.0 ** min(bits - 1, 60)
            low = "0" if other[0] == "u" else f"{-limit}"
            yield other, f"(a > {low} && a < {limit} ? ({c})a : 0)"
        else:
            yield other, f"({c})a"


def all_operations():
    """(operand type, result type, expression)"""
    for name in TYPES:
        operations = integer_operations(name) if name in INTEGERS else float_operations(name)
        for expression in operations:
            yield name, name, expression
        for result, expression in conversions(name):
            yield name, result, expression


OPERATIONS = list(all_operations())


def source():
    lines = ["typedef unsigned long u64;", "#ifdef __NVPTX__",
             "#define ENTRY __attribute__((device_kernel)) void",
             "#define INDEX (__nvvm_read_ptx_sreg_ctaid_x() * 128 + __nvvm_read_ptx_sreg_tid_x())",
             "#else", "#define ENTRY void", "#endif"]
    for number, (operand, result, expression) in enumerate(OPERATIONS):
        c, r = TYPES[operand][0], TYPES[result][0]
        lines += [f"__attribute__((noinline)) static {r} f{number}({c} a, {c} b, {c} c) {{ return ({r})({expression}); }}"]
    # One entry an operation and type would make hundreds of kernels; one for each operand type is enough.
    for name, (c, _) in TYPES.items():
        body = []
        row = 0
        for number, (operand, result, _) in enumerate(OPERATIONS):
            if operand != name:
                continue
            r = TYPES[result][0]
            body.append(f"  {{ {r} r = f{number}(a, b, c); u64 bits = 0; __builtin_memcpy(&bits, &r, sizeof r); "
                        f"out[{row} * n + i] = bits; }}")
            row += 1
        lines += ["#ifdef __NVPTX__", f"ENTRY run_{name}(const {c} *x, u64 *out, long n) {{", "  long i = INDEX;", "#else",
                  f"ENTRY run_{name}(const {c} *x, u64 *out, long n) {{ for (long i = 0; i < n; ++i) {{", "#endif",
                  f"  {c} a = x[i], b = x[n + i], c = x[2 * n + i];", *body, "#ifndef __NVPTX__", "  }", "#endif", "}"]
    return "\n".join(lines) + "\n"


def make_operands(name):
    random = np.random.default_rng(11)
    kind = TYPES[name][1]
    if name in INTEGERS:
        values = random.integers(0, 2**63, 3 * COUNT).astype(np.uint64).view(np.uint8).reshape(-1, 8)
        array = np.ascontiguousarray(values[:, : np.dtype(kind).itemsize]).view(kind).reshape(-1)
        array[::7] = random.integers(0, 100, len(array[::7])).astype(kind)
        return array
    with np.errstate(all="ignore"):
        array = (random.standard_normal(3 * COUNT) * 2.0 ** random.integers(-12, 14, 3 * COUNT)).astype(kind)
    special = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 0.5, 2.5, -2.5]
    array[: len(special)] = special
    array[COUNT : COUNT + len(special)] = special[::-1]
    return array


def is_nan(bits, name):
    kind = TYPES[name][1]
    width = np.dtype(kind).itemsize
    return np.isnan(np.ascontiguousarray(bits.view(np.uint8).reshape(-1, 8)[:, :width]).view(kind).reshape(-1))


class DifferentialTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.temporary.cleanup)
        cls.folder = pathlib.Path(cls.temporary.name)
        (cls.folder / "operations.c").write_text(source())
        subprocess.run([CLANG, "-O1", "-ffp-contract=off", "-mf16c", "-mfma",
                        "-Xclang", "-ffloat16-excess-precision=none", "-shared", "-fPIC", "-w",
                        cls.folder / "operations.c", "-o", cls.folder / "operations.so"], check=True)
        cls.host = ctypes.CDLL(str(cls.folder / "operations.so"))

    def compile_ptx(self, level):
        ptx = self.folder / f"operations{level}.ptx"
        subprocess.run([CLANG, "--target=nvptx64-nvidia-cuda", "-nocudalib", "-march=sm_80", level, "-S", "-w",
                        "-ffp-contract=off", "-Xclang", "-target-feature", "-Xclang", "+ptx80",
                        self.folder / "operations.c", "-o", ptx], check=True)
        return ptx.read_text()

    def test_all_operations(self):
        for level in LEVELS:
            module = DRIVER.load(self.compile_ptx(level))
            for name in TYPES:
                with self.subTest(level=level, type=name):
                    self.compare(module, name)

    def compare(self, module, name):
        mine = [(result, expression) for operand, result, expression in OPERATIONS if operand == name]
        operands = make_operands(name)
        expected = np.zeros(len(mine) * COUNT, np.uint64)
        self.host[f"run_{name}"](operands.ctypes.data_as(ctypes.c_void_p), expected.ctypes.data_as(ctypes.c_void_p),
                                 ctypes.c_long(COUNT))
        out = DRIVER.upload(np.zeros(len(mine) * COUNT, np.uint64))
        said = DRIVER.launch(DRIVER.function(module, f"run_{name}"), [COUNT // 128], [128],
                             [DRIVER.upload(operands), out, ctypes.c_long(COUNT)])
        self.assertEqual((said.text, said.fault), ("", None))
        got = DRIVER.download(out, np.uint64, len(mine) * COUNT)
        for row, (result, expression) in enumerate(mine):
            a, b = got[row * COUNT : (row + 1) * COUNT], expected[row * COUNT : (row + 1) * COUNT]
            differs = a != b
            if result in FLOATS:
                differs &= ~(is_nan(a, result) & is_nan(b, result))
            if differs.any():
                at = int(np.flatnonzero(differs)[0])
                self.fail(f"{name} -> {result}: {expression}: {int(differs.sum())} of {COUNT} differ; of "
                          f"{operands[at]}, {operands[COUNT + at]}, {operands[2 * COUNT + at]} the simulator makes "
                          f"{a[at]:#x}, the host {b[at]:#x}")

    @classmethod
    def tearDownClass(cls):
        print(f"{len(OPERATIONS)} operations, {len(LEVELS)} levels, {COUNT} operands each")


if __name__ == "__main__":
    LIBRARY, CLANG = sys.argv[1:3]
    del sys.argv[1:3]
    DRIVER = cuda.Driver(LIBRARY)
    unittest.main()
