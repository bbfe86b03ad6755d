"""Kernels with a planted bug beside their right versions.

Each row has a kernel's body, the text that is the bug's place, what stands there in the right version and in the wrong
one, and what the report of the wrong one has to say. Kernels take `in` and `out`, arrays of 32-bit words.
"""

import sys
import unittest

sys.dont_write_bytecode = True

import numpy as np

import cuda

N = 64

HEAD = """.version 8.0
.target sm_80
.address_size 64
.visible .entry kernel(.param .u64 in, .param .u64 out)
.reqntid 64, 1, 1
{{
  .reg .pred %p<8>;
  .reg .b32 %r<40>;
  .reg .b64 %rd<20>;
  .shared .align 16 .b8 tile[256];
  ld.param.u64 %rd1, [in];
  ld.param.u64 %rd2, [out];
  mov.u32 %r1, %tid.x;
  mov.u32 %r2, %ctaid.x;
  mul.wide.u32 %rd3, %r1, 4;
  mov.u32 %r3, tile;
  shl.b32 %r4, %r1, 2;
  add.u32 %r5, %r3, %r4;
{body}
  ret;
}}
"""

LOAD = "  add.u64 %rd4, %rd1, %rd3;\n  ld.global.u32 %r10, [%rd4];\n"
STORE = "  add.u64 %rd5, %rd2, %rd3;\n  st.global.u32 [%rd5], %r11;\n"

# Each thread reads what its mirror image has written.
REVERSE = LOAD + """  st.shared.u32 [%r5], %r10;
{bug}
  mov.u32 %r6, 63;
  sub.u32 %r6, %r6, %r1;
  shl.b32 %r6, %r6, 2;
  add.u32 %r7, %r3, %r6;
  ld.shared.u32 %r11, [%r7];
""" + STORE

GUARDED = """  mul.lo.u32 %r6, %r2, 64;
  add.u32 %r6, %r6, %r1;
  setp.{bug}.u32 %p1, %r6, 100;
  @%p1 bra DONE;
  mul.wide.u32 %rd6, %r6, 4;
  add.u64 %rd7, %rd2, %rd6;
  st.global.u32 [%rd7], %r6;
DONE:
"""

ASYNC = """  add.u64 %rd4, %rd1, %rd3;
  cp.async.ca.shared.global [%r5], [%rd4], 4;
  cp.async.commit_group;
{bug}
  ld.shared.u32 %r11, [%r5];
""" + STORE

LDMATRIX = LOAD + """  st.shared.u32 [%r5], %r10;
  bar.sync 0;
  and.b32 %r6, %r1, 7;
  mul.lo.u32 %r6, %r6, 16;
  add.u32 %r6, %r6, {bug};
  add.u32 %r7, %r3, %r6;
  ldmatrix.sync.aligned.m8n8.x1.shared.b16 {{%r11}}, [%r7];
""" + STORE

# Half of each warp shuffles; with a mask of all lanes it waits for the other half, which waits at the barrier.
SHUFFLE = LOAD + """  and.b32 %r6, %r1, 31;
  mov.u32 %r11, 0;
  setp.ge.u32 %p1, %r6, 16;
  @%p1 bra DONE;
  shfl.sync.bfly.b32 %r11, %r10, 1, 31, {bug};
DONE:
  bar.sync 0;
""" + STORE

UNINITIALISED = LOAD + """  {bug}
  bar.sync 0;
  ld.shared.u32 %r11, [%r5];
""" + STORE

# Blocks share 64 words of out, or have their own.
BLOCKS = """  mul.lo.u32 %r6, %r2, {bug};
  add.u32 %r6, %r6, %r1;
  mul.wide.u32 %rd6, %r6, 4;
  add.u64 %rd7, %rd2, %rd6;
  st.global.u32 [%rd7], %r2;
"""

SHARED_BOUND = LOAD + """  st.shared.u32 [%r5+{bug}], %r10;
  bar.sync 0;
  ld.shared.u32 %r11, [%r5];
""" + STORE

MISALIGNED = """  add.u64 %rd4, %rd1, {bug};
  ld.global.u64 %rd8, [%rd4];
  cvt.u32.u64 %r11, %rd8;
""" + STORE

# A barrier of 64 threads, which half of them do not come to.
BARRIER = """  setp.lt.u32 %p1, %r1, {bug};
  @%p1 bar.sync 1, 64;
  mov.u32 %r11, %r1;
""" + STORE

# 16 threads copy 16 bytes each, 12 of them from memory: the last word is 0.
SHORT_COPY = """  shl.b32 %r6, %r1, 4;
  add.u32 %r7, %r3, %r6;
  mul.wide.u32 %rd6, %r1, 16;
  add.u64 %rd4, %rd1, %rd6;
  setp.lt.u32 %p1, %r1, 16;
  @%p1 cp.async.cg.shared.global [%r7], [%rd4], 16, 12;
  cp.async.wait_all;
  bar.sync 0;
  ld.shared.u32 %r11, [%r5];
""" + STORE

# The last of three blocks adds up what all have stored; in[0] counts those that have.
TICKET = """  mul.lo.u32 %r6, %r2, 64;
  add.u32 %r6, %r6, %r1;
  mul.wide.u32 %rd6, %r6, 4;
  add.u64 %rd7, %rd2, %rd6;
  st.global.u32 [%rd7], %r6;
FENCE  bar.sync 0;
  setp.ne.u32 %p1, %r1, 0;
  @%p1 bra JOIN;
  atom.ORDERglobal.add.u32 %r10, [%rd1], 1;
  st.shared.u32 [%r3], %r10;
JOIN:
  bar.sync 0;
  ld.shared.u32 %r10, [%r3];
  setp.ne.u32 %p2, %r10, 2;
  @%p2 bra DONE;
  add.u64 %rd5, %rd2, %rd3;
  ld.global.u32 %r11, [%rd5];
  ld.global.u32 %r12, [%rd5+256];
  ld.global.u32 %r13, [%rd5+512];
  add.u32 %r11, %r11, %r12;
  add.u32 %r11, %r11, %r13;
  st.global.u32 [%rd5], %r11;
DONE:
"""

BESIDE_ATOMIC = """  red.global.add.u32 [%rd1], 1;
  {bug} [%rd1], 2;
  ld.global.u32 %r11, [%rd1+4];
  red.global.max.u32 [%rd1+4], %r11;
"""

# name: (body, right, wrong, what the report says, blocks, the driver's error)
BUGS = {
    "removed barrier": (REVERSE, "  bar.sync 0;", "", "race in shared memory", 1, None),
    "off-by-one bound": (GUARDED, "ge", "gt", "out-of-bounds access", 2, "CUDA_ERROR_ILLEGAL_ADDRESS"),
    "missing cp.async wait": (ASYNC, "  cp.async.wait_group 0;", "", "read before an asynchronous copy has landed", 1, None),
    "wrong ldmatrix address": (LDMATRIX, "0", "8", "misaligned access", 1, "CUDA_ERROR_MISALIGNED_ADDRESS"),
    "divergent shuffle": (SHUFFLE, "0xffff", "0xffffffff", "deadlock", 1, "CUDA_ERROR_LAUNCH_TIMEOUT"),
    "uninitialised shared read": (UNINITIALISED, "st.shared.u32 [%r5], %r10;", "", "uninitialised shared read", 1, None),
    "race between blocks": (BLOCKS, "64", "0", "race between blocks", 3, None),
    "missing fence before a ticket": (TICKET.replace("FENCE", "{bug}").replace("ORDER", ""), "  membar.gl;\n", "",
                                      "race between blocks", 3, None),
    "store behind the fence": (TICKET.replace("FENCE", "{bug}").replace("ORDER", ""), "  membar.gl;\n",
                               "  membar.gl;\n  st.global.u32 [%rd7], %r6;\n", "race between blocks", 3, None),
    "fence for the block alone": (TICKET.replace("FENCE", "{bug}").replace("ORDER", ""), "  fence.acq_rel.gpu;\n",
                                  "  fence.acq_rel.cta;\n", "race between blocks", 3, None),
    "relaxed ticket": (TICKET.replace("FENCE", "").replace("ORDER", "{bug}"), "acq_rel.gpu.", "relaxed.gpu.",
                       "race between blocks", 3, None),
    "ticket for the block alone": (TICKET.replace("FENCE", "  membar.gl;\n").replace("ORDER", "{bug}"), "relaxed.gpu.",
                                   "relaxed.cta.", "race between blocks", 3, None),
    "store beside an atomic": (BESIDE_ATOMIC, "red.global.add.u32", "st.global.u32", "race between blocks", 3, None),
    "shared access past the end": (SHARED_BOUND, "0", "4", "out-of-bounds shared access", 1,
                                   "CUDA_ERROR_ILLEGAL_ADDRESS"),
    "misaligned load": (MISALIGNED, "8", "4", "misaligned access", 1, "CUDA_ERROR_MISALIGNED_ADDRESS"),
    "barrier that not all reach": (BARRIER, "64", "32", "deadlock", 1, "CUDA_ERROR_LAUNCH_TIMEOUT"),
}


class SeededBugs(unittest.TestCase):
    def run_kernel(self, text, blocks):
        """What the simulator said, and the output; None if the kernel has faulted, and its context with it."""
        module = driver.load(text)
        array = np.random.default_rng(3).integers(0, 1000, N).astype(np.uint32)
        array[0] = 0
        source = driver.upload(array)
        target = driver.allocate(100 * 4 if blocks == 2 else 4 * N * blocks)
        said = driver.launch(driver.function(module, "kernel"), [blocks], [N], [source, target])
        if said.fault:
            driver.library.cuDevicePrimaryCtxRelease_v2(0)
            driver.__init__(LIBRARY)
            return said, array, None
        return said, array, driver.download(target, np.uint32, N)

    def check(self, name):
        body, right, wrong, report, blocks, fault = BUGS[name]
        said, array, output = self.run_kernel(HEAD.format(body=body.format(bug=right)), blocks)
        self.assertEqual((said.text, said.fault), ("", None), "false alarm")
        expected = output
        said, array, output = self.run_kernel(HEAD.format(body=body.format(bug=wrong)), blocks)
        if body is ASYNC:
            # What has not landed is NaN, so that the result gives it away as well.
            self.assertTrue((output == 0xffffffff).all())
            self.assertFalse((expected == output).any())
        self.assertRegex(said.text, report)
        self.assertRegex(said.text, r"in kernel kernel at PTX line \d+, block \(\d+, 0, 0\), thread \(\d+, 0, 0\)")
        self.assertEqual(said.fault, fault)

    def test_names_the_node(self):
        """A launch may be told which nodes of a model it computes, and the report says so; the next one is another's."""
        body, _, wrong, report, blocks, _ = BUGS["off-by-one bound"]
        text = HEAD.format(body=body.format(bug=wrong))
        driver.library.dsccSimNameLaunch(b"/layer.0/Add;/layer.0/Relu")
        said, _, _ = self.run_kernel(text, blocks)
        self.assertRegex(said.text, report + " in kernel kernel of node '/layer.0/Add;/layer.0/Relu' at PTX line")
        said, _, _ = self.run_kernel(text, blocks)
        self.assertRegex(said.text, report + " in kernel kernel at PTX line")

    def test_use_after_free(self):
        module = driver.load(HEAD.format(body=LOAD + "  mov.u32 %r11, %r10;\n" + STORE))
        source, target = driver.upload(np.zeros(N, np.uint32)), driver.allocate(4 * N)
        driver.free(source)
        said = driver.launch(driver.function(module, "kernel"), [1], [N], [source, target])
        self.assertRegex(said.text, "use after free in kernel kernel .*allocation .* freed")
        self.assertEqual(said.fault, "CUDA_ERROR_ILLEGAL_ADDRESS")
        # The context is lost: every call says so, until it is made anew.
        with self.assertRaises(cuda.CudaError) as caught:
            driver.allocate(4)
        self.assertEqual(caught.exception.name, "CUDA_ERROR_ILLEGAL_ADDRESS")
        driver.library.cuDevicePrimaryCtxRelease_v2(0)
        driver.__init__(LIBRARY)
        driver.free(driver.allocate(4))

    def test_copy_that_fills_up(self):
        said, array, output = self.run_kernel(HEAD.format(body=SHORT_COPY), 1)
        self.assertEqual((said.text, said.fault), ("", None))
        array[3::4] = 0
        np.testing.assert_array_equal(output, array)

    def test_uninitialised_global_read(self):
        module = driver.load(HEAD.format(body=LOAD + "  mov.u32 %r11, %r10;\n" + STORE))
        source, target = driver.allocate(4 * N), driver.allocate(4 * N)
        said = driver.launch(driver.function(module, "kernel"), [1], [N], [source, target])
        self.assertRegex(said.text, "uninitialised read in kernel kernel at PTX line")


for bug in BUGS:
    setattr(SeededBugs, f"test_{bug.replace(' ', '_')}", lambda self, name=bug: self.check(name))

if __name__ == "__main__":
    LIBRARY = sys.argv.pop(1)
    driver = cuda.Driver(LIBRARY)
    unittest.main()
