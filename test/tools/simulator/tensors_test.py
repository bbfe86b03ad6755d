"""Bulk copies against NumPy: tensors of rank 1 to 5, boxes that hang over every side, strides, swizzles, im2col, reductions,
copies to several blocks of a cluster, copies without a tensor map, and stores and atomics in another block's memory."""

import ctypes
import itertools
import sys
import unittest

sys.dont_write_bytecode = True

import ml_dtypes
import numpy as np

import cuda

HEAD = """.version 8.3
.target sm_90a
.address_size 64
"""

# Loads a box and writes out the shared memory as it is.
LOAD = HEAD + """
.visible .entry kernel(.param .align 64 .b8 map[128], .param .u64 out, .param .u32 bytes{coordinate_parameters})
.reqntid 32, 1, 1
{{
  .reg .pred %p<4>;
  .reg .b16 %h<8>;
  .reg .b32 %r<16>, %c<6>;
  .reg .b64 %rd<8>;
  .shared .align 1024 .b8 box[{bytes}];
  .shared .align 8 .b64 full;
  mov.b64 %rd1, map;
  ld.param.u64 %rd2, [out];
  ld.param.u32 %r2, [bytes];
{read_coordinates}
  mov.u32 %r1, %tid.x;
  mov.u32 %r3, box;
  mov.u32 %r4, full;
  setp.ne.u32 %p1, %r1, 0;
  @%p1 bra READY;
  mbarrier.init.shared.b64 [%r4], 1;
  fence.mbarrier_init.release.cluster;
  mbarrier.arrive.expect_tx.shared.b64 _, [%r4], %r2;
  {copy}
READY:
  bar.sync 0;
WAIT:
  mbarrier.try_wait.parity.shared.b64 %p2, [%r4], 0;
  @!%p2 bra WAIT;
  shl.b32 %r5, %r1, 2;
COPY:
  setp.ge.u32 %p3, %r5, %r2;
  @%p3 bra DONE;
  add.u32 %r6, %r3, %r5;
  ld.shared.b32 %r7, [%r6];
  cvt.u64.u32 %rd3, %r5;
  add.u64 %rd3, %rd3, %rd2;
  st.global.b32 [%rd3], %r7;
  add.u32 %r5, %r5, 128;
  bra.uni COPY;
DONE:
  ret;
}}
"""

# Fills shared memory from `in` and stores, or adds, a box of it.
STORE = HEAD + """
.visible .entry kernel(.param .align 64 .b8 map[128], .param .u64 in, .param .u32 bytes{coordinate_parameters})
.reqntid 32, 1, 1
{{
  .reg .pred %p<4>;
  .reg .b16 %h<8>;
  .reg .b32 %r<16>, %c<6>;
  .reg .b64 %rd<8>;
  .shared .align 1024 .b8 box[{bytes}];
  mov.b64 %rd1, map;
  ld.param.u64 %rd2, [in];
  ld.param.u32 %r2, [bytes];
{read_coordinates}
  mov.u32 %r1, %tid.x;
  mov.u32 %r3, box;
  shl.b32 %r5, %r1, 2;
FILL:
  setp.ge.u32 %p3, %r5, %r2;
  @%p3 bra FILLED;
  cvt.u64.u32 %rd3, %r5;
  add.u64 %rd3, %rd3, %rd2;
  ld.global.b32 %r7, [%rd3];
  add.u32 %r6, %r3, %r5;
  st.shared.b32 [%r6], %r7;
  add.u32 %r5, %r5, 128;
  bra.uni FILL;
FILLED:
  fence.proxy.async.shared::cta;
  bar.sync 0;
  setp.ne.u32 %p1, %r1, 0;
  @%p1 bra DONE;
  {copy}
  cp.async.bulk.commit_group;
  cp.async.bulk.wait_group 0;
DONE:
  ret;
}}
"""

KINDS = {"u8": np.uint8, "u16": np.uint16, "u32": np.uint32, "s32": np.int32, "u64": np.uint64, "s64": np.int64, "f16": np.float16,
         "f32": np.float32, "f64": np.float64, "bf16": ml_dtypes.bfloat16}


def fill(template, rank, size, copy):
    return template.format(
        bytes=size, copy=copy, coordinate_parameters="".join(f", .param .u32 c{i}" for i in range(rank)),
        read_coordinates="\n".join(f"  ld.param.u32 %c{i}, [c{i}];" for i in range(rank)))


def coordinates(rank):
    return "{" + ", ".join(f"%c{i}" for i in range(rank)) + "}"


def strides_of(dims, size):
    """Bytes between neighbours of all dims but the innermost, each a multiple of 16."""
    strides, step = [], size
    for dim in dims[:-1]:
        step = -(-step * dim // 16) * 16
        strides.append(step)
    return strides


def box_of(array, begin, box, steps, outside):
    """The box as shared memory has it, outermost dim first; `array` has its innermost dim last."""
    sizes = [-(-b // s) for b, s in zip(box, steps)]
    out = np.full(sizes[::-1], outside, array.dtype)
    for place in itertools.product(*map(range, sizes)):
        at = [c + p * s for c, p, s in zip(begin, place, steps)]
        if all(0 <= a < d for a, d in zip(at, array.shape[::-1])):
            out[place[::-1]] = array[tuple(at[::-1])]
    return out


def swizzled(image, mode):
    """Chunks of 16 bytes change places within lines of 128."""
    span = {0: 0, 1: 1, 2: 3, 3: 7}[mode]
    offsets = np.arange(len(image))
    out = np.zeros_like(image)
    out[offsets ^ ((offsets >> 7 & span) << 4)] = image
    return out


class Device:
    """A tensor in global memory, its rows padded to what a tensor map wants."""

    def __init__(self, driver, array):
        self.driver, self.array = driver, array
        self.dims = list(array.shape[::-1])
        self.strides = strides_of(self.dims, array.itemsize)
        self.pitches = [array.itemsize, *self.strides]
        self.bytes = self.strides[-1] * self.dims[-1] if self.strides else array.nbytes
        self.offsets = sum(np.arange(d).reshape([-1] + [1] * i) * p for i, (d, p) in enumerate(zip(self.dims, self.pitches)))
        raw = np.zeros(self.bytes + 16, np.uint8)
        for byte in range(array.itemsize):
            raw[(self.offsets + byte).reshape(array.shape)] = array.view(np.uint8).reshape(*array.shape, array.itemsize)[..., byte]
        self.address = driver.upload(raw)

    def read(self):
        raw = self.driver.download(self.address, np.uint8, (self.bytes + 16,))
        out = np.zeros((*self.array.shape, self.array.itemsize), np.uint8)
        for byte in range(self.array.itemsize):
            out[..., byte] = raw[(self.offsets + byte).reshape(self.array.shape)]
        return out.view(self.array.dtype)[..., 0]


def random_array(kind, shape, seed=1):
    random = np.random.default_rng(seed)
    if np.dtype(KINDS[kind]).kind in "iu":
        return random.integers(1, 120, shape).astype(KINDS[kind])
    return random.standard_normal(shape).astype(KINDS[kind])


class Tensors(unittest.TestCase):
    def load_box(self, tensor_map, size, rank, begin, copy):
        out = driver.allocate(size)
        function = driver.function(driver.load(fill(LOAD, rank, size, copy)), "kernel")
        said = driver.launch(function, [1], [32], [tensor_map, out, ctypes.c_uint32(size), *map(ctypes.c_int32, begin)])
        self.assertEqual(said.text, "")
        return driver.download(out, np.uint8, (size,))

    def check_load(self, kind, shape, box, begin, mode=0, steps=None, fills_nan=False):
        rank = len(shape)
        steps = steps or [1] * rank
        device = Device(driver, random_array(kind, shape))
        tensor_map = driver.tensor_map(kind, device.address, device.dims, device.strides, box, mode, steps, fills_nan)
        # Without interleaving the innermost dim has no steps, whatever the map says.
        expected = box_of(device.array, begin, box, [1, *steps[1:]], np.nan if fills_nan else 0)
        copy = ("cp.async.bulk.tensor.{0}d.shared::cluster.global.mbarrier::complete_tx::bytes [%r3], [%rd1, {1}], [%r4];"
                .format(rank, coordinates(rank)))
        image = swizzled(self.load_box(tensor_map, expected.nbytes, rank, begin, copy), mode)  # its own inverse
        got = image.view(expected.dtype).reshape(expected.shape)
        if fills_nan:
            np.testing.assert_array_equal(np.isnan(got.astype(float)), np.isnan(expected.astype(float)))
            got, expected = np.nan_to_num(got.astype(float)), np.nan_to_num(expected.astype(float))
        np.testing.assert_array_equal(got, expected)

    def test_ranks(self):
        shapes = [(37,), (9, 21), (5, 7, 13), (3, 4, 5, 9), (2, 3, 4, 5, 7)]
        for shape in shapes:
            rank = len(shape)
            box = [16, 4, 3, 2, 2][:rank]
            for begin in ([0] * rank, [-3, -1, 2, 1, -1][:rank], [d - 2 for d in shape[::-1]], [100] * rank):
                with self.subTest(shape=shape, begin=begin):
                    self.check_load("f32", shape, box, begin)

    def test_types(self):
        for kind in KINDS:
            with self.subTest(kind=kind):
                size = np.dtype(KINDS[kind]).itemsize
                self.check_load(kind, (6, 40), [max(16 // size, 8), 4], [-1, 3])

    def test_swizzles(self):
        for mode, span in ((1, 32), (2, 64), (3, 128)):
            for size, kind in ((2, "f16"), (4, "f32"), (1, "u8")):
                with self.subTest(mode=mode, kind=kind):
                    self.check_load(kind, (40, 300), [span // size, 32], [7, -3], mode)

    def test_strides(self):
        self.check_load("f32", (30, 50), [32, 9], [1, 2], steps=[2, 4])
        self.check_load("u8", (5, 9, 64), [64, 6, 4], [0, -2, 1], steps=[1, 3, 2])

    def test_nan_outside(self):
        self.check_load("f32", (5, 10), [8, 4], [6, 3], fills_nan=True)
        self.check_load("bf16", (5, 10), [8, 4], [6, 3], fills_nan=True)

    def test_rounding(self):
        """Loads by some maps flush, or round to 10 bits of mantissa; what is there as it should be stays so."""
        bits = np.array([0x3f801000, 0x3f801001, 0x3f803000, 0x3f800fff, 0xbf801800, 0x7f7fffff, 0x7f800000, 0xff800000,
                         0x7fc00000, 0x000116c2, 0x80007fff, 0x00001000, 0x00800000, 0x40490000, 0, 0x80000000], np.uint32)
        rounded = np.array([0x3f800000, 0x3f802000, 0x3f804000, 0x3f800000, 0xbf802000, 0x7f800000, 0x7f800000, 0xff800000,
                            0x7fc00000, 0x00012000, 0x80008000, 0x00000000, 0x00800000, 0x40490000, 0, 0x80000000], np.uint32)
        flush = lambda values: np.where(values & 0x7f800000, values, values & 0x80000000)
        array = driver.upload(bits)
        copy = "cp.async.bulk.tensor.1d.shared::cluster.global.mbarrier::complete_tx::bytes [%r3], [%rd1, {%c0}], [%r4];"
        for kind, expected in (("f32", bits), ("f32_ftz", flush(bits)), ("tf32", rounded), ("tf32_ftz", flush(rounded))):
            for begin in (0, -4):  # whole rows, and rows that begin before the tensor
                with self.subTest(kind=kind, begin=begin):
                    image = self.load_box(driver.tensor_map(kind, array, [16], [], [16]), 64, 1, [begin], copy).view(np.uint32)
                    np.testing.assert_array_equal(image[-begin:], expected[:16 + begin])

    def check_store(self, kind, shape, box, begin, op, mode=0, template=STORE):
        rank = len(shape)
        device = Device(driver, random_array(kind, shape))
        tensor_map = driver.tensor_map(kind, device.address, device.dims, device.strides, box, mode)
        values = random_array(kind, box[::-1], 2)
        image = swizzled(values.reshape(-1).view(np.uint8), mode)
        name = f"cp.reduce.async.bulk.tensor.{rank}d.global.shared::cta.{op}.tile.bulk_group" if op else \
            f"cp.async.bulk.tensor.{rank}d.global.shared::cta.bulk_group"
        source = driver.upload(image)
        function = driver.function(driver.load(fill(template, rank, image.nbytes, f"{name} [%rd1, {coordinates(rank)}], [%r3];")), "kernel")
        said = driver.launch(function, [1], [32], [tensor_map, source, ctypes.c_uint32(image.nbytes), *map(ctypes.c_int32, begin)])
        self.assertEqual(said.text, "")
        expected = device.array.copy()
        operations = {"": lambda a, b: b, "add": lambda a, b: a + b, "min": np.minimum, "max": np.maximum, "and": np.bitwise_and,
                      "or": np.bitwise_or, "xor": np.bitwise_xor, "inc": lambda a, b: np.where(a >= b, 0, a + 1),
                      "dec": lambda a, b: np.where((a == 0) | (a > b), b, a - 1)}
        for place in itertools.product(*map(range, box)):
            at = tuple((c + p for c, p in zip(begin, place)))[::-1]
            if all(0 <= a < d for a, d in zip(at, shape)):
                expected[at] = operations[op](expected[at], values[place[::-1]])
        np.testing.assert_array_equal(device.read(), expected)

    def test_stores(self):
        for shape, begin in (((40,), [35]), ((9, 21), [15, 7]), ((5, 7, 13), [8, 5, 3]), ((3, 4, 5, 9), [1, 3, 3, 2]),
                             ((2, 3, 4, 5, 7), [1, 1, 1, 1, 1])):
            with self.subTest(shape=shape):
                self.check_store("f32", shape, [16, 4, 3, 2, 2][:len(shape)], begin, "")
        self.check_store("f16", (40, 300), [64, 16], [7, 30], "", mode=3)

    def test_sources_that_have_been_read(self):
        early = STORE.replace("wait_group 0;", "wait_group.read 0;\n  st.shared.b32 [%r3], %r1;")
        self.assertNotEqual(early, STORE)
        for mode in range(4):
            self.check_store("f16", (40, 300), [8 << mode, 16], [7, 30], "", mode, early)
        self.check_store("f32", (40, 300), [16, 16], [7, 30], "add", 2, early)

    def test_reductions(self):
        cases = [("u32", op) for op in ("add", "min", "max", "inc", "dec", "and", "or", "xor")] + \
                [("s32", op) for op in ("add", "min", "max")] + [("u64", op) for op in ("add", "min", "and")] + \
                [("f16", op) for op in ("add", "min", "max")] + [("bf16", "add"), ("f32", "add")]
        for kind, op in cases:
            with self.subTest(kind=kind, op=op):
                self.check_store(kind, (9, 24), [8, 4], [5, 7], op)

    def test_what_goes_nowhere(self):
        """A store reads what it writes: the rest of its box need not be there."""
        for dims, box, mode, read in (([6], [16], 0, 24), ([32, 3], [32, 8], 3, 384), ([24, 2], [32, 4], 3, 224), ([24, 2], [32, 4], 0, 224)):
            for written in (read, read - 16):
                with self.subTest(dims=dims, mode=mode, written=written):
                    rank = len(dims)
                    target = driver.upload(np.zeros(dims[::-1], np.uint32))
                    tensor_map = driver.tensor_map("u32", target, dims, [4 * dims[0]] * (rank - 1), box, mode)
                    copy = f"cp.async.bulk.tensor.{rank}d.global.shared::cta.bulk_group [%rd1, {coordinates(rank)}], [%r3];"
                    function = driver.function(driver.load(fill(STORE, rank, 1024, copy)), "kernel")
                    values = np.arange(256, dtype=np.uint32)
                    said = driver.launch(function, [1], [32], [tensor_map, driver.upload(values), ctypes.c_uint32(written),
                                                              *[ctypes.c_int32(0)] * rank])
                    if written < read:
                        self.assertRegex(said.text, "uninitialised shared read in kernel kernel")
                        continue
                    self.assertEqual(said.text, "")
                    image = swizzled(np.pad(values, (0, 32)).view(np.uint8), mode).view(np.uint32) if mode else values
                    expected = image[:box[0] * dims[-1] if rank > 1 else box[0]].reshape(-1, box[0])[:, :dims[0]]
                    np.testing.assert_array_equal(driver.download(target, np.uint32, expected.shape), expected)

    def check_im2col(self, kind, shape, lower, upper, channels, pixels, begin, offsets, steps=None):
        """shape: images, spatial dims, channels, the innermost last."""
        rank = len(shape)
        steps = steps or [1] * rank
        device = Device(driver, random_array(kind, shape))
        tensor_map = driver.im2col_map(kind, device.address, device.dims, device.strides, lower, upper, channels, pixels, steps=steps)
        expected = np.zeros((pixels, channels), KINDS[kind])
        pixel, dims = list(begin[1:]), device.dims
        for row in range(pixels):
            at = [p + o for p, o in zip(pixel, [*offsets, 0])]
            for channel in range(channels):
                place = [begin[0] + channel, *at]
                if all(0 <= a < d for a, d in zip(place, dims)):
                    expected[row, channel] = device.array[tuple(place[::-1])]
            for i in range(rank - 1):
                pixel[i] += steps[i + 1] if i < rank - 2 else 1
                if i == rank - 2 or pixel[i] <= dims[i + 1] - 1 + upper[i]:
                    break
                pixel[i] = lower[i]
        taps = "{" + ", ".join(str(o) for o in offsets) + "}"
        copy = (f"cp.async.bulk.tensor.{rank}d.shared::cluster.global.im2col.mbarrier::complete_tx::bytes [%r3], "
                f"[%rd1, {coordinates(rank)}], [%r4], {taps};")
        image = self.load_box(tensor_map, expected.nbytes, rank, begin, copy)
        np.testing.assert_array_equal(image.view(expected.dtype).reshape(expected.shape), expected)

    def test_im2col(self):
        # A window of 3 x 3 around each pixel, with one pixel of padding: corners -1 and -1.
        for offsets in ([0, 0], [2, 1], [1, 2]):
            self.check_im2col("f16", (2, 5, 7, 16), [-1, -1], [-1, -1], 8, 24, [8, -1, -1, 0], offsets)
        self.check_im2col("f32", (3, 9, 8), [-1], [-1], 8, 16, [0, -1, 0], [2])
        self.check_im2col("f32", (2, 3, 4, 5, 8), [-1, -1, -1], [0, 0, 0], 4, 40, [4, 0, 1, 0, 0], [0, 1, 1])
        self.check_im2col("f32", (2, 9, 9, 4), [0, 0], [-2, -2], 4, 12, [0, 0, 0, 0], [1, 2], steps=[1, 2, 2, 1])


# Bytes without a map, there and back; and reductions.
LINEAR = HEAD + """
.visible .entry kernel(.param .u64 source, .param .u64 target)
.reqntid 32, 1, 1
{{
  .reg .pred %p<4>;
  .reg .b32 %r<8>;
  .reg .b64 %rd<4>;
  .shared .align 16 .b8 box[256];
  .shared .align 8 .b64 full;
  ld.param.u64 %rd1, [source];
  ld.param.u64 %rd2, [target];
  mov.u32 %r1, %tid.x;
  mov.u32 %r3, box;
  mov.u32 %r4, full;
  setp.ne.u32 %p1, %r1, 0;
  @%p1 bra DONE;
  mbarrier.init.shared.b64 [%r4], 1;
  mbarrier.arrive.expect_tx.shared.b64 _, [%r4], 256;
  cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%r3], [%rd1], 256, [%r4];
WAIT:
  mbarrier.try_wait.parity.shared.b64 %p2, [%r4], 0;
  @!%p2 bra WAIT;
  {store} [%rd2], [%r3], 256;
  cp.async.bulk.commit_group;
  cp.async.bulk.wait_group 0;
DONE:
  ret;
}}
"""

# Four blocks of a cluster: block 0 sends a tile to all, each sends bytes, a st.async and an atomic to its neighbour.
CLUSTER = HEAD + """
.visible .entry kernel(.param .align 64 .b8 map[128], .param .u64 out)
.reqntid 32, 1, 1
.explicitcluster
.reqnctapercluster 4, 1, 1
{
  .reg .pred %p<8>;
  .reg .b16 %h<2>;
  .reg .b32 %r<24>;
  .reg .b64 %rd<12>;
  .shared .align 128 .b8 tile[128];
  .shared .align 16 .b8 sent[128];
  .shared .align 16 .b8 stored[16];
  .shared .align 4 .b32 sum;
  .shared .align 8 .b8 full[24];
  mov.b64 %rd1, map;
  ld.param.u64 %rd2, [out];
  mov.u32 %r1, %tid.x;
  mov.u32 %r2, %cluster_ctarank;
  mov.u32 %r3, tile;
  mov.u32 %r4, sent;
  mov.u32 %r5, full;
  mov.u32 %r6, stored;
  mov.u32 %r7, sum;
  setp.ne.u32 %p1, %r1, 0;
  @%p1 bra READY;
  mbarrier.init.shared.b64 [%r5], 1;
  mbarrier.init.shared.b64 [%r5+8], 1;
  mbarrier.init.shared.b64 [%r5+16], 2;
  st.shared.b32 [%r7], 100;
  fence.mbarrier_init.release.cluster;
  mbarrier.arrive.expect_tx.shared.b64 _, [%r5], 128;
  mbarrier.arrive.expect_tx.shared.b64 _, [%r5+8], 128;
  mbarrier.arrive.expect_tx.shared.b64 _, [%r5+16], 8;
READY:
  barrier.cluster.arrive.aligned;
  barrier.cluster.wait.aligned;
  setp.ne.u32 %p2, %r2, 0;
  or.pred %p3, %p1, %p2;
  mov.u32 %r8, 0;
  mov.u16 %h1, 15;
  @!%p3 cp.async.bulk.tensor.1d.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster [%r3], [%rd1, {%r8}], [%r5], %h1;
WAIT:
  mbarrier.try_wait.parity.shared.b64 %p4, [%r5], 0;
  @!%p4 bra WAIT;
  add.u32 %r9, %r2, 1;
  and.b32 %r9, %r9, 3;
  mapa.shared::cluster.u32 %r10, %r4, %r9;
  add.u32 %r11, %r5, 8;
  mapa.shared::cluster.u32 %r11, %r11, %r9;
  @%p1 bra AFTER;
  cp.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes [%r10], [%r3], 128, [%r11];
  mapa.shared::cluster.u32 %r12, %r6, %r9;
  add.u32 %r13, %r5, 16;
  mapa.shared::cluster.u32 %r13, %r13, %r9;
  mov.u32 %r14, 7;
  st.async.shared::cluster.mbarrier::complete_tx::bytes.v2.b32 [%r12], {%r2, %r14}, [%r13];
  mbarrier.arrive.release.cluster.shared::cluster.b64 _, [%r13];
AFTER:
  mapa.shared::cluster.u32 %r15, %r7, %r9;
  red.shared::cluster.add.u32 [%r15], %r1;
WAIT2:
  mbarrier.try_wait.parity.shared.b64 %p5, [%r5+8], 0;
  @!%p5 bra WAIT2;
WAIT3:
  mbarrier.try_wait.parity.acquire.cluster.shared.b64 %p6, [%r5+16], 0;
  @!%p6 bra WAIT3;
  barrier.cluster.arrive.aligned;
  barrier.cluster.wait.aligned;
  shl.b32 %r16, %r1, 2;
  add.u32 %r17, %r4, %r16;
  ld.shared.b32 %r18, [%r17];
  ld.shared.v2.b32 {%r19, %r20}, [%r6];
  ld.shared.b32 %r21, [%r7];
  mul.wide.u32 %rd3, %r2, 512;
  mul.wide.u32 %rd4, %r1, 16;
  add.u64 %rd3, %rd3, %rd4;
  add.u64 %rd3, %rd3, %rd2;
  st.global.v4.b32 [%rd3], {%r18, %r19, %r20, %r21};
  ret;
}
"""


class Bytes(unittest.TestCase):
    def run_linear(self, store, before, values):
        source, target = driver.upload(values), driver.upload(before)
        said = driver.launch(driver.function(driver.load(LINEAR.format(store=store)), "kernel"), [1], [32], [source, target])
        self.assertEqual(said.text, "")
        return driver.download(target, before.dtype, before.shape)

    def test_copies(self):
        values = random_array("u32", (64,))
        np.testing.assert_array_equal(self.run_linear("cp.async.bulk.global.shared::cta.bulk_group", np.zeros(64, np.uint32), values), values)

    def test_reductions(self):
        for kind, op, expected in (("u32", "add", np.add), ("s32", "min", np.minimum), ("u64", "max", np.maximum), ("f32", "add", np.add),
                                   ("f64", "add", np.add), ("f16", "min", np.minimum), ("b32", "xor", np.bitwise_xor)):
            numpy_kind = "u32" if kind == "b32" else kind
            count = 256 // np.dtype(KINDS[numpy_kind]).itemsize
            before, values = random_array(numpy_kind, (count,), 1), random_array(numpy_kind, (count,), 2)
            got = self.run_linear(f"cp.reduce.async.bulk.global.shared::cta.bulk_group.{op}.{kind}", before, values)
            np.testing.assert_array_equal(got, expected(before, values))

    def test_subnormals(self):
        """Sums of f32 are flushed, their terms too; other types keep what is below the normal numbers."""
        small = np.array([1e-40, 1e-38, -1e-40, 1.5e-38] * 16, np.float32)
        before = np.array([0, 2e-39, -0.0, -1.2e-38] * 16, np.float32)
        got = self.run_linear("cp.reduce.async.bulk.global.shared::cta.bulk_group.add.f32", before, small)
        np.testing.assert_array_equal(got.view(np.uint32), np.array([0, 0, -0.0, 0] * 16, np.float32).view(np.uint32))
        for kind, noftz, scale in (("f64", "", 1e-310), ("f16", ".noftz", 3e-7), ("bf16", ".noftz", 1e-39)):
            values = (np.arange(256 // np.dtype(KINDS[kind]).itemsize) * scale).astype(KINDS[kind])
            got = self.run_linear(f"cp.reduce.async.bulk.global.shared::cta.bulk_group.add{noftz}.{kind}", values, values)
            np.testing.assert_array_equal(got, values + values)

    def test_cluster(self):
        tile = random_array("u32", (32,))
        source, out = driver.upload(tile), driver.allocate(2048)
        tensor_map = driver.tensor_map("u32", source, [32], [], [32])
        said = driver.launch(driver.function(driver.load(CLUSTER), "kernel"), [4], [32], [tensor_map, out])
        self.assertEqual((said.text, said.fault), ("", None))
        got = driver.download(out, np.uint32, (4, 32, 4))
        for rank in range(4):
            np.testing.assert_array_equal(got[rank, :, 0], tile)
            self.assertTrue((got[rank, :, 1] == (rank - 1) % 4).all())
            self.assertTrue((got[rank, :, 2] == 7).all())
            self.assertTrue((got[rank, :, 3] == 100 + sum(range(32))).all())


if __name__ == "__main__":
    LIBRARY = sys.argv.pop(1)
    driver = cuda.Driver(LIBRARY)
    unittest.main()
