"""From each type to each: whole numbers wrap, floats are rounded to the nearest, and towards zero to whole numbers."""

import numpy as np

import values
from cases import Family, Input, case, few, same
from elements import ELEMENTS, FLOATS, INTEGERS
from tolerances import EXACT, ROUNDED

SOURCES = FLOATS + INTEGERS + ("bool",)


def within_a_byte(random, shape, element):
    """Floats that every whole type holds; whole numbers of all sizes."""
    if not element.is_float:
        return values.anything(random, shape, element)
    return random.uniform(0, 127, shape).astype(element.numpy)


def convert(target):
    element = ELEMENTS[target]

    def reference(x):
        if target == "bool":
            return x != 0
        if element.is_float:
            return x.astype(element.wide) if x.dtype.kind not in "iu" else x.astype(np.longdouble)
        return np.trunc(x).astype(np.int64).astype(element.numpy) if x.dtype.kind == "f" else x.astype(element.numpy)
    return reference


def saturated(target):
    """To an 8-bit float: what is beyond its largest number becomes that."""
    element = ELEMENTS[target]

    def reference(x):
        wide = np.asarray(x, np.float64)
        limit = float({"e4m3": 448, "e5m2": 57344}[target])
        return np.where(np.isnan(wide), wide, np.clip(wide, -limit, limit)).astype(np.float32).astype(element.numpy)
    return reference


FAMILIES = [Family(
    "casts", {"x": Input(["n", "m"], within_a_byte), "wide": Input(["n", "m"], values.anything)}, {"n": few, "m": same},
    [*[case(f"to_{target}", "Cast", ["x"], convert(target), ROUNDED if target in FLOATS else EXACT, out=target,
            to=ELEMENTS[target].onnx) for target in SOURCES],
     *[case(f"wide_to_{target}", "Cast", ["wide"], convert(target), ROUNDED, types=FLOATS, out=target,
            to=ELEMENTS[target].onnx) for target in FLOATS],
     *[case(f"to_{target}", "Cast", ["wide"], saturated(target), types=("f32", "f16", "bf16"), out=target,
            to=ELEMENTS[target].onnx) for target in ("e4m3", "e5m2")]],
    types=SOURCES, sizes=(1, 7, 33, 127, 1025), fixed_sizes=(128,))]
