"""A few calls of the CUDA driver API by ctypes, to run PTX on the simulator from tests.

Settings are those of the environment, and are read by cuInit: one process has one chip.
"""

import ctypes
import os
import tempfile

import numpy as np


class CudaError(Exception):
    """A call failed; `name` is the driver's name of the error."""

    def __init__(self, call, code, name):
        super().__init__(f"{call}: {name} ({code})")
        self.name = name


class Driver:
    def __init__(self, library):
        self.library = ctypes.CDLL(library)
        self.call("cuInit", 0)
        context = ctypes.c_void_p()
        self.call("cuDevicePrimaryCtxRetain", ctypes.byref(context), 0)
        self.call("cuCtxPushCurrent_v2", context)

    def call(self, name, *arguments):
        code = getattr(self.library, name)(*arguments)
        if code:
            text = ctypes.c_char_p()
            self.library.cuGetErrorName(code, ctypes.byref(text))
            raise CudaError(name, code, text.value.decode() if text.value else "unknown")

    def load(self, image):
        module = ctypes.c_void_p()
        self.call("cuModuleLoadData", ctypes.byref(module), image if isinstance(image, bytes) else image.encode())
        return module

    def function(self, module, name):
        function = ctypes.c_void_p()
        self.call("cuModuleGetFunction", ctypes.byref(function), module, name.encode())
        return function

    def allocate(self, size):
        address = ctypes.c_uint64()
        self.call("cuMemAlloc_v2", ctypes.byref(address), ctypes.c_size_t(size))
        return address.value

    def free(self, address):
        self.call("cuMemFree_v2", ctypes.c_uint64(address))

    def upload(self, array):
        address = self.allocate(array.nbytes)
        self.call("cuMemcpyHtoD_v2", ctypes.c_uint64(address), array.ctypes.data_as(ctypes.c_void_p),
                  ctypes.c_size_t(array.nbytes))
        return address

    def download(self, address, dtype, shape):
        array = np.empty(shape, dtype)
        self.call("cuMemcpyDtoH_v2", array.ctypes.data_as(ctypes.c_void_p), ctypes.c_uint64(address),
                  ctypes.c_size_t(array.nbytes))
        return array

    def tensor_map(self, kind, address, dims, strides, box, swizzle=0, steps=None, fills_nan=False):
        """128 bytes for bulk tensor copies. Dims innermost first; strides in bytes, of all dims but that; kind: TENSOR_TYPES."""
        made = aligned_buffer(128, 64)
        rank = len(dims)
        self.call("cuTensorMapEncodeTiled", made, TENSOR_TYPES.index(kind), rank, ctypes.c_uint64(address),
                  (ctypes.c_uint64 * rank)(*dims), (ctypes.c_uint64 * max(1, rank - 1))(*strides),
                  (ctypes.c_uint32 * rank)(*box), (ctypes.c_uint32 * rank)(*(steps or [1] * rank)), 0, swizzle, 0, int(fills_nan))
        return made

    def im2col_map(self, kind, address, dims, strides, lower, upper, channels, pixels, swizzle=0, steps=None):
        """The same for boxes of pixels: dims are channels, one to three spatial dims, images."""
        made = aligned_buffer(128, 64)
        rank = len(dims)
        self.call("cuTensorMapEncodeIm2col", made, TENSOR_TYPES.index(kind), rank, ctypes.c_uint64(address),
                  (ctypes.c_uint64 * rank)(*dims), (ctypes.c_uint64 * (rank - 1))(*strides), (ctypes.c_int * (rank - 2))(*lower),
                  (ctypes.c_int * (rank - 2))(*upper), channels, pixels, (ctypes.c_uint32 * rank)(*(steps or [1] * rank)), 0, swizzle,
                  0, 0)
        return made

    def launch(self, function, grid, block, arguments, shared=0):
        """Launches, waits, and returns what the simulator said; a fault is raised after that."""
        values = [ctypes.c_uint64(a) if isinstance(a, int) else a for a in arguments]
        pointers = (ctypes.c_void_p * max(1, len(values)))(*[ctypes.addressof(value) for value in values])
        grid, block = (list(grid) + [1, 1])[:3], (list(block) + [1, 1])[:3]
        with Listening() as said:
            self.call("cuLaunchKernel", function, *map(ctypes.c_uint, grid + block), ctypes.c_uint(shared), None,
                      pointers, None)
            try:
                self.call("cuCtxSynchronize")
            except CudaError as error:
                said.fault = error.name
        return said


# CUtensorMapDataType, in order.
TENSOR_TYPES = ["u8", "u16", "u32", "s32", "u64", "s64", "f16", "f32", "f64", "bf16", "f32_ftz", "tf32", "tf32_ftz"]


def aligned_buffer(size, alignment):
    storage = (ctypes.c_ubyte * (size + alignment))()
    made = (ctypes.c_ubyte * size).from_buffer(storage, -ctypes.addressof(storage) % alignment)
    return made


class Listening:
    """What is written to stderr meanwhile, by whatever code."""

    fault = None

    def __enter__(self):
        self.file = tempfile.TemporaryFile()
        self.saved = os.dup(2)
        os.dup2(self.file.fileno(), 2)
        return self

    def __exit__(self, *_):
        os.dup2(self.saved, 2)
        os.close(self.saved)
        self.file.seek(0)
        self.text = self.file.read().decode()
        self.file.close()
