"""The element types: what ONNX calls them, what NumPy holds them in, and how exact they are."""

import dataclasses

import ml_dtypes
import numpy as np
from onnx import TensorProto


@dataclasses.dataclass(frozen=True)
class Element:
    name: str
    onnx: int
    numpy: np.dtype
    precision: int = 0  # bits of a float's mantissa, the hidden one included
    min_exponent: int = 0  # of the smallest normal number 2 ** min_exponent

    @property
    def is_float(self):
        return self.precision > 0

    @property
    def is_integer(self):
        return self.precision == 0 and self.name != "bool"

    @property
    def sum_precision(self):
        """Of what sums of such numbers are made in: float32 for the short types."""
        return max(self.precision, 24)

    @property
    def wide(self):
        """The type that references compute in: double precision, and for double itself long double."""
        return np.longdouble if self.name == "f64" else np.float64

    def carried(self, array):
        """As the runtime takes it: types that NumPy lacks travel as raw integers of their width."""
        return array.view(f"u{array.itemsize}") if self.numpy.isbuiltin != 1 else array

    def from_carried(self, array):
        return array.view(self.numpy)


def _float(name, onnx, kind, precision, min_exponent):
    return Element(name, onnx, np.dtype(kind), precision, min_exponent)


ELEMENTS = {element.name: element for element in (
    _float("f32", TensorProto.FLOAT, np.float32, 24, -126),
    _float("f16", TensorProto.FLOAT16, np.float16, 11, -14),
    _float("bf16", TensorProto.BFLOAT16, ml_dtypes.bfloat16, 8, -126),
    _float("f64", TensorProto.DOUBLE, np.float64, 53, -1022),
    _float("e4m3", TensorProto.FLOAT8E4M3FN, ml_dtypes.float8_e4m3fn, 4, -6),
    _float("e5m2", TensorProto.FLOAT8E5M2, ml_dtypes.float8_e5m2, 3, -14),
    *[Element(f"{sign}{bits}", getattr(TensorProto, f"{'U' if sign == 'u' else ''}INT{bits}"),
              np.dtype(f"{'u' if sign == 'u' else ''}int{bits}")) for sign in "iu" for bits in (8, 16, 32, 64)],
    Element("bool", TensorProto.BOOL, np.dtype(bool)))}

FLOATS = ("f32", "f16", "bf16", "f64")
INTEGERS = ("i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64")

