"""Draws one random graph: a seed in, a model with inputs for each run out.

A graph grows node by node. A row of a table (rows_*.py) chooses among the values that there are, or asks for fresh
inputs and weights, and adds nodes; each is computed at once (reference.py), and dropped again if what it computes
cannot be judged or is too large. In a dynamic graph some dims of the inputs have names, and every value is computed
at two assignments of them.
"""

import dataclasses

import numpy as np
import onnx
from onnx import helper, numpy_helper

import reference

SIZES = (1, 2, 3, 4, 5, 7, 8, 16, 17, 33)
MOST_ELEMENTS = 4000
LARGEST_FLOAT = 60.0
LARGEST_INTEGER = 1 << 20
OPSETS = (9, 11, 12, 13, 14, 15, 16, 17, 18, 18, 19, 20, 21, 21, 22, 23, 23, 24, 24)
FLOATS = (np.float32, np.float16, np.float64)
INTEGERS = (np.int32, np.int64, np.int8, np.uint8)


class Unfit(Exception):
    """The row finds nothing to work on, or its result is of no use."""


@dataclasses.dataclass
class Row:
    """An operator or a variant of one. `draw(graph, row)` adds its nodes; `since` and `until` are opsets."""

    op: str
    draw: object
    since: int = 7
    until: int = 99
    weight: float = 1.0
    label: str = ""

    def __post_init__(self):
        self.label = self.label or self.op


@dataclasses.dataclass
class Drawn:
    model: onnx.ModelProto
    runs: list  # for each run the inputs by name
    mode: str
    operators: list


def schema_of(op, opset):
    try:
        return onnx.defs.get_schema(op, opset)
    except onnx.defs.SchemaError:
        return None


def spell(dtype):
    return {"float32": "tensor(float)", "float64": "tensor(double)"}.get(np.dtype(dtype).name,
                                                                       f"tensor({np.dtype(dtype).name})")


class Graph:
    """What has been drawn so far, and the dice."""

    def __init__(self, seed, dynamic, opset):
        self.random = np.random.default_rng(seed)
        self.opset = opset
        self.runs = 2 if dynamic else 1
        self.evaluator = reference.Evaluator(opset, self.runs)
        self.values, self.nodes, self.constants, self.inputs = {}, [], {}, {}
        self.symbols = {}  # sizes in each run -> name
        self.used = set()
        self.rows = []
        self.main = self.choose(FLOATS, (0.75, 0.13, 0.12))
        if dynamic:
            for name in ("n", "m", "k")[:self.integer(1, 3)]:
                sizes = tuple(int(size) for size in self.random.choice(SIZES[:9], 2, replace=False))
                self.symbols.setdefault(sizes, name)
        self.names = dict(self.symbols)  # those that inputs begin with

    # Dice.

    def choose(self, choices, weights=None):
        return choices[int(self.random.choice(len(choices), p=weights))]

    def chance(self, share):
        return bool(self.random.random() < share)

    def integer(self, low, high):
        """Both ends included."""
        return int(self.random.integers(low, high + 1))

    def fresh_name(self, letter):
        return f"{letter}{len(self.values)}"

    # Dims: a tuple with the size in each run.

    def fixed(self, size):
        return (int(size),) * self.runs

    def draw_dim(self, largest=33):
        if self.names and self.chance(0.5):
            return self.choose(sorted(self.names))
        return self.fixed(self.choose([size for size in SIZES if size <= largest]))

    def draw_dims(self, rank):
        while True:
            dims = tuple(self.draw_dim(33 if rank < 3 else 8) for _ in range(rank))
            if self.most(dims) <= MOST_ELEMENTS // 4:
                return dims

    def most(self, dims):
        return max(int(np.prod([dim[run] for dim in dims])) for run in range(self.runs))

    def shape(self, dims, run):
        return tuple(dim[run] for dim in dims)

    def is_fixed(self, dims):
        return all(len(set(dim)) == 1 for dim in dims)

    # Values out of nothing.

    def numbers(self, dtype, shape, low=None, high=None):
        dtype = np.dtype(dtype)
        if dtype.kind == "f":
            if low is None:
                return self.random.standard_normal(shape).astype(dtype)
            return self.random.uniform(low, high, shape).astype(dtype)
        if dtype.kind == "b":
            return self.random.random(shape) < 0.5
        low, high = (0 if dtype.kind == "u" else -9, 9) if low is None else (low, high)
        return self.random.integers(low, high + 1, shape).astype(dtype)

    def constant(self, array):
        """An initializer."""
        array = np.asarray(array)
        name = self.fresh_name("c")
        self.constants[name] = array
        self.values[name] = self.evaluator.given(name, [array] * self.runs, True)
        return self.values[name]

    def fresh(self, dims, dtype, low=None, high=None, weight=False):
        """An input, or a weight if one is asked for and its dims have no names."""
        if self.most(dims) > MOST_ELEMENTS:
            raise Unfit("a fresh input is too large")
        if weight and self.is_fixed(dims):
            return self.constant(self.numbers(dtype, self.shape(dims, 0), low, high))
        name = self.fresh_name("x")
        arrays = [self.numbers(dtype, self.shape(dims, run), low, high) for run in range(self.runs)]
        for dim in dims:
            if len(set(dim)) > 1:
                self.symbols.setdefault(dim, f"s{len(self.symbols)}")
        self.inputs[name] = dims
        self.values[name] = self.evaluator.given(name, arrays)
        return self.values[name]

    def fresh_main(self, rank=None):
        return self.fresh(self.draw_dims(self.choose((1, 2, 3, 4), (0.15, 0.35, 0.3, 0.2)) if rank is None else rank),
                          self.main)

    def weight(self, shape, dtype, scale=1.0):
        """A weight of standard deviation `scale`, mostly an initializer."""
        dims = tuple(self.fixed(size) for size in shape)
        values = self.fresh(dims, dtype, weight=self.chance(0.8))
        if np.dtype(dtype).kind == "f":
            for samples in values.arrays:
                for array in {id(array): array for array in samples}.values():
                    array *= np.asarray(scale, dtype)
        return values

    # Values that there are.

    def pick(self, dtypes=None, ranks=range(0, 6), accept=None, fresh=True):
        """A value of one of the types: mostly a late one, sometimes any, else a fresh input where `fresh` allows."""
        dtypes = [np.dtype(dtype) for dtype in (dtypes or [self.main])]
        found = [value for value in self.values.values()
                 if not value.constant and value.dtype in dtypes and value.rank in ranks
                 and (accept is None or accept(value))]
        if fresh and (not found or self.chance(0.08)):
            kinds = [self.main] if np.dtype(self.main) in dtypes else dtypes
            rank = self.choose([rank for rank in ranks if rank <= 5])
            value = self.fresh(self.draw_dims(rank), self.choose(kinds))
            if accept and not accept(value):
                raise Unfit("a fresh input does not suit")
            return value
        if not found:
            raise Unfit("no value suits")
        unused = [value for value in found if value.name not in self.used]
        if unused and self.chance(0.5):
            return self.choose(unused)
        return self.choose(found[-4:]) if self.chance(0.5) else self.choose(found)

    def operand(self, value, low=None, high=None, towards=False):
        """A second operand for `value`: one that broadcasts with it (or to it: `towards`), there already or fresh."""
        def suits(other):
            try:
                shapes = [np.broadcast_shapes(*pair) for pair in zip(self.shapes(value), self.shapes(other))]
            except ValueError:
                return False
            return not towards or shapes == self.shapes(value)

        if low is None and self.chance(0.6):
            try:
                return self.pick([value.dtype], accept=suits, fresh=False)
            except Unfit:
                pass
        dims = [self.fixed(1) if self.chance(0.25) else dim for dim in value.dims]
        dims = dims[self.integer(0, len(dims)):] if self.chance(0.4) else dims
        return self.fresh(tuple(dims), value.dtype, low, high, weight=self.chance(0.6))

    def shapes(self, value):
        return [self.shape(value.dims, run) for run in range(self.runs)]

    # Nodes.

    def add(self, op, inputs, outputs=1, **attributes):
        """Adds a node, and returns its result, or a list if there are several. Unfit if it cannot be used."""
        schema = schema_of(op, self.opset)
        if schema is None:
            raise Unfit(f"{op} is not in opset {self.opset}")
        for index, value in enumerate(inputs):
            formal = schema.inputs[min(index, len(schema.inputs) - 1)]
            if value is not None and spell(value.dtype) not in formal.types:
                raise Unfit(f"{op} does not take {value.dtype}")
        names = [value.name if value is not None else "" for value in inputs]
        while names and not names[-1]:
            names.pop()
        base = f"v{len(self.values)}"
        results = [base] if outputs == 1 else [f"{base}_{index}" for index in range(outputs)]
        node = helper.make_node(op, names, results, name=f"{op}_{len(self.nodes)}",
                                **{key: entry for key, entry in attributes.items() if entry is not None})
        try:
            values = self.evaluator.compute(node, list(inputs[:len(names)]))
        except reference.Refused as reason:
            raise Unfit(f"{op} is refused: {reason}") from None
        for value in values:
            self.check_use(op, value)
        self.nodes.append(node)
        self.values.update({value.name: value for value in values})
        self.used.update(name for name in names if name)
        return values[0] if outputs == 1 else values

    def check_use(self, op, value):
        if self.most(value.dims) > MOST_ELEMENTS or value.rank > 6:
            raise Unfit(f"{op}'s result is too large")
        if min((size for dim in value.dims for size in dim), default=1) == 0:
            raise Unfit(f"{op}'s result is empty")
        word = reference.check_stable(value)
        if word:
            raise Unfit(f"{op}'s result: {word}")
        largest = LARGEST_FLOAT if value.dtype.kind == "f" else LARGEST_INTEGER
        for samples in value.arrays:
            if value.dtype.kind in "fi" and np.max(np.abs(samples[0].astype(np.float64))) > largest:
                raise Unfit(f"{op}'s result is too large a number")


def restore(graph, marks):
    """Takes away what a failed row has left."""
    count, values, inputs, constants, used, symbols = marks
    del graph.nodes[count:]
    for table, kept in ((graph.values, values), (graph.inputs, inputs), (graph.constants, constants),
                        (graph.symbols, symbols)):
        for name in [name for name in table if name not in kept]:
            del table[name]
    graph.used = used


def grow(graph, rows, wanted, complaints=None):
    """Adds rows until there are enough nodes. Rows that are rare so far over all graphs weigh as much as others."""
    rows = [row for row in rows if row.since <= graph.opset <= row.until]
    weights = np.array([row.weight for row in rows])
    weights /= weights.sum()
    tries = 0
    while len(graph.nodes) < wanted and tries < 12 * wanted + 40:
        tries += 1
        row = graph.choose(rows, weights)
        marks = (len(graph.nodes), set(graph.values), set(graph.inputs), set(graph.constants), set(graph.used),
                 set(graph.symbols))
        try:
            row.draw(graph, row)
            graph.rows.append(row.label)
        except Unfit as reason:
            restore(graph, marks)
            if complaints is not None:
                complaints.append((row.label, str(reason)))


def tensor_info(graph, value):
    dims = [dim[0] if len(set(dim)) == 1 else graph.symbols.get(dim, None) for dim in value.dims]
    return helper.make_tensor_value_info(value.name, reference.element_type(value.dtype), dims)


def finish(graph, mode):
    """The model: all that nobody uses is an output, and some of what is used."""
    made = [name for node in graph.nodes for name in node.output]
    outputs = [name for name in made if name not in graph.used or graph.chance(0.06)]
    read = {name for node in graph.nodes for name in node.input} | set(outputs)
    constants = [numpy_helper.from_array(array, name) for name, array in graph.constants.items() if name in read]
    # An output is declared by rank only where the graph computes its dims.
    model = helper.make_model(
        helper.make_graph(graph.nodes, "random", [tensor_info(graph, graph.values[name]) for name in graph.inputs
                                                  if name in read],
                          [tensor_info(graph, graph.values[name]) for name in outputs], constants),
        opset_imports=[helper.make_opsetid("", graph.opset)], ir_version=10)
    inputs = [name for name in graph.inputs if name in read]
    runs = [{name: graph.values[name].arrays[run][0] for name in inputs} for run in range(graph.runs)]
    return Drawn(model, runs, mode, graph.rows)


def draw(seed, index, rows, complaints=None):
    """Graph number `index` of the seed, always the same: the even ones are static, the odd ones dynamic."""
    random = np.random.default_rng([seed, index])
    dynamic = index % 2 == 1
    opset = OPSETS[int(random.integers(len(OPSETS)))]
    wanted = 5 + int(35 * random.random() ** 2.5)
    graph = Graph([seed, index, 1], dynamic, opset)
    for _ in range(graph.integer(1, 3)):
        graph.fresh_main()
    if graph.chance(0.4):
        graph.fresh(graph.draw_dims(graph.integer(1, 3)), graph.choose(INTEGERS))
    grow(graph, rows, wanted, complaints)
    return finish(graph, "dynamic" if dynamic else "static")
