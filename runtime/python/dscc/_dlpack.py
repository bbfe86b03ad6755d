"""DLPack, the protocol by which array libraries lend each other tensors, in ctypes.

A tensor travels in a capsule named "dltensor_versioned" (from 1.0 on) or "dltensor". Who takes one over renames it
and calls its deleter; we only borrow: the capsule keeps its name and goes when the run is over.
https://dmlc.github.io/dlpack/latest/python_spec.html
"""

from __future__ import annotations

import ctypes
from typing import Any, NamedTuple, Protocol, runtime_checkable

CPU, CUDA, CUDA_HOST, CUDA_MANAGED = 1, 2, 3, 13  # enum DLDeviceType
VERSION = (1, 1)  # the newest that is spoken here; float8 came with it
READ_ONLY = 1  # DLPACK_FLAG_BITMASK_READ_ONLY
LEGACY_STREAM = 1  # how the protocol calls CUDA's default stream
VERSIONED, UNVERSIONED = b"dltensor_versioned", b"dltensor"


@runtime_checkable
class SupportsDLPack(Protocol):
    """What NumPy, PyTorch, CuPy, JAX and others give their tensors."""

    def __dlpack__(self, *args: Any, **keywords: Any) -> Any:
        """A capsule."""

    def __dlpack_device__(self) -> tuple[Any, int]:
        """Type and number of the device."""


class _DLTensor(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("device_type", ctypes.c_int32), ("device_id", ctypes.c_int32),
                ("ndim", ctypes.c_int32), ("code", ctypes.c_uint8), ("bits", ctypes.c_uint8),
                ("lanes", ctypes.c_uint16), ("shape", ctypes.POINTER(ctypes.c_int64)),
                ("strides", ctypes.POINTER(ctypes.c_int64)), ("byte_offset", ctypes.c_uint64)]


class _Unversioned(ctypes.Structure):
    """DLManagedTensor."""

    _fields_ = [("tensor", _DLTensor), ("manager", ctypes.c_void_p), ("deleter", ctypes.c_void_p)]


class _Versioned(ctypes.Structure):
    """DLManagedTensorVersioned. Of a newer major version only what stands before `flags` may be read."""

    _fields_ = [("major", ctypes.c_uint32), ("minor", ctypes.c_uint32), ("manager", ctypes.c_void_p),
                ("deleter", ctypes.c_void_p), ("flags", ctypes.c_uint64), ("tensor", _DLTensor)]


def _python(result: Any, name: str, *arguments: Any) -> Any:
    return ctypes.PYFUNCTYPE(result, *arguments)((name, ctypes.pythonapi))


_new_capsule = _python(ctypes.py_object, "PyCapsule_New", ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
_is_capsule = _python(ctypes.c_int, "PyCapsule_IsValid", ctypes.py_object, ctypes.c_char_p)
_get_pointer = _python(ctypes.c_void_p, "PyCapsule_GetPointer", ctypes.py_object, ctypes.c_char_p)
# A capsule that is being destroyed has no reference to spare, so its address is handed on.
_is_dying = _python(ctypes.c_int, "PyCapsule_IsValid", ctypes.c_void_p, ctypes.c_char_p)
_get_dying = _python(ctypes.c_void_p, "PyCapsule_GetPointer", ctypes.c_void_p, ctypes.c_char_p)


class Borrowed(NamedTuple):
    """Somebody's tensor, valid as long as `capsule` is."""

    pointer: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]  # in elements
    code: int
    bits: int
    device: tuple[int, int]
    is_read_only: bool
    capsule: object

    @property
    def is_contiguous(self) -> bool:
        """Whether it lies in C order without gaps."""
        expected = 1
        for dim, stride in zip(reversed(self.shape), reversed(self.strides)):
            if dim != 1 and stride != expected and 0 not in self.shape:
                return False
            expected *= dim
        return True


def borrow(tensor: SupportsDLPack, stream: int) -> Borrowed:
    """Asks for the tensor; on CUDA, such that work on `stream` (1: the default stream) sees what was written to it."""
    keywords: dict[str, Any] = {"stream": stream} if int(tensor.__dlpack_device__()[0]) == CUDA else {}
    try:
        capsule = tensor.__dlpack__(max_version=VERSION, **keywords)
    except TypeError:  # written before there were versions
        capsule = tensor.__dlpack__(**keywords)
    flags = 0
    if _is_capsule(capsule, VERSIONED):
        managed = _Versioned.from_address(_get_pointer(capsule, VERSIONED))
        if managed.major != VERSION[0]:
            raise BufferError(f"a tensor of DLPack {managed.major}.{managed.minor} was given; {VERSION[0]} is known")
        lent, flags = managed.tensor, managed.flags
    elif _is_capsule(capsule, UNVERSIONED):
        lent = _Unversioned.from_address(_get_pointer(capsule, UNVERSIONED)).tensor
    else:
        raise TypeError(f"the __dlpack__ of {type(tensor).__name__} gives no DLPack capsule")
    if lent.lanes != 1:
        raise TypeError(f"a tensor of vectors of {lent.lanes} elements was given; only single elements are known")
    shape = tuple(lent.shape[:lent.ndim])
    strides = tuple(lent.strides[:lent.ndim]) if lent.strides else _strides_of(shape)
    return Borrowed((lent.data or 0) + lent.byte_offset, shape, strides, lent.code, lent.bits,
                    (lent.device_type, lent.device_id), bool(flags & READ_ONLY), capsule)


def _strides_of(shape: tuple[int, ...]) -> tuple[int, ...]:
    strides = [1] * len(shape)
    for axis in reversed(range(len(shape) - 1)):
        strides[axis] = strides[axis + 1] * shape[axis + 1]
    return tuple(strides)


# What has been lent and not given back, by the address of its structure: the structure, its dims, and the owner of
# the memory.
_lent: dict[int, object] = {}


def _take_back(address: int) -> None:
    _lent.pop(address, None)


def _destroy(capsule: int) -> None:
    # A capsule with another name was taken over, and its new owner calls the deleter.
    for name in (VERSIONED, UNVERSIONED):
        if _is_dying(capsule, name):
            _take_back(_get_dying(capsule, name))


_deleter = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(_take_back)
_destructor = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(_destroy)
# A capsule may outlive this module while Python shuts down.
for _callback in (_deleter, _destructor):
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(_callback))


def lend(owner: object, pointer: int, shape: tuple[int, ...], code: int, bits: int, device: tuple[int, int],
         max_version: tuple[int, int] | None) -> object:
    """A capsule for memory that `owner` keeps alive, versioned if the borrower knows versions."""
    is_versioned = max_version is not None and max_version[0] >= VERSION[0]
    managed = _Versioned(VERSION[0], VERSION[1]) if is_versioned else _Unversioned()
    rank = len(shape)
    dims, strides = (ctypes.c_int64 * max(rank, 1))(*shape), (ctypes.c_int64 * max(rank, 1))(*_strides_of(shape))
    managed.deleter = ctypes.cast(_deleter, ctypes.c_void_p)
    managed.tensor = _DLTensor(pointer, *device, rank, code, bits, 1,
                               ctypes.cast(dims, ctypes.POINTER(ctypes.c_int64)),
                               ctypes.cast(strides, ctypes.POINTER(ctypes.c_int64)), 0)
    address = ctypes.addressof(managed)
    _lent[address] = (managed, dims, strides, owner)
    return _new_capsule(address, VERSIONED if is_versioned else UNVERSIONED,
                        ctypes.cast(_destructor, ctypes.c_void_p))
