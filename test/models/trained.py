"""The trained models of the tests, their inputs, and two ways to run them.

Each model is compiled once, for all sizes: one artifact has to serve them all.
"""

import dataclasses
import importlib.util
import pathlib
import re
import subprocess

import numpy as np

import magika_files

REAL_SUFFIXES = {".py", ".pyi", ".h", ".c", ".cpp", ".json", ".md", ".onnx", ".proto", ".so", ".pb", ".txt"}
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


@dataclasses.dataclass
class Trained:
    """A model, the name of its only input, and the sizes at which it is tested."""

    name: str
    path: pathlib.Path
    input_name: str
    sizes: list


def magika():
    return Trained("magika", magika_files.model_folder() / "model.onnx", "bytes", [(1,), (7,), (32,)])


def pp_ocr_cls():
    """PP-OCR's classifier of text direction: is this line of text upside down?"""
    package = importlib.util.find_spec("rapidocr_onnxruntime")
    path = pathlib.Path(package.origin).parent / "models" / "ch_ppocr_mobile_v2.0_cls_infer.onnx"
    return Trained("pp-ocr-cls", path, "x", [(1, 3, 48, 192), (5, 3, 48, 320), (2, 3, 64, 97)])


def real_files():
    """Files of many types that never change: they lie in the pinned Python packages."""
    packages = [pathlib.Path(importlib.util.find_spec(name).origin).parent for name in ("magika", "numpy", "onnx")]
    files = {}
    for package in packages:
        for path in sorted(package.rglob("*")):
            if path.suffix in REAL_SUFFIXES and path.stat().st_size > 2000:
                files.setdefault((path.suffix, package.name), []).append(path)
    # One of each kind in turn, so that a few files are of many types already.
    longest = max(len(paths) for paths in files.values())
    return [paths[turn] for turn in range(longest) for _, paths in sorted(files.items()) if turn < len(paths)]


def make_input(model, size):
    """Real files for Magika. For PP-OCR strokes as of a line of text, scaled as its own pre-processing does."""
    if model.name == "magika":
        config = magika_files.load_config()
        return np.stack([magika_files.features(path.read_bytes(), config) for path in real_files()[: size[0]]])
    random = np.random.default_rng(7)
    batch, channels, height, width = size
    strokes = random.random((batch, 1, height // 4 + 1, width // 3 + 1)) > 0.6
    picture = np.kron(strokes, np.ones((1, 1, 4, 3)))[:, :, :height, :width]
    picture = picture + 0.1 * random.standard_normal((batch, channels, height, width))
    return np.clip(2 * picture - 1, -1, 1).astype(np.float32)


def compile_model(path, artifact, *options):
    """Compiles; the test fails with dscc's own words if that fails."""
    command = ["dscc", str(path), "-o", str(artifact), *options]
    child = subprocess.run(command, capture_output=True, text=True)
    if child.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: exit {child.returncode}\n{child.stderr}")
    return child


def run_artifact(artifact, name, array, folder, *options):
    """The artifact's outputs by file name, as dscc-run leaves them in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "input.npy", array)
    command = ["dscc-run", str(artifact), "--device=cpu", "--input", f"{name}={folder / 'input.npy'}",
               "--output", str(folder / "out"), *options]
    child = subprocess.run(command, capture_output=True, text=True)
    if child.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: exit {child.returncode}\n{child.stderr}")
    return {path.stem: np.load(path) for path in (folder / "out").glob("*.npy")}


def run_onnxruntime(path, name, array):
    """ONNX Runtime's outputs, by the file names that dscc-run would give them."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [re.sub("[/:]", "_", output.name) for output in session.get_outputs()]
    return dict(zip(names, session.run(None, {name: array})))


def replace_global_max_pool(model):
    """By ReduceMax: the reference evaluator's GlobalMaxPool drops the reduced dims."""
    import onnx

    inferred = onnx.shape_inference.infer_shapes(model).graph
    ranks = {value.name: len(value.type.tensor_type.shape.dim) for value in inferred.value_info}
    for node in model.graph.node:
        if node.op_type == "GlobalMaxPool":
            axes = list(range(2, ranks[node.input[0]]))
            node.op_type = "ReduceMax"
            if model.opset_import[0].version < 18:
                node.attribute.append(onnx.helper.make_attribute("axes", axes))
            else:
                node.input.append(node.name + "/axes")
                model.graph.initializer.append(onnx.numpy_helper.from_array(np.array(axes), node.name + "/axes"))


def in_double_precision(path):
    """The model with every float32 turned into float64, for ONNX's reference evaluator."""
    import onnx
    from onnx import TensorProto, numpy_helper

    def widen(tensor):
        if tensor.data_type == TensorProto.FLOAT:
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float64), tensor.name))

    model = onnx.load(path)
    replace_global_max_pool(model)
    for tensor in model.graph.initializer:
        widen(tensor)
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.TENSOR:
                widen(attribute.t)
            if node.op_type == "Cast" and attribute.name == "to" and attribute.i == TensorProto.FLOAT:
                attribute.i = TensorProto.DOUBLE
    del model.graph.value_info[:]
    for value in [*model.graph.input, *model.graph.output]:
        if value.type.tensor_type.elem_type == TensorProto.FLOAT:
            value.type.tensor_type.elem_type = TensorProto.DOUBLE
    return model


def run_in_double(path, name, array):
    """The outputs in double precision, by the file names that dscc-run would give them."""
    from onnx.reference import ReferenceEvaluator

    evaluator = ReferenceEvaluator(in_double_precision(path))
    if array.dtype == np.float32:
        array = array.astype(np.float64)
    names = [re.sub("[/:]", "_", output) for output in evaluator.output_names]
    return dict(zip(names, evaluator.run(None, {name: array})))
