"""What a case is: an operator on the inputs of its family, what it means in double precision, how near is near enough.

A family shares its inputs among its cases, and all of them become the outputs of one model: so each type is compiled once.
A newcomer adds a line to a table in families/:

    case("relu", "Relu", ["x"], lambda x: np.maximum(x, 0))
    case("sum_rows", "ReduceSum", ["x", ints(1)], lambda x, axes: summed(x, 1), SUM, keepdims=0)

The reference gets the operands in order, each once: floats in double precision (float64 itself as long double), integers
as they are. It returns the result, or for a SUM the result and the sum of the magnitudes of what is added.
"""

import dataclasses
import typing

import numpy as np

import tolerances
import values
from elements import ELEMENTS, FLOATS

SIZES = (1, 3, 7, 17, 33, 127, 255, 1025)
OPSET = 23


@dataclasses.dataclass(frozen=True)
class Weight:
    """A constant of the family's type: normal numbers, seeded."""

    dims: tuple
    seed: int = 1
    scale: float = 1.0

    def make(self, element):
        random = np.random.default_rng(self.seed)
        if element.is_float:
            return (random.standard_normal(self.dims) * self.scale).astype(element.numpy)
        return values.normal(random, self.dims, element)


def weight(*dims, seed=1):
    """Scaled so that a product of the last dims keeps the size of its other operand."""
    return Weight(dims, seed, 1 / np.sqrt(max(1, np.prod(dims[1:]))))


@dataclasses.dataclass(frozen=True)
class Scalar:
    """A constant of the family's type with a given value: a number or a list of them."""

    value: typing.Any

    def make(self, element):
        return np.array(self.value).astype(element.numpy)


def scalar(value):
    return Scalar(value)


def ints(*numbers):
    """A constant of int64 with one dim."""
    return np.array(numbers, np.int64)


@dataclasses.dataclass(frozen=True)
class Node:
    """`inputs`: names of the family's inputs, constants, None, or "$k", the result of the case's k-th node."""

    operator: str
    inputs: list
    attributes: dict
    results: int = 1


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    nodes: list
    reference: typing.Callable
    tolerance: tolerances.Tolerance
    types: typing.Optional[tuple]  # of the family's, or None for all
    out: tuple  # a type's name for each result; None is the family's own

    def operands(self):
        """What the reference takes: each name and constant once, in order."""
        seen = []
        for node in self.nodes:
            for operand in node.inputs:
                is_inner = isinstance(operand, str) and operand.startswith("$")
                if operand is not None and not is_inner and not any(operand is other for other in seen):
                    seen.append(operand)
        return seen


def node(operator, inputs, results=1, **attributes):
    return Node(operator, inputs, attributes, results)


def case(name, operator, inputs, reference, tolerance=tolerances.EXACT, *, types=None, out=(None,), **attributes):
    """One node. `out`: the types of its results where they are not the family's."""
    out = (out,) if isinstance(out, str) else out
    return Case(name, [Node(operator, inputs, attributes, len(out))], reference, tolerance, types, out)


def chain(name, nodes, reference, tolerance=tolerances.EXACT, *, types=None, out=(None,)):
    """Several nodes, the last of which has the results."""
    out = (out,) if isinstance(out, str) else out
    return Case(name, nodes, reference, tolerance, types, out)


@dataclasses.dataclass(frozen=True)
class Input:
    """Dims are numbers and names; `kind` is a type's name, or None for the family's own."""

    dims: list
    make: typing.Callable = values.normal
    kind: typing.Optional[str] = None


@dataclasses.dataclass(frozen=True)
class Family:
    name: str
    inputs: dict  # name: Input
    dims: dict  # name of a dim: its value as a function of the size
    cases: list
    types: tuple = FLOATS
    sizes: tuple = SIZES
    # Sizes that are compiled for by themselves as well: kernels of known dims are other kernels.
    fixed_sizes: tuple = (33, 128)
    opset: int = OPSET

    def cases_of(self, kind):
        return [one for one in self.cases if one.types is None or kind in one.types]

    def element(self, kind, name=None):
        return ELEMENTS[name or kind]

    def make_inputs(self, kind, size, seed, names=None):
        """The arrays of the inputs with these names, in their own types. Each has its own stream of random numbers."""
        dims = {name: rule(size) for name, rule in self.dims.items()}
        arrays = {}
        for index, (name, one) in enumerate(self.inputs.items()):
            if names is None or name in names:
                shape = [dims.get(dim, dim) for dim in one.dims]
                random = np.random.default_rng([seed, size, index])
                arrays[name] = one.make(random, shape, self.element(kind, one.kind))
        return arrays


def same(size):
    return size


def few(size):
    return 1 + size % 5


def some(size):
    return 1 + size % 37
