"""Element types: how the runtime counts and names them, and what NumPy, ml_dtypes and DLPack make of them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

# enum DLDataTypeCode.
INT, UINT, FLOAT, BFLOAT, BOOL = 0, 1, 2, 4, 6
E4M3FN, E4M3FNUZ, E5M2, E5M2FNUZ, E8M0FNU = 10, 11, 12, 13, 14


class DataType(NamedTuple):
    """One row a type."""

    number: int  # enum dscc_dtype
    name: str  # as in the signature
    carrier: type[np.generic]  # NumPy's type that holds it, as raw integers if NumPy lacks it
    code: int  # of DLPack; types of less than 8 bits travel as bytes there too, a value each
    bits: int
    foreign: str = ""  # the name in ml_dtypes of a type of the same bytes, for those that NumPy lacks

    @property
    def bytes(self) -> int:
        """Of one element in memory."""
        return np.dtype(self.carrier).itemsize

    def is_held_by(self, dtype: np.dtype[Any]) -> bool:
        """Whether an array of this NumPy type holds such values: as they are, or as raw integers."""
        return dtype == self.carrier or (bool(self.foreign) and dtype.name == self.foreign)

    def is_held_in(self, code: int, bits: int) -> bool:
        """The same for a tensor that DLPack describes so."""
        raw = (UINT if np.dtype(self.carrier).kind == "u" else INT, 8 * self.bytes)
        return (code, bits) == (self.code, self.bits) or (self.number >= FIRST_RAW and (code, bits) == raw)


FIRST_RAW = 16  # from this number on NumPy lacks the types
# Those that NumPy has come first: they win where an array is taken by itself. ml_dtypes keeps int4 and int2 without
# their sign in the upper bits, so those are not the same bytes.
_ROWS = [
    DataType(1, "float32", np.float32, FLOAT, 32),
    DataType(2, "uint8", np.uint8, UINT, 8),
    DataType(3, "int8", np.int8, INT, 8),
    DataType(4, "uint16", np.uint16, UINT, 16),
    DataType(5, "int16", np.int16, INT, 16),
    DataType(6, "int32", np.int32, INT, 32),
    DataType(7, "int64", np.int64, INT, 64),
    DataType(9, "bool", np.bool_, BOOL, 8),
    DataType(10, "float16", np.float16, FLOAT, 16),
    DataType(11, "float64", np.float64, FLOAT, 64),
    DataType(12, "uint32", np.uint32, UINT, 32),
    DataType(13, "uint64", np.uint64, UINT, 64),
    DataType(16, "bfloat16", np.uint16, BFLOAT, 16, "bfloat16"),
    DataType(17, "float8e4m3fn", np.uint8, E4M3FN, 8, "float8_e4m3fn"),
    DataType(18, "float8e4m3fnuz", np.uint8, E4M3FNUZ, 8, "float8_e4m3fnuz"),
    DataType(19, "float8e5m2", np.uint8, E5M2, 8, "float8_e5m2"),
    DataType(20, "float8e5m2fnuz", np.uint8, E5M2FNUZ, 8, "float8_e5m2fnuz"),
    DataType(21, "uint4", np.uint8, UINT, 8, "uint4"),
    DataType(22, "int4", np.int8, INT, 8),
    DataType(23, "float4e2m1", np.uint8, UINT, 8, "float4_e2m1fn"),
    DataType(24, "float8e8m0", np.uint8, E8M0FNU, 8, "float8_e8m0fnu"),
    DataType(25, "uint2", np.uint8, UINT, 8, "uint2"),
    DataType(26, "int2", np.int8, INT, 8),
]
BY_NUMBER = {row.number: row for row in _ROWS}


def of_numpy(dtype: np.dtype[Any]) -> DataType | None:
    """What an array of this type is by itself; None if no model takes it."""
    return next((row for row in _ROWS if row.is_held_by(dtype)), None)


def of_dlpack(code: int, bits: int) -> DataType | None:
    """What a tensor that DLPack describes so is by itself; None if no model takes it."""
    return next((row for row in _ROWS if (code, bits) == (row.code, row.bits)), None)
