"""wgmma: operands laid out here, by the manual's descriptors, and products in double precision.

Every shape and type once, with A in shared memory and in registers by turns; each swizzle, both orders of 16-bit operands,
negation, and sums that begin at zero.
"""

import sys
import unittest

sys.dont_write_bytecode = True

import ml_dtypes
import numpy as np

import cuda

KINDS = {"f16": np.float16, "bf16": ml_dtypes.bfloat16, "tf32": np.float32, "f32": np.float32, "s8": np.int8,
         "u8": np.uint8, "s32": np.int32, "e4m3": ml_dtypes.float8_e4m3fn, "e5m2": ml_dtypes.float8_e5m2}
BYTES_K = 32  # of k, in one instruction
ROWS = 64
A_PLACE, B_PLACE = 0, 32768  # in shared memory
ALL_N = range(8, 257, 8)
INTEGER_N = [n for n in ALL_N if n <= 24 or n % 16 == 0]
TYPES = [("f32", "f16", "f16"), ("f16", "f16", "f16"), ("f32", "bf16", "bf16"), ("f32", "tf32", "tf32")] + \
        [("s32", a, b) for a in ("s8", "u8") for b in ("s8", "u8")] + \
        [(d, a, b) for d in ("f32", "f16") for a in ("e4m3", "e5m2") for b in ("e4m3", "e5m2")]
# The simulator sums in order of k, a rounding each. A GPU has an order and a width of its own; gpu-check sets this to False.
IN_ORDER = True
SWIZZLES = {0: 0, 128: 1, 64: 2, 32: 3}  # bytes: the descriptor's code


def width(kind):
    return np.dtype(KINDS[kind]).itemsize


def swizzled(offset, span):
    return offset ^ ((offset >> 7 & span // 16 - 1) << 4) if span else offset


def lay_out(matrix, span, transposed):
    """Shared memory with the [rows, k] matrix, and the descriptor's leading and stride byte offsets."""
    rows, depth = matrix.shape
    size = matrix.dtype.itemsize
    row_bytes = span or 16
    image = np.zeros(32768, np.uint8)
    if not transposed:
        # Eight rows of 16 bytes, or of the swizzle's span, are a block.
        stride, leading = (8 * row_bytes, 16) if span else (256, 128)
        place = lambda r, b: r // 8 * stride + r % 8 * row_bytes + (b if span else b // 16 * leading + b % 16)  # noqa: E731
        places = [(r, k, place(r, k * size)) for r in range(rows) for k in range(depth)]
    else:
        # Eight of k, each with neighbours of the other dim, are a block.
        per_row = row_bytes // size
        if span:
            leading, stride = depth * row_bytes, 8 * row_bytes
            across, along = leading, stride
        else:
            leading, stride = 8 * row_bytes * -(-rows // per_row), 8 * row_bytes
            across, along = stride, leading
        places = [(r, k, r // per_row * across + k // 8 * along + k % 8 * row_bytes + r % per_row * size)
                  for r in range(rows) for k in range(depth)]
    raw = matrix.view(np.uint8).reshape(rows, depth, size)
    for r, k, offset in places:
        at = swizzled(offset, span)
        image[at:at + size] = raw[r, k]
    return image, leading, stride


def descriptor(place, leading, stride, span):
    """A pattern that does not begin at a multiple of its size is told of in bits 49 to 51."""
    return place >> 4 | leading >> 4 << 16 | stride >> 4 << 32 | (place >> 7 & 7) << 49 | SWIZZLES[span] << 62


def make_kernel(n, types, a_in_registers, flags, more=""):
    """Copies both images, multiplies, stores each thread's registers. flags: scale-d, signs of a and b, transposes. `more`
    comes behind the product."""
    d, a, b = types
    count = n // 4 if d == "f16" else n // 2
    registers = ", ".join(f"%d{i}" for i in range(count))
    depth = BYTES_K // width(a)
    scale, sign_a, sign_b, trans_a, trans_b = flags
    immediates = "" if a in ("s8", "u8") else f", {sign_a}, {sign_b}"
    if width(a) == 2:
        immediates += f", {trans_b}" if a_in_registers else f", {trans_a}, {trans_b}"
    left = "{%a0, %a1, %a2, %a3}" if a_in_registers else "%rd8"
    lines = [f"""
.visible .entry wgmma_{n}(.param .u64 images, .param .u64 fragments, .param .u64 sums, .param .u64 out, .param .u64 da, .param .u64 db)
.reqntid 128, 1, 1
{{
  .reg .pred %p<3>;
  .reg .b32 %r<8>, %a<4>, %d<{count}>;
  .reg .b64 %rd<12>;
  ld.param.u64 %rd1, [images];
  ld.param.u64 %rd8, [da];
  ld.param.u64 %rd9, [db];
  mov.u32 %r1, %tid.x;
  shl.b32 %r2, %r1, 4;
COPY:
  cvt.u64.u32 %rd2, %r2;
  add.u64 %rd3, %rd1, %rd2;
  ld.global.v4.b32 {{%a0, %a1, %a2, %a3}}, [%rd3];
  mov.u32 %r3, memory;
  add.u32 %r3, %r3, %r2;
  st.shared.v4.b32 [%r3], {{%a0, %a1, %a2, %a3}};
  add.u32 %r2, %r2, 2048;
  setp.lt.u32 %p1, %r2, 65536;
  @%p1 bra COPY;
  fence.proxy.async;
  bar.sync 0;
  ld.param.u64 %rd4, [fragments];
  mul.wide.u32 %rd5, %r1, 16;
  add.u64 %rd4, %rd4, %rd5;
  ld.global.v4.b32 {{%a0, %a1, %a2, %a3}}, [%rd4];
  ld.param.u64 %rd6, [sums];
  mul.wide.u32 %rd7, %r1, {4 * count};
  add.u64 %rd6, %rd6, %rd7;"""]
    lines += [f"  ld.global.b32 %d{i}, [%rd6+{4 * i}];" for i in range(count)]
    lines.append(f"""  setp.ne.u32 %p2, {scale}, 0;
  wgmma.fence.sync.aligned;
  wgmma.mma_async.sync.aligned.m64n{n}k{depth}.{d}.{a}.{b} {{{registers}}}, {left}, %rd9, %p2{immediates};
{more}
  wgmma.commit_group.sync.aligned;
  wgmma.wait_group.sync.aligned 0;
  ld.param.u64 %rd10, [out];
  add.u64 %rd10, %rd10, %rd7;""")
    lines += [f"  st.global.b32 [%rd10+{4 * i}], %d{i};" for i in range(count)]
    return "\n".join(lines + ["  ret;", "}"])


HEAD = ".version 8.4\n.target sm_90a\n.address_size 64\n.extern .shared .align 1024 .b8 memory[];\n"


def random_matrix(kind, shape, random):
    if kind in ("s8", "u8"):
        limits = np.iinfo(KINDS[kind])
        return random.integers(limits.min, limits.max, shape, endpoint=True).astype(KINDS[kind])
    values = random.standard_normal(shape).astype(KINDS[kind])
    if kind == "tf32":
        values = (values.view(np.uint32) & ~np.uint32(0x1fff)).view(np.float32)
    return values


def fragments_of_a(matrix):
    """The four registers of each thread."""
    each = 4 // matrix.dtype.itemsize
    out = np.zeros((128, 4 * each), matrix.dtype)
    for thread in range(128):
        row, lane = thread // 32 * 16 + thread % 32 // 4, thread % 4
        for register in range(4):
            for e in range(each):
                out[thread, register * each + e] = matrix[row + 8 * (register % 2), lane * each + 4 * each * (register // 2) + e]
    return out


def places_of_d(n):
    thread, element = np.meshgrid(np.arange(128), np.arange(n // 2), indexing="ij")
    return thread // 32 * 16 + thread % 32 // 4 + 8 * (element // 2 % 2), element // 4 * 8 + thread % 4 * 2 + element % 2


def as_double(array):
    return array.astype(np.float64)


def rounding_of_a_sum(kind_a):
    """Each number that is added errs by so much of the sum of magnitudes. Accumulators for 8 bits keep 13 bits or so."""
    return 2.0**-24 if IN_ORDER else 2.0**-17 if kind_a[0] == "e" else 2.0**-22


class WgmmaTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.driver = DRIVER

    def load(self, shapes, types, a_in_registers, flags, more=""):
        return self.driver.load(HEAD + "".join(make_kernel(n, types, a_in_registers, flags, more) for n in shapes))

    def check(self, module, n, types, a_in_registers, span, flags, seed, shift=0, times=1):
        """The operands begin `shift` bytes later; the product comes so many times, by columns."""
        kind_d, kind_a, kind_b = types
        scale, sign_a, sign_b, trans_a, trans_b = flags
        random = np.random.default_rng(seed)
        depth = BYTES_K // width(kind_a)
        a, b = random_matrix(kind_a, (ROWS, depth), random), random_matrix(kind_b, (n, depth), random)
        sums = (random.integers(-1000, 1000, (ROWS, n)) if kind_d == "s32" else random.standard_normal((ROWS, n))).astype(KINDS[kind_d])
        image_a, leading_a, stride_a = lay_out(a, span, trans_a)
        image_b, leading_b, stride_b = lay_out(b, span, trans_b)
        image_a, image_b = np.roll(image_a, shift), np.roll(image_b, shift)
        rows, columns = places_of_d(n)
        fragments = np.ascontiguousarray(sums[rows, columns])
        driver = self.driver
        function = driver.function(module, f"wgmma_{n}")
        driver.call("cuFuncSetAttribute", function, 8, 65536)
        places = [driver.upload(np.ascontiguousarray(array).view(np.uint8))
                  for array in (np.concatenate([image_a, image_b]), fragments_of_a(a), fragments)]
        out = driver.allocate(fragments.nbytes)
        said = driver.launch(function, [1], [128], [*places, out, descriptor(A_PLACE + shift, leading_a, stride_a, span),
                                                    descriptor(B_PLACE + shift, leading_b, stride_b, span)], shared=65536)
        self.assertEqual(said.text, "")
        result = np.zeros((ROWS, n), KINDS[kind_d])
        result[rows, columns] = driver.download(out, fragments.dtype, fragments.shape)
        for place in [*places, out]:
            driver.free(place)
        product = as_double(a) @ as_double(b).T * sign_a * sign_b * times
        expected = product + scale * as_double(sums)
        if kind_d == "s32":
            np.testing.assert_array_equal(result, expected.astype(np.int64).astype(np.int32))
            return 0
        bound = np.abs(as_double(a)) @ np.abs(as_double(b)).T * times + np.abs(as_double(sums)) + 1e-30
        error = np.abs(as_double(result) - expected) / bound
        # Sums in f32, in order of k; f16 is rounded at the end.
        limit = (depth + 1) * rounding_of_a_sum(kind_a) + (2.0**-11 if kind_d == "f16" else 0)
        self.assertTrue((error <= limit).all(), f"{types} n {n}: {np.nanmax(error)} of {limit}; NaN: {np.isnan(error).sum()}")
        return error.max()

    def test_every_shape_and_type(self):
        count, worst = 0, 0
        for index, types in enumerate(TYPES):
            # A in registers and in shared memory, by turns.
            for a_in_registers in (False, True):
                shapes = list(INTEGER_N if types[0] == "s32" else ALL_N)[int(a_in_registers)::2]
                for begin in range(0, len(shapes), 6):
                    module = self.load(shapes[begin:begin + 6], types, a_in_registers, (1, 1, 1, 0, 0))
                    for n in shapes[begin:begin + 6]:
                        worst = max(worst, self.check(module, n, types, a_in_registers, 128 if n % 16 else 0, (1, 1, 1, 0, 0), index * 256 + n))
                        count += 1
                    self.driver.call("cuModuleUnload", module)
        print(f"wgmma: {count} shapes and types, largest error over the sum of magnitudes {worst:.1e}")

    def test_layouts(self):
        cases = [(span, trans_a, trans_b) for span in SWIZZLES for trans_a in (0, 1) for trans_b in (0, 1)]
        for trans in {case[1:] for case in cases}:
            for types in (("f32", "f16", "f16"), ("f32", "bf16", "bf16")):
                module = self.load([64, 128], types, False, (1, 1, 1, *trans))
                for span in SWIZZLES:
                    for n in (64, 128):
                        with self.subTest(span=span, trans=trans, n=n):
                            self.check(module, n, types, False, span, (1, 1, 1, *trans), n + span)

    def test_registers_and_transposed_b(self):
        module = self.load([64], ("f32", "f16", "f16"), True, (1, 1, 1, 0, 1))
        for span in SWIZZLES:
            self.check(module, 64, ("f32", "f16", "f16"), True, span, (1, 1, 1, 0, 1), span)

    def test_patterns_begin_anywhere(self):
        """Without swizzling it does not matter what the descriptor says."""
        for trans in ((0, 0), (1, 1)):
            module = self.load([64], ("f32", "f16", "f16"), False, (1, 1, 1, *trans))
            for span in SWIZZLES:
                for shift in (128, 640, 896):
                    with self.subTest(span=span, trans=trans, shift=shift):
                        self.check(module, 64, ("f32", "f16", "f16"), False, span, (1, 1, 1, *trans), span, shift)

    def test_shapes_share_accumulators(self):
        """The second product adds to the first 8 of 16 columns, the third to all."""
        def more(n):
            registers = ", ".join(f"%d{i}" for i in range(n // 2))
            return (f"  wgmma.fence.sync.aligned;\n  wgmma.mma_async.sync.aligned.m64n{n}k16.f32.f16.f16 {{{registers}}}, "
                    "%rd8, %rd9, 1, 1, 1, 0, 0;\n")

        types, flags, times = ("f32", "f16", "f16"), (1, 1, 1, 0, 0), np.repeat([2, 1], 8)
        self.check(self.load([16], types, False, flags, more(8)), 16, types, False, 0, flags, 1, times=times)
        self.check(self.load([16], types, False, flags, more(8) + more(16)), 16, types, False, 0, flags, 1, times=times + 1)

    def test_signs_and_zero(self):
        for flags in ((0, 1, 1, 0, 0), (1, -1, 1, 0, 0), (1, 1, -1, 0, 0), (0, -1, -1, 0, 0)):
            for types in (("f32", "f16", "f16"), ("f16", "f16", "f16"), ("f32", "tf32", "tf32"), ("f32", "e4m3", "e5m2")):
                with self.subTest(flags=flags, types=types):
                    self.check(self.load([40], types, False, flags), 40, types, False, 32, flags, 1)


if __name__ == "__main__":
    DRIVER = cuda.Driver(sys.argv[1])
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])
