"""Runs an artifact made of a family's cases at some sizes, and judges each result. This happens in a worker."""

import numpy as np

import families
import graphs
import tolerances
from elements import ELEMENTS


def as_wide(value, element):
    """As a reference wants it: floats in double precision, all else as it is."""
    return value.astype(element.wide) if value.dtype.kind not in "iub" else value


def expectations(case, family, kind, arrays):
    """For each result: (expected, what bounds the error of its sums)."""
    element = ELEMENTS[kind]
    operands = []
    for operand in case.operands():
        if isinstance(operand, str):
            value = arrays[operand]
        else:
            value = operand if isinstance(operand, np.ndarray) else operand.make(element)
        operands.append(as_wide(value, element))
    with np.errstate(all="ignore"):
        made = case.reference(*operands)
    results = made if isinstance(made, tuple) else (made,)
    magnitude = results[-1] if isinstance(results[-1], tolerances.Magnitude) else None
    return [(np.asarray(result), magnitude) for result in results if not isinstance(result, tolerances.Magnitude)]


def carry(family, kind, arrays):
    """As the runtime takes them."""
    return {name: family.element(kind, family.inputs[name].kind).carried(array) for name, array in arrays.items()}


def judge(case, family, kind, arrays, outputs):
    """(worst error in tolerances, what is wrong or None)"""
    worst = 0.0
    for name, out, (expected, magnitude) in zip(graphs.output_names(case), case.out,
                                                expectations(case, family, kind, arrays)):
        element = ELEMENTS[out or kind]
        got = element.from_carried(outputs[name])
        if got.shape != expected.shape:
            return np.inf, f"{name} has the shape {list(got.shape)}, {list(expected.shape)} is right"
        wrong, far, place = tolerances.compare(got, expected, magnitude, element, case.tolerance)
        worst = max(worst, far)
        if wrong:
            at = [int(index) for index in np.unravel_index(place, got.shape)]
            return far, (f"{name}: {wrong} of {got.size} are wrong; at {at} it is {got[tuple(at)]}, and "
                         f"{expected[tuple(at)]} is right ({far:.3g} times what is allowed: {case.tolerance.text})")
    return worst, None


def run(task, emit, settings):
    """Emits for each size {"size", "passed", "worst", "failures": [[case, text]]}, or {"size", "error"}."""
    import dscc

    family = families.FAMILIES[task["family"]]
    cases = [case for case in family.cases if case.name in task["cases"]]
    model = dscc.Model(task["artifact"], **settings)
    for size in task["sizes"]:
        arrays = family.make_inputs(task["type"], size, task["seed"], task["inputs"])
        emit({"begins": size})
        try:
            outputs = model.run(carry(family, task["type"], arrays))
        except dscc.Error as error:
            emit({"size": size, "error": str(error), "status": error.status})
            if error.status == 6:  # the device failed: its context is of no use any more
                raise SystemExit(3) from None
            continue
        report = {"size": size, "passed": 0, "results": 0, "worst": {}, "failures": []}
        for case in cases:
            far, text = judge(case, family, task["type"], arrays, outputs)
            report["results"] += sum(outputs[name].size for name in graphs.output_names(case))
            report["worst"][case.name] = min(far, 1e30)
            if text:
                report["failures"].append([case.name, text])
            else:
                report["passed"] += 1
        emit(report)
    model.close()
