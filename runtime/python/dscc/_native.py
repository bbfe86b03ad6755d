"""The C API of dscc's runtime as ctypes sees it: structures, functions, errors as exceptions."""

from __future__ import annotations

import ctypes
import os
import pathlib
from typing import Any

LIBRARY = "libdscc_runtime.so"
MAX_RANK = 16


class Error(RuntimeError):
    """A call of the runtime failed, in the sentence that it said. `status` is a dscc_status of <dscc/dscc.h>."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class OpenOptions(ctypes.Structure):
    """dscc_open_options."""

    _fields_ = [("struct_bytes", ctypes.c_size_t), ("device", ctypes.c_int), ("device_ordinal", ctypes.c_int),
                ("threads", ctypes.c_int), ("skip_hashes", ctypes.c_int), ("cuda_driver", ctypes.c_char_p)]


class Buffer(ctypes.Structure):
    """dscc_buffer."""

    _fields_ = [("name", ctypes.c_char_p), ("dtype", ctypes.c_int), ("rank", ctypes.c_int),
                ("dims", ctypes.POINTER(ctypes.c_int64)), ("data", ctypes.c_void_p), ("bytes", ctypes.c_size_t),
                ("on_device", ctypes.c_int)]


class Tensor(ctypes.Structure):
    """dscc_tensor."""

    _fields_ = [("name", ctypes.c_char_p), ("dtype", ctypes.c_int32), ("rank", ctypes.c_int32),
                ("dims", ctypes.POINTER(ctypes.c_char_p)), ("default_weight", ctypes.c_uint64)]


_BUFFERS = ctypes.POINTER(Buffer)
_HANDLE = ctypes.c_void_p
_STATUS = ctypes.c_int

# Result and arguments of each function that is used here.
_FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "dscc_model_open": (_STATUS, [ctypes.c_char_p, ctypes.POINTER(OpenOptions), ctypes.POINTER(_HANDLE)]),
    "dscc_model_close": (None, [_HANDLE]),
    "dscc_signature_json": (ctypes.c_char_p, [_HANDLE]),
    "dscc_num_inputs": (ctypes.c_size_t, [_HANDLE]),
    "dscc_num_outputs": (ctypes.c_size_t, [_HANDLE]),
    "dscc_input": (ctypes.POINTER(Tensor), [_HANDLE, ctypes.c_size_t]),
    "dscc_output": (ctypes.POINTER(Tensor), [_HANDLE, ctypes.c_size_t]),
    "dscc_device_name": (ctypes.c_char_p, [_HANDLE]),
    "dscc_threads": (ctypes.c_int, [_HANDLE]),
    "dscc_output_dims": (_STATUS, [_HANDLE, _BUFFERS, ctypes.c_size_t, ctypes.c_size_t,
                                   ctypes.POINTER(ctypes.c_int64)]),
    "dscc_context_create": (_STATUS, [_HANDLE, ctypes.c_void_p, ctypes.POINTER(_HANDLE)]),
    "dscc_context_destroy": (None, [_HANDLE]),
    "dscc_run": (_STATUS, [_HANDLE, _BUFFERS, ctypes.c_size_t, _BUFFERS, ctypes.c_size_t, ctypes.c_void_p]),
    "dscc_device_allocate": (_STATUS, [_HANDLE, ctypes.c_size_t, ctypes.POINTER(ctypes.c_void_p)]),
    "dscc_device_free": (None, [_HANDLE, ctypes.c_void_p]),
    "dscc_device_write": (_STATUS, [_HANDLE, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]),
    "dscc_device_read": (_STATUS, [_HANDLE, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]),
    "dscc_device_wait": (_STATUS, [_HANDLE, ctypes.c_void_p]),
    "dscc_last_error": (ctypes.c_char_p, []),
    "dscc_version": (ctypes.c_char_p, []),
}


def _find_library() -> str:
    """Beside this file in a wheel, below the same root in a build folder or an installation, else the loader's."""
    here = pathlib.Path(__file__).resolve().parent
    root = here.parent.parent
    near = [here / LIBRARY, root.parent / "build" / "lib" / LIBRARY, root / LIBRARY, root / "lib" / LIBRARY]
    return os.environ.get("DSCC_RUNTIME") or next((str(path) for path in near if path.is_file()), LIBRARY)


def _load_library() -> ctypes.CDLL:
    loaded = ctypes.CDLL(_find_library())
    for name, (result, arguments) in _FUNCTIONS.items():
        function = getattr(loaded, name)
        function.restype, function.argtypes = result, arguments
    return loaded


# Its functions run without Python's lock, so that other threads go on.
library = _load_library()


def check(status: int) -> None:
    """Raises what the runtime said, if it did not say DSCC_OK."""
    if status != 0:
        raise Error(status, library.dscc_last_error().decode(errors="replace"))


def version() -> str:
    """The runtime's version, such as "0.1.0"."""
    text: bytes = library.dscc_version()
    return text.decode()


class Handle:
    """An opened dscc_model, closed when the last who needs it lets go: the Model, or a tensor on its device."""

    def __init__(self, path: str | os.PathLike[str], options: OpenOptions) -> None:
        self.value: int | None = None
        opened = _HANDLE()
        check(library.dscc_model_open(os.fsencode(path), ctypes.byref(options), ctypes.byref(opened)))
        self.value = opened.value

    def __del__(self) -> None:
        if self.value:
            library.dscc_model_close(self.value)
        self.value = None
