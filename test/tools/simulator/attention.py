"""Attention for sm_90a as text: a producer of tiles and two consumers, whose products run while they exponentiate.

A block has 128 rows of queries, 64 for each consumer; 128 dims; 128 keys a tile. Each consumer has two products under
way, the scores of the next tile and the sums of this one, and hands the tensor cores to the other by named barriers.
"""

DIMS, ROWS, KEYS, STAGES = 128, 128, 128, 2
PANEL = 128 * 128  # 128 rows of 64 f16
TILE = 2 * PANEL
K, V, BARS = TILE, TILE + STAGES * TILE, TILE + 2 * STAGES * TILE
SHARED, THREADS = BARS + 8 * (1 + 4 * STAGES), 384
FULL_Q, FULL_K, FULL_V, EMPTY_K, EMPTY_V = (BARS + 8 * at for at in (0, 1, 1 + STAGES, 1 + 2 * STAGES, 1 + 3 * STAGES))
SWIZZLED = 1 << 62


class Writer:
    labels = 0

    def wait(self, place, parity):
        self.labels += 1
        return (f"W{self.labels}:\n  mbarrier.try_wait.parity.shared.b64 %done, [{place}], {parity};\n"
                f"  @%done bra D{self.labels};\n  bra W{self.labels};\nD{self.labels}:\n")

    @staticmethod
    def at_slot(base, size):
        return f"  mad.lo.u32 %at, %slot, {size}, %smem;\n  add.u32 %at, %at, {base};\n"

    @staticmethod
    def load(name, row):
        """Both panels of a tile, to %at; %full is their mbarrier."""
        text = f"  mbarrier.arrive.expect_tx.shared.b64 _, [%full], {TILE};\n"
        for panel in range(2):
            text += (f"  mov.u32 %column, {64 * panel};\n  cp.async.bulk.tensor.2d.shared::cluster.global.tile."
                     f"mbarrier::complete_tx::bytes [%at], [%map{name}, {{%column, {row}}}], [%full];\n"
                     f"  add.u32 %at, %at, {PANEL};\n")
        return text

    def produce(self):
        text = f"  add.u32 %full, %smem, {FULL_Q};\n  mov.u32 %at, %smem;\n" + self.load("Q", "%query")
        body = ""
        for name, tiles, full, empty in (("K", K, FULL_K, EMPTY_K), ("V", V, FULL_V, EMPTY_V)):
            body += self.at_slot(empty, 8) + self.wait("%at", "%parity") + self.at_slot(full, 8) + "  mov.u32 %full, %at;\n"
            body += self.at_slot(tiles, TILE) + self.load(name, "%key")
        return text + self.loop("P", f"{body}  add.u32 %key, %key, {KEYS};\n{self.advance()}", "%tiles", parity=1)

    @staticmethod
    def advance():
        return f"""  add.u32 %slot, %slot, 1;
  setp.eq.u32 %wraps, %slot, {STAGES};
  selp.b32 %slot, 0, %slot, %wraps;
  selp.b32 %at, 1, 0, %wraps;
  xor.b32 %parity, %parity, %at;
"""

    @staticmethod
    def loop(name, body, count, parity=None):
        start = "" if parity is None else f"  mov.u32 %slot, 0;\n  mov.u32 %parity, {parity};\n"
        return f"""{start}  mov.u32 %i, 0;
{name}:
  setp.ge.u32 %done, %i, {count};
  @%done bra {name}END;
{body}  add.u32 %i, %i, 1;
  bra {name};
{name}END:
"""

    @staticmethod
    def descriptor(name, leading, stride):
        return (f"  shr.u32 %from, %at, 4;\n  cvt.u64.u32 {name}, %from;\n"
                f"  or.b64 {name}, {name}, {SWIZZLED | (stride >> 4) << 32 | (leading >> 4) << 16};\n")

    def scores(self):
        """The queries times the keys of stage %slot, a group."""
        text = self.at_slot(FULL_K, 8) + self.wait("%at", "%parity") + self.at_slot(K, TILE) + self.descriptor("%b", 16, 1024)
        sums = ", ".join(f"%s{i}" for i in range(KEYS // 2))
        text += "  wgmma.fence.sync.aligned;\n"
        for k in range(DIMS // 16):
            step = (k // 4 * PANEL + k % 4 * 32) // 16
            text += (f"  add.u64 %from64, %q, {step};\n  add.u64 %to64, %b, {step};\n"
                     f"  wgmma.mma_async.sync.aligned.m64n{KEYS}k16.f32.f16.f16 {{{sums}}}, %from64, %to64, {int(k > 0)}, 1, 1, 0, 0;\n")
        return text + "  wgmma.commit_group.sync.aligned;\n"

    def values(self):
        """The weights times the values of the stage before, a group."""
        text = f"""  xor.b32 %before, %slot, 1;
  mad.lo.u32 %at, %before, 8, %smem;
  add.u32 %at, %at, {FULL_V};
""" + self.wait("%at", "%parityV") + f"  mad.lo.u32 %at, %before, {TILE}, %smem;\n  add.u32 %at, %at, {V};\n"
        text += self.descriptor("%v", PANEL, 1024) + "  wgmma.fence.sync.aligned;\n"
        sums = ", ".join(f"%o{i}" for i in range(DIMS // 2))
        for k in range(KEYS // 16):
            weights = ", ".join(f"%p{4 * k + i}" for i in range(4))
            text += (f"  add.u64 %to64, %v, {k * 16 * 128 // 16};\n"
                     f"  wgmma.mma_async.sync.aligned.m64n{DIMS}k16.f32.f16.f16 {{{sums}}}, {{{weights}}}, %to64, 1, 1, 1, 1;\n")
        return text + "  wgmma.commit_group.sync.aligned;\n"

    def free(self, base, slot):
        return f"  mad.lo.u32 %at, {slot}, 8, %smem;\n  add.u32 %at, %at, {base};\n  @%leads mbarrier.arrive.shared.b64 _, [%at];\n"

    @staticmethod
    def softmax():
        """%s becomes weights; %alpha is what all before is worth now. Rows lane / 4 and 8 behind it."""
        text = ""
        for half in range(2):
            own = [f"%s{4 * j + 2 * half + e}" for j in range(KEYS // 8) for e in range(2)]
            text += f"  mov.f32 %new, %max{half};\n" + "".join(f"  max.f32 %new, %new, {one};\n" for one in own)
            for lanes in (1, 2):
                text += f"  shfl.sync.bfly.b32 %other, %new, {lanes}, 31, -1;\n  max.f32 %new, %new, %other;\n"
            text += (f"  sub.f32 %other, %max{half}, %new;\n  mul.f32 %other, %other, %scale;\n"
                     f"  ex2.approx.ftz.f32 %alpha{half}, %other;\n  mov.f32 %max{half}, %new;\n  mul.f32 %new, %new, %scale;\n"
                     f"  neg.f32 %new, %new;\n  mul.f32 %sum{half}, %sum{half}, %alpha{half};\n")
            for one in own:
                text += (f"  fma.rn.f32 {one}, {one}, %scale, %new;\n  ex2.approx.ftz.f32 {one}, {one};\n"
                         f"  add.f32 %sum{half}, %sum{half}, {one};\n")
        return text

    @staticmethod
    def weigh():
        """Packs the weights, and brings the sums so far to the new maximum."""
        text = "".join(f"  mul.f32 %o{i}, %o{i}, %alpha{i // 2 % 2};\n" for i in range(DIMS // 2))
        return text + "".join(f"  cvt.rn.f16x2.f32 %p{i}, %s{2 * i + 1}, %s{2 * i};\n" for i in range(KEYS // 4))

    def consume(self):
        turn = "  bar.sync %own, 256;\n"
        hand = "  bar.arrive %next, 256;\n"
        text = "".join(f"  mov.f32 %o{i}, 0f00000000;\n" for i in range(DIMS // 2))
        text += "  mov.f32 %max0, 0fFF800000;\n  mov.f32 %max1, 0fFF800000;\n  mov.f32 %sum0, 0f00000000;\n  mov.f32 %sum1, 0f00000000;\n"
        text += f"""  add.u32 %own, %group, 0;
  sub.u32 %next, 3, %group;
  setp.eq.u32 %done, %group, 2;
  @%done bar.arrive 1, 256;
  sub.u32 %at, %group, 1;
  mad.lo.u32 %at, %at, {64 * 128}, %smem;
""" + self.descriptor("%q", 16, 1024) + self.wait(f"%smem+{FULL_Q}", 0)
        text += "  mov.u32 %slot, 0;\n  mov.u32 %parity, 0;\n  mov.u32 %parityV, 0;\n"
        text += turn + self.scores() + hand + "  wgmma.wait_group.sync.aligned 0;\n" + self.free(EMPTY_K, "%slot")
        text += self.softmax() + self.weigh() + self.advance()
        body = turn + self.scores() + self.values() + hand + "  wgmma.wait_group.sync.aligned 1;\n" + self.free(EMPTY_K, "%slot")
        body += self.softmax() + "  wgmma.wait_group.sync.aligned 0;\n" + self.free(EMPTY_V, "%before") + self.weigh()
        body += "  xor.b32 %parityV, %parityV, %before;\n" + self.advance()
        text += "  sub.u32 %tiles, %tiles, 1;\n" + self.loop("C", body, "%tiles")
        return text + self.values() + "  wgmma.wait_group.sync.aligned 0;\n" + self.store()

    @staticmethod
    def store():
        text = ""
        for half in range(2):
            for lanes in (1, 2):
                text += f"  shfl.sync.bfly.b32 %other, %sum{half}, {lanes}, 31, -1;\n  add.f32 %sum{half}, %sum{half}, %other;\n"
            text += f"  rcp.approx.ftz.f32 %sum{half}, %sum{half};\n"
        text += f"""  shr.u32 %at, %lane, 2;
  mad.lo.u32 %at, %warp, 16, %at;
  sub.u32 %from, %group, 1;
  mad.lo.u32 %at, %from, 64, %at;
  add.u32 %at, %at, %query;
  mul.wide.u32 %to64, %at, {2 * DIMS};
  and.b32 %at, %lane, 3;
  mul.wide.u32 %from64, %at, 4;
  add.u64 %to64, %to64, %from64;
  add.u64 %to64, %to64, %out;
"""
        for i in range(0, DIMS // 2, 2):
            half = i // 2 % 2
            text += (f"  mul.f32 %o{i}, %o{i}, %sum{half};\n  mul.f32 %o{i + 1}, %o{i + 1}, %sum{half};\n"
                     f"  cvt.rn.f16x2.f32 %p0, %o{i + 1}, %o{i};\n  st.global.b32 [%to64+{i // 4 * 16 + half * 8 * 2 * DIMS}], %p0;\n")
        return text

    def text(self):
        bars = "".join(f"  mbarrier.init.shared.b64 [%smem+{base + 8 * i}], {count};\n"
                       for base, count, number in ((FULL_Q, 1, 1), (FULL_K, 1, STAGES), (FULL_V, 1, STAGES), (EMPTY_K, 2, STAGES),
                                                   (EMPTY_V, 2, STAGES)) for i in range(number))
        maps = "".join(f"  mov.b64 %map{n}, map{n};\n  cvta.param.u64 %map{n}, %map{n};\n" for n in "QKV")
        return f""".version 8.0
.target sm_90a
.address_size 64
.extern .shared .align 1024 .b8 dynamic[];
.visible .entry attention(.param .align 64 .b8 mapQ[128], .param .align 64 .b8 mapK[128], .param .align 64 .b8 mapV[128],
                          .param .u64 o, .param .u32 length, .param .f32 scaleOfAll)
.reqntid {THREADS}
{{
  .reg .pred %done, %leads, %wraps;
  .reg .b32 %smem, %at, %from, %full, %slot, %parity, %parityV, %before, %i, %tiles, %query, %key, %column, %own, %next;
  .reg .b32 %thread, %lane, %warp, %group, %p<{KEYS // 4}>;
  .reg .f32 %s<{KEYS // 2}>, %o<{DIMS // 2}>, %max<2>, %sum<2>, %alpha<2>, %new, %other, %scale;
  .reg .b64 %mapQ, %mapK, %mapV, %out, %q, %b, %v, %from64, %to64;
  mov.u32 %smem, dynamic;
{maps}  ld.param.u64 %out, [o];
  ld.param.u32 %at, [length];
  ld.param.f32 %scale, [scaleOfAll];
  mov.u32 %query, %ctaid.x;
  mov.u32 %key, %ctaid.y;
  mul.lo.u32 %key, %key, %at;
  mad.lo.u32 %query, %query, {ROWS}, %key;
  shr.u32 %tiles, %at, {KEYS.bit_length() - 1};
  mov.u32 %thread, %tid.x;
  shr.u32 %group, %thread, 7;
  and.b32 %thread, %thread, 127;
  shr.u32 %warp, %thread, 5;
  and.b32 %lane, %thread, 31;
  setp.eq.u32 %leads, %thread, 0;
  setp.eq.and.u32 %done, %group, 0, %leads;
  @!%done bra MADE;
{bars}  fence.mbarrier_init.release.cluster;
MADE:
  bar.sync 0;
  setp.gt.u32 %done, %group, 0;
  @%done bra CONSUME;
  setmaxnreg.dec.sync.aligned.u32 24;
  @!%leads bra END;
{self.produce()}  bra END;
CONSUME:
  setmaxnreg.inc.sync.aligned.u32 240;
{self.consume()}END:
  ret;
}}
"""
