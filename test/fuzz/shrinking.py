"""Makes a failing model small: whatever can go without the fault going with it, goes.

Tried in turn, until nothing helps: one output alone, a value of the middle as an input, a node without its work, fewer
elements along a dim, an attribute left out.
"""

import numpy as np
import onnx
from onnx import helper, numpy_helper

import reference

# Seconds are spent on compiling: so many tries at most.
MOST_TRIES = 300


def copy(model):
    return onnx.ModelProto.FromString(model.SerializeToString())


def prune(model, runs):
    """Without what no output needs."""
    needed = {output.name for output in model.graph.output}
    kept = []
    for node in reversed(model.graph.node):
        if needed & set(node.output):
            kept.append(node)
            needed |= set(node.input)
    nodes = list(reversed(kept))
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    for field in (model.graph.input, model.graph.initializer):
        entries = [entry for entry in field if entry.name in needed]
        del field[:]
        field.extend(entries)
    return model, [{name: array for name, array in inputs.items() if name in needed} for inputs in runs]


def with_outputs(model, runs, names):
    values = reference.evaluate(model, runs, samples=1)
    smaller = copy(model)
    del smaller.graph.output[:]
    smaller.graph.output.extend(
        helper.make_tensor_value_info(name, reference.element_type(values[name].dtype), [None] * values[name].rank)
        for name in names)
    return prune(smaller, runs)


def one_output(model, runs):
    names = [output.name for output in model.graph.output]
    if len(names) > 1:
        for name in names:
            yield with_outputs(model, runs, [name])


def earlier_output(model, runs):
    """The value before the last node, in place of its result."""
    outputs = {output.name for output in model.graph.output}
    for node in reversed(model.graph.node):
        if outputs & set(node.output):
            made = {name for other in model.graph.node for name in other.output}
            for name in node.input:
                if name in made:
                    yield with_outputs(model, runs, sorted((outputs - set(node.output)) | {name}))


def names_of_dims(model):
    """Sizes in each run to the name that a dim of these sizes has."""
    return {entry.name: [dim.dim_param for dim in entry.type.tensor_type.shape.dim] for entry in model.graph.input}


def cut(model, runs):
    """A result becomes an input with the same value, last nodes last."""
    values = reference.evaluate(model, runs, samples=1)
    names, named = names_of_dims(model), {}
    for entry, dims in names.items():
        for dim, sizes in zip(dims, values[entry].dims):
            if dim:
                named[sizes] = dim
    for node in model.graph.node:
        if len(node.output) != 1 or not any(node.input):
            continue
        name = node.output[0]
        dims = [sizes[0] if len(set(sizes)) == 1 else named.get(sizes, f"d{'_'.join(map(str, sizes))}")
                for sizes in values[name].dims]
        smaller = copy(model)
        del smaller.graph.node[:]
        smaller.graph.node.extend(other for other in model.graph.node if name not in other.output)
        smaller.graph.input.append(helper.make_tensor_value_info(name, reference.element_type(values[name].dtype),
                                                                 dims))
        inputs = [{**given, name: values[name].arrays[run][0]} for run, given in enumerate(runs)]
        if name not in {output.name for output in model.graph.output}:
            yield prune(smaller, inputs)


def bypass(model, runs):
    """A node's users read its input of the same type and dims."""
    values = reference.evaluate(model, runs, samples=1)
    outputs = {output.name for output in model.graph.output}
    for node in model.graph.node:
        result = values[node.output[0]]
        if len(node.output) != 1 or result.name in outputs:
            continue
        for name in node.input:
            if name and values[name].dims == result.dims and values[name].dtype == result.dtype:
                smaller = copy(model)
                for other in smaller.graph.node:
                    for index, read in enumerate(other.input):
                        if read == result.name:
                            other.input[index] = name
                yield prune(smaller, runs)
                break


def shorten(model, runs):
    """All inputs and initializers cut to fewer elements along the dims of one size."""
    sizes = sorted({size for inputs in runs for array in inputs.values() for size in array.shape if size > 1}
                   | {size for tensor in model.graph.initializer for size in tensor.dims if size > 1}, reverse=True)
    for size in sizes:
        for smaller_size in sorted({1, 2, size // 2}):
            if smaller_size >= size:
                continue

            def less(array):
                return np.ascontiguousarray(array[tuple(
                    slice(smaller_size if each == size else None) for each in array.shape)]).reshape(
                        [smaller_size if each == size else each for each in array.shape])

            smaller = copy(model)
            for entry in smaller.graph.input:
                for dim in entry.type.tensor_type.shape.dim:
                    if dim.dim_value == size:
                        dim.dim_value = smaller_size
            for tensor in smaller.graph.initializer:
                tensor.CopyFrom(numpy_helper.from_array(less(numpy_helper.to_array(tensor)), tensor.name))
            forget_results(smaller)
            yield smaller, [{name: less(array) for name, array in inputs.items()} for inputs in runs]


def forget_results(model):
    for output in model.graph.output:
        for dim in output.type.tensor_type.shape.dim:
            dim.Clear()


def fix_dims(model, runs):
    """One run, and its sizes as numbers."""
    if len(runs) > 1:
        for inputs in runs:
            smaller = copy(model)
            for entry in smaller.graph.input:
                for dim, size in zip(entry.type.tensor_type.shape.dim, inputs[entry.name].shape):
                    dim.dim_value = size
            forget_results(smaller)
            yield smaller, [inputs]
            yield copy(model), [inputs]


def fewer_attributes(model, runs):
    for index, node in enumerate(model.graph.node):
        for attribute in node.attribute:
            smaller = copy(model)
            fields = smaller.graph.node[index].attribute
            kept = [other for other in fields if other.name != attribute.name]
            del fields[:]
            fields.extend(kept)
            yield smaller, runs


STEPS = (one_output, fix_dims, earlier_output, cut, bypass, shorten, fewer_attributes)


def shrink(model, runs, still_fails, progress=lambda text: None):
    """The smallest model found for which `still_fails(model, runs)` is true, and its inputs."""
    tries = 0
    model, runs = prune(copy(model), runs)
    again = True
    while again and tries < MOST_TRIES:
        again = False
        for step in STEPS:
            found = True
            while found and tries < MOST_TRIES:
                found = False
                for smaller, inputs in step(model, runs):
                    tries += 1
                    if not smaller.graph.node or tries > MOST_TRIES:
                        continue
                    try:
                        fails = still_fails(smaller, inputs)
                    except Exception:  # no valid model, for any reason that an evaluator finds
                        fails = False
                    if fails:
                        model, runs, found, again = smaller, inputs, True, True
                        progress(f"{step.__name__}: {len(model.graph.node)} nodes")
                        break
    return model, runs
