"""Threads that meet and what orders their accesses, by the manual: what is right is silent and right, what is not is told.

A kernel finds its thread in %r0, its lane in %r1, its warp in %r2, 256 words in %q0, and 4096 bytes of shared memory at sm.
"""

import sys
import unittest

sys.dont_write_bytecode = True

import numpy as np

import cuda

ILLEGAL, TIMEOUT, MISALIGNED = ("CUDA_ERROR_ILLEGAL_INSTRUCTION", "CUDA_ERROR_LAUNCH_TIMEOUT",
                                "CUDA_ERROR_MISALIGNED_ADDRESS")

HEAD = """.version 8.6
.target sm_90a
.address_size 64
.const .align 4 .b32 fixed = 7;
.visible .entry k(.param .u64 p)
{
  .reg .pred %p<10>;
  .reg .b32 %r<40>;
  .reg .b64 %q<20>;
  .reg .f32 %f<20>;
  .local .align 4 .b8 own[16];
  .shared .align 1024 .b8 sm[4096];
  ld.param.u64 %q0, [p];
  mov.u32 %r0, %tid.x;
  and.b32 %r1, %r0, 31;
  shr.u32 %r2, %r0, 5;
  mul.wide.u32 %q1, %r0, 4;
  add.u64 %q1, %q1, %q0;
"""

# A thread's result.
OUT = "  st.global.u32 [%q1], %r9;\n"


class Case:
    """`said`: a pattern of the report, or silence. `out`: the first words that the kernel leaves, if it matters."""

    def __init__(self, body, threads=64, said="", fault=None, out=None, initial=(), blocks=1):
        self.body, self.threads, self.said, self.fault = body, threads, said, fault
        self.out, self.initial, self.blocks = out, initial, blocks


# name: case, or the PTX of an instruction that is refused and what is said
CASES, REFUSED = {}, {}

# Barriers count warps.
CASES["barrier of a part of a warp"] = Case("  bar.sync 1, 64;\n", threads=48)
CASES["barrier without a lane that has ended"] = Case(
    "  setp.eq.u32 %p1, %r0, 5;\n  @%p1 ret;\n  bar.sync 1, 64;\n  mov.u32 %r9, 1;\n" + OUT, out=[1] * 5 + [0] + [1] * 58)
CASES["lane that ends while its warp waits"] = Case(
    "  setp.eq.u32 %p1, %r1, 31;\n  @!%p1 barrier.sync 1, 64;\n  mov.u32 %r9, 1;\n" + OUT, out=[1] * 64)
CASES["half warps at a barrier"] = Case("""  setp.lt.u32 %p1, %r1, 16;
  @%p1 barrier.sync 1, 32;
  bar.sync 0;
""", said=r"deadlock .*threads 0-15 wait for barrier 1 .* threads 16-31 wait for barrier 0", fault=TIMEOUT)
CASES["barrier in both arms of a branch"] = Case("""  setp.lt.u32 %p1, %r1, 16;
  @%p1 bra A;
  bar.sync 0;
  bra E;
A: barrier.sync 0;
E: mov.u32 %r9, 1;
""" + OUT, out=[1] * 64)
CASES["all threads, and a count of all"] = Case("""  setp.ge.u32 %p1, %r0, 32;
  @%p1 bra B;
  mov.u32 %r3, 7;
  setp.eq.u32 %p2, %r0, 0;
  @%p2 st.shared.u32 [sm], %r3;
  bar.arrive 1, 64;
  ret;
B: bar.sync 1;
  ld.shared.u32 %r9, [sm];
""" + OUT, out=[0] * 32 + [7] * 32)
CASES["two counts"] = Case("""  setp.ge.u32 %p1, %r0, 32;
  @%p1 bar.sync 1, 96;
  @!%p1 bar.sync 1, 64;
""", said="divergence at a barrier .* was begun with (64|96) threads and is met with (96|64)", fault=ILLEGAL)
CASES["reduction beside a barrier"] = Case("""  setp.ge.u32 %p1, %r0, 32;
  @%p1 bra B;
  bar.red.popc.u32 %r9, 1, 64, %p1;
  ret;
B: bar.sync 1, 64;
""", said="divergence at a barrier .* bar.red", fault=ILLEGAL)
CASES["arrival of nobody"] = Case("  mov.u32 %r3, 0;\n  bar.arrive 1, %r3;\n",
                                  said="illegal barrier .*number of threads", fault=ILLEGAL)
REFUSED["bar.arrive 1;"] = "needs a number of threads"
# Two pairs of warps one after the other; each has to get its own sum, whoever reads it last.
REUSED = """  setp.{first}.u32 %p1, %r2, 2;
  setp.eq.u32 %p2, %r2, {last};
  @%p1 bra A;
  bar.sync 2, 96;
A: bar.red.popc.u32 %r9, 1, 64, %p1;
  @%p2 bar.arrive 2, 96;
""" + OUT
CASES["sum of a barrier that is used again"] = Case(REUSED.format(first="lt", last=1), threads=128,
                                                    out=[64] * 64 + [0] * 64)
CASES["sum of a barrier that was used before"] = Case(REUSED.format(first="ge", last=3), threads=128,
                                                      out=[0] * 64 + [64] * 64)
CASES["reductions of a barrier"] = Case("""  setp.lt.u32 %p1, %r0, 40;
  bar.red.popc.u32 %r3, 0, %p1;
  bar.red.and.pred %p2, 0, %p1;
  bar.red.or.pred %p3, 0, %p1;
  selp.u32 %r4, 100, 0, %p2;
  selp.u32 %r5, 1000, 0, %p3;
  add.u32 %r9, %r3, %r4;
  add.u32 %r9, %r9, %r5;
""" + OUT, threads=72, out=[1040] * 72)

# Collectives: lanes meet by their mask, wherever they are.
BRANCHES = """  setp.lt.u32 %p1, %r1, 16;
  setp.lt.u32 %p2, %r1, 20;
  @%p1 bra A;
  {first}
  bra E;
A: {second}
E: mov.u32 %r3, 0;
"""
for what, result in [("bar.warp.sync -1;\n  mov.u32 %r9, %r1;", range(32)),
                     ("shfl.sync.bfly.b32 %r9, %r1, 16, 31, -1;", [i ^ 16 for i in range(32)]),
                     ("redux.sync.add.u32 %r9, %r1, -1;", [31 * 16] * 32),
                     ("vote.sync.ballot.b32 %r9, %p2, -1;", [(1 << 20) - 1] * 32),
                     ("vote.sync.any.pred %p3, %p2, -1;\n  selp.u32 %r9, 1, 0, %p3;", [1] * 32),
                     ("match.any.sync.b32 %r9, %r2, -1;", [0xffffffff] * 32)]:
    CASES[f"{what.split()[0]} in both arms"] = Case(BRANCHES.format(first=what, second=what) + OUT, threads=32, out=result)
CASES["two votes that do not meet"] = Case(
    BRANCHES.format(first="vote.sync.any.pred %p3, %p2, -1;", second="vote.sync.all.pred %p3, %p2, -1;"),
    said="divergence at a collective .*vote.sync.a.* at PTX line .*vote.sync.a", fault=ILLEGAL)
CASES["shuffles that do not meet"] = Case(
    BRANCHES.format(first="shfl.sync.up.b32 %r9, %r1, 1, 0, -1;", second="shfl.sync.down.b32 %r9, %r1, 1, 31, -1;"),
    said="divergence at a collective", fault=ILLEGAL)
CASES["masks that do not meet"] = Case(
    BRANCHES.format(first="bar.warp.sync -1;", second="bar.warp.sync 0xffff;\n  bar.warp.sync 0x7fffffff;"),
    said="divergence at a collective .*with mask 0xFFFFFFFF .*with mask 0x7FFFFFFF|"
         "divergence at a collective .*with mask 0x7FFFFFFF .*with mask 0xFFFFFFFF", fault=ILLEGAL)
CASES["aligned instructions in both arms"] = Case(
    BRANCHES.format(first="ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r9}, [sm];",
                    second="ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r9}, [sm];"),
    said="divergence at a collective .* ldmatrix .* ldmatrix", fault=ILLEGAL)
# Lane 0 meets lane 2, then lane 1, which has come before.
CASES["masks one after the other"] = Case("""  setp.eq.u32 %p1, %r0, 0;
  setp.eq.u32 %p2, %r0, 1;
  selp.u32 %r3, 3, 5, %p2;
  mov.u32 %r9, 0;
S: bar.warp.sync %r3;
  mov.u32 %r3, 3;
  add.u32 %r9, %r9, 1;
  setp.lt.and.u32 %p3, %r9, 2, %p1;
  @%p3 bra S;
""" + OUT, threads=3, out=[2, 1, 1])
CASES["lanes that end while others wait by two masks"] = Case("""  setp.eq.u32 %p1, %r1, 7;
  setp.eq.u32 %p2, %r1, 23;
  or.pred %p1, %p1, %p2;
  @%p1 ret;
  setp.lt.u32 %p3, %r1, 16;
  selp.u32 %r3, 0xffff, 0xffff0000, %p3;
  redux.sync.add.u32 %r9, 1, %r3;
""" + OUT, threads=32, out=[15] * 7 + [0] + [15] * 15 + [0] + [15] * 8)
CASES["lane outside of its mask"] = Case("  setp.eq.u32 %p1, %r0, 0;\n  vote.sync.all.pred %p2, %p1, 0xffff;\n",
                                         said="illegal collective .*lane (1[6-9]|2.|3.), which is not in it", fault=ILLEGAL)
CASES["mask of nobody"] = Case("  shfl.sync.idx.b32 %r9, %r1, 0, 31, 0;\n",
                               said="illegal collective .*shfl.sync.idx with mask 0x0 by lane", fault=ILLEGAL)
# The sum of 16 lanes: the upper half of them reads lanes that take no part, and nobody reads theirs.
CASES["sum of half a warp"] = Case("""  setp.ge.u32 %p1, %r1, 16;
  @%p1 ret;
  mov.u32 %r9, %r1;
""" + "".join(f"  shfl.sync.down.b32 %r3, %r9, {n}, 31, 0xffff;\n  add.u32 %r9, %r9, %r3;\n" for n in (8, 4, 2, 1)) + """
  setp.ne.u32 %p1, %r1, 0;
  @%p1 ret;
""" + OUT, threads=32, out=[120])
CASES["shuffle from a lane that takes no part"] = Case("""  setp.ge.u32 %p1, %r1, 8;
  @%p1 ret;
  shfl.sync.bfly.b32 %r9, %r1, 8, 31, 0xff;
""" + OUT, threads=32, out=[0xffffffff] * 8)
REFUSED["redux.sync.min.f32 %f1, %f2, -1;"] = "needs sm_100a"
# Of the collectives only bar.warp.sync orders memory.
EXCHANGE = """  mul.lo.u32 %r3, %r0, 4;
  mov.u32 %r4, sm;
  add.u32 %r3, %r3, %r4;
  st.shared.u32 [%r3], %r0;
  {meet}
  xor.b32 %r3, %r3, 4;
  ld.shared.u32 %r9, [%r3];
""" + OUT
CASES["exchange behind bar.warp.sync"] = Case(EXCHANGE.format(meet="bar.warp.sync -1;"), out=[i ^ 1 for i in range(64)])
for meet in ("shfl.sync.idx.b32 %r5, %r0, 0, 31, -1;", "vote.sync.ballot.b32 %r5, %p1, -1;", "redux.sync.add.u32 %r5, %r0, -1;",
             "match.any.sync.b32 %r5, %r0, -1;", "elect.sync _|%p1, -1;"):
    CASES["exchange behind " + meet.split()[0]] = Case(EXCHANGE.format(meet=meet), said="race in shared memory")

# add.f32 flushes subnormal numbers in global memory: what it reads, what it adds, and the sum.
SUBNORMAL = """  {before}
  mov.b32 %f1, 0f00000001;
  mov.b32 %f2, 0f80400000;
  mov.b32 %f3, 0f80000001;
  atom.{space}add.f32 %f4, [{place}], %f1;
  red.{space}add.f32 [{place}+4], %f2;
  red.{space}add.f32 [{place}+8], %f3;
  red.{space}add.f32 [{place}+12], 0f3F800000;
  {after}
  st.global.f32 [%q0+16], %f4;
"""
INITIAL = [0x00400000, 0x00c00000, 0x80400000, 0x3f800000]
FLUSHED, KEPT = ([0, 0x00c00000, 0x80000000, 0x40000000, 0x00400000],
                 [0x00400001, 0x00800000, 0x80400001, 0x40000000, 0x00400000])
COPY = "ld.global.v4.u32 {%r3,%r4,%r5,%r6}, [%q0];\n  st.shared.v4.u32 [sm], {%r3,%r4,%r5,%r6};\n" \
       "  mov.u64 %q2, sm;\n  cvta.shared.u64 %q2, %q2;"
BACK = "ld.shared.v4.u32 {%r3,%r4,%r5,%r6}, [sm];\n  st.global.v4.u32 [%q0], {%r3,%r4,%r5,%r6};"
CASES["add.f32 to global memory"] = Case(SUBNORMAL.format(before="", space="global.", place="%q0", after=""), threads=1,
                                         initial=INITIAL, out=FLUSHED)
CASES["add.f32 to any memory"] = Case(SUBNORMAL.format(before="", space="", place="%q0", after=""), threads=1, initial=INITIAL,
                                      out=FLUSHED)
CASES["add.f32 to shared memory"] = Case(SUBNORMAL.format(before=COPY, space="shared.", place="sm", after=BACK), threads=1,
                                         initial=INITIAL, out=KEPT)
CASES["add.f32 to shared memory by any address"] = Case(
    SUBNORMAL.format(before=COPY, space="", place="%q2", after=BACK), threads=1, initial=INITIAL, out=KEPT)
CASES["vector add.f32"] = Case("""  mov.b32 %f1, 0f00000001;
  mov.b32 %f2, 0f80400000;
  red.global.add.v2.f32 [%q0], {%f1, %f2};
""", threads=1, initial=INITIAL, out=FLUSHED[:2])

# One thread of warp 1 stores to sm and raises the flag at sm+64 or at %q0+64, one of warp 0 waits for it and loads.
HAND_OVER = """  setp.eq.u32 %p3, %r0, 0;
  @%p3 st.shared.v2.u32 [sm+64], {{0, 0}};
  bar.sync 0;
  setp.ne.u32 %p2, %r1, 0;
  @%p2 ret;
  setp.lt.u32 %p1, %r0, 32;
  @%p1 bra C;
  st.shared.u32 [sm], 7;
  {tell}
  ret;
C: {hear}
  setp.eq.u32 %p4, %r3, 0;
  @%p4 bra C;
  {then}
  ld.shared.u32 %r9, [sm];
  st.global.u32 [%q0], %r9;
"""
FENCE, TELL = "fence.acq_rel.cta;", "st.relaxed.cta.shared.u32 [sm+64], 1;"
HEAR = "ld.relaxed.cta.shared.u32 %r3, [sm+64];"
RACE = "race in shared memory"
for name, tell, hear, then, said in [
        ("fences", FENCE + TELL, HEAR, FENCE, ""),
        ("fence.release and fence.acquire", "fence.release.cta;" + TELL, HEAR, "fence.acquire.cta;", ""),
        ("fence.acquire, which does not release", "fence.acquire.cta;" + TELL, HEAR, FENCE, RACE),
        ("fence.release, which does not acquire", FENCE + TELL, HEAR, "fence.release.cta;", RACE),
        ("fence.mbarrier_init", "fence.mbarrier_init.release.cluster;" + TELL, HEAR, FENCE, RACE),
        ("st.release and ld.acquire", "st.release.cta.shared.u32 [sm+64], 1;", "ld.acquire.cta.shared.u32 %r3, [sm+64];", "", ""),
        ("st.release and ld.relaxed", "st.release.cta.shared.u32 [sm+64], 1;", HEAR, "", RACE),
        ("an exchange", FENCE + TELL, "atom.acquire.cta.shared.exch.b32 %r3, [sm+64], 0;", "", ""),
        ("a relaxed exchange", FENCE + TELL, "atom.relaxed.cta.shared.exch.b32 %r3, [sm+64], 0;", "", RACE),
        ("an exchange and a fence", "membar.cta; atom.shared.exch.b32 %r3, [sm+64], 1;",
         "atom.shared.exch.b32 %r3, [sm+64], 0;", "membar.cta;", ""),
        ("a volatile vector", "fence.acq_rel.cta; st.volatile.shared.v2.u32 [sm+64], {1, 1};",
         "ld.volatile.shared.u32 %r3, [sm+68];", FENCE, ""),
        ("a flag in global memory", "fence.acq_rel.cta; st.relaxed.cta.global.u32 [%q0+64], 1;",
         "ld.relaxed.cta.global.u32 %r3, [%q0+64];", FENCE, ""),
        ("a flag in global memory, by any address", "membar.gl; atom.exch.b32 %r3, [%q0+64], 1;",
         "atom.add.u32 %r3, [%q0+64], 0;", "membar.gl;", ""),
        ("a flag in global memory and no fence", "st.relaxed.cta.global.u32 [%q0+64], 1;",
         "ld.relaxed.cta.global.u32 %r3, [%q0+64];", FENCE, RACE)]:
    CASES["handed over by " + name] = Case(HAND_OVER.format(tell=tell, hear=hear, then=then), said=said,
                                           out=None if said else [7])
# A reduction does not tell what it has found, so it learns nothing: it comes last, behind a barrier that orders nothing.
COUNTED = """  setp.eq.u32 %p3, %r0, 0;
  @%p3 st.shared.u32 [sm+64], 0;
  bar.sync 0;
  setp.ne.u32 %p2, %r1, 0;
  @%p2 ret;
  setp.lt.u32 %p1, %r0, 32;
  @%p1 bra C;
  st.shared.u32 [sm], 7;
  st.release.cta.shared.u32 [sm+64], 1;
  ret;
C: mov.u32 %r4, 0;
D: ld.relaxed.cta.global.u32 %r3, [%q0+64];
  add.u32 %r4, %r4, 1;
  setp.lt.u32 %p4, %r4, 100000;
  @%p4 bra D;
  {count}
  fence.acq_rel.cta;
  ld.shared.u32 %r9, [sm];
"""
CASES["counted by an atomic"] = Case(COUNTED.format(count="atom.shared.add.u32 %r3, [sm+64], 1;"))
CASES["counted by a reduction"] = Case(COUNTED.format(count="red.shared.add.u32 [sm+64], 1;"), said=RACE)
LOCKED = """  setp.eq.u32 %p3, %r0, 0;
  @%p3 st.shared.v2.u32 [sm], {{0, 0}};
  bar.sync 0;
  setp.ne.u32 %p2, %r1, 0;
  @%p2 bra E;
C: atom.{acquire}cta.shared.exch.b32 %r3, [sm+4], 1;
  setp.ne.u32 %p4, %r3, 0;
  @%p4 bra C;
  ld.shared.u32 %r3, [sm];
  add.u32 %r3, %r3, 1;
  st.shared.u32 [sm], %r3;
  atom.{release}cta.shared.exch.b32 %r3, [sm+4], 0;
E: bar.sync 0;
  ld.shared.u32 %r9, [sm];
""" + OUT
CASES["spin lock"] = Case(LOCKED.format(acquire="acquire.", release="release."), threads=96, out=[3] * 96)
CASES["spin lock that does not acquire"] = Case(LOCKED.format(acquire="relaxed.", release="release."), threads=96, said=RACE)
# The alignment of a vector is that of all of it.
CASES["vector reduction"] = Case("  red.global.add.v4.f32 [%q0+16], {%f0, %f1, %f2, %f3};\n", threads=1)
for at in 4, 8:
    CASES[f"vector reduction at {at}"] = Case(f"  red.global.add.v4.f32 [%q0+{at}], {{%f0, %f1, %f2, %f3}};\n", threads=1,
                                              said="misaligned access", fault=MISALIGNED)

# isspacep: each space as a bit of the answer, for addresses of each.
SPACES = ["global", "shared", "local", "const", "param"]
ASK = """  {take}
  mov.u32 %r9, 0;
""" + "".join(f"  isspacep.{space} %p1, %q2;\n  @%p1 or.b32 %r9, %r9, {1 << bit};\n" for bit, space in enumerate(SPACES)) + """
  st.global.u32 [%q0], %r9;
"""
for space, take, answer in [("global", "mov.u64 %q2, %q0;", 1), ("shared", "mov.u64 %q2, sm; cvta.shared.u64 %q2, %q2;", 2),
                            ("local", "mov.u64 %q2, own; cvta.local.u64 %q2, %q2;", 4),
                            ("const", "mov.u64 %q2, fixed; cvta.const.u64 %q2, %q2;", 8),
                            ("param", "mov.b64 %q2, p; cvta.param.u64 %q2, %q2;", 17)]:
    CASES[f"isspacep of an address of .{space}"] = Case(ASK.format(take=take), threads=1, out=[answer])
# discard stores something, to all of 128 bytes.
CASES["discard"] = Case("  discard.global.L2 [%q0], 128;\n  mov.u32 %r9, 5;\n  st.global.u32 [%q0+4], %r9;\n", threads=1,
                        initial=[1] * 34, out=[0xffffffff, 5] + [0xffffffff] * 30 + [1, 1])
CASES["read of what is discarded"] = Case("  discard.L2 [%q0], 128;\n  ld.global.u32 %r9, [%q0+124];\n", threads=1,
                                          said="uninitialised read")
CASES["discard at 64"] = Case("  discard.global.L2 [%q0+64], 128;\n", threads=1, said="misaligned access", fault=MISALIGNED)
CASES["discard past the end"] = Case("  discard.global.L2 [%q0+1024], 128;\n", threads=1, said="out-of-bounds access",
                                     fault="CUDA_ERROR_ILLEGAL_ADDRESS")
CASES["discard by two blocks"] = Case("  discard.global.L2 [%q0], 128;\n", threads=1, blocks=2, said="race between blocks")
CASES["applypriority"] = Case("  applypriority.global.L2::evict_normal [%q0], 128;\n", threads=1)
REFUSED["discard.global.L2 [%q0], 64;"] = "128 bytes"
REFUSED["applypriority.global.L2::evict_normal [%q0], 64;"] = "128 bytes"


class Meetings(unittest.TestCase):
    def run_case(self, case):
        function = driver.function(driver.load(HEAD + case.body + "  ret;\n}\n"), "k")
        words = np.zeros(256, np.uint32)
        words[:len(case.initial)] = case.initial
        target = driver.upload(words)
        said = driver.launch(function, [case.blocks], [case.threads], [target])
        out = None if said.fault else driver.download(target, np.uint32, words.shape)
        if said.fault: # the context is lost
            driver.library.cuDevicePrimaryCtxRelease_v2(0)
            driver.__init__(LIBRARY)
        if case.said:
            self.assertRegex(said.text, case.said)
        else:
            self.assertEqual(said.text, "", "false alarm")
        self.assertEqual(said.fault, case.fault)
        if case.out is not None:
            self.assertEqual(out[:len(case.out)].tolist(), list(case.out))

    def test_cases(self):
        for name, case in CASES.items():
            with self.subTest(name):
                self.run_case(case)

    def test_refused(self):
        for instruction, why in REFUSED.items():
            with self.subTest(instruction), cuda.Listening() as said:
                with self.assertRaises(cuda.CudaError):
                    driver.load(HEAD + "  " + instruction + "\n  ret;\n}\n")
            self.assertIn(why, said.text)


if __name__ == "__main__":
    LIBRARY = sys.argv.pop(1)
    driver = cuda.Driver(LIBRARY)
    unittest.main()
