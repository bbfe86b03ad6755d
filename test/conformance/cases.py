"""The test cases and the forms in which they are given to the compiler.

A case is a folder: model.onnx, data sets of inputs and expected outputs, and
where its tolerances differ from ONNX's a data.json. ONNX's own lie in the
installed `onnx` package, others in a folder that is named. Cases below a folder
`refused` must be refused; where expected.json beside their suite says that they
may pass `also`, right values are as good. A mode says what the compiler may know:

    static    the model as it is, every dim a number
    dynamic   every dim of every input unknown. The dims have no names: a name
              would tell the compiler that equal sizes are equal, and two names
              would tell it that they differ; neither is what a user's model says.
              The ranks stay.
    constant  every input is an initialiser, so all could be folded
"""

import dataclasses
import json
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

MODES = ("static", "dynamic", "constant")

# The node cases are named plainly, the others with their suite before them.
OTHER_SUITES = ("simple", "pytorch-converted", "pytorch-operator")

# The tolerances of ONNX's own test runner, for floating point. Integers and booleans must be equal.
RTOL, ATOL = 1e-3, 1e-7

# Types that NumPy lacks travel as raw integers; 4 and 2 bits as one value a byte.
RAW_FLOATS = {
    TensorProto.BFLOAT16: np.uint16,
    TensorProto.FLOAT8E4M3FN: np.uint8,
    TensorProto.FLOAT8E4M3FNUZ: np.uint8,
    TensorProto.FLOAT8E5M2: np.uint8,
    TensorProto.FLOAT8E5M2FNUZ: np.uint8,
    TensorProto.FLOAT8E8M0: np.uint8,
    TensorProto.FLOAT4E2M1: np.uint8,
}
RAW_INTEGERS = {
    TensorProto.INT4: np.int8,
    TensorProto.INT2: np.int8,
    TensorProto.UINT4: np.uint8,
    TensorProto.UINT2: np.uint8,
}


class NotATensor(Exception):
    """The case has a sequence, an optional or strings where arrays are needed."""


@dataclasses.dataclass
class Tensor:
    """A named array, `raw` as it travels and `values` as numbers to compare."""

    name: str
    raw: np.ndarray
    values: np.ndarray


@dataclasses.dataclass
class Case:
    name: str
    folder: pathlib.Path
    must_refuse: bool = False
    may_refuse: bool = False

    def data_sets(self):
        return sorted(self.folder.glob("test_data_set_*"), key=lambda path: int(path.name.rsplit("_", 1)[1]))

    def tolerances(self):
        path = self.folder / "data.json"
        given = json.loads(path.read_text()) if path.is_file() else {}
        return given.get("rtol", RTOL), given.get("atol", ATOL)


def data_folder():
    return pathlib.Path(onnx.__file__).parent / "backend" / "test" / "data"


def find_case(name, folder=None):
    """The case with a name from cases.txt, `test_x` or `SUITE/test_x`; or from list_cases of another folder."""
    path = pathlib.Path(folder) / name if folder else data_folder() / (name if "/" in name else f"node/{name}")
    if not (path / "model.onnx").is_file():
        raise FileNotFoundError(f"{folder or 'the installed onnx package'} has no case {name}")
    if path.parent.name != "refused":
        return Case(name, path)
    expected = path.parent.parent / "expected.json"
    also = json.loads(expected.read_text()).get(path.name, {}).get("also") if expected.is_file() else None
    return Case(name, path, must_refuse=also != "pass", may_refuse=True)


def list_cases(folder):
    return sorted(str(path.parent.relative_to(folder)) for path in pathlib.Path(folder).rglob("model.onnx"))


def load_names(path):
    return [line for line in pathlib.Path(path).read_text().splitlines() if line and not line.startswith("#")]


def tensor_type(value):
    """The tensor type of a graph input or output; NotATensor for anything else."""
    if value.type.WhichOneof("value") != "tensor_type":
        raise NotATensor(f"{value.name} is no tensor")
    if value.type.tensor_type.elem_type == TensorProto.STRING:
        raise NotATensor(f"{value.name} holds strings")
    return value.type.tensor_type


def to_tensor(name, proto):
    """Decodes a TensorProto into the array that travels and its values."""
    array = numpy_helper.to_array(proto)
    if proto.data_type in RAW_FLOATS:
        return Tensor(name, array.view(RAW_FLOATS[proto.data_type]), array.astype(np.float32))
    if proto.data_type in RAW_INTEGERS:
        array = array.astype(RAW_INTEGERS[proto.data_type])
    return Tensor(name, array, array)


def decode_raw(raw, element_type):
    """The values of an array that travelled as raw integers."""
    if element_type not in RAW_FLOATS:
        return raw
    dtype = onnx.helper.tensor_dtype_to_np_dtype(element_type)
    return raw.view(dtype).astype(np.float32)


def read_proto(path):
    proto = TensorProto()
    proto.ParseFromString(path.read_bytes())
    return proto


def graph_inputs(model):
    """The inputs that a caller gives: those that no initialiser fills."""
    filled = {tensor.name for tensor in model.graph.initializer}
    return [value for value in model.graph.input if value.name not in filled]


def input_protos(case, model, data_set="test_data_set_0"):
    """The case's input tensors in the order of the model's inputs."""
    protos = []
    for index, value in enumerate(graph_inputs(model)):
        tensor_type(value)
        path = case.folder / data_set / f"input_{index}.pb"
        if not path.is_file():
            raise NotATensor(f"no data for {value.name}")
        protos.append((value.name, read_proto(path)))
    return protos


def expected_outputs(case, model, data_set="test_data_set_0"):
    """The expected outputs, as (Tensor, element type)."""
    outputs = []
    for index, value in enumerate(model.graph.output):
        element_type = tensor_type(value).elem_type
        proto = read_proto(case.folder / data_set / f"output_{index}.pb")
        outputs.append((to_tensor(value.name, proto), element_type))
    return outputs


def forget_dims(values):
    for value in values:
        if value.type.WhichOneof("value") != "tensor_type":
            continue
        for dim in value.type.tensor_type.shape.dim:
            dim.Clear()


def apply_mode(case, model, mode):
    """Changes the model to what `mode` lets the compiler know."""
    if mode == "dynamic":
        forget_dims(graph_inputs(model))
        forget_dims(model.graph.output)
        del model.graph.value_info[:]
    if mode == "constant":
        protos = input_protos(case, model)
        kept = [value for value in model.graph.input if value.name not in dict(protos)]
        for name, proto in protos:
            proto.name = name
            model.graph.initializer.append(proto)
        del model.graph.input[:]
        model.graph.input.extend(kept)
