"""dscc's runtime for Python: ctypes and NumPy, nothing else.

    model = dscc.Model("model.so")
    outputs = model.run({"x": numpy.ones((2, 4), numpy.float32)})     # a dict by output name

Types that NumPy lacks travel as raw integers of their width: bfloat16 as uint16, float8 as uint8, and types of
4 and 2 bits as one value a byte in int8 or uint8.

The library is the one named by the variable DSCC_RUNTIME, else the build folder's or installation's that this
file belongs to, else what the loader finds.
"""

import ctypes
import json
import os
import pathlib

import numpy as np

MAX_RANK = 16
LIBRARY = "libdscc_runtime.so"
DEVICES = {"auto": 0, "cpu": 1, "cuda": 2}

# Numbers of enum dscc_dtype, and the NumPy types that hold them.
NUMPY_TYPES = {1: np.float32, 2: np.uint8, 3: np.int8, 4: np.uint16, 5: np.int16, 6: np.int32, 7: np.int64,
               9: np.bool_, 10: np.float16, 11: np.float64, 12: np.uint32, 13: np.uint64, 16: np.uint16,
               17: np.uint8, 18: np.uint8, 19: np.uint8, 20: np.uint8, 21: np.uint8, 22: np.int8, 23: np.uint8,
               24: np.uint8, 25: np.uint8, 26: np.int8}
# What a NumPy array is by itself: the types that NumPy has come first and win.
OWN_TYPES = {np.dtype(kind): number for number, kind in reversed(NUMPY_TYPES.items())}


class Error(RuntimeError):
    """A call of the runtime failed. `status` is a dscc_status."""

    def __init__(self, status, sentence):
        super().__init__(sentence)
        self.status = status


class _OpenOptions(ctypes.Structure):
    _fields_ = [("struct_bytes", ctypes.c_size_t), ("device", ctypes.c_int), ("device_ordinal", ctypes.c_int),
                ("threads", ctypes.c_int), ("skip_hashes", ctypes.c_int), ("cuda_driver", ctypes.c_char_p)]


class _Buffer(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("dtype", ctypes.c_int), ("rank", ctypes.c_int),
                ("dims", ctypes.POINTER(ctypes.c_int64)), ("data", ctypes.c_void_p), ("bytes", ctypes.c_size_t),
                ("on_device", ctypes.c_int)]


class _Tensor(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("dtype", ctypes.c_int32), ("rank", ctypes.c_int32),
                ("dims", ctypes.POINTER(ctypes.c_char_p))]


_BUFFERS = ctypes.POINTER(_Buffer)
_HANDLE = ctypes.c_void_p

# Result and arguments of each function that is used here.
_FUNCTIONS = {
    "dscc_model_open": (ctypes.c_int, [ctypes.c_char_p, ctypes.POINTER(_OpenOptions), ctypes.POINTER(_HANDLE)]),
    "dscc_model_close": (None, [_HANDLE]),
    "dscc_signature_json": (ctypes.c_char_p, [_HANDLE]),
    "dscc_num_inputs": (ctypes.c_size_t, [_HANDLE]),
    "dscc_num_outputs": (ctypes.c_size_t, [_HANDLE]),
    "dscc_input": (ctypes.POINTER(_Tensor), [_HANDLE, ctypes.c_size_t]),
    "dscc_output": (ctypes.POINTER(_Tensor), [_HANDLE, ctypes.c_size_t]),
    "dscc_device_name": (ctypes.c_char_p, [_HANDLE]),
    "dscc_threads": (ctypes.c_int, [_HANDLE]),
    "dscc_output_dims": (ctypes.c_int, [_HANDLE, _BUFFERS, ctypes.c_size_t, ctypes.c_size_t,
                                        ctypes.POINTER(ctypes.c_int64)]),
    "dscc_context_create": (ctypes.c_int, [_HANDLE, ctypes.c_void_p, ctypes.POINTER(_HANDLE)]),
    "dscc_context_destroy": (None, [_HANDLE]),
    "dscc_run": (ctypes.c_int, [_HANDLE, _BUFFERS, ctypes.c_size_t, _BUFFERS, ctypes.c_size_t, ctypes.c_void_p]),
    "dscc_last_error": (ctypes.c_char_p, []),
    "dscc_version": (ctypes.c_char_p, []),
}


def _load_library():
    here = pathlib.Path(__file__).resolve().parent
    near = [here.parent.parent / "build" / "lib" / LIBRARY, here.parent / LIBRARY, here.parent / "lib" / LIBRARY]
    path = os.environ.get("DSCC_RUNTIME") or next((str(path) for path in near if path.is_file()), LIBRARY)
    library = ctypes.CDLL(path)
    for name, (result, arguments) in _FUNCTIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


_library = _load_library()


def _check(status):
    if status != 0:
        raise Error(status, _library.dscc_last_error().decode())


def version():
    return _library.dscc_version().decode()


def _make_buffers(names, dtypes, arrays):
    """The arrays as the runtime takes them. The result keeps their dims alive, not the arrays."""
    buffers = (_Buffer * len(arrays))()
    for buffer, name, dtype, array in zip(buffers, names, dtypes, arrays):
        dims = (ctypes.c_int64 * max(array.ndim, 1))(*array.shape)
        buffer.name, buffer.dtype, buffer.rank = name.encode(), dtype, array.ndim
        buffer.dims = ctypes.cast(dims, ctypes.POINTER(ctypes.c_int64))
        buffer.data, buffer.bytes = array.ctypes.data, array.nbytes
    return buffers


class Model:
    """An opened artifact. Runs take turns; open it once more for another run at the same time."""

    def __init__(self, path, device="auto", threads=0, device_ordinal=0, cuda_driver=None):
        self._context = self._model = None
        options = _OpenOptions(struct_bytes=ctypes.sizeof(_OpenOptions), device=DEVICES[device],
                               device_ordinal=device_ordinal, threads=threads,
                               cuda_driver=os.fsencode(cuda_driver) if cuda_driver else None)
        model, context = _HANDLE(), _HANDLE()
        _check(_library.dscc_model_open(os.fsencode(path), ctypes.byref(options), ctypes.byref(model)))
        self._model = model
        _check(_library.dscc_context_create(model, None, ctypes.byref(context)))
        self._context = context
        self.signature = json.loads(_library.dscc_signature_json(model))
        self.device = _library.dscc_device_name(model).decode()
        self.threads = _library.dscc_threads(model)
        self._inputs = self._describe(_library.dscc_num_inputs, _library.dscc_input)
        self._outputs = self._describe(_library.dscc_num_outputs, _library.dscc_output)

    def _describe(self, count, tensor):
        """Name to (dtype, rank), in the model's order."""
        tensors = [tensor(self._model, index).contents for index in range(count(self._model))]
        return {one.name.decode(): (one.dtype, one.rank) for one in tensors}

    def _dtype_of(self, name, array):
        """The model's own type where the array holds it, possibly as raw integers; else the array's, to be refused."""
        wanted = self._inputs[name][0] if name in self._inputs else None
        if wanted and array.dtype == NUMPY_TYPES[wanted]:
            return wanted
        if array.dtype not in OWN_TYPES:
            raise TypeError(f"input `{name}`: no model takes arrays of {array.dtype}")
        return OWN_TYPES[array.dtype]

    def run(self, inputs):
        """One inference: arrays by input name in, a dict of arrays by output name out."""
        if not self._context:
            raise ValueError("the model is closed")
        # ascontiguousarray would give an array without dims one.
        arrays = [np.asarray(array, order="C") for array in inputs.values()]
        dtypes = [self._dtype_of(name, array) for name, array in zip(inputs, arrays)]
        given = _make_buffers(list(inputs), dtypes, arrays)
        outputs = {}
        for index, (name, (dtype, rank)) in enumerate(self._outputs.items()):
            dims = (ctypes.c_int64 * MAX_RANK)()
            _check(_library.dscc_output_dims(self._model, given, len(given), index, dims))
            outputs[name] = np.empty(dims[:rank], NUMPY_TYPES[dtype])
        wanted = _make_buffers(list(outputs), [dtype for dtype, _ in self._outputs.values()], list(outputs.values()))
        _check(_library.dscc_run(self._context, given, len(given), wanted, len(wanted), None))
        return outputs

    def close(self):
        """Gives everything back; allowed twice."""
        if self._context:
            _library.dscc_context_destroy(self._context)
        if self._model:
            _library.dscc_model_close(self._model)
        self._context = self._model = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __del__(self):
        self.close()
