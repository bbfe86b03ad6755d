"""Breaks the relations of a small model: y = a + b for a of [n] and b of [m].

    python relations_test.py DSCC DSCC_RUN FOLDER
"""

import pathlib
import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper

DSCC, DSCC_RUN, FOLDER = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])


def compile_model():
    graph = helper.make_graph(
        [helper.make_node("Add", ["a", "b"], ["y"], name="the_sum")], "sum",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [dim]) for name, dim in (("a", "n"), ("b", "m"))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)])
    path = FOLDER / "sum.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), path)
    subprocess.run([DSCC, path, "--target=cpu", "-o", FOLDER / "sum.so"], check=True)


def run(n, m):
    a, b = (np.random.default_rng(seed).random(size, dtype=np.float32) for seed, size in ((n, n), (m + 1000, m)))
    np.save(FOLDER / "a.npy", a)
    np.save(FOLDER / "b.npy", b)
    (FOLDER / "out" / "y.npy").unlink(missing_ok=True)
    result = subprocess.run([DSCC_RUN, FOLDER / "sum.so", "--device=cpu", f"--input=a={FOLDER}/a.npy",
                             f"--input=b={FOLDER}/b.npy", f"--output={FOLDER}/out"], capture_output=True, text=True)
    return a, b, result


def main():
    compile_model()
    for n, m in ((1, 7), (7, 1), (17, 17), (1, 1)):
        a, b, result = run(n, m)
        assert result.returncode == 0, result.stderr
        np.testing.assert_array_equal(np.load(FOLDER / "out" / "y.npy"), a + b)
    for n, m in ((3, 5), (7, 2), (127, 33)):
        _, _, result = run(n, m)
        assert result.returncode == 1, (result.returncode, result.stderr)
        for said in ("the_sum", f"input 'a' axis 0 ('n') is {n}", f"input 'b' axis 0 ('m') is {m}", f"{n} and {m}"):
            assert said in result.stderr, (said, result.stderr)
        assert not (FOLDER / "out" / "y.npy").exists()


main()
