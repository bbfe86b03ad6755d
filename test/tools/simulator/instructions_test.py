"""Instructions one by one: those that the simulator takes, those that it refuses with their line, and what some of them do."""

import sys
import unittest

sys.dont_write_bytecode = True

import numpy as np

import cuda

HEAD = """.version 8.6
.target sm_90a
.address_size 64
.extern .shared .align 16 .b8 sm[];
.visible .entry k(.param .u64 p)
{
  .reg .pred %p<4>;
  .reg .b16 %h<20>;
  .reg .b32 %r<40>;
  .reg .b64 %q<20>;
  .reg .f32 %f<20>;
  .reg .f64 %d<8>;
  .reg .b128 %z<4>;
  ld.param.u64 %q0, [p];
"""

TAKEN = [
    "red.global.add.v4.f32 [%q0], {%f0,%f1,%f2,%f3};",
    "red.global.v4.f32.add [%q0], {%f0,%f1,%f2,%f3};",
    "red.global.v2.f32.add [%q0], {%f0,%f1};",
    "red.global.add.noftz.f16x2 [%q0], %r1;",
    "red.global.add.noftz.bf16x2 [%q0], %r1;",
    "red.global.v4.f16x2.add.noftz [%q0], {%r0,%r1,%r2,%r3};",
    "red.global.v8.bf16.add.noftz [%q0], {%h0,%h1,%h2,%h3,%h4,%h5,%h6,%h7};",
    "atom.global.add.noftz.f16 %h1, [%q0], %h2;",
    "atom.global.add.noftz.bf16x2 %r1, [%q0], %r2;",
    "atom.global.add.f64 %d1, [%q0], %d2;",
    "atom.global.v2.f32.add {%f0,%f1}, [%q0], {%f2,%f3};",
    "atom.global.cas.b16 %h1, [%q0], %h2, %h3;",
    "atom.global.cas.b128 %z0, [%q0], %z1, %z2;",
    "atom.global.exch.b128 %z0, [%q0], %z1;",
    "atom.global.min.s64 %q1, [%q0], %q2;",
    "atom.acq_rel.gpu.global.inc.u32 %r1, [%q0], 5;",
    "atom.shared::cluster.add.u32 %r1, [%r2], 5;",
    "red.relaxed.sys.global.or.b64 [%q0], %q1;",
    "createpolicy.fractional.L2::evict_last.b64 %q1, 1.0;",
    "ld.global.L1::no_allocate.L2::128B.v4.f32 {%f0,%f1,%f2,%f3}, [%q0];",
    "ld.global.nc.L2::cache_hint.b32 %r1, [%q0], %q2;",
    "ld.weak.global.b32 %r1,[%q0];",
    "ld.relaxed.gpu.global.b32 %r1,[%q0];",
    "ld.acquire.cta.shared.b32 %r1,[sm];",
    "st.release.gpu.global.b32 [%q0], %r1;",
    "st.async.weak.shared::cluster.mbarrier::complete_tx::bytes.b32 [%r1], %r2, [%r3];",
    "red.async.relaxed.cluster.shared::cluster.mbarrier::complete_tx::bytes.add.u32 [%r1], %r2, [%r3];",
    "mul24.lo.s32 %r1,%r2,%r3;",
    "mad24.lo.u32 %r1,%r2,%r3,%r4;",
    "sad.u32 %r1,%r2,%r3,%r4;",
    "bfind.shiftamt.u32 %r1,%r2;",
    "fns.b32 %r1,%r2,0,1;",
    "bmsk.clamp.b32 %r1,%r2,%r3;",
    "szext.wrap.s32 %r1,%r2,%r3;",
    "testp.finite.f32 %p1,%f1;",
    "copysign.f32 %f1,%f2,%f3;",
    "lop3.b32 %r1,%r2,%r3,%r4,0x96;",
    "lop3.or.b32 %r1|%p1,%r2,%r3,%r4,0x96,%p2;",
    "dp2a.lo.s32.u32 %r1,%r2,%r3,%r4;",
    "set.lt.f32.f32 %f1,%f2,%f3;",
    "set.gt.and.u32.s32 %r1,%r2,%r3,%p1;",
    "slct.f32.s32 %f1,%f2,%f3,%r1;",
    "setp.lt.and.s32 %p1|%p2,%r1,%r2,%p3;",
    "setp.eq.f16x2 %p1|%p2,%r1,%r2;",
    "shf.l.clamp.b32 %r1,%r2,%r3,%r4;",
    "prmt.b32.f4e %r1,%r2,%r3,%r4;",
    "mov.b128 %z1,{%q1,%q2};",
    "mov.b64 {%r1,%r2},%q1;",
    "isspacep.shared::cluster %p1,%q0;",
    "isspacep.global %p1,%q0;",
    "barrier.cta.red.popc.aligned.u32 %r1,0,%p1;",
    "barrier.sync.aligned 0;",
    "bar.arrive 1,64;",
    "vote.sync.uni.pred %p1,%p2,-1;",
    "activemask.b32 %r1;",
    "redux.sync.max.s32 %r1,%r2,-1;",
    "match.all.sync.b64 %r1|%p1,%q1,-1;",
    "griddepcontrol.launch_dependents;",
    "griddepcontrol.wait;",
    "prefetch.global.L2::evict_last [%q0];",
    "prefetch.tensormap [%q0];",
    "prefetchu.L1 [%q0];",
    "discard.global.L2 [%q0],128;",
    "applypriority.global.L2::evict_normal [%q0],128;",
    "cp.async.bulk.prefetch.L2.global [%q0],128;",
    "cp.async.bulk.prefetch.tensor.2d.L2.global [%q0,{%r1,%r2}];",
    "fence.proxy.tensormap::generic.acquire.gpu [%q0],128;",
    "fence.proxy.alias;",
    "fence.proxy.async::generic.acquire.sync_restrict::shared::cluster.cluster;",
    "fence.proxy.async::generic.release.sync_restrict::shared::cta.cluster;",
    "fence.acquire.sync_restrict::shared::cluster.cluster;",
    "fence.release.sync_restrict::shared::cta.cluster;",
    "fence.sc.cluster;",
    "membar.gl;",
    "ex2.approx.ftz.bf16x2 %r1,%r2;",
    "tanh.approx.f16x2 %r1,%r2;",
    "fma.rn.relu.bf16x2 %r1,%r2,%r3,%r4;",
    "cvt.rn.satfinite.e4m3x2.f32 %h1,%f1,%f2;",
    "cvt.rn.f16x2.e5m2x2 %r1,%h1;",
    "cvt.rna.tf32.f32 %r1,%f1;",
    "cvt.pack.sat.s8.s32.b32 %r1,%r2,%r3,%r4;",
    "min.xorsign.abs.f16x2 %r1,%r2,%r3;",
    "max.NaN.bf16 %h1,%h2,%h3;",
    "add.rz.ftz.sat.f32 %f1,%f2,%f3;",
    "mad.hi.cc.u32 %r1,%r2,%r3,%r4;",
    "addc.cc.u64 %q1,%q2,%q3;",
    "sub.sat.s32 %r1,%r2,%r3;",
    "mul.wide.s16 %r1,%h1,%h2;",
    "neg.ftz.f16x2 %r1,%r2;",
    "rsqrt.approx.ftz.f64 %d1,%d2;",
    "mapa.u64 %q1,%q2,0;",
    "elect.sync _|%p1,-1;",
    "mbarrier.test_wait.shared.b64 %p1,[sm],%q1;",
    "mbarrier.arrive.noComplete.release.cta.shared::cta.b64 %q1,[sm],1;",
    "cp.async.ca.shared.global.L2::128B [sm],[%q0],16,%r1;",
    "cp.async.ca.shared.global [sm],[%q0],4,2;",
    "cp.async.ca.shared::cta.global [sm],[%q0],8,!%p1;",
    "cp.async.cg.shared.global.L2::cache_hint [sm],[%q0],16,%q1;",
    "cp.async.cg.shared.global.L2::cache_hint.L2::256B [sm],[%q0],16,%p1,%q1;",
    "cp.async.ca.shared.global.L2::cache_hint [sm],[%q0],4,%r1,%q1;",
    "ldmatrix.sync.aligned.m8n8.x4.trans.shared::cta.b16 {%r0,%r1,%r2,%r3},[sm];",
    "ldmatrix.sync.aligned.m8n8.x1.b16 {%r0},[%q0];",
    "stmatrix.sync.aligned.m8n8.x1.b16 [%q0],{%r0};",
    "wgmma.mma_async.sync.aligned.m64n8k32.s32.s8.s8.satfinite {%r0,%r1,%r2,%r3},{%r4,%r5,%r6,%r7},%q1,1;",
    "wgmma.mma_async.sync.aligned.m64n8k32.satfinite.s32.u8.s8 {%r0,%r1,%r2,%r3},%q2,%q1,%p1;",
    "wgmma.mma_async.sync.aligned.m64n8k8.f32.tf32.tf32 {%f0,%f1,%f2,%f3},{%r4,%r5,%r6,%r7},%q1,%p1,1,-1;",
    "wgmma.mma_async.sync.aligned.m64n8k16.f32.f16.f16 {%f0,%f1,%f2,%f3},{%r4,%r5,%r6,%r7},%q1,0,-1,1,1;",
    "wgmma.mma_async.sync.aligned.m64n8k16.f16.f16.f16 {%r0,%r1},%q2,%q1,%p1,1,1,0,1;",
    "mma.sync.aligned.m8n8k4.row.col.rz.f64.f64.f64.f64 {%d0,%d1},{%d2},{%d3},{%d0,%d1};",
    "mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64.rn {%d0,%d1},{%d2},{%d3},{%d0,%d1};",
    "wmma.mma.sync.aligned.row.col.m8n8k4.rp.f64.f64.f64.f64 {%d0,%d1},{%d2},{%d3},{%d0,%d1};",
    "mma.sync.aligned.m8n8k16.row.col.satfinite.s32.s8.u8.s32 {%r0,%r1},{%r2},{%r3},{%r0,%r1};",
    "mma.sync.aligned.m8n8k16.row.col.s32.s8.u8.s32.satfinite {%r0,%r1},{%r2},{%r3},{%r0,%r1};",
    "mov.u64 %q1,%globaltimer;",
    "mov.u32 %r1,%clock;",
    "mov.u32 %r1,%envreg0;",
    "mov.u32 %r1,%lanemask_lt;",
    "mov.u32 %r1,%nsmid;",
    "mov.pred %p1,%p2;",
    "mov.pred %p1,%is_explicit_cluster;",
    "mov.u64 %q1,%current_graph_exec;",
    "mov.u32 %r1,%aggr_smem_size;",
]
# Operations of bulk reductions without a tensor map, and the types that go with them.
BULK_REDUCTIONS = {
    "cp.reduce.async.bulk.global.shared::cta.bulk_group{} [%q0],[sm],16;": {
        "add": "u32 s32 u64 f32 f64 noftz.f16 noftz.bf16", "min": "u32 s32 u64 s64 f16 bf16", "max": "u32 s32 u64 s64 f16 bf16",
        "inc": "u32", "dec": "u32", "and": "b32 b64", "or": "b32 b64", "xor": "b32 b64"},
    "cp.reduce.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes{} [%r1],[sm],16,[%r2];": {
        "add": "u32 s32 u64", "min": "u32 s32", "max": "u32 s32", "inc": "u32", "dec": "u32", "and": "b32", "or": "b32", "xor": "b32"}}
BULK_TYPES = "u32 s32 u64 s64 b32 b64 f16 bf16 f32 f64 noftz.f16 noftz.bf16 noftz.f32".split()
# What would change the meaning of an instruction that is known otherwise is refused as well.
REFUSED = [
    "tensormap.replace.tile.global_address.global.b1024.b64 [%q0],%q1;",
    "st.bulk.weak.shared::cta [sm],128,0;",
    "fma.rn.oob.f16x2 %r1,%r2,%r3,%r4;",
    "cvt.rs.f16x2.f32 %r1,%f1,%f2,%r3;",
    "stacksave.u64 %q1;",
    "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f16 {%f0,%f1,%f2,%f3},{%r0,%r1,%r2,%r3},{%r4,%r5},{%r6,%r7};",
    "mma.sync.aligned.m16n8k32.row.col.f16.e4m3.e4m3.f32 {%r6,%r7},{%r0,%r1,%r2,%r3},{%r4,%r5},{%f0,%f1,%f2,%f3};",
    # as many immediates as there are, of the values that they have
    *[f"wgmma.mma_async.sync.aligned.{form};" for form in (
        "m64n8k32.s32.s8.s8 {%r0,%r1,%r2,%r3},%q2,%q1,1,1,1", "m64n8k8.f32.tf32.tf32 {%f0,%f1,%f2,%f3},%q2,%q1,%p1",
        "m64n8k8.f32.tf32.tf32 {%f0,%f1,%f2,%f3},%q2,%q1,%p1,1,1,0,0",
        "m64n8k32.f32.e4m3.e5m2 {%f0,%f1,%f2,%f3},{%r4,%r5,%r6,%r7},%q1,%p1,1,1,0",
        "m64n8k16.f32.f16.f16 {%f0,%f1,%f2,%f3},%q2,%q1,%p1,1,1,0", "m64n8k16.f32.f16.f16 {%f0,%f1,%f2,%f3},%q2,%q1,%p1,1,1",
        "m64n8k16.f32.f16.f16 {%f0,%f1,%f2,%f3},{%r4,%r5,%r6,%r7},%q1,%p1,1,1,0,0",
        "m64n8k16.f32.f16.f16 {%f0,%f1,%f2,%f3},%q2,%q1,%p1,2,1,0,0", "m64n8k16.f32.f16.f16 {%f0,%f1,%f2,%f3},%q2,%q1,%p1,1,0,0,0",
        "m64n8k16.f32.f16.f16 {%f0,%f1,%f2,%f3},%q2,%q1,%p1,1,1,2,0", "m64n8k16.f32.f16.f16 {%f0,%f1,%f2,%f3},%q2,%q1,%p1,1,1,0,-1",
        "m64n8k16.satfinite.f32.f16.f16 {%f0,%f1,%f2,%f3},%q2,%q1,%p1,1,1,0,0")],
    "mma.sync.aligned.m16n8k8.row.col.rz.f32.f16.f16.f32 {%f0,%f1,%f2,%f3},{%r0,%r1},{%r2},{%f0,%f1,%f2,%f3};",
    "wmma.mma.sync.aligned.row.col.m16n16k8.rz.f32.tf32.tf32.f32 {%r0,%r1,%r2,%r3,%r4,%r5,%r6,%r7},{%r0,%r1,%r2,%r3},{%r0,%r1,%r2,%r3},{%r0,%r1,%r2,%r3,%r4,%r5,%r6,%r7};",
    "ldmatrix.sync.aligned.m8n8.x1.global.b16 {%r0},[%q0];",
    "stmatrix.sync.aligned.m8n8.x1.shared::cluster.b16 [%q0],{%r0};",
    "mma.sync.aligned.m16n8k8.row.col.satfinite.f32.f16.f16.f32 {%f0,%f1,%f2,%f3},{%r0,%r1},{%r2},{%f0,%f1,%f2,%f3};",
    "cp.async.cg.shared.global [sm],[%q0],8;",
    "cp.async.ca.shared.global [sm],[%q0],2;",
    "cp.async.ca.shared.global [sm],[%q0],%r1;",
    "fence.release.sync_restrict::shared::cluster.cluster;",
    "fence.acquire.sync_restrict::shared::cluster.gpu;",
    "fence.proxy.async::generic.acquire.cluster;",
    "mma.sp::ordered_metadata.sync.aligned.m16n8k32.row.col.f32.f16.f16.f32 {%f0,%f1,%f2,%f3},{%r0,%r1,%r2,%r3},{%r4,%r5,%r6,%r7},{%f0,%f1,%f2,%f3},%r8,0x0;",
]

# name: (instructions that end in a store to [%q0], the words there before, the words after)
def floats(*values):
    return np.array(values, np.float32).view(np.uint32).tolist()


ONES = "".join(f"  mov.b32 %f{i}, 0f{np.float32(i + 1).view(np.uint32):08X};\n" for i in range(4))
# A copy to sm that two mbarriers, a group or both wait for; whoever waits first may write over it then.
TRACKED = ("mov.u32 %r1, sm;\n  mov.u32 %r2, 77;\n  mbarrier.init.shared.b64 [%r1+16], 1;\n  mbarrier.init.shared.b64 [%r1+24], 1;\n"
           "  cp.async.ca.shared.global [%r1], [%q0+4], 4;\n  cp.async.mbarrier.arrive.noinc.shared.b64 [%r1+16];\n")
WAIT = "W{0}: mbarrier.try_wait.parity.shared.b64 %p1, [%r1+{0}], 0;\n  @!%p1 bra W{0};\n"
OVERWRITE = "  ld.shared.b32 %r3, [%r1];\n  st.shared.b32 [%r1], %r2;\n"
READ = "  ld.shared.b32 %r4, [%r1];\n  st.global.v2.b32 [%q0], {%r3, %r4};"
# A bulk store, what stands in its target then, and a store to its source.
STORED = ("mov.u32 %r1, sm;\n  mov.u32 %r2, 5;\n  st.shared.v4.b32 [%r1], {{%r2, %r2, %r2, %r2}};\n  fence.proxy.async.shared::cta;\n"
          "  cp.async.bulk.global.shared::cta.bulk_group [%q0], [%r1], 16;\n  cp.async.bulk.commit_group;\n  cp.async.bulk.wait_group{} 0;\n"
          "  ld.global.b32 %r3, [%q0+4];\n  st.shared.b32 [%r1+4], 6;\n  cp.async.bulk.wait_group 0;\n  st.global.b32 [%q0], %r3;")
DONE = {
    "red of four floats": (ONES + "red.global.add.v4.f32 [%q0], {%f0, %f1, %f2, %f3};", floats(1, 2, 3, 4), floats(2, 4, 6, 8)),
    "atom of two floats": (ONES + "atom.global.v2.f32.add {%f4, %f5}, [%q0], {%f0, %f1};\n  st.global.v2.b32 [%q0+8], {%f4, %f5};",
                           floats(5, 6, 0, 0), floats(6, 8, 5, 6)),
    "red of two halves": ("mov.b32 %r1, 0x40003c00;\n  red.global.add.noftz.f16x2 [%q0], %r1;", [0x3c003c00, 0, 0, 0], [0x42004000, 0, 0, 0]),
    "mul24": ("mov.b32 %r1, 0xff800001;\n  mov.b32 %r2, 3;\n  mul24.lo.s32 %r3, %r1, %r2;\n  mul24.hi.u32 %r4, %r1, %r1;\n"
              "  mad24.lo.u32 %r5, %r1, %r2, 5;\n  st.global.v4.b32 [%q0], {%r3, %r4, %r5, 0};", [0] * 4,
              [(-0x7fffff * 3) & 0xffffffff, 0x800001**2 >> 16, 0x800001 * 3 + 5, 0]),
    "set with a predicate": ("mov.b32 %r1, 1;\n  mov.b32 %r2, 2;\n  setp.eq.u32 %p1, %r1, %r2;\n  set.lt.or.u32.s32 %r3, %r1, %r2, %p1;\n"
                             "  set.lt.and.u32.s32 %r4, %r1, %r2, %p1;\n  st.global.v2.b32 [%q0], {%r3, %r4};", [7] * 4, [0xffffffff, 0, 7, 7]),
    "decimal floats": ("mov.f64 %d1, 1.5;\n  mul.f64 %d1, %d1, -2.5e-1;\n  st.global.f64 [%q0], %d1;", [0] * 4,
                       np.array([-0.375, 0]).view(np.uint32).tolist()),
    "red.async": ("mov.u32 %r1, sm;\n  mov.u32 %r2, 40;\n  st.shared.u32 [%r1], %r2;\n  mbarrier.init.shared.b64 [%r1+8], 1;\n"
                  "  mbarrier.arrive.expect_tx.shared.b64 _, [%r1+8], 4;\n  add.u32 %r3, %r1, 8;\n"
                  "  red.async.relaxed.cluster.shared::cluster.mbarrier::complete_tx::bytes.add.u32 [%r1], %r2, [%r3];\n"
                  "W: mbarrier.try_wait.parity.shared.b64 %p1, [%r3], 0;\n  @!%p1 bra W;\n  ld.shared.u32 %r4, [%r1];\n"
                  "  st.global.u32 [%q0], %r4;", [0] * 4, [80, 0, 0, 0]),
    "cp.async without its source": (
        "mov.u32 %r1, sm;\n  setp.eq.u32 %p1, %r1, %r1;\n  setp.ne.u32 %p2, %r1, %r1;\n  createpolicy.fractional.L2::evict_last.b64 %q1, 1.0;\n"
        "  cp.async.ca.shared.global [%r1], [%q0], 4, %p1;\n  cp.async.ca.shared.global [%r1+4], [%q0+4], 4, %p2;\n"
        "  cp.async.ca.shared.global.L2::cache_hint [%r1+8], [%q0+8], 4, !%p1, %q1;\n"
        "  cp.async.ca.shared.global.L2::cache_hint [%r1+12], [%q0+12], 4, !%p2, %q1;\n"
        "  cp.async.wait_all;\n  ld.shared.v4.b32 {%r2, %r3, %r4, %r5}, [%r1];\n  st.global.v4.b32 [%q0], {%r2, %r3, %r4, %r5};",
        [5, 6, 7, 8], [0, 6, 7, 0]),
    "cp.async with a policy": (
        "mov.u32 %r1, sm;\n  mov.b64 %q1, 0x14F0000000000000;\n  cp.async.ca.shared.global.L2::cache_hint [%r1], [%q0], 4, %q1;\n"
        "  cp.async.ca.shared.global.L2::cache_hint [%r1+8], [%q0+8], 8, 4, %q1;\n  cp.async.wait_all;\n"
        "  ld.shared.b32 %r2, [%r1];\n  ld.shared.v2.b32 {%r4, %r5}, [%r1+8];\n  st.global.v4.b32 [%q0], {%r2, 0, %r4, %r5};",
        [5, 6, 7, 8], [5, 0, 7, 0]),
    "cp.async that lands at its mbarrier": (TRACKED + WAIT.format(16) + OVERWRITE + "  cp.async.wait_all;\n" + READ, [1, 2, 3, 4], [2, 77, 3, 4]),
    "cp.async that lands at its group": (TRACKED + "  cp.async.commit_group;\n  cp.async.wait_group 0;\n" + OVERWRITE + WAIT.format(16) + READ,
                                         [1, 2, 3, 4], [2, 77, 3, 4]),
    "cp.async before another that is tracked": (
        TRACKED + WAIT.format(16) + OVERWRITE + "  cp.async.ca.shared.global [%r1+4], [%q0+12], 4;\n  cp.async.mbarrier.arrive.noinc.shared.b64 [%r1+24];\n" +
        WAIT.format(24) + READ + "\n  ld.shared.b32 %r5, [%r1+4];\n  st.global.b32 [%q0+8], %r5;", [1, 2, 3, 4], [2, 77, 4, 4]),
    "bulk store whose source has been read": (STORED.format(".read"), [1, 2, 3, 4], [2, 5, 5, 5]),
    "bulk store that has been waited for": (STORED.format(""), [1, 2, 3, 4], [5, 5, 5, 5]),
}


MOVMATRIX = """mov.u32 %r1, %tid.x;
  mul.lo.u32 %r2, %r1, 0x20002;
  add.u32 %r2, %r2, 0x10000;
  movmatrix.sync.aligned.m8n8.trans.b16 %r3, %r2;
  mul.wide.u32 %q1, %r1, 4;
  add.u64 %q1, %q1, %q0;
  st.global.u32 [%q1], %r3;"""


class Instructions(unittest.TestCase):
    def load(self, text):
        with cuda.Listening() as said:
            try:
                driver.call("cuModuleUnload", driver.load(HEAD + "  " + text + "\n  ret;\n}\n"))
                error = None
            except cuda.CudaError as caught:
                error = caught.name
        return error, said.text

    def test_taken(self):
        for text in TAKEN:
            with self.subTest(text=text):
                self.assertEqual(self.load(text), (None, ""))

    def test_refused(self):
        line = HEAD.count("\n") + 1
        for text in REFUSED:
            with self.subTest(text=text):
                error, said = self.load(text)
                self.assertEqual(error, "CUDA_ERROR_INVALID_PTX")
                self.assertRegex(said, f"PTX line {line}: the simulator (does not know|knows) .*{text.split()[0].split('.')[0]}")

    def test_bulk_reductions(self):
        for text, table in BULK_REDUCTIONS.items():
            for op, types in table.items():
                for kind in BULK_TYPES:
                    with self.subTest(op=op, kind=kind):
                        error, said = self.load(text.format(f".{op}.{kind}"))
                        if kind in types.split():
                            self.assertEqual((error, said), (None, ""))
                        else:
                            self.assertEqual(error, "CUDA_ERROR_INVALID_PTX")
                            self.assertIn("the simulator does not know the reduction `cp.reduce.async.bulk", said)

    def test_movmatrix(self):
        """Lane i has elements 2 i and 2 i + 1 of an 8 x 8 matrix, row by row, and gets those of its transpose."""
        buffer = driver.allocate(128)
        function = driver.function(driver.load(HEAD + "  " + MOVMATRIX + "\n  ret;\n}\n"), "k")
        said = driver.launch(function, [1], [32], [buffer], shared=64)
        self.assertEqual((said.text, said.fault), ("", None))
        np.testing.assert_array_equal(driver.download(buffer, np.uint16, (8, 8)), np.arange(64, dtype=np.uint16).reshape(8, 8).T)

    def check_done(self, name):
        text, before, after = DONE[name]
        buffer = driver.upload(np.array(before, np.uint32))
        function = driver.function(driver.load(HEAD + "  " + text + "\n  ret;\n}\n"), "k")
        said = driver.launch(function, [1], [1], [buffer], shared=64)
        self.assertEqual((said.text, said.fault), ("", None))
        self.assertEqual(driver.download(buffer, np.uint32, (4,)).tolist(), after)


for name in DONE:
    setattr(Instructions, f"test_{name.replace(' ', '_').replace('.', '_')}", lambda self, name=name: self.check_done(name))

if __name__ == "__main__":
    LIBRARY = sys.argv.pop(1)
    driver = cuda.Driver(LIBRARY)
    unittest.main()
