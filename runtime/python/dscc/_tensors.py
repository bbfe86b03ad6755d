"""Tensors on their way into a run and out of it: memory on a device, and views of what the caller has."""

from __future__ import annotations

import ctypes
import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from . import _dlpack, _dtypes, _native


class _Memory:
    """A piece of the device's memory. It keeps the model open that it came from."""

    def __init__(self, handle: _native.Handle, nbytes: int) -> None:
        self.handle = handle
        self.pointer = 0
        place = ctypes.c_void_p()
        _native.check(_native.library.dscc_device_allocate(handle.value, nbytes, ctypes.byref(place)))
        self.pointer = place.value or 0

    def __del__(self) -> None:
        if self.pointer:
            _native.library.dscc_device_free(self.handle.value, self.pointer)


class DeviceTensor:
    """A tensor on a model's GPU. Libraries that speak DLPack take it as it lies there, `torch.from_dlpack(tensor)`
    for one; `numpy()` copies it to the host. It may outlive the Model that made it."""

    def __init__(self, handle: _native.Handle, ordinal: int, row: _dtypes.DataType, shape: tuple[int, ...],
                 stream: int | None) -> None:
        self.shape = shape
        self.nbytes = row.bytes * math.prod(shape)
        self._row = row
        self._ordinal = ordinal
        self._stream = stream
        self._memory = _Memory(handle, self.nbytes)

    @property
    def dtype(self) -> str:
        """The element type's name, as in the signature."""
        return self._row.name

    @property
    def pointer(self) -> int:
        """Its address on the device."""
        return self._memory.pointer

    def _wait(self) -> None:
        if self._stream is not None:
            _native.check(_native.library.dscc_device_wait(self._memory.handle.value, self._stream))

    def numpy(self) -> npt.NDArray[Any]:
        """A copy on the host, of the types that outputs have there."""
        self._wait()
        array = np.empty(self.shape, self._row.carrier)
        _native.check(_native.library.dscc_device_read(self._memory.handle.value, array.ctypes.data, self.pointer,
                                                       self.nbytes))
        return array

    def _write(self, array: npt.NDArray[Any]) -> None:
        _native.check(_native.library.dscc_device_write(self._memory.handle.value, self.pointer, array.ctypes.data,
                                                        self.nbytes))

    def __dlpack_device__(self) -> tuple[int, int]:
        """CUDA, and the number of the device."""
        return _dlpack.CUDA, self._ordinal

    def __dlpack__(self, *, stream: int | None = None, max_version: tuple[int, int] | None = None,
                   dl_device: tuple[int, int] | None = None, copy: bool | None = None) -> object:
        """Lends the memory. Where a run on a stream of the caller's wrote it, waits for that stream, unless the
        borrower goes on with the same one."""
        if dl_device is not None and tuple(dl_device) != self.__dlpack_device__():
            raise BufferError(f"the tensor lies on device {self.__dlpack_device__()} and is not moved to {dl_device}")
        if copy:
            raise BufferError("the tensor is lent as it lies there, not copied")
        if stream != self._stream and stream != -1:
            self._wait()
        return _dlpack.lend(self._memory, self.pointer, self.shape, self._row.code, self._row.bits,
                            self.__dlpack_device__(), max_version)

    def __repr__(self) -> str:
        return f"<dscc.DeviceTensor {self.dtype} {list(self.shape)} on cuda:{self._ordinal}>"


class Bound(NamedTuple):
    """One tensor of a run as the runtime takes it. `keep` is what the memory belongs to."""

    name: str
    number: int  # enum dscc_dtype
    shape: tuple[int, ...]
    pointer: int
    nbytes: int
    on_device: bool
    keep: object


def make_buffers(tensors: list[Bound]) -> ctypes.Array[_native.Buffer]:
    """The tensors for the C API. The result keeps their dims alive, not their memory."""
    buffers = (_native.Buffer * len(tensors))()
    for buffer, one in zip(buffers, tensors):
        dims = (ctypes.c_int64 * max(len(one.shape), 1))(*one.shape)
        buffer.name, buffer.dtype, buffer.rank = one.name.encode(), one.number, len(one.shape)
        buffer.dims = ctypes.cast(dims, ctypes.POINTER(ctypes.c_int64))
        buffer.data, buffer.bytes, buffer.on_device = one.pointer, one.nbytes, one.on_device
    return buffers


def bind_array(who: str, name: str, wanted: _dtypes.DataType | None, array: npt.NDArray[Any]) -> Bound:
    """An array in C order. Its type is the model's own where it holds that, else the array's, to be refused."""
    row = wanted if wanted and wanted.is_held_by(array.dtype) else _dtypes.of_numpy(array.dtype)
    if row is None:
        raise TypeError(f"{who} '{name}': no model has tensors of NumPy's {array.dtype}")
    return Bound(name, row.number, array.shape, array.ctypes.data, array.nbytes, False, array)


def bind_borrowed(who: str, name: str, wanted: _dtypes.DataType | None, lent: _dlpack.Borrowed,
                  ordinal: int | None) -> Bound:
    """A tensor that was lent. `ordinal` is the model's GPU, None if it runs on a CPU."""
    row = wanted if wanted and wanted.is_held_in(lent.code, lent.bits) else _dtypes.of_dlpack(lent.code, lent.bits)
    if row is None:
        raise TypeError(f"{who} '{name}': no model has tensors of DLPack's type {lent.code} of {lent.bits} bits")
    kind, number = lent.device
    on_device = kind in (_dlpack.CUDA, _dlpack.CUDA_MANAGED)
    if not on_device and kind not in (_dlpack.CPU, _dlpack.CUDA_HOST):
        raise ValueError(f"{who} '{name}' lies on a device of DLPack's kind {kind}; the host and CUDA are known")
    if kind == _dlpack.CUDA and ordinal is not None and number != ordinal:
        raise ValueError(f"{who} '{name}' lies on CUDA device {number}, but the model is on device {ordinal}; "
                         "copy it there first")
    if not lent.is_contiguous:
        raise ValueError(f"{who} '{name}' has strides {list(lent.strides)} for dims {list(lent.shape)}; tensors that "
                         "are used in place lie in C order without gaps, so make it contiguous first")
    return Bound(name, row.number, lent.shape, lent.pointer, row.bytes * math.prod(lent.shape), on_device, lent)


def bind_input(name: str, wanted: _dtypes.DataType | None, value: object, ordinal: int | None, stream: int) -> Bound:
    """What the caller gives for an input: an array or whatever NumPy makes one of, or a tensor that is lent."""
    if not isinstance(value, (np.ndarray, np.generic)) and isinstance(value, _dlpack.SupportsDLPack):
        return bind_borrowed("input", name, wanted, _dlpack.borrow(value, stream), ordinal)
    # ascontiguousarray would give an array without dims one.
    return bind_array("input", name, wanted, np.asarray(value, order="C"))


def bind_output(name: str, wanted: _dtypes.DataType, value: object, ordinal: int | None, stream: int) -> Bound:
    """Where the caller wants an output: an array in C order, or a tensor that is lent for writing."""
    if isinstance(value, np.ndarray):
        if not value.flags.c_contiguous:
            raise ValueError(f"output '{name}' is written in place, so its array must be in C order without gaps")
        if not value.flags.writeable:
            raise ValueError(f"output '{name}' is written in place, but its array is read-only")
        return bind_array("output", name, wanted, value)
    if not isinstance(value, _dlpack.SupportsDLPack):
        raise TypeError(f"output '{name}' goes to a NumPy array or a tensor that speaks DLPack, not to a "
                        f"{type(value).__name__}")
    lent = _dlpack.borrow(value, stream)
    if lent.is_read_only:
        raise ValueError(f"output '{name}' is written in place, but its tensor is lent for reading only")
    return bind_borrowed("output", name, wanted, lent, ordinal)
