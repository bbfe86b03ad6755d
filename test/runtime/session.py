"""A model opened on the simulated GPU through the C API, and the number of calls that its driver has seen."""

import ctypes

import numpy as np

NUM_COLUMNS = 8  # of the tensors of a session's model: both are float32 of [n, 8]


class ContextOptions(ctypes.Structure):
    """dscc_context_options."""

    _fields_ = [("struct_bytes", ctypes.c_size_t), ("workspace", ctypes.c_void_p), ("workspace_bytes", ctypes.c_size_t),
                ("profile", ctypes.c_int), ("no_replay", ctypes.c_int)]


class Session:
    """The model opened on the simulator, and one context with these options. Needs the package dscc."""

    def __init__(self, artifact, simulator, **options):
        from dscc import _native  # loads the runtime

        self.native = _native
        opening = _native.OpenOptions(struct_bytes=ctypes.sizeof(_native.OpenOptions), device=2,
                                      cuda_driver=str(simulator).encode())
        self.model = _native.Handle(artifact, opening)
        self.library = ctypes.CDLL(str(simulator))
        self.library.dsccSimCalls.restype = ctypes.c_uint64
        self.context = ctypes.c_void_p()
        made = ContextOptions(struct_bytes=ctypes.sizeof(ContextOptions), **options)
        _native.check(_native.library.dscc_context_create(self.model.value, ctypes.byref(made), ctypes.byref(self.context)))

    def close(self):
        self.native.library.dscc_context_destroy(self.context)
        self.model = None

    def count(self, *names):
        return sum(self.library.dsccSimCalls(name.encode()) for name in names)

    def buffers(self, rows, source, target, on_device):
        dims = (ctypes.c_int64 * 2)(rows, NUM_COLUMNS)
        return [self.native.Buffer(name=None, dtype=1, rank=2, dims=dims, data=data, bytes=4 * NUM_COLUMNS * rows,
                                   on_device=on_device) for data in (source, target)]

    def enqueue(self, rows, source, target, stream=None, on_device=True):
        given, taken = self.buffers(rows, source, target, on_device)
        self.native.check(self.native.library.dscc_run(self.context, ctypes.byref(given), 1, ctypes.byref(taken), 1, stream))

    def run(self, x):
        """From and to the host."""
        y = np.full_like(x, -1)
        self.enqueue(len(x), x.ctypes.data, y.ctypes.data, on_device=False)
        return y
