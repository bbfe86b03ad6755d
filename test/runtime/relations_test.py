"""Breaks the relations of a small model: y = a + b for a of [n] and b of [m], n from 2 on.

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
    subprocess.run([DSCC, path, "--target=cpu", "--dim=n=2..1000", "-o", FOLDER / "sum.so"], check=True)


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
    for n, m in ((7, 1), (17, 17), (2, 1)):
        a, b, result = run(n, m)
        assert result.returncode == 0, result.stderr
        np.testing.assert_array_equal(np.load(FOLDER / "out" / "y.npy"), a + b)
    for n, m in ((3, 5), (7, 2), (127, 33)):
        _, _, result = run(n, m)
        assert result.returncode == 1, (result.returncode, result.stderr)
        for said in ("the_sum", f"input 'a' axis 0 ('n') is {n}", f"input 'b' axis 0 ('m') is {m}", f"{n} and {m}"):
            assert said in result.stderr, (said, result.stderr)
        assert not (FOLDER / "out" / "y.npy").exists()
    suggestions()


def run_random(*words):
    return subprocess.run([DSCC_RUN, FOLDER / "sum.so", "--device=cpu", *words], capture_output=True, text=True)


def suggestions():
    """Random inputs that do not fit: the sentence ends in what to give, and that is true."""
    np.save(FOLDER / "a.npy", np.ones(6, np.float32))
    for words, advice in (((), "--dim n=2"), (("--dim", "m=5"), "--dim n=5 --dim m=5"),
                          (("--dim", "n=3", "--dim", "m=5"), "--dim n=5 --dim m=5"),
                          (("--dim", "n=1", "--dim", "m=1"), "--dim n=2 --dim m=1"),
                          (("--dim", "m=4", f"--input=a={FOLDER}/a.npy"), "--dim m=6")):
        refused = run_random(*words)
        assert refused.returncode == 1 and refused.stderr.endswith(f"; give {advice}\n"), (words, refused.stderr)
        files = [word for word in words if word.startswith("--input")]
        taken = run_random(*advice.split(), *files)
        assert taken.returncode == 0, (advice, taken.stderr)


main()
