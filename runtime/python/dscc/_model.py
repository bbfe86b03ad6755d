"""Models and their runs."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import threading
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _dlpack, _dtypes, _native, _tensors
from ._tensors import DeviceTensor

_DEVICES = {"auto": 0, "cpu": 1, "cuda": 2}
_OWN_STREAM = 0  # NULL: a context's own


class _Pool:
    """The contexts of a model: one for each run in flight, kept for the next one. `limit` bounds how many there are;
    further runs wait for their turn."""

    def __init__(self, handle: _native.Handle, limit: int | None) -> None:
        self._handle = handle
        self._limit = limit
        # By the stream that they last ran on: what is enqueued there may still be under way, and the next run may
        # use the same memory only if it comes after it.
        self._idle: dict[int, list[int]] = {}
        self._changed = threading.Condition()
        self._is_closed = False
        self.count = 0
        self._busy = 0

    def _pop_idle(self, stream: int) -> int | None:
        contexts = self._idle.get(stream)
        return contexts.pop() if contexts else None

    def _take(self, stream: int) -> int:
        with self._changed:
            while True:
                if self._is_closed:
                    raise ValueError("the model is closed")
                context = self._pop_idle(stream)
                if context is not None:
                    self._busy += 1
                    return context
                if self._limit is None or self.count < self._limit:
                    break
                other = next((one for one in map(self._pop_idle, list(self._idle)) if one is not None), None)
                if other is not None:  # of another stream; freeing its memory waits for the work there
                    _native.library.dscc_context_destroy(other)
                    self.count -= 1
                    break
                self._changed.wait()
            self.count += 1
            self._busy += 1
        created = ctypes.c_void_p()
        try:
            _native.check(_native.library.dscc_context_create(self._handle.value, None, ctypes.byref(created)))
        except _native.Error:
            with self._changed:
                self.count -= 1
                self._busy -= 1
                self._changed.notify_all()
            raise
        return created.value or 0

    def _give_back(self, context: int, stream: int) -> None:
        with self._changed:
            self._idle.setdefault(stream, []).append(context)
            self._busy -= 1
            self._changed.notify_all()

    @contextlib.contextmanager
    def lease(self, stream: int) -> Iterator[int]:
        """A context for one run on a stream."""
        context = self._take(stream)
        try:
            yield context
        finally:
            self._give_back(context, stream)

    def close(self) -> None:
        """Refuses runs from now on, waits for those in flight, and gives the contexts back."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
            while self._busy:
                self._changed.wait()
            idle, self._idle, self.count = self._idle, {}, 0
        for contexts in idle.values():
            for context in contexts:
                _native.library.dscc_context_destroy(context)


class Model:
    """An opened artifact, for any number of threads at once."""

    def __init__(self, path: str | os.PathLike[str], device: str = "auto", threads: int = 0, device_ordinal: int = 0,
                 cuda_driver: str | os.PathLike[str] | None = None, max_contexts: int | None = None) -> None:
        """`device` is auto (CUDA if a driver, a GPU and code for it are there, else the CPU), cpu or cuda;
        `device_ordinal` says which GPU. `threads` are those of the CPU's pool, which all runs share; 0: one a core.
        `cuda_driver` is loaded in place of libcuda.so.1. Each run in flight needs a context with memory of its own;
        they are made when needed and kept until the model is closed. `max_contexts` bounds their number: further
        runs wait."""
        self._pool: _Pool | None = None
        if device not in _DEVICES:
            raise ValueError(f"a model runs on {', '.join(_DEVICES)}, not on '{device}'")
        if max_contexts is not None and max_contexts < 1:
            raise ValueError(f"max_contexts is {max_contexts}; a run needs one")
        options = _native.OpenOptions(struct_bytes=ctypes.sizeof(_native.OpenOptions), device=_DEVICES[device],
                                      device_ordinal=device_ordinal, threads=threads,
                                      cuda_driver=os.fsencode(cuda_driver) if cuda_driver else None)
        self._handle: _native.Handle | None = _native.Handle(path, options)
        model = self._handle.value
        self.signature: dict[str, Any] = json.loads(_native.library.dscc_signature_json(model))
        self.device: str = _native.library.dscc_device_name(model).decode()
        self.threads: int = _native.library.dscc_threads(model)
        self._ordinal = device_ordinal if self.device.startswith("cuda") else None
        self._inputs = self._describe(_native.library.dscc_num_inputs, _native.library.dscc_input)
        self._outputs = self._describe(_native.library.dscc_num_outputs, _native.library.dscc_output)
        # Last: a model that did not open has no runs to wait for.
        self._pool = _Pool(self._handle, max_contexts)

    def _describe(self, count: Any, tensor: Any) -> dict[str, tuple[_dtypes.DataType, int]]:
        """Name to type and rank, in the model's order."""
        assert self._handle
        model = self._handle.value
        tensors = [tensor(model, index).contents for index in range(count(model))]
        return {one.name.decode(): (_dtypes.BY_NUMBER[one.dtype], one.rank) for one in tensors}

    @property
    def num_contexts(self) -> int:
        """How many contexts there are, idle or running."""
        return self._pool.count if self._pool else 0

    def run(self, inputs: Mapping[str, Any], outputs: Mapping[str, Any] | None = None, *, on_device: bool = False,
            stream: int | None = None) -> dict[str, Any]:
        """One inference: tensors by input name in, a dict of tensors by output name out.

        An input is a NumPy array, whatever NumPy makes an array of, or a tensor of any library that speaks DLPack.
        Tensors on the model's GPU are read where they lie, and so are tensors and arrays in C order on the host;
        other arrays are copied.

        `outputs` names tensors that results are written to, of the model's type and of the result's dims: NumPy
        arrays, or DLPack's on the host or the model's GPU. They must not overlap the inputs. The other results are
        new NumPy arrays; with `on_device`, on a GPU, new DeviceTensors. If the run is refused, nothing has been
        written; if the device fails on the way, outputs may hold anything.

        `stream` is a CUstream as a number (`torch.cuda.current_stream().cuda_stream`, say); 0 is CUDA's default
        stream. If all tensors lie on the GPU the work has been enqueued there when the call returns; the tensors
        must live until it is done. Without a stream the results are there when the call returns.
        """
        stream = _dlpack.LEGACY_STREAM if stream == 0 else stream
        with self._lease(stream or _OWN_STREAM) as (handle, context):
            shared = stream or _dlpack.LEGACY_STREAM
            bound = [_tensors.bind_input(name, self._inputs[name][0] if name in self._inputs else None, value,
                                         self._ordinal, shared) for name, value in inputs.items()]
            given = _tensors.make_buffers(bound)
            results: dict[str, Any] = dict(outputs) if outputs else {}
            targets = [_tensors.bind_output(name, self._outputs[name][0], value, self._ordinal, shared)
                       for name, value in self._known(results)]
            placed = {one.name: one for one in targets}
            for index, (name, (row, rank)) in enumerate(self._outputs.items()):
                if name not in placed:
                    dims = (ctypes.c_int64 * _native.MAX_RANK)()
                    _native.check(_native.library.dscc_output_dims(handle.value, given, len(given), index, dims))
                    results[name], placed[name] = self._make_result(name, row, tuple(dims[:rank]), on_device, stream)
            wanted = _tensors.make_buffers([placed[name] for name in self._outputs])
            # Their owners have put a wait into the default stream; the context's own does not look at that one.
            if stream is None and any(one.on_device for one in [*bound, *targets]):
                _native.check(_native.library.dscc_device_wait(handle.value, None))
            _native.check(_native.library.dscc_run(context, given, len(given), wanted, len(wanted), stream))
        return {name: results[name] for name in self._outputs}

    @contextlib.contextmanager
    def _lease(self, stream: int) -> Iterator[tuple[_native.Handle, int]]:
        """The model and one of its contexts; as long as they are leased the model is not closed."""
        pool, handle = self._pool, self._handle
        if pool is None or handle is None:
            raise ValueError("the model is closed")
        with pool.lease(stream) as context:
            yield handle, context

    def _known(self, outputs: Mapping[str, Any]) -> list[tuple[str, Any]]:
        for name in outputs:
            if name not in self._outputs:
                raise ValueError(f"the model has no output '{name}'; it has {', '.join(map(repr, self._outputs))}")
        return list(outputs.items())

    def _make_result(self, name: str, row: _dtypes.DataType, shape: tuple[int, ...], on_device: bool,
                     stream: int | None) -> tuple[npt.NDArray[Any] | DeviceTensor, _tensors.Bound]:
        """A new tensor for an output, and how the runtime takes it."""
        if not on_device or self._ordinal is None:
            array = np.empty(shape, row.carrier)
            return array, _tensors.bind_array("output", name, row, array)
        assert self._handle
        tensor = DeviceTensor(self._handle, self._ordinal, row, shape, stream)
        return tensor, _tensors.Bound(name, row.number, shape, tensor.pointer, tensor.nbytes, True, tensor)

    def upload(self, array: npt.ArrayLike) -> DeviceTensor:
        """A copy of the array on the model's GPU, to be given to runs."""
        if self._handle is None:
            raise ValueError("the model is closed")
        if self._ordinal is None:
            raise ValueError(f"the model runs on a device without memory of its own: {self.device}")
        source = np.asarray(array, order="C")
        row = _dtypes.of_numpy(source.dtype)
        if row is None:
            raise TypeError(f"no model has tensors of NumPy's {source.dtype}")
        tensor = DeviceTensor(self._handle, self._ordinal, row, source.shape, None)
        tensor._write(source)
        return tensor

    def close(self) -> None:
        """Waits for the runs in flight and gives everything back, but for DeviceTensors that are still in use. Runs
        that start later are refused. Allowed twice."""
        pool, self._pool = self._pool, None
        if pool:
            pool.close()
        self._handle = None

    def __enter__(self) -> Model:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()
