"""Small models at odd sizes against ONNX Runtime: one artifact a model, its named dims left open.

Each case is a row: what the graph computes, its inputs' dims, and the sizes to try. Inputs are random and seeded; for
elementwise ops and reductions some are infinite or NaN.
"""

import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "runtime" / "python"))

import numpy as np
import onnx
from onnx import TensorProto, helper

import dscc
import trained

OPSET = 17
RTOL = 1e-3
SIZES = [1, 3, 7, 17, 33, 127, 255, 1025]


def node(operator, inputs="x", outputs="y", **attributes):
    return helper.make_node(operator, inputs.split(), outputs.split(), **attributes)


def axes(values, name="axes"):
    return onnx.numpy_helper.from_array(np.array(values, np.int64), name)


def weight(dims, name="w", seed=1):
    scale = 1 / np.sqrt(max(1, np.prod(dims[1:])))
    values = np.random.default_rng(seed).standard_normal(dims) * scale
    return onnx.numpy_helper.from_array(values.astype(np.float32), name)


# name: (nodes, inputs' dims by name, constants, list of values of the named dims)
def each(**dims):
    """One assignment for each size: `dims` says how a name depends on it."""
    return [{name: rule(size) for name, rule in dims.items()} for size in SIZES]


SAME = lambda size: size  # noqa: E731
FEW = lambda size: 1 + size % 5  # noqa: E731
SOME = lambda size: 1 + size % 37  # noqa: E731

CASES = {
    "relu": ([node("Relu")], {"x": ["n", "m"]}, [], each(n=FEW, m=SAME)),
    "add_row": ([node("Add", "x z")], {"x": ["n", "m"], "z": ["m"]}, [], each(n=SOME, m=SAME)),
    "add_column": ([node("Add", "x z")], {"x": ["n", "m"], "z": ["n", 1]}, [], each(n=SOME, m=SAME)),
    "add_middle_of_one": ([node("Add", "x z")], {"x": ["n", 1, "m"], "z": [1, "m"]}, [], each(n=SOME, m=SAME)),
    "mul_outer": ([node("Mul", "x z")], {"x": ["n", 1], "z": [1, "m"]}, [], each(n=SOME, m=SAME)),
    "chain": ([node("Sigmoid", "x", "a"), node("Mul", "a x", "b"), node("Tanh", "b", "c"), node("Sub", "c x")],
              {"x": ["n", "m"]}, [], each(n=FEW, m=SAME)),
    "erf_exp_log": ([node("Erf", "x", "a"), node("Exp", "a", "b"), node("Log", "b")], {"x": ["m"]}, [], each(m=SAME)),
    "transpose": ([node("Transpose", perm=[1, 0])], {"x": ["n", "m"]}, [], each(n=SOME, m=SAME)),
    "transpose_3d": ([node("Transpose", perm=[2, 0, 1])], {"x": ["n", 5, "m"]}, [], each(n=FEW, m=SAME)),
    "concat": ([node("Concat", "x z", axis=1)], {"x": ["n", "m"], "z": ["n", "k"]}, [], each(n=FEW, m=SAME, k=SOME)),
    "split": ([node("Split", "x s", "y z", axis=0)], {"x": [8, "m"]}, [axes([3, 5], "s")], each(m=SAME)),
    "slice": ([node("Slice", "x b e a s")], {"x": ["n", "m"]},
              [axes([0], "b"), axes([2**31], "e"), axes([1], "a"), axes([2], "s")], each(n=FEW, m=SAME)),
    "pad": ([node("Pad", "x p")], {"x": ["n", "m"]}, [axes([1, 2, 0, 3], "p")], each(n=FEW, m=SAME)),
    "softmax_last": ([node("Softmax", axis=-1)], {"x": ["n", "m"]}, [], each(n=FEW, m=SAME)),
    "softmax_first": ([node("Softmax", axis=0)], {"x": ["m", "n"]}, [], each(n=FEW, m=SAME)),
    "softmax_middle": ([node("Softmax", axis=1)], {"x": ["n", "m", 3]}, [], each(n=FEW, m=SAME)),
    "log_softmax": ([node("LogSoftmax", axis=-1)], {"x": ["n", "m"]}, [], each(n=FEW, m=SAME)),
    "reduce_sum_last": ([node("ReduceSum", "x axes")], {"x": ["n", "m"]}, [axes([1])], each(n=FEW, m=SAME)),
    "reduce_sum_first": ([node("ReduceSum", "x axes")], {"x": ["m", "n"]}, [axes([0])], each(n=SOME, m=SAME)),
    "reduce_sum_outer": ([node("ReduceSum", "x axes")], {"x": ["n", 3, "m"]}, [axes([0, 2])], each(n=FEW, m=SAME)),
    "reduce_max": ([node("ReduceMax", axes=[1])], {"x": ["n", "m"]}, [], each(n=FEW, m=SAME)),
    "reduce_mean_all": ([node("ReduceMean")], {"x": ["n", "m"]}, [], each(n=FEW, m=SAME)),
    "argmax": ([node("ArgMax", axis=1)], {"x": ["n", "m"]}, [], each(n=FEW, m=SAME)),
    "layer_norm": ([node("LayerNormalization", "x w b", axis=-1)], {"x": ["n", 65]},
                   [weight([65]), weight([65], "b", 2)], each(n=SAME)),
    "matmul": ([node("MatMul", "x z")], {"x": ["n", "k"], "z": ["k", "m"]}, [], each(n=SOME, k=SAME, m=SOME)),
    "matmul_weight": ([node("MatMul", "x w")], {"x": ["n", 33]}, [weight([33, 65])], each(n=SAME)),
    "matmul_vector": ([node("MatMul", "x z")], {"x": ["m"], "z": ["m", "n"]}, [], each(n=SOME, m=SAME)),
    "matmul_column": ([node("MatMul", "x z", "a"), node("Relu", "a")], {"x": ["n", "k"], "z": ["k", 1]}, [],
                      each(n=SOME, k=SAME)),
    "matmul_column_batch": ([node("MatMul", "x z")], {"x": ["n", "k"], "z": [3, "k", 1]}, [], each(n=SOME, k=SAME)),
    "matmul_by_vector": ([node("MatMul", "x z")], {"x": ["b", "n", "k"], "z": ["k"]}, [], each(b=FEW, n=SOME, k=SAME)),
    "gemm_column": ([node("Gemm", "x w b", transB=1)], {"x": ["n", 127]}, [weight([1, 127]), weight([1], "b", 2)],
                    each(n=SAME)),
    "matmul_batch": ([node("MatMul", "x z")], {"x": ["b", 1, "n", 17], "z": [3, 17, "m"]}, [],
                     each(b=FEW, n=SOME, m=SOME)),
    "matmul_relu_add": ([node("MatMul", "x w", "a"), node("Relu", "a", "c"), node("Add", "c b")], {"x": ["n", 31]},
                        [weight([31, 45]), weight([45], "b", 2)], each(n=SAME)),
    "gemm_transposed": ([node("Gemm", "x w b", transA=1, transB=1, alpha=0.5, beta=2.0)], {"x": [19, "n"]},
                        [weight([23, 19]), weight([23], "b", 2)], each(n=SAME)),
    "conv": ([node("Conv", "x w b", pads=[1, 1, 1, 1])], {"x": ["n", 5, "h", "w_"]},
             [weight([7, 5, 3, 3]), weight([7], "b", 2)], each(n=FEW, h=SOME, w_=SOME)),
    "conv_stride": ([node("Conv", "x w", strides=[2, 3], pads=[2, 0, 1, 3])], {"x": ["n", 3, "h", "w_"]},
                    [weight([9, 3, 3, 4])], each(n=FEW, h=lambda s: 3 + s % 29, w_=lambda s: 4 + s % 31)),
    "conv_dilated": ([node("Conv", "x w", dilations=[2, 3], pads=[2, 3, 2, 3])], {"x": [1, 4, "h", "w_"]},
                     [weight([5, 4, 3, 3])], each(h=SOME, w_=SOME)),
    "conv_group": ([node("Conv", "x w", group=3, pads=[1, 1, 1, 1])], {"x": ["n", 6, "h", 13]},
                   [weight([9, 2, 3, 3])], each(n=FEW, h=SOME)),
    "conv_depthwise": ([node("Conv", "x w", group=17, pads=[2, 2, 2, 2])], {"x": ["n", 17, "h", "w_"]},
                       [weight([17, 1, 5, 5])], each(n=FEW, h=SOME, w_=SOME)),
    "conv_pointwise": ([node("Conv", "x w")], {"x": ["n", 33, "h", "w_"]}, [weight([17, 33, 1, 1])],
                       each(n=FEW, h=SOME, w_=FEW)),
    "conv_points": ([node("Conv", "x w b", "a"), node("HardSigmoid", "a")], {"x": ["n", 33, 1, 1]},
                    [weight([17, 33, 1, 1]), weight([17], "b", 2)], each(n=SAME)),
    "conv_points_1d": ([node("Conv", "x w", strides=[2])], {"x": ["n", 7, 1]}, [weight([3, 7, 1])], each(n=SAME)),
    "conv_1d": ([node("Conv", "x w", pads=[2, 2])], {"x": ["n", 3, "m"]}, [weight([5, 3, 5])], each(n=FEW, m=SAME)),
    "conv_3d": ([node("Conv", "x w", pads=[1] * 6)], {"x": [1, 2, "d", "h", 5]}, [weight([3, 2, 3, 3, 3])],
                each(d=FEW, h=SOME)),
    "conv_transpose": ([node("ConvTranspose", "x w", strides=[2, 2], pads=[1, 0, 0, 1])], {"x": ["n", 3, "h", "w_"]},
                       [weight([3, 5, 3, 3])], each(n=FEW, h=SOME, w_=SOME)),
    "max_pool": ([node("MaxPool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])],
                 {"x": ["n", 3, "h", "w_"]}, [], each(n=FEW, h=SOME, w_=SOME)),
    "average_pool": ([node("AveragePool", kernel_shape=[2, 3], pads=[0, 1, 1, 1], count_include_pad=1)],
                     {"x": ["n", 3, "h", "w_"]}, [], each(n=FEW, h=SOME, w_=SOME)),
    "global_average_pool": ([node("GlobalAveragePool")], {"x": ["n", 3, "h", "w_"]}, [],
                            each(n=FEW, h=SOME, w_=SAME)),
    "resize_linear": ([node("Resize", "x  s", mode="linear")], {"x": [1, 2, "h", "w_"]},
                      [onnx.numpy_helper.from_array(np.array([1, 1, 2, 3], np.float32), "s")], each(h=SOME, w_=SOME)),
    "gather": ([node("Gather", "x i", axis=0)], {"x": [13, "m"]}, [axes([12, 0, 5, 5, 1], "i")], each(m=SAME)),
    "scatter_elements": ([node("Shape", "z", "s"), node("Expand", "i s", "j"),
                          node("ScatterElements", "x j z", axis=0, reduction="add")],
                         {"x": [13, "m"], "z": [4, "m"]}, [axes([[12], [-13], [5], [5]], "i")], each(m=SAME)),
    "scatter_part": ([node("ScatterElements", "x i z", axis=1)], {"x": ["n", "m"], "z": [1, 3]},
                     [axes([[-1, 0, 1]], "i")], each(n=FEW, m=lambda s: s + 1)),
    "scatter_nd": ([node("ScatterND", "x i z")], {"x": [13, "m"], "z": [3, "m"]}, [axes([[12], [0], [-8]], "i")],
                   each(m=SAME)),
    "cum_sum": ([node("CumSum", "x a", exclusive=1, reverse=1)], {"x": ["n", "m"]}, [axes(1, "a")],
                each(n=FEW, m=SAME)),
    "grid_sample": ([node("GridSample", "x z", mode="bilinear", padding_mode="border")],
                    {"x": ["n", 3, "h", "w_"], "z": ["n", 5, "k", 2]}, [], each(n=FEW, h=SOME, w_=SOME, k=SOME)),
    "reverse_sequence": ([node("ReverseSequence", "x l", batch_axis=0, time_axis=1)], {"x": [3, "m", 5]},
                         [axes([1, 0, 1], "l")], each(m=SAME)),
}
# A list of inputs with a gap: Resize has no roi here.
CASES["resize_linear"][0][0].ClearField("input")
CASES["resize_linear"][0][0].input.extend(["x", "", "s"])

# Whose results must show what is not finite as ONNX Runtime does.
SPECIAL = {"relu", "add_row", "add_middle_of_one", "mul_outer", "transpose", "reduce_sum_last", "concat", "slice"}
# ONNX Runtime's maxima drop NaN, NumPy's (by which ONNX defines them) and ours keep it.
INFINITE = {"reduce_max", "max_pool"}


def make_model(name):
    nodes, inputs, constants, _ = CASES[name]
    outputs = nodes[-1].output
    element = TensorProto.INT64 if name == "argmax" else TensorProto.FLOAT
    graph = helper.make_graph(
        nodes, name, [helper.make_tensor_value_info(key, TensorProto.FLOAT, dims) for key, dims in inputs.items()],
        [helper.make_tensor_value_info(key, element, None) for key in outputs], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)


def make_inputs(name, dims, seed):
    random = np.random.default_rng(seed)
    arrays = {}
    for key, shape in CASES[name][1].items():
        array = random.standard_normal([dims.get(dim, dim) for dim in shape]).astype(np.float32)
        special = [np.inf, -np.inf] + ([np.nan] if name in SPECIAL else [])
        if name in SPECIAL | INFINITE and array.size > 4:
            array.flat[random.integers(0, array.size, len(special))] = special
        arrays[key] = array
    return arrays


class OddSizesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)

    def check(self, name):
        import onnxruntime

        path = pathlib.Path(self.folder.name) / f"{name}.onnx"
        onnx.save(make_model(name), path)
        trained.compile_model(path, path.with_suffix(".so"), "--target=cpu")
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        model = dscc.Model(str(path.with_suffix(".so")), device="cpu")
        for seed, dims in enumerate(CASES[name][3]):
            arrays = make_inputs(name, dims, seed)
            with self.subTest(**dims), np.errstate(all="ignore"):
                ours = model.run(arrays)
                for output, theirs in zip(session.get_outputs(), session.run(None, arrays)):
                    mine = ours[output.name]
                    self.assertEqual((mine.shape, mine.dtype), (theirs.shape, theirs.dtype))
                    finite = np.abs(theirs[np.isfinite(theirs)])
                    scale = finite.max() if finite.size else 0
                    np.testing.assert_allclose(mine, theirs, rtol=RTOL, atol=1e-5 * max(1, scale))


for case in CASES:
    setattr(OddSizesTest, f"test_{case}", lambda self, name=case: self.check(name))

if __name__ == "__main__":
    unittest.main()
