"""Several matrix instructions in a row: the simulator makes them together, and nobody may notice.

Sums are compared bit by bit: in f32, in order of k, each product fused with its sum.
"""

import sys
import unittest

sys.dont_write_bytecode = True

import numpy as np

import cuda
from mma_test import pack, places_of_a, places_of_b, places_of_c

HEAD = """.version 8.0
.target sm_90
.address_size 64
.visible .entry k(.param .u64 pa, .param .u64 pb, .param .u64 pc, .param .u64 pd)
{
  .reg .pred %p<4>;
  .reg .b32 %r<40>;
  .reg .b32 %a<8>;
  .reg .b32 %b<4>;
  .reg .f32 %c<8>;
  .reg .f32 %d<160>;
  .reg .b64 %q<12>;
  .shared .align 16 .b8 tile[1024];
  mov.u32 %r1, %tid.x;
  ld.param.u64 %q1, [pa];
  ld.param.u64 %q2, [pb];
  ld.param.u64 %q3, [pc];
  ld.param.u64 %q4, [pd];
"""

LOAD = """  mul.wide.u32 %q5, %r1, 16;
  mul.wide.u32 %q6, %r1, 8;
  add.u64 %q1, %q1, %q5;
  add.u64 %q2, %q2, %q6;
  add.u64 %q3, %q3, %q5;
  ld.global.v4.b32 {%a0, %a1, %a2, %a3}, [%q1];
  ld.global.v2.b32 {%b0, %b1}, [%q2];
  ld.global.v4.f32 {%c0, %c1, %c2, %c3}, [%q3];
"""


def product(d, c, instruction="m16n8k16.row.col.f32.f16.f16.f32", a="{%a0, %a1, %a2, %a3}", b="{%b0, %b1}"):
    return f"  mma.sync.aligned.{instruction} {{{', '.join(d)}}}, {a}, {b}, {{{', '.join(c)}}};\n"


def sums(first):
    return [f"%d{first + i}" for i in range(4)]


C = ["%c0", "%c1", "%c2", "%c3"]


def multiply(a, b, c):
    total = c.astype(np.float32)
    for k in range(a.shape[1]):  # long double holds such sums exactly, so that each is rounded once
        exact = a[:, k : k + 1].astype(np.longdouble) * b[k].astype(np.longdouble) + total.astype(np.longdouble)
        total = exact.astype(np.float32)
    return total


class Matrices(unittest.TestCase):
    def setUp(self):
        random = np.random.default_rng(8)
        self.a, self.b = (random.standard_normal(shape).astype(np.float16) for shape in ((16, 16), (16, 8)))
        self.c = random.standard_normal((16, 8)).astype(np.float32)

    def run_products(self, body, results):
        """The matrices that lie in registers %d0.., %d4.., ... at the end."""
        text = HEAD + LOAD + body + f"  mul.wide.u32 %q7, %r1, {16 * results};\n  add.u64 %q4, %q4, %q7;\n"
        for i in range(results):
            text += f"  st.global.v4.f32 [%q4+{16 * i}], {{{', '.join(sums(4 * i))}}};\n"
        operands = [pack(self.a, places_of_a(16, 16, "f16"), 8), pack(self.b, places_of_b(16, "f16"), 4),
                    pack(self.c, places_of_c(16), 4)]
        fragments = self.launch(text, operands, np.float32, (32, results, 4))
        matrices = np.zeros((results, 16, 8), np.float32)
        for lane, element, row, column in places_of_c(16):
            matrices[:, row, column] = fragments[lane, :, element]
        return matrices

    def launch(self, text, operands, kind, shape):
        function = DRIVER.function(DRIVER.load(text + "  ret;\n}\n"), "k")
        out = DRIVER.upload(np.zeros(shape, kind))
        said = DRIVER.launch(function, [1], [32], [DRIVER.upload(array) for array in operands] + [out])
        self.assertEqual((said.text, said.fault), ("", None))
        return DRIVER.download(out, kind, shape)

    def test_chain(self):
        """Each sum is the next one's C; more of them than are made at a time."""
        count = 20
        body = product(sums(0), C) + "".join(product(sums(4 * i), sums(4 * i - 4)) for i in range(1, count))
        expected = self.c
        for result in self.run_products(body, count):
            expected = multiply(self.a, self.b, expected)
            np.testing.assert_array_equal(result, expected)

    def test_independent(self):
        """All of the same operands, then in place."""
        body = "".join(product(sums(4 * i), C) for i in range(18)) + product(sums(4), sums(4))
        results = self.run_products(body, 18)
        once = multiply(self.a, self.b, self.c)
        for i, result in enumerate(results):
            np.testing.assert_array_equal(result, multiply(self.a, self.b, once) if i == 1 else once)

    def test_operands_change_behind(self):
        """What an instruction has read may be overwritten before it is made."""
        zeros = "".join(f"  mov.f32 {c}, 0f00000000;\n" for c in C) + "  mov.b32 %a0, 0;\n  mov.b32 %b1, 0;\n"
        first, second = self.run_products(product(sums(0), C) + zeros + product(sums(4), C), 2)
        np.testing.assert_array_equal(first, multiply(self.a, self.b, self.c))
        a, b = self.a.copy(), self.b.copy()
        a[:8, :8] = 0
        b[8:] = 0
        np.testing.assert_array_equal(second, multiply(a, b, np.zeros_like(self.c)))

    def test_results_are_wanted(self):
        """By arithmetic, by a predicate's comparison, behind a branch."""
        body = product(sums(0), C) + product(sums(4), C) + "  add.rn.f32 %d0, %d0, 0f3F800000;\n"
        body += product(sums(8), C) + "  setp.gt.f32 %p1, %d8, 0f00000000;\n  @%p1 mov.f32 %d8, 0f40000000;\n"
        body += product(sums(12), C) + "  setp.lt.u32 %p2, %r1, 16;\n  @%p2 bra ON;\n  neg.f32 %d12, %d12;\nON:\n"
        first, second, third, fourth = self.run_products(body, 4)
        exact = multiply(self.a, self.b, self.c)
        places = list(places_of_c(16))
        np.testing.assert_array_equal(second, exact)
        for lane, element, row, column in places:
            value = exact[row, column]
            self.assertEqual(first[row, column], value + np.float32(1) if element == 0 else value)
            self.assertEqual(third[row, column], 2 if element == 0 and value > 0 else value)
            self.assertEqual(fourth[row, column], -value if element == 0 and lane >= 16 else value)

    def test_scopes(self):
        """A register of a scope hides one of the same name, whose value is still to come."""
        body = product(sums(0), C) + "  {\n  .reg .f32 %d<4>;\n  mov.f32 %d0, 0f00000000;\n  }\n"
        body += "  {\n  .reg .f32 %t<4>;\n" + product([f"%t{i}" for i in range(4)], C) + "  mov.f32 %d4, %t0;\n"
        body += "".join(f"  mov.f32 %d{4 + i}, %t{i};\n" for i in range(1, 4)) + "  }\n"
        first, second = self.run_products(body, 2)
        np.testing.assert_array_equal(first, multiply(self.a, self.b, self.c))
        np.testing.assert_array_equal(second, first)

    def test_kinds_alternate(self):
        halved = "m16n8k8.row.col.f32.f16.f16.f32"
        body = product(sums(0), C) + product(sums(4), C, halved, "{%a0, %a1}", "{%b0}") + product(sums(8), sums(4))
        first, second, third = self.run_products(body, 3)
        np.testing.assert_array_equal(first, multiply(self.a, self.b, self.c))
        short = multiply(self.a[:, :8], self.b[:8], self.c)
        np.testing.assert_array_equal(second, short)
        np.testing.assert_array_equal(third, multiply(self.a, self.b, short))

    def fragments_of(self, matrices, is_transposed):
        """ldmatrix of (n, 8, 8): lane i gets row i // 4, columns i % 4 * 2 and the next, of each."""
        matrices = matrices.transpose(0, 2, 1) if is_transposed else matrices
        return np.ascontiguousarray(matrices).reshape(-1, 32, 2).transpose(1, 0, 2)

    def load(self, count, is_transposed, first, space=".shared", address="%r3"):
        registers = ", ".join(f"%r{first + i}" for i in range(count))
        return f"  ldmatrix.sync.aligned.m8n8.x{count}{'.trans' if is_transposed else ''}{space}.b16 {{{registers}}}, [{address}];\n"

    # Each lane has 8 elements, which are a row of one of four matrices.
    FILL = """  mul.wide.u32 %q5, %r1, 16;
  add.u64 %q1, %q1, %q5;
  ld.global.v4.b32 {%a0, %a1, %a2, %a3}, [%q1];
  shl.b32 %r2, %r1, 4;
  mov.u32 %r3, tile;
  add.u32 %r3, %r3, %r2;
  st.shared.v4.b32 [%r3], {%a0, %a1, %a2, %a3};
  bar.warp.sync 0xffffffff;
"""

    def store_words(self, count, first):
        words = "".join(f"  st.global.b32 [%q4+{4 * i}], %r{first + i};\n" for i in range(count))
        return f"  mul.wide.u32 %q7, %r1, {4 * count};\n  add.u64 %q4, %q4, %q7;\n" + words

    def test_loads(self):
        matrices = np.random.default_rng(1).integers(0, 2**16, (4, 8, 8)).astype(np.uint16)
        for count in (1, 2, 4):
            for is_transposed in (False, True):
                with self.subTest(count=count, is_transposed=is_transposed):
                    text = HEAD + self.FILL + self.load(count, is_transposed, 10) + self.store_words(count, 10)
                    got = self.launch(text, [matrices] * 3, np.uint16, (32, count, 2))
                    np.testing.assert_array_equal(got, self.fragments_of(matrices[:count], is_transposed))

    def test_store_between_loads(self):
        """The first load sees what was there, the second what has been stored since."""
        matrices = np.random.default_rng(2).integers(0, 2**15, (4, 8, 8)).astype(np.uint16)
        change = "".join(f"  not.b32 %a{i}, %a{i};\n" for i in range(4))
        text = HEAD + self.FILL + self.load(4, False, 10) + change + "  bar.warp.sync 0xffffffff;\n"
        text += "  st.shared.v4.b32 [%r3], {%a0, %a1, %a2, %a3};\n  bar.warp.sync 0xffffffff;\n"
        text += self.load(4, True, 14) + self.store_words(8, 10)
        got = self.launch(text, [matrices] * 3, np.uint16, (32, 8, 2))
        np.testing.assert_array_equal(got[:, :4], self.fragments_of(matrices, False))
        np.testing.assert_array_equal(got[:, 4:], self.fragments_of(~matrices, True))

    def test_many_loads(self):
        """More than are made at a time, some over the registers of others."""
        matrices = np.random.default_rng(3).integers(0, 2**16, (4, 8, 8)).astype(np.uint16)
        loads = "".join(self.load(2, i % 2 == 1, 10 + i % 4 * 2) for i in range(20))
        got = self.launch(HEAD + self.FILL + loads + self.store_words(8, 10), [matrices] * 3, np.uint16, (32, 8, 2))
        for place in range(4):
            np.testing.assert_array_equal(got[:, 2 * place : 2 * place + 2], self.fragments_of(matrices[:2], place % 2 == 1))

    def test_stores(self):
        """stmatrix undoes ldmatrix."""
        matrices = np.random.default_rng(4).integers(0, 2**16, (4, 8, 8)).astype(np.uint16)
        for is_transposed in (False, True):
            trans = ".trans" if is_transposed else ""
            text = HEAD + self.FILL + self.load(4, is_transposed, 10)
            text += f"  stmatrix.sync.aligned.m8n8.x4{trans}.shared.b16 [%r3+512], {{%r10, %r11, %r12, %r13}};\n"
            text += "  bar.warp.sync 0xffffffff;\n  ld.shared.v4.b32 {%r20, %r21, %r22, %r23}, [%r3+512];\n"
            got = self.launch(text + self.store_words(4, 20), [matrices] * 3, np.uint16, (4, 8, 8))
            np.testing.assert_array_equal(got, matrices)

    GENERIC = "  cvt.u64.u32 %q8, %r3;\n  cvta.shared.u64 %q8, %q8;\n"

    def test_generic_addresses(self):
        matrices = np.random.default_rng(5).integers(0, 2**16, (4, 8, 8)).astype(np.uint16)
        text = HEAD + self.FILL + self.GENERIC + self.load(4, True, 10, "", "%q8")
        text += "  stmatrix.sync.aligned.m8n8.x4.trans.b16 [%q8+512], {%r10, %r11, %r12, %r13};\n"
        text += "  bar.warp.sync 0xffffffff;\n  ld.shared.v4.b32 {%r20, %r21, %r22, %r23}, [%r3+512];\n"
        np.testing.assert_array_equal(self.launch(text + self.store_words(4, 20), [matrices] * 3, np.uint16, (4, 8, 8)), matrices)

    def test_generic_addresses_elsewhere(self):
        """They are illegal in the lanes that give a row, and of no interest in the others."""
        matrices = np.random.default_rng(6).integers(0, 2**16, (4, 8, 8)).astype(np.uint16)
        elsewhere = self.GENERIC + "  setp.{} %p1, %r1, 8;\n  @%p1 mov.u64 %q8, {};\n"
        for address in ("%q4", "64", "-16"):
            head = HEAD + self.FILL + elsewhere.format("ge.u32", address)
            got = self.launch(head + self.load(1, False, 10, "", "%q8") + self.store_words(1, 10), [matrices] * 3, np.uint16, (32, 1, 2))
            np.testing.assert_array_equal(got, self.fragments_of(matrices[:1], False))
        for name, access in (("ldmatrix", self.load(1, False, 10, "", "%q8")),
                             ("stmatrix", "  stmatrix.sync.aligned.m8n8.x1.b16 [%q8], {%r1};\n")):
            for address in ("%q4", "64", "-16"):
                with self.subTest(name=name, address=address):
                    text = HEAD + self.FILL + elsewhere.format("lt.u32", address) + access + "  ret;\n}\n"
                    function = DRIVER.function(DRIVER.load(text), "k")
                    said = DRIVER.launch(function, [1], [32], [DRIVER.upload(matrices)] * 4)
                    DRIVER.library.cuDevicePrimaryCtxReset_v2(0)
                    DRIVER.__init__(LIBRARY)
                    self.assertRegex(said.text, r"illegal access .*thread \([0-7], 0, 0\): a row of a matrix is at 0x\w+, outside")
                    self.assertEqual(said.fault, "CUDA_ERROR_ILLEGAL_ADDRESS")


if __name__ == "__main__":
    LIBRARY = sys.argv.pop(1)
    DRIVER = cuda.Driver(LIBRARY)
    unittest.main()
