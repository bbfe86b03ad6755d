"""dscc-run --stats: what it prints about a small model, as JSON and as text, and what it refuses."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

import numpy as np
import onnx
from onnx import TensorProto, helper

ROWS, COLUMNS = 48, 64
BYTES = ROWS * COLUMNS * 4


def write_model(path):
    """y = x + x', then z = softmax(y w): at least two kernels."""
    weight = onnx.numpy_helper.from_array(np.ones((COLUMNS, COLUMNS), np.float32), "w")
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "x2"], ["y"]), helper.make_node("MatMul", ["y", "w"], ["a"]),
         helper.make_node("Softmax", ["a"], ["z"])], "g",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", COLUMNS]) for name in ("x", "x2")],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("y", "z")], [weight])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


class StatsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.model = pathlib.Path(folder.name) / "m.so"
        write_model(cls.model.with_suffix(".onnx"))
        subprocess.run(["dscc", cls.model.with_suffix(".onnx"), "-o", cls.model, "--target=cuda"], check=True)

    def run_model(self, *options, code=0, **environment):
        child = subprocess.run(["dscc-run", self.model, "--dim", f"n={ROWS}", *options], capture_output=True, text=True,
                               env={**os.environ, **environment}, timeout=60)
        self.assertEqual(child.returncode, code, child.stderr)
        return child

    def check_document(self, statistics, chip):
        kernels, total = statistics["kernels"], statistics["total"]
        self.assertEqual(statistics["chip"], chip)
        self.assertGreaterEqual(len(kernels), 2)

        def traffic(row, kind, field):
            return row["memory"]["global"].get(kind, {}).get(field, 0)

        # Both inputs and the weights are read, both outputs written, by somebody.
        self.assertGreaterEqual(total["dram_read_bytes"], 2 * BYTES + COLUMNS * COLUMNS * 4)
        self.assertGreaterEqual(traffic(total, "store", "bytes"), 2 * BYTES)
        self.assertGreaterEqual(total["dram_written_bytes"], 2 * BYTES)
        # A multiply-add for each element and inner index, perhaps on rows and columns of padding too; and the sum.
        self.assertGreaterEqual(total["flop"]["f32"], 2 * ROWS * COLUMNS * COLUMNS + ROWS * COLUMNS)
        for row in kernels:
            self.assertGreaterEqual(row["warp_instructions"]["total"] * 32, row["thread_instructions"]["total"])
            self.assertGreaterEqual(traffic(row, "load", "sectors"), traffic(row, "load", "ideal_sectors"))
            # What is touched is at most what is asked for, in whole sectors.
            self.assertLessEqual(row["dram_written_bytes"], 32 * traffic(row, "store", "sectors"))
            limits = row["roofline"]["limits_us"]
            self.assertEqual(row["launches"], 1)
            self.assertAlmostEqual(row["roofline"]["bound_us"], max(limits.values()))
            self.assertEqual(limits[row["roofline"]["limit"]], max(limits.values()))
            # The model adds what is between launches to what waits within; no unit is faster than its bound.
            time = row["time"]
            self.assertAlmostEqual(sum(time["stalls_us"].values()), time["modelled_us"] - time["launch_us"])
            self.assertGreater(time["modelled_us"] - time["launch_us"], max(us for unit, us in limits.items() if unit != "launch"))
            self.assertGreaterEqual(time["resident_blocks"], 1)
        for kind, field in (("load", "bytes"), ("store", "bytes"), ("load", "sectors"), ("store", "requests")):
            self.assertEqual(sum(traffic(row, kind, field) for row in kernels), traffic(total, kind, field))
        for name in ("warp_instructions", "thread_instructions"):
            for one in total[name]:
                self.assertEqual(sum(row[name].get(one, 0) for row in kernels), total[name][one])
            self.assertEqual(sum(count for one, count in total[name].items() if one != "total"), total[name]["total"])

    def test_json(self):
        for chip in ("sm_80", "sm_86", "sm_89", "sm_90"):
            child = self.run_model("--device=sim", "--stats=json", f"--sim-chip={chip}")
            self.assertEqual(len(child.stdout.splitlines()), 1)
            report = json.loads(child.stdout)
            self.assertEqual([output["dims"] for output in report["outputs"]], [[ROWS, COLUMNS]] * 2)
            self.check_document(report["statistics"], chip)
            # It was asked for, so it is not told again.
            self.assertEqual(child.stderr, "")

    def test_json_of_the_report(self):
        child = self.run_model("--device=sim", "--stats", "--json")
        self.check_document(json.loads(child.stdout)["statistics"], "sm_90")

    def test_order_of_the_host(self):
        # However the blocks and lanes take turns, a kernel does the same.
        def count(*options, **environment):
            child = self.run_model("--device=sim", "--stats=json", *options, **environment)
            return json.loads(child.stdout)["statistics"]

        expected = count(DSCC_SIM_THREADS="1")
        self.assertEqual(count("--sim-check=none"), expected)
        self.assertEqual(count("--sim-check=all", "--sim-seed=4"), expected)

    def test_bench(self):
        report = json.loads(self.run_model("--device=sim", "--stats=json", "--bench=0.1").stdout)
        kernels = report["statistics"]["kernels"]
        # The first run, those that warm up, and those that are measured.
        self.assertGreater(kernels[0]["launches"], report["runs"])
        self.assertEqual({row["launches"] for row in kernels}, {kernels[0]["launches"]})

    def test_text(self):
        lines = self.run_model("--device=sim", "--stats").stdout.splitlines()
        begin = [index for index, line in enumerate(lines) if line.startswith("kernels on Simulated H100 (sm_90)")]
        self.assertEqual(len(begin), 1)
        outputs = [index for index, line in enumerate(lines) if line.startswith("z: float32")]
        self.assertLess(outputs[0], begin[0])
        rows = lines[begin[0] + 2:]
        self.assertTrue(rows[-1].endswith(" total"), rows)
        self.assertTrue(any("Softmax" in row for row in rows), rows)
        bounds = [float(row.split()[0]) for row in rows]
        self.assertAlmostEqual(sum(bounds[:-1]), bounds[-1], delta=0.01 * len(rows))

    def test_at_the_end(self):
        child = self.run_model("--device=sim", DSCC_SIM_STATS="json")
        self.check_document(json.loads(child.stderr), "sm_90")
        self.assertNotIn("kernels on", child.stdout)

    def test_help(self):
        said = subprocess.run(["dscc-run", "--help"], capture_output=True, text=True, check=True).stdout
        self.assertRegex(said, r"--stats\[=text\|json\] +what each kernel did on the simulated GPU")

    def test_off(self):
        child = self.run_model("--device=sim")
        self.assertEqual(child.stderr, "")
        self.assertNotIn("kernels on", child.stdout)

    def test_refusals(self):
        for device in ((), ("--device=cpu",), ("--device=cuda",)):
            child = self.run_model("--stats", *device, code=2)
            self.assertIn("--stats counts on a simulated GPU; give --device=sim too", child.stderr)
        child = self.run_model("--device=sim", "--stats=xml", code=2)
        self.assertIn("--stats knows text, json, not `xml`", child.stderr)
        for options in (("--stats",), ("--sim-check=none",), ("--stats", "--sim-check=memory")):
            child = self.run_model("--device=sim", "--sim-sample=4", *options, code=2)
            self.assertIn("--sim-sample leaves out blocks, which is for counting alone; give --stats and "
                          "--sim-check=none too", child.stderr)
            child = self.run_model("--device=sim", *options, code=5, DSCC_SIM_SAMPLE="4")
            self.assertIn("DSCC_SIM_SAMPLE runs some blocks of each launch, for statistics: it needs DSCC_SIM_STATS, and "
                          "DSCC_SIM_CHECK=none", child.stderr)
        child = self.run_model("--device=sim", "--stats", "--sim-check=none", "--sim-sample=4", "--output", "x", code=2)
        self.assertIn("so outputs are not complete; leave out --output", child.stderr)
        child = self.run_model("--device=sim", "--stats", "--sim-check=none", "--sim-sample=few", code=2)
        self.assertIn("--sim-sample wants a number of blocks from 1 on, not `few`", child.stderr)
        child = self.run_model("--device=sim", code=5, DSCC_SIM_STATS="xml")
        self.assertIn("DSCC_SIM_STATS is xml; it can be json or text", child.stderr)


if __name__ == "__main__":
    unittest.main()
