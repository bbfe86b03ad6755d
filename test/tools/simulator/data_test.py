"""Where names, variables, parameters and special registers lead: what kernels find there, and what is refused or reported."""

import ctypes
import sys
import unittest

sys.dont_write_bytecode = True

import numpy as np

import cuda

VERSION = ".version 9.0\n.target sm_90a\n.address_size 64\n"
# p: where results go; m: 16 bytes, the numbers 1 to 4.
KERNEL = """{declarations}
.visible .entry {name}(.param .u64 p, .param .align 16 .b8 m[16]) {directives}
{{
  .reg .pred %p<4>;
  .reg .b16 %h<20>;
  .reg .b32 %r<40>;
  .reg .b64 %q<20>;
  .reg .f32 %f<20>;
  ld.param.u64 %q0, [p];
  {body}
  ret;
}}
"""
SHARED = ".shared .align 16 .b8 sm[256];"


def store(*values):
    return "".join(f" st.global.b32 [%q0+{4 * i}], {value};" for i, value in enumerate(values))


def entry(body, declarations="", name="k", directives=""):
    return KERNEL.format(body=body, declarations=declarations, name=name, directives=directives)


OTHER_SHARED = entry(".shared .align 4 .b8 buf[16]; mov.u32 %r1, 9; st.shared.b32 [buf], %r1;", name="other")
OTHER_GLOBAL = entry(".global .b32 g = 5; ld.global.b32 %r1, [g];", name="other")
BY_REGISTER = ".func (.param .b32 r) f(.reg .b32 a) { st.param.b32 [r], a; ret; }"
BY_PARAMETER = ".func (.param .b32 r) f(.param .b32 a) { .reg .b32 t; ld.param.b32 t, [a]; st.param.b32 [r], t; ret; }"
SUM = ".func (.reg .u32 res) f(.reg .u32 a, .reg .u32 b) { add.u32 res, a, b; ret; }"
TWICE = ".func (.reg .u32 res) f(.reg .pred p, .reg .f32 x, .reg .u32 n) { .reg .b32 t; mov.b32 res, x; @p ret; mov.u32 res, n; ret; }"
# In two blocks that are a cluster: %r2 is the other block's sm, which holds 100 and its rank.
CLUSTER = """mov.u32 %r9, %cluster_ctarank; add.u32 %r8, %r9, 100; st.shared.b32 [sm], %r8; barrier.cluster.arrive;
  barrier.cluster.wait; xor.b32 %r7, %r9, 1; mov.u32 %r1, sm; mapa.shared::cluster.u32 %r2, %r1, %r7;"""
CLUSTER_END = "barrier.cluster.arrive; barrier.cluster.wait; mad.wide.u32 %q0, %r9, 4, %q0; st.global.b32 [%q0], %r4;"

# Name: body, declarations before the kernel, the results, and what launch() takes beside.
RESULTS = {
    "shared of two kernels": (".shared .align 4 .b8 buf[64]; mov.u32 %r1, 1; st.shared.b32 [buf+32], %r1; ld.shared.b32 %r2, [buf+32];" + store("%r2"),
                              OTHER_SHARED, [1]),
    "global of two kernels": (".global .b32 g = 7; ld.global.b32 %r1, [g];" + store("%r1"), OTHER_GLOBAL, [7]),
    "global of two types": (".global .b64 g = 7; ld.global.v2.b32 {%r1, %r2}, [g];" + store("%r1", "%r2"), OTHER_GLOBAL, [7, 0]),
    "a function's global and the module's": ("ld.global.b32 %r1, [g]; { .global .b32 g = 2; ld.global.b32 %r2, [g]; } ld.global.b32 %r3, [g];" +
                                              store("%r1", "%r2", "%r3"), ".global .b32 g = 1;", [1, 2, 1]),
    "an address of a function's own": (".global .b32 g = 3; .global .b64 a = g; ld.global.b64 %q1, [a]; ld.global.b32 %r1, [%q1];" + store("%r1"),
                                       OTHER_GLOBAL, [3]),
    "local in scopes": ("mov.u32 %r1, 11; mov.u32 %r2, 22; { .local .b32 x; st.local.b32 [x], %r1; { .local .b32 x; st.local.b32 [x], %r2; }"
                        " ld.local.b32 %r3, [x]; }" + store("%r3"), "", [11]),
    "a variable hides a register": (".reg .b32 x; mov.u32 x, 1; { .local .b32 x; st.local.b32 [x], 2; ld.local.b32 %r2, [x]; }" + store("x", "%r2"),
                                    "", [1, 2]),
    "extern and a definition": ("ld.global.b32 %r1, [g]; ld.global.b32 %r2, [e+4];" + store("%r1", "%r2"),
                                ".extern .global .b32 g; .visible .global .b32 g = 5; .visible .global .b32 e[2] = {1, 2}; .extern .global .b32 e[];", [5, 2]),
    "nested initial values": ("ld.global.v4.b32 {%r1, %r2, %r3, %r4}, [v]; ld.global.v2.b32 {%r5, %r6}, [v+16];" + store(*(f"%r{i}" for i in range(1, 7))),
                              ".global .align 16 .s32 v[3][2] = {{1, 2}, {3}};", [1, 2, 3, 0, 0, 0]),
    "open dimensions": ("ld.global.v4.b32 {%r1, %r2, %r3, %r4}, [w]; ld.global.b32 %r5, [v+8];" + store(*(f"%r{i}" for i in range(1, 6))),
                        ".global .u32 v[] = {1, 2, 3}; .global .align 16 .s32 w[][2] = {{-1}, {0, -1}};", [-1, 0, 0, -1, 3]),
    "vectors": ("ld.global.v2.b32 {%r1, %r2}, [v]; ld.global.v2.b32 {%r3, %r4}, [w+8];" + store("%r1", "%r2", "%r3", "%r4"),
                ".global .v4 .f32 v = {1.0, 2.0}; .global .v2 .u32 w[2] = {{1}, {2, 3}};", [0x3f800000, 0x40000000, 2, 3]),
    "16 bytes": ("ld.global.v4.b32 {%r1, %r2, %r3, %r4}, [v];" + store("%r1", "%r2", "%r3", "%r4"), ".global .b128 v = 5;", [5, 0, 0, 0]),
    "bytes of a number": ("ld.global.b32 %r1, [v];" + store("%r1"), ".global .align 4 .u8 v[4] = {0xFF(1000 + 546), 0xFF00(131187)};", [0x0a | 0x00 << 8]),
    "mov of vectors": ("mov.u32 %r1, 0x12345678; mov.u32 %r2, 0x9abcdef0; mov.v2.b32 {%r3, %r4}, {%r1, %r2}; mov.v2.b32 {%r1, %r2}, {%r2, %r1};" +
                       store("%r3", "%r4", "%r1", "%r2"), "", [0x12345678, 0x9abcdef0, 0x9abcdef0, 0x12345678]),
    "packing": ("mov.u32 %r1, 1; mov.u32 %r2, 2; mov.b64 %q1, {%r1, %r2}; mov.b64 {%r3, %r4}, %q1;" + store("%r3", "%r4"), "", [1, 2]),
    "registers of vectors": (".reg .v4 .b32 V; mov.v4.u32 V, {5, 6, 7, 8}; mov.u32 %r1, V.x; add.u32 %r2, V.a, V.g; mov.v4.u32 V, %ntid;" +
                             store("%r1", "%r2", "V.x", "V.w"), "", [5, 14, 1, 0]),
    "ranges of registers": ("mov.u32 %r5, 77; mov.u32 %r2, 1; { .reg .b32 %r<3>; mov.u32 %r2, 2; mov.u32 %r1, %r5; st.global.b32 [%q0], %r1; }"
                            " st.global.b32 [%q0+4], %r2;", "", [77, 1]),
    "prefixes that end in digits": (".reg .b32 %a1<4>; .reg .b32 %a<2>; mov.u32 %a13, 1; mov.u32 %a1, 2;" + store("%a13", "%a1"), "", [1, 2]),
    "a register for a register": ("mov.u32 %r1, 42; .param .b32 y; call (y), f, (%r1); ld.param.b32 %r2, [y];" + store("%r2"), BY_REGISTER, [42]),
    "a buffer for a register": (".param .b32 x; .param .b32 y; mov.u32 %r1, 42; st.param.b32 [x], %r1; call (y), f, (x); ld.param.b32 %r2, [y];" +
                                store("%r2"), BY_REGISTER, [42]),
    "registers as results": ("mov.u32 %r1, 38; call (%r2), f, (%r1, 4); call (_), f, (1, 2);" + store("%r2"), SUM, [42]),
    "a constant for a buffer": (".param .b32 y; call (y), f, (5); ld.param.b32 %r2, [y];" + store("%r2"), BY_PARAMETER, [5]),
    "a float and a predicate": ("setp.eq.u32 %p1, 1, 1; setp.eq.u32 %p2, 1, 2; call (%r1), f, (%p1, 1.0, 7); call (%r2), f, (%p2, 1.0, 7);" +
                                store("%r1", "%r2"), TWICE, [0x3f800000, 7]),
    "registers through a pointer": ("mov.u64 %q1, f; mov.u32 %r1, 1; ts: .calltargets f; call (%r2), %q1, (%r1, 4), ts;" + store("%r2"), SUM, [5]),
    "parameters by value": (".param .b32 x; mov.u32 %r1, 42; st.param.b32 [x], %r1; call f, (x); ld.param.b32 %r2, [x];" + store("%r2"),
                            ".func f(.param .b32 a) { .reg .b64 t; mov.u64 t, a; st.local.b32 [t], 1; ret; }", [42]),
    "an alias": ("call (%r1), g, (1, 2);" + store("%r1"), SUM + ".func (.reg .u32 r) g(.reg .u32 a, .reg .u32 b); .alias g, f;", [3]),
    "numbered buffers": (".param .b32 x<2>; st.param.b32 [x1], 6; .param .b32 y; call (y), f, (x1); ld.param.b32 %r2, [y];" + store("%r2"),
                         BY_PARAMETER, [6]),
    "parameters by generic addresses": ("mov.u64 %q1, m; cvta.param.u64 %q2, %q1; ld.v2.b32 {%r1, %r2}, [%q2]; ld.global.b32 %r3, [%q2+12];"
                                        " ld.param.b32 %r4, [%q1+8]; cvta.param::entry.u64 %q3, m; ld.param::entry.b32 %r5, [m+4];"
                                        " isspacep.param %p1, %q3; selp.u32 %r6, 1, 0, %p1; isspacep.param::entry %p1, %q0; selp.u32 %r7, 1, 0, %p1;" +
                                        store(*(f"%r{i}" for i in range(1, 8))), "", [1, 2, 4, 3, 2, 1, 0]),
    "dynamic shared memory's alignment": ("mov.u32 %r1, dyn; st.shared.b8 [s], 1; and.b32 %r1, %r1, 1023;" + store("%r1"),
                                          ".extern .shared .align 1024 .b8 dyn[]; .shared .b8 s[4];", [0], {"shared": 64}),
    "sizes of shared memory": ("mov.u32 %r1, %total_smem_size; and.b32 %r1, %r1, 127; mov.u32 %r2, %aggr_smem_size; mov.u32 %r3, %total_smem_size;"
                               " sub.u32 %r2, %r2, %r3; mov.u32 %r4, %reserved_smem_offset_cap; mov.u32 %r5, %reserved_smem_offset_begin;"
                               " mov.u32 %r6, %reserved_smem_offset_1; sub.u32 %r5, %r5, %r3; sub.u32 %r6, %r6, %r3; st.shared.b8 [s], 1;" +
                               store("%r1", "%r2", "%r4", "%r5", "%r6"), ".extern .shared .b8 dyn[]; .shared .b8 s[4];", [0, 1024, 1024, 0, 0],
                               {"shared": 60}),
    "clocks": ("mov.u64 %q1, %clock64; mov.u32 %r1, %clock_hi; mov.b64 {%r2, %r3}, %q1; sub.u32 %r1, %r1, %r3; setp.lt.u32 %p1, %r1, 2;"
               " selp.u32 %r1, 1, 0, %p1; mov.u64 %q2, %globaltimer; nanosleep.u32 1; mov.u64 %q3, %globaltimer; setp.ge.u64 %p1, %q3, %q2;"
               " selp.u32 %r2, 1, 0, %p1; mov.u32 %r3, %globaltimer_lo; mov.u32 %r4, %globaltimer_hi; shr.u64 %q2, %q2, 32; cvt.u32.u64 %r5, %q2;"
               " sub.u32 %r4, %r4, %r5; setp.lt.u32 %p1, %r4, 2; selp.u32 %r4, 1, 0, %p1;" + store("%r1", "%r2", "%r4"), "", [1, 1, 1]),
    "the user's names": (".reg .b32 %clock_start, %envregs, %lanemask_all; mov.u32 %clock_start, 7; mov.u32 %envregs, 8; mov.u32 %lanemask_all, 9;" +
                         store("%clock_start", "%envregs", "%lanemask_all"), "", [7, 8, 9]),
    "counters": ("mov.u32 %r1, %pm0; mov.u32 %r2, %pm7; mov.u64 %q1, %pm3_64; mov.b32 %r3, %envreg31; mov.v4.u32 {%r4, %r5, %r6, %r7}, %tid;" +
                 store("%r1", "%r2", "%r3", "%r7"), "", [0, 0, 0, 0]),
    "an explicit cluster of one": ("mov.pred %p1, %is_explicit_cluster; selp.u32 %r1, 1, 0, %p1;" + store("%r1"), "", [1],
                                   {"directives": ".explicitcluster .reqnctapercluster 1"}),
    "no explicit cluster": ("mov.pred %p1, %is_explicit_cluster; selp.u32 %r1, 1, 0, %p1;" + store("%r1"), "", [0]),
    "cvta of another block's address": (CLUSTER + "cvt.u64.u32 %q1, %r2; cvta.shared::cluster.u64 %q2, %q1; ld.b32 %r4, [%q2];" + CLUSTER_END,
                                        SHARED, [101, 100], {"directives": ".reqnctapercluster 2", "grid": 2}),
    "cvta.to of another block's address": (CLUSTER + "cvt.u64.u32 %q1, %r1; cvta.shared.u64 %q1, %q1; mapa.u64 %q2, %q1, %r7;"
                                           " cvta.to.shared::cluster.u64 %q3, %q2; cvt.u32.u64 %r3, %q3; ld.shared::cluster.b32 %r4, [%r3];" + CLUSTER_END,
                                           SHARED, [101, 100], {"directives": ".reqnctapercluster 2", "grid": 2}),
    "cvta.to of the own block's address": ("mov.u32 %r1, 8; st.shared.b32 [sm+4], %r1; cvta.shared::cluster.u64 %q1, sm; cvta.to.shared::cluster.u64 %q2, %q1;"
                                           " ld.shared.b32 %r2, [%q2+4];" + store("%r2"), SHARED, [8]),
    "blocks are clusters": ("mov.u32 %r1, %nctaid.x; mov.u32 %r2, %nclusterid.x; mov.u32 %r3, %ctaid.x; setp.eq.u32 %p1, %r3, 0; @!%p1 ret;" +
                            store("%r1", "%r2"), "", [4, 2], {"directives": ".reqntid 1 .reqnctapercluster 2 .blocksareclusters", "grid": 2}),
    "the block that is required": (store("9"), "", [9], {"directives": ".reqntid 8,4", "block": [8, 4], "one": True}),
    "cvt.pack of 4 and 2 bits": ("mov.u32 %r1, 300; mov.u32 %r2, -5; cvt.pack.sat.u4.s32.b32 %r3, %r1, %r2, 0x123; cvt.pack.sat.s2.s32.b32 %r4, %r1, %r2, 1;" +
                                 store("%r3", "%r4"), "", [0x123f0, 0x10 | 0b0110]),
    "loads of devices": ("ld.mmio.relaxed.sys.global.b32 %r1, [g]; st.mmio.relaxed.sys.global.b32 [g], 4; ld.global.b32 %r2, [g].unified;" +
                         store("%r1", "%r2"), ".global .attribute(.unified(0,1)) .b32 g = 3;", [3, 4]),
}

# Name: body, declarations, and what is said; for kernels that load all the same, with a fault.
FAULTS = {
    "parameter by a wild address": ("mov.u64 %q1, 8; ld.param.b32 %r1, [%q1];", "", "out-of-bounds access.*is in no parameter"),
    "parameter past its end": ("mov.u64 %q1, m; ld.param.b32 %r1, [%q1+16];", "", "out-of-bounds access"),
    "generic load past a parameter": ("mov.u64 %q1, m; cvta.param.u64 %q1, %q1; ld.b32 %r1, [%q1+16];", "", "out-of-bounds access"),
    "store to a parameter": ("mov.u64 %q1, m; cvta.param.u64 %q1, %q1; st.b32 [%q1], 1;", "", "store to a parameter"),
    "branch to no target": ("mov.u32 %r1, %ctaid.x; add.u32 %r1, %r1, 9; ts: .branchtargets A, B; brx.idx %r1, ts; A: B:", "",
                            "branch to no target.*index 9 into a list of 2 labels"),
    "shared variable": (".shared .align 4 .b8 buf[8]; ld.shared.b32 %r1, [buf+8];", OTHER_SHARED, "out-of-bounds shared access.*load of 4 bytes at shared address 8"),
}

# Body, declarations, and the reason.
REFUSED = {
    "undefined": ("ld.global.b32 %r1, [e];", ".extern .global .b32 e;", "line 4: `e` is undefined"),
    "two definitions": ("", ".global .b32 g = 1; .global .b64 g = 2;", "`g` is defined twice"),
    "two kernels": ("", entry(""), "`k` is defined twice"),
    "too many values": ("", ".global .b32 v[2][2] = {{1, 2, 3}};", "more initial values than elements"),
    "braces too deep": ("", ".global .b32 v[2] = {{1}, {2}};", "nested as its dimensions are not"),
    "an open inner dimension": ("", ".global .b32 v[2][] = {{1}};", "only the first dimension"),
    "shared with a value": (".shared .b32 x = 5;", "", "has an initial value"),
    "too much const": ("", ".const .b8 c[65536]; .const .b8 d[1];", "more than 64 KB"),
    "mov of unlike vectors": ("mov.v2.b32 {%r1, %r2}, {%r3, %r4, %r5};", "", "vectors of 2 parts"),
    "a vector as a number": ("mov.u32 %r1, %tid;", "", "neither a register nor a variable"),
    "two of a scope": (".local .b32 x; .global .b32 g; .global .b32 g;", "", "`g` is defined twice"),
    "beyond a range": ("{ .reg .b32 %z<3>; mov.u32 %z3, 1; }", "", "there is no register `%z3`"),
    "a leading zero": (".reg .b32 %z<3>; mov.u32 %z01, 1;", "", "there is no register `%z01`"),
    "too many arguments": ("call (%r1), f, (1, 2, 3);", SUM, "`f` has 1 results and 2 parameters"),
    "a small buffer": (".param .b8 x; .param .b32 y; call (y), f, (x);", BY_PARAMETER, "`x` has 1 bytes, and `a` 4"),
    "no argument": ("call (%r1), f, (nothing, 1);", SUM, "`nothing` is neither a register nor a variable"),
    "param past its end": ("ld.param.b64 %q2, [m+16];", "", "8 bytes at byte 16 of `m`, which has 16"),
    "param before its beginning": ("ld.param.b64 %q2, [m-8];", "", "at byte -8 of `m`"),
    "param not aligned": ("ld.param.b32 %r1, [m+2];", "", "not aligned"),
    "param buffer": (".param .b32 a; st.param.v4.b32 [a], {%r1, %r1, %r1, %r1};", "", "16 bytes at byte 0 of `a`, which has 4"),
    "store to an entry's": ("st.param.b32 [m], 5;", "", "does not write it"),
    "st.const": ("st.const.b32 [c], 5;", ".const .b32 c = 1;", "not written by kernels"),
    "too few registers": ("ld.global.v4.b32 {%r1, %r2}, [%q0];", "", "takes 4 registers in braces"),
    "braces alone": ("ld.global.b32 {%r1, %r2}, [%q0];", "", "takes one register, without braces"),
    "a narrow type": ("ld.global.u4 %r1, [%q0];", "", "only cvt.pack"),
    "no braces": ("st.global.v2.b32 [%q0], %r1;", "", "takes 2 registers in braces"),
    "managed": ("", ".global .attribute(.managed) .b32 g;", "the attribute `.managed` is not known"),
    "an alias of nothing": ("", ".func g(); .alias g, f;", "there is no such function"),
}
DIRECTIVES_REFUSED = {".nonsense 3": "directive `.nonsense` of a function is not known", ".blocksareclusters": "needs `.reqntid` and",
                      ".maxntid": "is no|integer|missing"}
DIRECTIVES_TAKEN = [".maxntid 16,16,4 .minnctapersm 2", ".maxnreg 64", '.pragma "nounroll";', ".reqntid 8,4 .reqnctapercluster 2", ".maxclusterrank 4"]
TAKEN = [("call (%r1), f, (1, 2);", SUM), ('.pragma "nounroll";', '.pragma "nounroll";'), (".reg .align 4 .b32 zz; mov.u32 zz, 1;", ""),
         ("pmevent.mask 0xff;", ""), ("createpolicy.range.L2::evict_last.L2::evict_first.b64 %q1, [%q0], 0x100000, 0x200000;", ""),
         ("createpolicy.cvt.L2.b64 %q1, %q2;", ""), ("", ".const .b8 c[65536];")]
# In a module for sm_80.
NEWER = ["mbarrier.arrive.shared.b64 %q1, [sm], 2;", "mbarrier.arrive_drop.shared.b64 %q1, [sm], 2;", "fence.acquire.sys;"]
OLD = ["mbarrier.arrive.noComplete.shared.b64 %q1, [sm], 2;", "mbarrier.arrive.shared.b64 %q1, [sm];", "fence.acq_rel.sys;"]

SPIN = """mov.u32 %r1, %tid.x; setp.eq.u32 %p1, %r1, 0; @%p1 st.shared.b32 [sm], 0; bar.sync 0; setp.ne.u32 %p2, %r1, 63; @%p2 bra W;
  ts: .branchtargets A, B;
  A: ld.volatile.shared.b32 %r2, [sm]; brx.idx %r2, ts;
  B: st.global.b32 [%q0], 9; bra E;
  W: @!%p1 bra E; st.volatile.shared.b32 [sm], 1;
  E:"""


class Data(unittest.TestCase):
    def load(self, body, declarations="", directives="", version=VERSION):
        with cuda.Listening() as said:
            try:
                driver.call("cuModuleUnload", driver.load(version + entry(body, declarations, directives=directives)))
                error = None
            except cuda.CudaError as caught:
                error = caught.name
        return error, said.text

    def launch(self, body, declarations="", words=8, directives="", grid=1, block=(1,), shared=0, one=False):
        if one:
            body = "mov.u32 %r1, %tid.x; mov.u32 %r2, %tid.y; or.b32 %r1, %r1, %r2; setp.ne.u32 %p1, %r1, 0; @%p1 ret; " + body
        module = driver.load(VERSION + entry(body, declarations, directives=directives))
        buffer = driver.upload(np.full(words, 77, np.uint32))
        numbers = (ctypes.c_uint32 * 4)(1, 2, 3, 4)
        return driver.launch(driver.function(module, "k"), [grid], list(block), [buffer, numbers], shared), buffer

    def check_result(self, name):
        body, declarations, expected, *more = RESULTS[name]
        said, buffer = self.launch(body, declarations, **(more[0] if more else {}))
        self.assertEqual((said.text, said.fault), ("", None))
        got = driver.download(buffer, np.uint32, (8,))[:len(expected)].tolist()
        self.assertEqual(got, [value & 0xffffffff for value in expected])

    def test_refused(self):
        for name, (body, declarations, reason) in REFUSED.items():
            with self.subTest(name=name):
                error, said = self.load(body, declarations)
                self.assertEqual(error, "CUDA_ERROR_INVALID_PTX", said)
                self.assertRegex(said, r"PTX line \d+: .*" if not reason.startswith("line") else "PTX ")
                self.assertRegex(said, reason)

    def test_taken(self):
        for body, declarations in TAKEN:
            self.assertEqual(self.load(body, declarations), (None, ""), body)

    def test_directives(self):
        for text in DIRECTIVES_TAKEN:
            self.assertEqual(self.load("", directives=text), (None, ""), text)
        for text, reason in DIRECTIVES_REFUSED.items():
            error, said = self.load("", directives=text)
            self.assertEqual(error, "CUDA_ERROR_INVALID_PTX", text)
            self.assertRegex(said, "PTX line [56]: .*(" + reason + ")")

    def test_targets(self):
        older = VERSION.replace("sm_90a", "sm_80")
        for text in NEWER + OLD:
            self.assertEqual(self.load(text, SHARED), (None, ""), text)
        for text in OLD:
            self.assertEqual(self.load(text, SHARED, version=older), (None, ""), text)
        for text in NEWER:
            self.assertRegex(self.load(text, SHARED, version=older)[1], "sm_90 or later, and this is sm_80")
        self.assertEqual(self.load("", version=VERSION.replace("sm_90a", "compute_90")), (None, ""))
        self.assertEqual(self.load("", version=VERSION.replace("sm_90a", "compute_100"))[0], "CUDA_ERROR_NO_BINARY_FOR_GPU")

    def test_shapes(self):
        """Launches that are not as the kernel's directives ask for."""
        for directives, shape in ((".reqntid 8,4", {"block": [32]}), (".explicitcluster", {})):
            with self.assertRaises(cuda.CudaError) as caught:
                self.launch("", directives=directives, **shape)
            self.assertIn(caught.exception.name, ("CUDA_ERROR_INVALID_VALUE", "CUDA_ERROR_INVALID_CLUSTER_SIZE"))

    def test_spin(self):
        said, buffer = self.launch(SPIN, SHARED, block=[64])
        self.assertEqual((said.text, said.fault), ("", None))
        self.assertEqual(driver.download(buffer, np.uint32, (1,))[0], 9)


class Faults(unittest.TestCase):
    """Each in a context of its own: a fault sticks."""

    def check_fault(self, name):
        body, declarations, reason = FAULTS[name]
        said, _ = Data.launch(self, body, declarations)
        self.assertIsNotNone(said.fault)
        self.assertRegex(said.text, reason)

    def tearDown(self):
        driver.call("cuDevicePrimaryCtxReset_v2", 0)


for name in RESULTS:
    setattr(Data, "test_" + name.replace(" ", "_"), lambda self, name=name: self.check_result(name))
for name in FAULTS:
    setattr(Faults, "test_" + name.replace(" ", "_"), lambda self, name=name: self.check_fault(name))

if __name__ == "__main__":
    LIBRARY = sys.argv.pop(1)
    driver = cuda.Driver(LIBRARY)
    unittest.main()
