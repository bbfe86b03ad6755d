"""A signal that ends programs is reported like any other breakdown.

    breakdown_test.py PIPE     makes a pipe of this name, which dscc waits to read
"""

import os
import signal
import subprocess
import sys
import unittest

PIPE = sys.argv.pop(1)


class BreakdownTest(unittest.TestCase):
    def test_signals(self):
        os.mkfifo(PIPE)
        for number in (signal.SIGABRT, signal.SIGSEGV, signal.SIGFPE):
            with self.subTest(signal=number):
                child = subprocess.Popen(["dscc", PIPE, "-o", PIPE + ".so"], stderr=subprocess.PIPE, text=True)
                # Opened for reading: the handlers are there.
                writer = os.open(PIPE, os.O_WRONLY)
                child.send_signal(number)
                said = child.communicate(timeout=60)[1]
                os.close(writer)
                self.assertEqual((child.returncode, said), (70, "dscc: error: internal error: the compiler broke down\n"))


if __name__ == "__main__":
    unittest.main()
