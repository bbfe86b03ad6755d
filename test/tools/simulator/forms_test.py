"""Constants, modifiers and operands: what they give, and what is refused because ptxas would."""

import sys
import unittest

sys.dont_write_bytecode = True

import numpy as np

import cuda
from instructions_test import HEAD, TAKEN

# An operand of mov.b32, and what it is.
CONSTANTS = {
    "1+2*3": 7, "(1+2)*3": 9, "-(3)": -3, "~0": -1, "+7": 7, "1<<4|3": 19, "0xF0&0xCC": 0xC0, "5>3": 1, "1?2:3": 2,
    "0==0?2:3": 2, "!0": 1, "!5": 0, "(.u64)5": 5, "WARP_SZ-1": 31, "017": 15, "0b101": 5, "7%4": 3, "-7/2": -3,
    "-8>>1": -4, "0x8000000000000000>>60": 8, "2-3-4": -5, "1||0&&0": 1, "-1<0": 1, "-1<0U": 0, "1.5<2.5": 1, "10/(2+3)": 2,
    "0x10 | 1": 17, "6^3": 5, "- -5": 5,
}
FLOATS = {"1.5": 1.5, ".5": 0.5, "1e3": 1000, "1E-2": 0.01, "-1e3": -1000, "1.5+2.0": 3.5, "-0d3FF8000000000000": -1.5,
          "-0f3FC00000": -1.5, "1.0/4.0": 0.25, "0d3FF8000000000000": 1.5, "2.": 2}
BAD_CONSTANTS = ["0o17", "1/0", "1+2.0", "~1.5", "1.5%2.0", "08", "0x", "(1", "1?2", "0f3FC00000+1.0", "(.s64)1.5"]

# Instructions that end in values in %r1 to %r3 (pred: %p1), and what those are.
RESULTS = {
    "lop3 and": ("mov.pred %p2, 0;\n  lop3.and.b32 %r1|%p1, 1, 1, 0, 0xfe, %p2;", [1, None, None], False),
    "lop3 or": ("mov.pred %p2, 0;\n  lop3.or.b32 %r1|%p1, 1, 1, 0, 0xfe, %p2;", [1, None, None], True),
    "lop3 or of nothing": ("mov.pred %p2, 1;\n  lop3.and.b32 %r1|%p1, 0, 0, 0, 0xfe, %p2;", [0, None, None], False),
    "min relu": ("min.relu.s32 %r1, -5, 7;\n  max.relu.s32 %r2, -5, -7;\n  max.relu.s32 %r3, 5, -7;", [0, 0, 5], None),
    "min relu of pairs": ("mov.b32 %r4, 0xfffb0003;\n  mov.b32 %r5, 0x00070001;\n  min.relu.s16x2 %r1, %r4, %r5;\n"
                          "  max.s16x2.relu %r2, %r4, 0;", [1, 3, None], None),
    "mad hi sat": ("mov.b32 %r4, 0x7fffffff;\n  mad.hi.sat.s32 %r1, %r4, %r4, %r4;\n  mad24.hi.sat.s32 %r2, 0x7fffff, 0x7fffff, %r4;",
                   [0x7fffffff, 0x7fffffff, None], None),
    "zero is normal": ("mov.f32 %f1, -0.0;\n  testp.normal.f32 %p1, %f1;", [None] * 3, True),
    "subnormal is not": ("mov.f32 %f1, 0f00000001;\n  testp.normal.f32 %p1, %f1;", [None] * 3, False),
    "predicates by number": ("mov.pred %p1, 2;\n  selp.u32 %r1, 1, 0, 2;\n  selp.u32 %r2, 1, 0, !1;", [1, 0, None], True),
    "setp of pairs and": ("mov.pred %p3, 0;\n  mov.b32 %r4, 0x3c004000;\n  mov.b32 %r5, 0x40003c00;\n"
                          "  setp.lt.and.f16x2 %p2|%p1, %r4, %r5, %p3;", [None] * 3, False),
    "setp of pairs or": ("mov.pred %p3, 1;\n  mov.b32 %r4, 0x3c004000;\n  mov.b32 %r5, 0x40003c00;\n"
                         "  setp.lt.or.f16x2 %p1|%p2, %r4, %r5, %p3;", [None] * 3, True),
    "set of pairs": ("mov.b32 %r4, 0x3c004000;\n  mov.b32 %r5, 0x40003c00;\n  set.lt.u32.f16x2 %r1, %r4, %r5;\n"
                     "  mov.pred %p2, 0;\n  set.lt.and.u32.f16x2 %r2, %r4, %r5, %p2;\n  set.lt.f16x2.f16x2 %r3, %r4, %r5;",
                     [0xffff0000, 0, 0x3c000000], None),
    "vmad by the operands' signs": ("mov.b32 %r4, 0x10000;\n  vmad.s32.u32.u32.sat %r1, %r4, 0xffff, 1;\n  vmad.u32.s32.u32.shr15 %r2, -300, 2, -1;",
                                    [0xffff0001, 0xffffffff, None], None),
    "vmad of large numbers": ("mov.b32 %r4, -1;\n  vmad.u32.u32.u32.sat %r1, %r4, %r4, 0;\n  vshl.u32.u32.u32.sat.clamp %r2, %r4, 32;",
                              [0xffffffff, 0xffffffff, None], None),
    "vmad minus": ("mov.b32 %r4, 10;\n  mov.b32 %r5, 3;\n  mov.b32 %r6, 4;\n  vmad.s32.s32.s32 %r1, %r4, %r5, -%r6;\n"
                   "  vmad.s32.s32.s32 %r2, -%r4, %r5, %r6;\n  vmad.s32.s32.s32 %r3, -%r4, -%r5, %r6;", [26, -26, 34], None),
    "canonical NaN": ("mov.b64 %d1, 0xfff8000000000001;\n  rcp.approx.ftz.f64 %d2, %d1;\n  mov.b64 {%r1, %r2}, %d2;",
                      [0, 0x7fffffff, None], None),
    "a constant of bf16": ("mov.b16 %h1, 0x3f80;\n  add.rn.bf16 %h2, %h1, 0f3F800000;\n  cvt.u32.u16 %r1, %h2;", [0x4000, None, None], None),
    "an address and a number": ("mov.u32 %r4, sm;\n  mov.u32 %r5, sm+8;\n  sub.u32 %r1, %r5, %r4;\n  st.shared.u32 [%r4+2*4], 77;\n"
                                "  ld.shared.u32 %r2, [sm+(1<<3)];", [8, 77, None], None),
}

GLOBALS = """.global .f32 gx[2] = {1.5, 0d4004000000000000};
.global .f64 gd = 0f3FC00000;
.global .f16 gh[2] = {1.5, -2.0};
.global .u32 gu[WARP_SZ/16] = {3*4, 0xff};
"""
READ_GLOBALS = """  ld.global.v2.b32 {%r1, %r2}, [gx];
  st.global.v2.b32 [%q0], {%r1, %r2};
  ld.global.v2.b32 {%r1, %r2}, [gd];
  st.global.v2.b32 [%q0+8], {%r1, %r2};
  ld.global.b32 %r1, [gh];
  ld.global.b32 %r2, [gu+4*1];
  st.global.v2.b32 [%q0+16], {%r1, %r2};
"""

# In a module for sm_80.
NEWER = ["add.bf16 %h1, %h2, %h3;", "mul.bf16x2 %r1, %r2, %r3;", "add.u16x2 %r1, %r2, %r3;", "min.relu.s32 %r1, %r2, %r3;",
         "setp.lt.bf16 %p1, %h1, %h2;", "tanh.approx.bf16 %h1, %h2;", "ex2.approx.ftz.bf16 %h1, %h2;", "elect.sync _|%p1, -1;",
         "max.xorsign.abs.f32 %f1, %f2, %f3;", "cvt.rn.satfinite.e4m3x2.f32 %h1, %f1, %f2;", "griddepcontrol.wait;",
         "mapa.u64 %q1, %q2, 0;", "fence.acq_rel.cluster;", "barrier.cluster.arrive;", "cp.async.bulk.commit_group;",
         "atom.global.add.noftz.bf16 %h1, [%q0], %h2;", "red.global.add.v4.f32 [%q0], {%f0,%f1,%f2,%f3};", "setmaxnreg.inc.sync.aligned.u32 64;"]
ONLY_90A = ["setmaxnreg.inc.sync.aligned.u32 64;", "wgmma.fence.sync.aligned;"]
REFUSED = ["max.f32 %f1, %f2, %f3, %f4;", "add.f32 %f1, %f2;", "dp4a.u32.u32 %r1, %r2;", "dp4a %r1, %r2, %r3, %r4;", "set %r1, %r2, %r3;",
           "add.f32.bf16 %f1, %h1, %f2;", "fma.rn.f32.f16 %f1, %h1, %h2, %f2;", "add.rn.f32x2 %q1, %q2, %q3;", "add.f32 %f1, %f2, 1;",
           "mad.lo.sat.s32 %r1, %r2, %r3, %r4;", "vset4.u32.u32.ne.max %r1, %r2, %r3, %r4;", "add.s32 %r1, -%r2, %r3;",
           "vmad.s32.s32.s32.po %r1, -%r2, %r3, %r4;", "testp.finite %p1, %f1;", "slct %r1, %r2, %r3, %r4;", "mov.u32 %r1, %r2+4;"]


class Forms(unittest.TestCase):
    def load(self, text, head=HEAD):
        with cuda.Listening() as said:
            try:
                driver.call("cuModuleUnload", driver.load(head + "  " + text + "\n  ret;\n}\n"))
                error = None
            except cuda.CudaError as caught:
                error = caught.name
        return error, said.text

    def run_text(self, text, words):
        buffer = driver.upload(np.full(words, 7, np.uint32))
        function = driver.function(driver.load(text), "k")
        said = driver.launch(function, [1], [1], [buffer], shared=64)
        self.assertEqual((said.text, said.fault), ("", None))
        return driver.download(buffer, np.uint32, (words,))

    def run_values(self, lines, words):
        return self.run_text(HEAD + "\n".join("  " + line for line in lines) + "\n  ret;\n}\n", words)

    def test_constants(self):
        got = self.run_values([f"mov.b32 %r1, {text};\n  st.global.b32 [%q0+{4 * i}], %r1;" for i, text in enumerate(CONSTANTS)], len(CONSTANTS))
        self.assertEqual(dict(zip(CONSTANTS, got.astype(np.int32).tolist())), CONSTANTS)

    def test_floats(self):
        got = self.run_values([f"mov.f32 %f1, {text};\n  st.global.f32 [%q0+{4 * i}], %f1;" for i, text in enumerate(FLOATS)], len(FLOATS))
        self.assertEqual(got.view(np.float32).tolist(), np.array(list(FLOATS.values()), np.float32).tolist())

    def test_bad_constants(self):
        for text in BAD_CONSTANTS:
            with self.subTest(text=text):
                error, said = self.load(f"mov.b32 %r1, {text};")
                self.assertEqual(error, "CUDA_ERROR_INVALID_PTX", said)

    def test_initial_values(self):
        got = self.run_text(HEAD.replace(".extern", GLOBALS + ".extern") + READ_GLOBALS + "  ret;\n}\n", 6)
        self.assertEqual(got[:2].view(np.float32).tolist(), [1.5, 2.5])
        self.assertEqual(got[2:4].view(np.float64).tolist(), [1.5])
        self.assertEqual(got[4:5].view(np.float16).tolist(), [1.5, -2.0])
        self.assertEqual(got[5], 0xff)

    def check_result(self, name):
        text, values, predicate = RESULTS[name]
        got = self.run_values([text, "selp.b32 %r0, 1, 0, %p1;", "st.global.v4.b32 [%q0], {%r0, %r1, %r2, %r3};"], 4).tolist()
        expected = [got[0] if predicate is None else int(predicate)] + [g if v is None else v & 0xffffffff for g, v in zip(got[1:], values)]
        self.assertEqual(got, expected)

    def test_targets(self):
        for text in NEWER:
            with self.subTest(text=text):
                self.assertEqual(self.load(text), (None, ""))
                error, said = self.load(text, HEAD.replace("sm_90a", "sm_80"))
                self.assertEqual(error, "CUDA_ERROR_INVALID_PTX")
                self.assertRegex(said, r"needs .target sm_\d+a?( or later)?, and this is sm_80")
        for text in ONLY_90A:
            self.assertRegex(self.load(text, HEAD.replace("sm_90a", "sm_90"))[1], "needs .target sm_90a, and this is sm_90")

    def test_refused(self):
        line = HEAD.count("\n") + 1
        for text in REFUSED:
            with self.subTest(text=text):
                error, said = self.load(text)
                self.assertEqual(error, "CUDA_ERROR_INVALID_PTX", said)
                self.assertIn(f"PTX line {line}:", said)

    def test_operands_left_out(self):
        """Nothing is read beyond the operands: taken or refused, but the process lives."""
        for text in TAKEN:
            name, _, operands = text.rstrip(";").partition(" ")
            parts = operands.split(",")
            for count in range(len(parts)):
                self.load(name + " " + ",".join(parts[:count]) + ";" if count else name + ";")
            self.load(name.split(".")[0] + " " + operands + ";")


for name in RESULTS:
    setattr(Forms, f"test_{name.replace(' ', '_').replace(chr(39), '')}", lambda self, name=name: self.check_result(name))

if __name__ == "__main__":
    LIBRARY = sys.argv.pop(1)
    driver = cuda.Driver(LIBRARY)
    unittest.main()
