"""--cache-dir keeps compiled kernels, and changes nothing but the time.

    cache_test.py MODEL
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

MODEL = sys.argv.pop(1)


class CacheTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.cache = self.folder / "kept" / "kernels"  # made with what is above it

    def compile(self, *options, model=MODEL, output="model.so"):
        """The artifact's bytes, and how many pieces of code there were and were found."""
        path = self.folder / output
        child = subprocess.run(["dscc", model, "-o", path, "-v", *map(str, options)], capture_output=True, text=True)
        self.assertEqual(child.returncode, 0, child.stderr)
        self.said = child.stderr
        counts = re.search(r"of (\d+) pieces of code (\d+) were in ", child.stderr)
        return path.read_bytes(), tuple(map(int, counts.groups())) if counts else None

    def option(self):
        return f"--cache-dir={self.cache}"

    def entries(self):
        return sorted(path for path in self.cache.glob("??/*") if path.is_file())

    def test_second_time(self):
        plain, counts = self.compile()
        self.assertIsNone(counts)
        cold, (pieces, found) = self.compile(self.option())
        self.assertEqual((cold, found, len(self.entries())), (plain, 0, pieces))
        warm, counts = self.compile(self.option())
        self.assertEqual((warm, counts), (plain, (pieces, pieces)))

    def test_other_weights_and_names(self):
        _, (pieces, _) = self.compile(self.option())
        text = pathlib.Path(MODEL).read_text()
        other = self.folder / "other.mlir"
        other.write_text(text.replace("dense<2.0>", "dense<3.0>").replace('nodes = "', 'nodes = "other/'))
        self.assertNotEqual(other.read_text(), text)
        plain, _ = self.compile(model=other)
        warm, counts = self.compile(self.option(), model=other)
        self.assertEqual((warm, counts), (plain, (pieces, pieces)))

    def test_other_options(self):
        _, (pieces, _) = self.compile(self.option())
        _, (_, found) = self.compile(self.option(), "-O0")
        self.assertLess(found, pieces)
        plain, _ = self.compile("-O0")
        warm, (_, found) = self.compile(self.option(), "-O0")
        self.assertEqual((warm, found), (plain, pieces))

    def test_damage(self):
        plain, (pieces, _) = self.compile(self.option())
        entries = self.entries()
        data = entries[0].read_bytes()
        for damaged in (b"", data[:10], data[:-1], data + b"x", data[:-1] + bytes([data[-1] ^ 1]), b"\0" * len(data)):
            entries[0].write_bytes(damaged)
            self.assertEqual(self.compile(self.option()), (plain, (pieces, pieces - 1)))
            self.assertEqual(self.compile(self.option()), (plain, (pieces, pieces)))

    def test_many_at_once(self):
        plain, (pieces, _) = self.compile()[0], self.compile(self.option())[1]
        for entry in self.entries():
            entry.unlink()
        children = [subprocess.Popen(["dscc", MODEL, "-o", self.folder / f"{number}.so", self.option()])
                    for number in range(4)]
        self.assertEqual([child.wait() for child in children], [0] * 4)
        for number in range(4):
            self.assertEqual((self.folder / f"{number}.so").read_bytes(), plain)
        self.assertEqual(len(self.entries()), pieces)

    def test_bound(self):
        plain, _ = self.compile()
        # What lies there and is none of ours stays, though it be older and larger.
        (self.cache / "1f").mkdir(parents=True)
        strangers = [self.cache / "letter.txt", self.cache / "1f" / "photograph", self.cache / "1f" / ("g" * 30)]
        for stranger in strangers:
            stranger.write_bytes(b"s" * 100_000)
        self.assertEqual(self.compile(self.option(), "--cache-size=8KiB")[0], plain)
        self.assertLessEqual(sum(path.stat().st_size for path in set(self.entries()) - set(strangers)), 8192)
        self.assertEqual([path.stat().st_size for path in strangers], [100_000] * 3)
        self.assertEqual(self.compile(self.option(), "--cache-size=8KiB")[0], plain)

    def test_no_place(self):
        plain, _ = self.compile()
        self.cache.parent.mkdir()
        self.cache.write_text("a file")
        self.assertEqual(self.compile(self.option()), (plain, None))
        self.assertRegex(self.said, r"warning: the cache folder .*/kept/kernels cannot be used: .*; compiling without it")
        self.assertEqual(self.cache.read_text(), "a file")


if __name__ == "__main__":
    unittest.main()
