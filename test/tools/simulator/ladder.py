"""Products of matrices for sm_90a in steps, each as text: a multiply-add by wgmma from shared memory, and what feeds it.

The steps are those by which a published kernel was made fast (https://github.com/pranjalssh/fast.cu): one stage, larger
tiles, a producer with a ring of stages, two consumers, a persistent grid, clusters that share B, stores by bulk copies.
"""

DEPTH = 64  # f16 along k of a stage: rows of 128 bytes, as the swizzle wants them
ROW_BYTES = 2 * DEPTH


class Step:
    """`c` = `a` times `b` transposed, f16 with sums in f32, in tiles of rows x columns."""

    def __init__(self, name, rows, columns, stages=1, consumers=0, persistent=False, cluster=1, bulk_stores=False):
        self.name, self.rows, self.columns, self.stages, self.consumers = name, rows, columns, stages, consumers
        self.persistent, self.cluster, self.bulk_stores = persistent, cluster, bulk_stores
        self.threads = 128 * (1 + consumers) if consumers else 128
        self.rows_each = rows // max(1, consumers)  # of a warpgroup
        self.stage_bytes = (rows + columns) * ROW_BYTES
        self.out_bytes = 2 * rows * columns if bulk_stores else 0
        self.bars = stages * self.stage_bytes + self.out_bytes
        self.shared = self.bars + 16 * stages
        self.labels = 0

    def blocks(self, tiles, multiprocessors):
        return min(tiles, multiprocessors // self.cluster * self.cluster) if self.persistent else tiles

    def wait(self, bar, parity):
        self.labels += 1
        return (f"W{self.labels}:\n  mbarrier.try_wait.parity.shared.b64 %wait, [{bar}], {parity};\n"
                f"  @%wait bra D{self.labels};\n  bra W{self.labels};\nD{self.labels}:\n")

    def load(self):
        """A thread asks for the tiles of %k in stage %slot; %full is its mbarrier."""
        b_rows, multicast = self.columns // self.cluster, ".multicast::cluster" if self.cluster > 1 else ""
        tensor = "  cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes"
        return f"""  mbarrier.arrive.expect_tx.shared.b64 _, [%full], {self.stage_bytes};
  mul.lo.u32 %at, %slot, {self.stage_bytes};
  add.u32 %at, %at, %smem;
{tensor} [%at], [%mapA, {{%k, %row}}], [%full];
  add.u32 %at, %at, {self.rows * ROW_BYTES};
  mov.u32 %part, %column;
""" + (f"""  mov.u32 %rank, %cluster_ctarank;
  mad.lo.u32 %part, %rank, {b_rows}, %part;
  mad.lo.u32 %at, %rank, {b_rows * ROW_BYTES}, %at;
""" if multicast else "") + f"{tensor}{multicast} [%at], [%mapB, {{%k, %part}}], [%full]{', %mask' if multicast else ''};\n"

    def multiply(self):
        """A warpgroup's part of stage %slot, %within bytes into A."""
        blocks = self.rows_each // 64
        text = f"""  mul.lo.u32 %at, %slot, {self.stage_bytes};
  add.u32 %at, %at, %smem;
  add.u32 %from, %at, %within;
  shr.u32 %from, %from, 4;
  cvt.u64.u32 %descA, %from;
  or.b64 %descA, %descA, {1 << 62 | 64 << 32 | 1 << 16};
  add.u32 %at, %at, {self.rows * ROW_BYTES};
  shr.u32 %at, %at, 4;
  cvt.u64.u32 %descB, %at;
  or.b64 %descB, %descB, {1 << 62 | 64 << 32 | 1 << 16};
  wgmma.fence.sync.aligned;
"""
        for k in range(DEPTH // 16):
            for block in range(blocks):
                sums = ", ".join(f"%s{block}_{i}" for i in range(self.columns // 2))
                text += (f"  add.u64 %a, %descA, {2 * k + block * 64 * ROW_BYTES // 16};\n  add.u64 %b, %descB, {2 * k};\n"
                         f"  wgmma.mma_async.sync.aligned.m64n{self.columns}k16.f32.f16.f16 {{{sums}}}, %a, %b, 1, 1, 1, 0, 0;\n")
        return text + "  wgmma.commit_group.sync.aligned;\n  wgmma.wait_group.sync.aligned 0;\n"

    def clear(self):
        return "".join(f"  mov.f32 %s{block}_{i}, 0f00000000;\n" for block in range(self.rows_each // 64)
                       for i in range(self.columns // 2))

    def store(self):
        return self.store_by_copies() if self.bulk_stores else self.store_by_threads()

    def store_by_threads(self):
        """Pairs of f16: row lane / 4 (+ 8) of each 16, columns 8 i + lane % 4 * 2."""
        text = """  shr.u32 %at, %lane, 2;
  mad.lo.u32 %at, %warp, 16, %at;
  shr.u32 %from, %within, 7;
  add.u32 %at, %at, %from;
  add.u32 %at, %at, %row;
  mul.wide.u32 %to, %at, %pitch;
  and.b32 %at, %lane, 3;
  mad.lo.u32 %at, %at, 2, %column;
  mul.wide.u32 %b, %at, 2;
  add.u64 %to, %to, %b;
  add.u64 %to, %to, %out;
  mul.wide.u32 %b, %pitch, 8;
"""
        for _ in range(self.rows_each // 64):
            for half in range(2):
                for i in range(self.columns // 8):
                    text += (f"  cvt.rn.f16x2.f32 %pair, %s{_}_{4 * i + 2 * half + 1}, %s{_}_{4 * i + 2 * half};\n"
                             f"  st.global.b32 [%to+{16 * i}], %pair;\n")
                text += "  add.u64 %to, %to, %b;\n"
            text += "  mul.wide.u32 %a, %pitch, 48;\n  add.u64 %to, %to, %a;\n"
        return text

    def store_by_copies(self):
        """stmatrix into panels of 64 columns with the copy's swizzle, then a bulk copy of each, of which nobody waits for more
        than that it has read."""
        panel = 64 * 128
        text = f"""  setp.eq.u32 %leads, %thread, 0;
  @%leads cp.async.bulk.wait_group.read 0;
  bar.sync %barrier, 128;
  mul.lo.u32 %at, %within, {2 * self.columns};
  shr.u32 %at, %at, 7;
  add.u32 %at, %at, %smem;
  add.u32 %at, %at, {self.stages * self.stage_bytes};
  and.b32 %from, %lane, 15;
  mad.lo.u32 %from, %warp, 16, %from;
  mad.lo.u32 %at, %from, 128, %at;
  and.b32 %from, %lane, 7;
  shr.u32 %part, %lane, 4;
"""
        for i in range(0, self.columns // 8, 2):
            words = "".join(f"  cvt.rn.f16x2.f32 %w{j}, %s0_{4 * (i + j // 2) + 2 * (j % 2) + 1}, %s0_{4 * (i + j // 2) + 2 * (j % 2)};\n"
                            for j in range(4))
            text += words + f"""  add.u32 %rank, %part, {i % 8};
  xor.b32 %rank, %rank, %from;
  mad.lo.u32 %rank, %rank, 16, %at;
  stmatrix.sync.aligned.m8n8.x4.shared.b16 [%rank+{i // 8 * panel}], {{%w0, %w1, %w2, %w3}};
"""
        text += "  fence.proxy.async.shared::cta;\n  bar.sync %barrier, 128;\n"
        text += f"""  shr.u32 %from, %within, 7;
  add.u32 %rank, %from, %row;
  mul.lo.u32 %at, %within, {2 * self.columns};
  shr.u32 %at, %at, 7;
  add.u32 %at, %at, %smem;
  add.u32 %at, %at, {self.stages * self.stage_bytes};
  mov.u32 %part, %column;
"""
        for i in range(self.columns // 64):
            text += f"""  @%leads cp.async.bulk.tensor.2d.global.shared::cta.tile.bulk_group [%mapC, {{%part, %rank}}], [%at];
  add.u32 %at, %at, {panel};
  add.u32 %part, %part, 64;
"""
        return text + "  @%leads cp.async.bulk.commit_group;\n"

    def tiles(self, body, name):
        """`body` for each tile of the block: %row and %column. Rows of tiles go by the cluster's blocks."""
        step = "  mov.u32 %next, %nctaid.x;\n  add.u32 %tile, %tile, %next;\n" if self.persistent else "  bra END;\n"
        return f"""  mov.u32 %tile, %ctaid.x;
{name}:
  setp.ge.u32 %done, %tile, %count;
  @%done bra END;
  div.u32 %at, %tile, {self.cluster};
  rem.u32 %from, %tile, {self.cluster};
  div.u32 %row, %at, %across;
  rem.u32 %column, %at, %across;
  mad.lo.u32 %row, %row, {self.cluster}, %from;
  mul.lo.u32 %row, %row, {self.rows};
  mul.lo.u32 %column, %column, {self.columns};
{body}{step}  bra {name};
"""

    def advance(self):
        return f"""  add.u32 %slot, %slot, 1;
  setp.eq.u32 %wraps, %slot, {self.stages};
  selp.b32 %slot, 0, %slot, %wraps;
  selp.b32 %at, 1, 0, %wraps;
  xor.b32 %parity, %parity, %at;
"""

    def loop(self, name, body):
        return f"""  mov.u32 %k, 0;
{name}:
{body}  add.u32 %k, %k, {DEPTH};
  setp.lt.u32 %more, %k, %depth;
  @%more bra {name};
"""

    def bars_of_slot(self):
        return f"""  shl.b32 %at, %slot, 4;
  add.u32 %full, %smem, %at;
  add.u32 %full, %full, {self.bars};
  add.u32 %empty, %full, 8;
"""

    def one_stage(self):
        body = self.clear() + self.loop("K", f"""  setp.ne.u32 %leads, %thread, 0;
  @%leads bra ASKED;
{self.load()}ASKED:
{self.wait('%full', '%parity')}  xor.b32 %parity, %parity, 1;
{self.multiply()}  bar.sync 0;
""") + self.store()
        return "  mov.u32 %within, 0;\n  mov.u32 %slot, 0;\n  mov.u32 %parity, 0;\n" + self.bars_of_slot() + self.tiles(body, "TILE")

    def ring(self):
        producer = self.tiles(self.loop("P", self.bars_of_slot() + self.wait("%empty", "%parity") + self.load() + self.advance()), "PTILE")
        arrive = "  @%leads mbarrier.arrive.shared.b64 _, [%empty];\n"
        if self.cluster > 1:
            arrive = "".join(f"  mapa.shared::cluster.u32 %rank, %empty, {rank};\n  @%leads mbarrier.arrive.release.cluster."
                             "shared::cluster.b64 _, [%rank];\n" for rank in range(self.cluster))
        body = self.clear() + self.loop("C", self.bars_of_slot() + self.wait("%full", "%parity") + self.multiply() +
                                        "  setp.eq.u32 %leads, %thread, 0;\n" + arrive + self.advance()) + self.store()
        return f"""  setp.gt.u32 %done, %group, 0;
  @%done bra CONSUME;
  setp.ne.u32 %done, %thread, 0;
  @%done bra END;
  mov.u32 %slot, 0;
  mov.u32 %parity, 1;
{producer}CONSUME:
  sub.u32 %within, %group, 1;
  add.u32 %barrier, %group, 0;
  mul.lo.u32 %within, %within, {self.rows_each * ROW_BYTES};
  mov.u32 %slot, 0;
  mov.u32 %parity, 0;
{self.tiles(body, 'CTILE')}"""

    def text(self):
        cluster = f".reqnctapercluster {self.cluster}, 1, 1\n.explicitcluster\n" if self.cluster > 1 else ""
        arrivals = max(1, self.consumers) * self.cluster
        sums = "".join(f"  .reg .f32 %s{block}_<{self.columns // 2}>;\n" for block in range(self.rows_each // 64))
        bars = "".join(f"  mbarrier.init.shared.b64 [%smem+{self.bars + 16 * i}], 1;\n"
                       f"  mbarrier.init.shared.b64 [%smem+{self.bars + 16 * i + 8}], {arrivals};\n" for i in range(self.stages))
        meet = "  barrier.cluster.arrive.aligned;\n  barrier.cluster.wait.aligned;\n"
        return f""".version 8.0
.target sm_90a
.address_size 64
.extern .shared .align 1024 .b8 dynamic[];
.visible .entry gemm(.param .align 64 .b8 mapA[128], .param .align 64 .b8 mapB[128], .param .align 64 .b8 mapC[128],
                     .param .u64 c, .param .u32 depthOfAll, .param .u32 tilesAcross, .param .u32 tilesOfAll)
.reqntid {self.threads}
{cluster}{{
{sums}  .reg .pred %wait, %done, %leads, %more, %wraps;
  .reg .b16 %mask;
  .reg .b32 %smem, %at, %from, %part, %rank, %full, %empty, %slot, %parity, %k, %row, %column, %depth, %across, %count, %tile, %next;
  .reg .b32 %thread, %lane, %warp, %group, %within, %pitch, %pair, %barrier, %w<4>;
  .reg .b64 %descA, %descB, %a, %b, %to, %out, %mapA, %mapB, %mapC;
  mov.u32 %smem, dynamic;
  mov.b64 %mapA, mapA;
  mov.b64 %mapB, mapB;
  mov.b64 %mapC, mapC;
  cvta.param.u64 %mapA, %mapA;
  cvta.param.u64 %mapB, %mapB;
  cvta.param.u64 %mapC, %mapC;
  mov.b16 %mask, {(1 << self.cluster) - 1};
  ld.param.u64 %out, [c];
  ld.param.u32 %depth, [depthOfAll];
  ld.param.u32 %across, [tilesAcross];
  ld.param.u32 %count, [tilesOfAll];
  mul.lo.u32 %pitch, %across, {2 * self.columns};
  mov.u32 %thread, %tid.x;
  shr.u32 %group, %thread, 7;
  and.b32 %thread, %thread, 127;
  shr.u32 %warp, %thread, 5;
  and.b32 %lane, %thread, 31;
  setp.ne.u32 %done, %thread, 0;
  setp.ne.or.u32 %done, %group, 0, %done;
  @%done bra MADE;
{bars}  fence.mbarrier_init.release.cluster;
MADE:
{meet if self.cluster > 1 else "  bar.sync 0;" + chr(10)}{self.ring() if self.consumers else self.one_stage()}END:
{"  @%leads cp.async.bulk.wait_group 0;" + chr(10) if self.bulk_stores else ""}{meet if self.cluster > 1 else ""}  ret;
}}
"""


# What is published for each on an H100, in TFLOP/s at 8192 x 8192 x 8192.
STEPS = [(Step("one stage", 64, 64), 317),
         (Step("larger tile", 128, 128), 423),
         (Step("producer and ring", 128, 128, stages=5, consumers=1), 555),
         (Step("two consumers", 128, 256, stages=3, consumers=2), 610),
         (Step("persistent", 128, 256, stages=3, consumers=2, persistent=True), 660),
         (Step("clusters", 128, 256, stages=3, consumers=2, persistent=True, cluster=2), 740),
         (Step("bulk stores", 128, 256, stages=3, consumers=2, persistent=True, cluster=2, bulk_stores=True), 800)]
