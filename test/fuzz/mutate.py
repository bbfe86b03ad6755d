"""Damages a model in one of five ways, as a seed says.

    bytes       bytes of the file changed, dropped, doubled, cut off
    attributes  attributes of nodes, and the integers in small constants: shapes, axes, pads
    dims        of inputs, outputs, constants
    types       of elements
    edges       who reads what, which operator a node is, the opset

A mutant is a function of (seed, index) and the list of models alone.
"""

import random
import warnings

import numpy as np
import onnx
from onnx import AttributeProto, TensorProto, helper, numpy_helper

import cases

KINDS = ("bytes", "attributes", "dims", "types", "edges")

# Where arithmetic on sizes and places goes wrong, and small numbers, which are often valid.
INTEGERS = (0, 1, 2, 3, 4, 5, 7, 8, 16, 63, 64, 65, 127, 128, 255, 256, 1000, 65535, 65536, 10**9, 2**31 - 1, 2**31,
            2**32, 2**32 + 1, 2**53, 2**61, 2**62, 2**63 - 2, 2**63 - 1, -1, -2, -3, -4, -128, -2**31, -2**31 - 1,
            -2**62, -2**63 + 1, -2**63)
FLOATS = (0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 3.0, 1e-45, 1e-7, 1e30, 3.4e38, -3.4e38, float("inf"), float("-inf"),
          float("nan"))
TEXTS = (b"", b"none", b"mean", b"nearest", b"linear", b"cubic", b"SAME_UPPER", b"SAME_LOWER", b"VALID", b"NOTSET",
         b"reflect", b"edge", b"wrap", b"constant", b"add", b"mul", b"align_corners", b"asymmetric", b"CRD", b"DCR",
         b"tanh", b"circular", b"LEFT", b"RIGHT", b"\xff\x00", b"ij,jk->ik", b"...i->...", b"bij, bjk -> bik")
TYPES = tuple(number for name, number in TensorProto.DataType.items() if name != "UNDEFINED") + (0, 99, -1)
OPSETS = (0, 1, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 18, 19, 20, 21, 23, 24, 26, 27, 28, -1, 2**62)
DIM_NAMES = ("n", "m", "n + 1", "2*n", "n*m*n*m", "", "-1", "floordiv(n, 0)", "9223372036854775807", "max(n, m)", "é")


def clamp(number, dtype):
    limits = np.iinfo(dtype)
    return max(limits.min, min(limits.max, number))


def integer(dice, near):
    """Another integer: one from the list, one beside `near`, or a small one."""
    return dice.choice((dice.choice(INTEGERS), near + dice.choice((-1, 1)), dice.randrange(-4, 9)))


def as_int64(number):
    return clamp(number, np.int64)


def all_graphs(model):
    graphs = [model.graph]
    for graph in graphs:
        for node in graph.node:
            for attribute in node.attribute:
                graphs += [attribute.g] if attribute.HasField("g") else []
                graphs += attribute.graphs
    return graphs


def all_nodes(model):
    return [node for graph in all_graphs(model) for node in graph.node] + [
        node for function in model.functions for node in function.node]


def all_constants(model):
    return [tensor for graph in all_graphs(model) for tensor in graph.initializer] + [
        attribute.t for node in all_nodes(model) for attribute in node.attribute if attribute.HasField("t")]


def all_values(model):
    return [value for graph in all_graphs(model) for value in (*graph.input, *graph.output, *graph.value_info)
            if value.type.WhichOneof("value") == "tensor_type"]


def mutate_bytes(content, dice):
    content = bytearray(content)
    for _ in range(dice.choice((1, 1, 1, 2, 4, 8))):
        place = dice.randrange(len(content)) if content else 0
        length = dice.choice((1, 1, 2, 8, 32))
        way = dice.randrange(8)
        if way < 4 and content:
            content[place] = dice.choice((dice.randrange(256), content[place] ^ (1 << dice.randrange(8)), 0, 255, 127))
        elif way == 4:
            del content[place:place + length]
        elif way == 5:
            content[place:place] = content[place:place + length]
        elif way == 6:
            content[place:place] = dice.randbytes(length)
        elif dice.randrange(4) == 0:
            del content[place:]
    return bytes(content)


def mutate_constant(tensor, dice):
    """Changes one number of a tensor of integers; false if there is none."""
    try:
        array = numpy_helper.to_array(tensor)
    except Exception:  # damaged by an earlier mutation
        return False
    if array.dtype.kind not in "iu" or array.size == 0:
        return False
    array = array.copy()
    place = dice.randrange(array.size)
    array.flat[place] = clamp(integer(dice, int(array.flat[place])), array.dtype)
    if array.ndim == 1 and dice.randrange(4) == 0:
        array = dice.choice((array[:-1], np.concatenate([array, array[-1:]])))
    name = tensor.name
    try:
        tensor.CopyFrom(numpy_helper.from_array(array, name))
    except Exception:  # types that NumPy lacks
        return False
    return True


def mutate_one_attribute(attribute, dice):
    kind = attribute.type
    if kind == AttributeProto.INT:
        attribute.i = as_int64(integer(dice, attribute.i))
    elif kind == AttributeProto.FLOAT:
        attribute.f = dice.choice(FLOATS)
    elif kind == AttributeProto.STRING:
        attribute.s = dice.choice(TEXTS)
    elif kind == AttributeProto.INTS:
        way = dice.randrange(6)
        if way == 0 and attribute.ints:
            attribute.ints.pop()
        elif way == 1:
            attribute.ints.append(as_int64(integer(dice, 1)))
        elif attribute.ints:
            place = dice.randrange(len(attribute.ints))
            attribute.ints[place] = as_int64(integer(dice, attribute.ints[place]))
    elif kind == AttributeProto.FLOATS:
        attribute.floats.append(dice.choice(FLOATS))
        if dice.randrange(2):
            attribute.floats.pop(0)
    elif kind == AttributeProto.TENSOR:
        mutate_constant(attribute.t, dice)


def add_attribute(node, dice):
    """One that the operator's schema knows and the node leaves out."""
    try:
        schema = onnx.defs.get_schema(node.op_type, domain=node.domain)
    except onnx.defs.SchemaError:
        return
    given = {attribute.name for attribute in node.attribute}
    missing = [(name, known.type) for name, known in sorted(schema.attributes.items()) if name not in given]
    if not missing:
        return
    name, kind = dice.choice(missing)
    kind = kind.name if hasattr(kind, "name") else str(kind)
    if kind == "INT":
        node.attribute.append(helper.make_attribute(name, as_int64(integer(dice, 0))))
    elif kind == "FLOAT":
        node.attribute.append(helper.make_attribute(name, dice.choice(FLOATS)))
    elif kind == "STRING":
        node.attribute.append(helper.make_attribute(name, dice.choice(TEXTS)))
    elif kind == "INTS":
        numbers = [as_int64(integer(dice, 1)) for _ in range(dice.randrange(1, 5))]
        node.attribute.append(helper.make_attribute(name, numbers))


def mutate_attributes(model, dice):
    nodes = all_nodes(model)
    constants = all_constants(model)
    if constants and dice.randrange(3) == 0 and mutate_constant(dice.choice(constants), dice):
        return
    if not nodes:
        return
    node = dice.choice(nodes)
    if not node.attribute or dice.randrange(4) == 0:
        add_attribute(node, dice)
        return
    attribute = dice.choice(node.attribute)
    way = dice.randrange(12)
    if way == 0:
        node.attribute.remove(attribute)
    elif way == 1:
        attribute.type = dice.choice((1, 2, 3, 4, 5, 6, 7, 8, 0))
    elif way == 2:
        attribute.name = dice.choice(("axis", "axes", "value", "", attribute.name + "x"))
    else:
        mutate_one_attribute(attribute, dice)


def mutate_dims(model, dice):
    values, constants = all_values(model), all_constants(model)
    if constants and dice.randrange(3) == 0:
        tensor = dice.choice(constants)
        way = dice.randrange(4)
        if way == 0:
            tensor.dims.append(as_int64(integer(dice, 1)))
        elif way == 1 and tensor.dims:
            tensor.dims.pop()
        elif way == 2 and len(tensor.dims) > 1:
            tensor.dims[0], tensor.dims[-1] = tensor.dims[-1], tensor.dims[0]
        elif tensor.dims:
            place = dice.randrange(len(tensor.dims))
            tensor.dims[place] = as_int64(integer(dice, tensor.dims[place]))
        return
    if not values:
        return
    # Those of inputs matter most.
    value = dice.choice(list(model.graph.input) or values) if dice.randrange(3) else dice.choice(values)
    if value.type.WhichOneof("value") != "tensor_type":
        return
    shape = value.type.tensor_type.shape
    way = dice.randrange(10)
    if way == 0:
        shape.dim.add().dim_value = as_int64(integer(dice, 1))
    elif way == 1 and shape.dim:
        shape.dim.pop()
    elif way == 2:
        value.type.tensor_type.ClearField("shape")
    elif shape.dim:
        dim = dice.choice(shape.dim)
        near = dim.dim_value
        dim.Clear()
        if way < 6:
            dim.dim_value = as_int64(integer(dice, near))
        elif way < 9:
            dim.dim_param = dice.choice(DIM_NAMES)


def mutate_types(model, dice):
    values, constants = all_values(model), all_constants(model)
    casts = [attribute for node in all_nodes(model) for attribute in node.attribute
             if attribute.name in ("to", "dtype", "output_dtype", "stash_type", "precision", "softmax_precision")]
    way = dice.randrange(6)
    if casts and way == 0:
        dice.choice(casts).i = dice.choice(TYPES)
    elif constants and way in (1, 2):
        tensor = dice.choice(constants)
        try:  # the same numbers in another type
            with warnings.catch_warnings(action="ignore"): # some do not fit
                array = numpy_helper.to_array(tensor).astype(helper.tensor_dtype_to_np_dtype(dice.choice(TYPES[:16])))
            tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
        except Exception:
            tensor.data_type = dice.choice(TYPES)
    elif values:
        value = dice.choice(list(model.graph.input) or values) if way != 3 else dice.choice(values)
        if value.type.WhichOneof("value") == "tensor_type":
            value.type.tensor_type.elem_type = dice.choice(TYPES)
    # An output that declares nothing takes what the node makes, so that the change is seen further in.
    if dice.randrange(2):
        for output in model.graph.output:
            if output.type.WhichOneof("value") == "tensor_type":
                output.type.tensor_type.elem_type = 0


def mutate_edges(model, dice, operators):
    graph = dice.choice([graph for graph in all_graphs(model) if graph.node] or [model.graph])
    if not graph.node:
        return
    node = dice.choice(graph.node)
    names = [value.name for value in graph.input] + [tensor.name for tensor in graph.initializer] + [
        name for other in graph.node for name in other.output]
    way = dice.randrange(14)
    if way < 4 and node.input:
        node.input[dice.randrange(len(node.input))] = dice.choice(names or [""])
    elif way == 4 and node.input:
        node.input[dice.randrange(len(node.input))] = ""
    elif way == 5 and node.input:
        node.input.pop()
    elif way == 6:
        node.input.append(dice.choice(names or [""]))
    elif way == 7:
        node.output.append(dice.choice(("extra", "", *names)))
    elif way == 8 and node.output:
        node.output[dice.randrange(len(node.output))] = dice.choice(("", "renamed", *names))
    elif way in (9, 10):
        node.op_type = dice.choice(operators)
    elif way == 11 and model.opset_import:
        dice.choice(model.opset_import).version = dice.choice(OPSETS)
    elif way == 12 and graph.output:
        dice.choice(graph.output).name = dice.choice(("", "ghost", *names))
    elif len(node.input) > 1:
        order = list(node.input)
        dice.shuffle(order)
        node.input[:] = order


class Mutants:
    """The mutants of one seed."""

    def __init__(self, seed):
        names = cases.load_names(cases.__file__.replace("cases.py", "cases.txt"))
        self.seed = seed
        self.names = [name for name in names if "/" not in name]
        self.operators = sorted({schema.name for schema in onnx.defs.get_all_schemas() if schema.domain == ""})

    def make(self, index):
        """What mutant `index` is called, its kind, and its bytes."""
        dice = random.Random(f"{self.seed}/{index}")
        name, kind = dice.choice(self.names), KINDS[index % len(KINDS)]
        # Shapes, axes and pads are known to the compiler only as constants.
        mode = dice.choice((*cases.MODES, "constant") if kind != "dims" else cases.MODES)
        case = cases.find_case(name)
        model = onnx.load(case.folder / "model.onnx", load_external_data=False)
        try:
            cases.apply_mode(case, model, mode)
        except cases.NotATensor:
            mode = "static"
            model = onnx.load(case.folder / "model.onnx", load_external_data=False)
        change = {"attributes": mutate_attributes, "dims": mutate_dims, "types": mutate_types}.get(kind)
        for _ in range(dice.choice((1, 1, 2, 3, 4))):
            if kind == "edges":
                mutate_edges(model, dice, self.operators)
            elif change:
                change(model, dice)
        content = model.SerializeToString(deterministic=True)
        if kind == "bytes":
            content = mutate_bytes(content, dice)
        return f"{name}-{mode}", kind, content
