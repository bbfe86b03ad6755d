"""mma.sync: fragments laid out here, from the tables of the PTX manual, and products in double precision."""

import sys
import unittest

sys.dont_write_bytecode = True

import ml_dtypes
import numpy as np

import cuda

KINDS = {"f16": np.float16, "bf16": ml_dtypes.bfloat16, "tf32": np.float32, "f64": np.float64, "f32": np.float32,
         "s8": np.int8, "u8": np.uint8, "s32": np.int32, "e4m3": ml_dtypes.float8_e4m3fn, "e5m2": ml_dtypes.float8_e5m2}

# m, n, k and the types of D, A, B, C
SHAPES = [(16, 8, 8, "f32", "f16", "f16", "f32"), (16, 8, 16, "f32", "f16", "f16", "f32"),
          (16, 8, 16, "f16", "f16", "f16", "f16"), (16, 8, 8, "f32", "bf16", "bf16", "f32"),
          (16, 8, 16, "f32", "bf16", "bf16", "f32"), (16, 8, 4, "f32", "tf32", "tf32", "f32"),
          (16, 8, 8, "f32", "tf32", "tf32", "f32"), (8, 8, 4, "f64", "f64", "f64", "f64"),
          *[(16, 8, k, "f64", "f64", "f64", "f64") for k in (4, 8, 16)],
          *[(8, 8, 16, "s32", a, b, "s32") for a in ("s8", "u8") for b in ("s8", "u8")],
          *[(16, 8, k, "s32", a, b, "s32") for k in (16, 32) for a, b in (("s8", "u8"), ("u8", "s8"))],
          (16, 8, 32, "f32", "e5m2", "e5m2", "f32"), (16, 8, 32, "f32", "e4m3", "e5m2", "f32"),
          (16, 8, 32, "f16", "e4m3", "e4m3", "f16"), (16, 8, 16, "f32", "e4m3", "e5m2", "f32"),
          (16, 8, 16, "s32", "s8", "s8", "s32"), (16, 8, 32, "s32", "s8", "s8", "s32"),
          (16, 8, 32, "s32", "u8", "s8", "s32"), (16, 8, 32, "s32", "u8", "u8", "s32"),
          (16, 8, 32, "f32", "e4m3", "e4m3", "f32"), (16, 8, 32, "f32", "e5m2", "e4m3", "f32")]


# The simulator sums in order of k, a rounding each, and its results are compared bit by bit. A GPU has an order and a width
# of its own, so gpu-check sets this to False, and then only `tolerance` counts.
IN_ORDER = True


def tolerance(d, a):
    """Of the largest result. Tensor cores cut off what they add at the width of their accumulators, and those for numbers of
    8 bits keep 13 bits or so."""
    if IN_ORDER:
        return {"f16": 2e-3, "f32": 1e-6, "f64": 1e-15, "s32": 0}[d]
    return {"f16": 4e-3, "f32": 2.0**-11 if a[0] == "e" else 4e-6, "f64": 1e-15, "s32": 0}[d]


def width(kind):
    return np.dtype(KINDS[kind]).itemsize


def places_of_a(m, k, kind):
    """(row, column) of each element of each lane: 4 / width neighbours share a register."""
    each = max(1, 4 // width(kind))
    for lane in range(32):
        group, thread = lane // 4, lane % 4
        for element in range(m * k // 32):
            register, within = divmod(element, each)
            row = group + (8 if m == 16 and register % 2 else 0)
            column = thread * each + within + 4 * each * (register // 2 if m == 16 else register)
            yield lane, element, row, column


def places_of_b(k, kind):
    each = max(1, 4 // width(kind))
    for lane in range(32):
        group, thread = lane // 4, lane % 4
        for element in range(k * 8 // 32):
            register, within = divmod(element, each)
            yield lane, element, thread * each + within + 4 * each * register, group


def places_of_c(m):
    for lane in range(32):
        for element in range(m * 8 // 32):
            yield lane, element, lane // 4 + 8 * (element // 2), lane % 4 * 2 + element % 2


def pack(matrix, places, count):
    fragments = np.zeros((32, count), matrix.dtype)
    for lane, element, row, column in places:
        fragments[lane, element] = matrix[row, column]
    return np.ascontiguousarray(fragments)


def product(shape, d, types, modifier, left, others):
    m, n, k = shape
    return f"  mma.sync.aligned.m{m}n{n}k{k}.row.col{modifier}.{d}.{'.'.join(types)} {left}, {', '.join(others)};"


def kernel(m, n, k, d, a, b, c, modifier="", before=None):
    """Each lane loads its fragments, multiplies, stores. `before`: the modifier of another product that comes first."""
    bits = 64 if d == "f64" else 32
    words = {"a": m * k // 32 * width(a) * 8 // bits, "b": k * 8 // 32 * width(b) * 8 // bits,
             "c": m * 8 // 32 * width(c) * 8 // bits, "d": m * 8 // 32 * width(d) * 8 // bits}
    lines = [".version 8.7", ".target sm_90", ".address_size 64",
             ".visible .entry k(.param .u64 pa, .param .u64 pb, .param .u64 pc, .param .u64 pd)", "{",
             "  .reg .b32 %t<4>;", "  .reg .b64 %q<12>;"]
    lines += [f"  .reg .b{bits} %{name}<{count + 1}>;" for name, count in [*words.items(), ("other", words["d"])]]
    lines += ["  mov.u32 %t1, %tid.x;"]
    for index, name in enumerate("abcd"):
        lines += [f"  ld.param.u64 %q{index}, [p{name}];", f"  mul.wide.u32 %q{index + 4}, %t1, {words[name] * bits // 8};",
                  f"  add.u64 %q{index}, %q{index}, %q{index + 4};"]
        if name != "d":
            lines += [f"  ld.global.b{bits} %{name}{i}, [%q{index}+{i * bits // 8}];" for i in range(words[name])]
    group = {name: "{" + ", ".join(f"%{name}{i}" for i in range(count)) + "}" for name, count in words.items()}
    operands = [group[name] for name in "abc"]
    if before is not None:
        lines.append(product((m, n, k), d, (a, b, c), before, group["d"].replace("%d", "%other"), operands))
    lines.append(product((m, n, k), d, (a, b, c), modifier, group["d"], operands))
    lines += [f"  st.global.b{bits} [%q3+{i * bits // 8}], %d{i};" for i in range(words["d"])]
    return "\n".join(lines + ["  ret;", "}"]) + "\n"


class MmaTest(unittest.TestCase):
    def run_kernel(self, text, m, n, k, d, a, b, x, y, z):
        """The lanes' fragments of the result."""
        buffers = [DRIVER.upload(pack(x, places_of_a(m, k, a), m * k // 32)), DRIVER.upload(pack(y, places_of_b(k, b), k * 8 // 32)),
                   DRIVER.upload(pack(z, places_of_c(m), m * 8 // 32))]
        out = DRIVER.allocate(m * n * width(d))
        said = DRIVER.launch(DRIVER.function(DRIVER.load(text), "k"), [1], [32], [*buffers, out])
        self.assertEqual((said.text, said.fault), ("", None))
        return DRIVER.download(out, KINDS[d], (32, m * 8 // 32))

    def check(self, m, n, k, d, a, b, c):
        random = np.random.default_rng(k)

        def matrix(rows, columns, kind):
            if kind in ("s8", "u8", "s32"):
                return random.integers(0 if kind == "u8" else -100, 100, (rows, columns)).astype(KINDS[kind])
            values = random.standard_normal((rows, columns)).astype(KINDS[kind])
            # tf32 has 10 bits of mantissa; the rest is not looked at.
            return (values.view(np.uint32) & 0xffffe000).view(np.float32) if kind == "tf32" else values

        x, y, z = matrix(m, k, a), matrix(k, n, b), matrix(m, n, c)
        fragments = self.run_kernel(kernel(m, n, k, d, a, b, c), m, n, k, d, a, b, x, y, z)
        exact = x.astype(np.float64) @ y.astype(np.float64) + z.astype(np.float64)
        rounded = self.sum_in_order(x, y, z) if d in ("f32", "f16") else exact
        largest_error = tolerance(d, a) * max(1, np.abs(exact).max())
        worst = 0
        for lane, element, row, column in places_of_c(m):
            error = abs(float(fragments[lane, element]) - exact[row, column])
            self.assertLessEqual(error, largest_error, (lane, element))
            worst = max(worst, error)
            if IN_ORDER and d in ("f32", "f16"):
                self.assertEqual(fragments[lane, element], rounded[row, column].astype(KINDS[d]), (lane, element))
        print(f"m{m}n{n}k{k} {d} {a} {b} {c}: largest error {worst:.1e}")

    def sum_in_order(self, x, y, z):
        """In f32, in order of k, each product fused with its sum: long double holds them exactly before they are rounded."""
        total = z.astype(np.float32)
        for k in range(x.shape[1]):
            products = x[:, k : k + 1].astype(np.float64).astype(np.longdouble) * y[k].astype(np.float64).astype(np.longdouble)
            total = (products + total.astype(np.longdouble)).astype(np.float32)
        return total

    def test_shapes(self):
        for shape in SHAPES:
            with self.subTest(shape=shape):
                self.check(*shape)

    def test_rounding(self):
        """f64, one product after the other: a sum of 1 and what is below half of its last place."""
        tiny = 2.0**-60
        for sign, changed in ((1, {".rp": 1 + 2.0**-52}), (-1, {".rz": 1 - 2.0**-53, ".rm": 1 - 2.0**-53})):
            for modifier in ("", ".rn", ".rz", ".rm", ".rp"):
                for m, k in ((8, 4), (16, 4), (16, 8), (16, 16)):
                    with self.subTest(sign=sign, modifier=modifier, m=m, k=k):
                        x, y, z = np.zeros((m, k)), np.full((k, 8), sign * tiny), np.ones((m, 8))
                        x[:, 2] = 1
                        text = kernel(m, 8, k, "f64", "f64", "f64", "f64", modifier)
                        fragments = self.run_kernel(text, m, 8, k, "f64", "f64", "f64", x, y, z)
                        self.assertEqual(np.unique(fragments).tolist(), [changed.get(modifier, 1)])
                with self.subTest(sign=sign, modifier=modifier, wmma=True):
                    self.assertEqual(self.round_by_wmma(modifier, sign * tiny), changed.get(modifier, 1))

    def round_by_wmma(self, modifier, addend):
        """1 and four products, of `addend` and 1, 0, 0 and 0."""
        lines = [".version 8.7", ".target sm_90", ".address_size 64",
                 ".visible .entry k(.param .u64 pa, .param .u64 pb, .param .u64 pc, .param .u64 pd)", "{", "  .reg .b64 %q<4>;",
                 "  .reg .f64 %d<8>;"]
        lines += [f"  ld.param.u64 %q{index}, [p{name}];" for index, name in enumerate("abcd")]
        lines += ["  wmma.load.a.sync.aligned.row.m8n8k4.global.f64 {%d0}, [%q0];",
                  "  wmma.load.b.sync.aligned.row.m8n8k4.global.f64 {%d1}, [%q1];",
                  "  wmma.load.c.sync.aligned.row.m8n8k4.global.f64 {%d2, %d3}, [%q2];",
                  f"  wmma.mma.sync.aligned.row.row.m8n8k4{modifier}.f64.f64.f64.f64 {{%d4, %d5}}, {{%d0}}, {{%d1}}, {{%d2, %d3}};",
                  "  wmma.store.d.sync.aligned.row.m8n8k4.global.f64 [%q3], {%d4, %d5};", "  ret;", "}"]
        x = np.zeros((8, 4))
        x[:, 1] = 1
        buffers = [DRIVER.upload(array) for array in (x, np.full((4, 8), addend), np.ones((8, 8)))]
        out = DRIVER.allocate(512)
        said = DRIVER.launch(DRIVER.function(DRIVER.load("\n".join(lines) + "\n"), "k"), [1], [32], [*buffers, out])
        self.assertEqual((said.text, said.fault), ("", None))
        (value,) = np.unique(DRIVER.download(out, np.float64, 64))
        return value

    def test_saturating(self):
        """C is at the ends of its range: sums stop there, or wrap. Products of both kinds stand side by side."""
        limits = np.iinfo(np.int32)
        for m, k in ((8, 16), (16, 16), (16, 32)):
            random = np.random.default_rng(k)
            x, y = (random.integers(-100, 100, shape).astype(np.int8) for shape in ((m, k), (k, 8)))
            z = random.choice([limits.min, limits.min + 9, 0, limits.max - 9, limits.max], (m, 8)).astype(np.int32)
            exact = x.astype(np.int64) @ y.astype(np.int64) + z
            for modifier, expected in (("", exact.astype(np.int32)), (".satfinite", exact.clip(limits.min, limits.max))):
                for before in ("", ".satfinite"):
                    with self.subTest(m=m, k=k, modifier=modifier, before=before):
                        text = kernel(m, 8, k, "s32", "s8", "s8", "s32", modifier, before)
                        fragments = self.run_kernel(text, m, 8, k, "s32", "s8", "s8", x, y, z)
                        for lane, element, row, column in places_of_c(m):
                            self.assertEqual(fragments[lane, element], expected[row, column], (lane, element))

    def use_wmma(self, name, registers, offset=0, stride="", change=""):
        """What is said of a load, or a store, whose matrix begins so many bytes into a buffer. %p0 holds in one lane."""
        bits = 64 if name.endswith("f64") else 32
        fragment = ", ".join(f"%r{i}" for i in range(registers))
        place = f"[%q0], {{{fragment}}}" if name.startswith("store") else f"{{{fragment}}}, [%q0]"
        text = "\n".join([".version 8.7", ".target sm_90", ".address_size 64", ".visible .entry k(.param .u64 p)", "{",
                          "  .reg .b64 %q<4>;", "  .reg .pred %p<2>;", f"  .reg .b{bits} %r<8>;", "  .reg .b32 %t<4>;",
                          "  ld.param.u64 %q0, [p];", "  mov.u32 %t0, %tid.x;", "  setp.eq.u32 %p0, %t0, 17;",
                          f"  add.u64 %q0, %q0, {offset};", f"  mov.u32 %t1, 16;\n{change}", f"  wmma.{name} {place}{stride};",
                          "  ret;", "}"])
        said = DRIVER.launch(DRIVER.function(DRIVER.load(text + "\n"), "k"), [1], [32], [DRIVER.upload(np.zeros(4096, np.uint8))])
        if said.fault:
            DRIVER.library.cuDevicePrimaryCtxReset_v2(0)
            DRIVER.__init__(LIBRARY)
        return said

    def test_alignment_of_wmma(self):
        """Rows begin at multiples of the fragment's size in a lane, of 16 bytes at most."""
        a = "load.a.sync.aligned.{}.global.{}"
        for name, registers, offset, stride, unit in (
                (a.format("col.m8n32k16", "s8"), 1, 4, "", 4), (a.format("col.m8n32k16", "s8"), 1, 0, ", 12", 4),
                (a.format("row.m16n16k16", "u8"), 2, 8, ", 24", 8), (a.format("row.m8n8k4", "f64"), 1, 8, ", 5", 8),
                (a.format("row.m16n16k16", "f16"), 8, 16, ", 24", 16),
                ("load.c.sync.aligned.row.m16n16k16.global.f32", 8, 16, ", 20", 16)):
            with self.subTest(name=name, offset=offset, stride=stride):
                said = self.use_wmma(name, registers, offset, stride)
                self.assertEqual((said.text, said.fault), ("", None))
                said = self.use_wmma(name, registers, offset + unit // 2, stride)
                self.assertRegex(said.text, f"misaligned access .*begins at a multiple of {unit} bytes.* is {unit // 2} past one")
                self.assertEqual(said.fault, "CUDA_ERROR_MISALIGNED_ADDRESS")
        said = self.use_wmma(a.format("row.m16n16k16", "u8"), 2, 0, ", 20")
        self.assertRegex(said.text, "misaligned access .*, the rows are 20 bytes apart")

    def test_strides_of_wmma(self):
        for name, registers, least in (("load.a.sync.aligned.row.m16n16k16.global.f16", 8, 16),
                                       ("load.b.sync.aligned.col.m8n32k16.global.f16", 8, 16),
                                       ("load.a.sync.aligned.col.m8n32k16.global.f16", 8, 8),
                                       ("store.d.sync.aligned.row.m16n16k16.global.f32", 8, 16)):
            for stride in (0, least - 8, least, least + 8):
                with self.subTest(name=name, stride=stride):
                    said = self.use_wmma(name, registers, 0, f", {stride}")
                    self.assertEqual(said.fault, None)
                    if stride >= least:
                        self.assertEqual(said.text, "")
                    else:
                        self.assertRegex(said.text, f"stride too small .*a stride of {stride} elements, where a row has {least}")

    def test_wmma_of_lanes_that_differ(self):
        for name in ("load.c.sync.aligned.row.m16n16k16.global.f32", "store.d.sync.aligned.row.m16n16k16.global.f32"):
            for change, what in (("  @%p0 mov.u32 %t1, 32;", "a stride"), ("  @%p0 add.u64 %q0, %q0, 64;", "an address")):
                with self.subTest(name=name, what=what):
                    said = self.use_wmma(name, 8, 0, ", %t1", change)
                    self.assertRegex(said.text, rf"divergence at a collective .*wmma.\w+ with {what} that is another in thread \d+")
                    self.assertEqual(said.fault, "CUDA_ERROR_ILLEGAL_INSTRUCTION")


if __name__ == "__main__":
    LIBRARY = sys.argv.pop(1)
    DRIVER = cuda.Driver(LIBRARY)
    unittest.main()
