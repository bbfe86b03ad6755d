"""Bugs in programs that nvcc has compiled: each is found, by its kind and in its kernel; the right version is silent."""

import sys
import unittest

sys.dont_write_bytecode = True

import numpy as np

import nvcc
from nvcc import Out, blocks_for

N = 1000
ILLEGAL, MISALIGNED = "CUDA_ERROR_ILLEGAL_ADDRESS", "CUDA_ERROR_MISALIGNED_ADDRESS"


def scan():
    return "scanBlocks", 4, 256, np.ones(N, np.int32), Out(np.int32, N), Out(np.int32, 4), N


def histogram():
    return "countShared", 3, 96, np.arange(N).astype(np.uint8), np.zeros(64, np.uint32), N


def transpose():
    rows, columns = 65, 31
    array = np.ones((rows, columns), np.float32)
    return "transpose", (1, 3), (32, 8), array, Out(np.float32, columns, rows), rows, columns


def pipeline():
    return "addMirrored", 1, 128, np.ones((5, 512), np.float32), Out(np.float32, 5, 512), 5


def product():
    a, b = np.ones((2, 16, 64), np.float16)
    return "throughShared", 1, 32, a, b, Out(np.float32, 16, 64), 64


def cluster():
    clusters = blocks_for(N, 256)
    return "sumCluster", 4 * clusters, 64, np.ones(N, np.float32), Out(np.float32, clusters, 64), N


# The program, its bug, what the report says, the driver's error
BUGS = [("scan", scan, 1, "race in shared memory|uninitialised shared read", None),
        ("scan", scan, 2, "out-of-bounds access", ILLEGAL),
        ("scan", scan, 3, "deadlock|divergence at a collective", "CUDA_ERROR_LAUNCH_TIMEOUT|CUDA_ERROR_ILLEGAL_INSTRUCTION"),
        ("histogram", histogram, 1, "race in shared memory", None),
        ("histogram", histogram, 2, "race in shared memory|uninitialised shared read", None),
        ("histogram", histogram, 4, "uninitialised shared read", None),
        ("histogram", histogram, 3, "race between blocks", None),
        ("transpose", transpose, 1, "race in shared memory|uninitialised shared read", None),
        ("transpose", transpose, 2, "out-of-bounds access", ILLEGAL),
        ("transpose", transpose, 3, "out-of-bounds shared access", ILLEGAL),
        ("async", pipeline, 1, "read before an asynchronous copy has landed", None),
        ("async", pipeline, 2,
         "race in shared memory|uninitialised shared read|read before an asynchronous copy has landed", None),
        ("async", pipeline, 3, "race in shared memory|read before an asynchronous copy has landed", None),
        ("wmma", product, 1, "race in shared memory|uninitialised shared read", None),
        ("cluster", cluster, 1, "race in shared memory|uninitialised shared read|access to an ended block", None),
        ("cluster", cluster, 2, "access to an ended block", "CUDA_ERROR_ILLEGAL_ADDRESS")]


class BugsTest(unittest.TestCase):
    def check(self, name, launch, bug, report, fault):
        if name == "cluster" and not nvcc.knows_clusters(PROGRAMS):
            self.skipTest("the simulator does not translate barrier.cluster, or the chip has none")
        kernel = launch()[0]
        said = PROGRAMS.run(name, *launch())
        self.assertEqual((said.text, said.fault), ("", None), "false alarm")
        said = PROGRAMS.run(f"{name}-bug{bug}", *launch())
        for line in said.text.splitlines():
            if "more reports" not in line:
                self.assertRegex(line, rf"({report}) in kernel {kernel} at PTX line \d+, block \(\d+, \d+, 0\), thread ")
        self.assertTrue(said.text, "nothing is said")
        self.assertRegex(str(said.fault), f"^({fault})$")

    def edited(self, name, before, after):
        text = (nvcc.FOLDER / f"{name}.ptx").read_text()
        self.assertIn(before, text)
        return PROGRAMS.driver.load(text.replace(before, after))

    def check_said(self, said, pattern, fault):
        self.assertRegex(said.text, pattern)
        self.assertEqual(said.fault, fault)

    def test_shuffle_from_an_inactive_lane(self):
        # What comes is anything, and nothing else is wrong with it.
        right, wrong = scan(), scan()
        PROGRAMS.run("scan", *right)
        said = PROGRAMS.run("scan-bug4", *wrong)
        self.assertEqual((said.text, said.fault), ("", None))
        self.assertFalse((right[4].array[32:256] == wrong[4].array[32:256]).any())

    def test_assertion(self):
        said = PROGRAMS.run("calls", "assertBelow", 1, 40, np.arange(40, dtype=np.int32), Out(np.int32, 40), 39)
        self.check_said(said, r"assertion failed in kernel assertBelow at PTX line \d+, .*thread \(39, 0, 0\): "
                              r"`in\[threadIdx\.x\] < bound` does not hold in void assertBelow\(.*\), calls\.cu:\d+",
                        "CUDA_ERROR_ASSERT")

    def test_endless_recursion(self):
        said = PROGRAMS.run("calls", "descend", 1, 64, np.ones(64, np.float32), Out(np.float32, 64), -1)
        self.check_said(said, "stack overflow in kernel descend at PTX line", "CUDA_ERROR_HARDWARE_STACK_ERROR")

    def test_call_of_no_function(self):
        # The table holds zeros instead of functions.
        PROGRAMS.modules["no-functions"] = self.edited("calls", "{_Z5addTofi, _Z7timesByfi, _Z7powerOffi}", "{0, 0, 0}")
        said = PROGRAMS.run("no-functions", "callThroughTable", 1, 64, np.ones(N, np.float32), np.zeros(N, np.int32),
                            Out(np.float32, N), N)
        self.check_said(said, "call of no function in kernel callThroughTable at PTX line .*: a call goes to 0x0",
                        "CUDA_ERROR_INVALID_PC")

    def test_call_behind_the_table(self):
        said = PROGRAMS.run("calls", "callThroughTable", 1, 64, np.ones(N, np.float32), np.full(N, 3, np.int32),
                            Out(np.float32, N), N)
        self.check_said(said, "out-of-bounds access in kernel callThroughTable at PTX line .*allocation", ILLEGAL)

    def test_misaligned_matrix(self):
        # Rows of 68 halves are no multiple of 16 bytes.
        a = np.ones((16, 68), np.float16)
        said = PROGRAMS.run("wmma", "halfRowRow", 1, 32, a, a, np.ones((16, 16), np.float32), 16, 16, 68)
        self.check_said(said, "misaligned access in kernel halfRowRow at PTX line .*: a matrix of wmma", MISALIGNED)


for row in BUGS:
    setattr(BugsTest, f"test_{row[0]}_{row[2]}", lambda self, row=row: self.check(*row))

if __name__ == "__main__":
    PROGRAMS = nvcc.Programs(sys.argv.pop(1))
    unittest.main()
