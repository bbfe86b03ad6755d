"""Small programs that are right, and the same with one mistake in how they order their work.

Run by streams_test.py, one process a seed, because the driver reads the seed once. Prints for each probe whether the
right and the wrong program have computed what they should.
"""

import ctypes
import json
import sys

sys.dont_write_bytecode = True

import driver_api
from driver_api import N, address_t, uint


class Probes:
    def __init__(self, library):
        self.api = driver_api.Api(library)

    def begin(self):
        """A new context, with the kernel and buffers of zeros."""
        api = self.api
        api.renew()
        self.add = api.function(api.load(driver_api.KERNELS.format(target="sm_80")), "add")
        self.buffers = [api.allocate(4 * N) for _ in range(3)]
        for buffer in self.buffers:
            api.ok("cuMemsetD32_v2", buffer, 0, N)
        api.ok("cuCtxSynchronize")

    def launch(self, stream, target, source, value):
        pointers = driver_api.arguments(address_t(target), address_t(source), uint(value))
        self.api.ok("cuLaunchKernel", self.add, 1, 1, 1, N, 1, 1, 0, stream, pointers, None)

    def first(self, buffer):
        self.api.ok("cuCtxSynchronize")
        return int(self.api.download(buffer, "uint32", N)[0])

    def event(self, is_right):
        """One stream reads what another one writes."""
        api, (a, b, c) = self.api, self.buffers
        writer, reader, event = api.stream(), api.stream(), api.event()
        self.launch(writer, b, a, 5)
        api.ok("cuEventRecord", event, writer)
        if is_right:
            api.ok("cuStreamWaitEvent", reader, event, 0)
        self.launch(reader, c, b, 1)
        return self.first(c) == 6

    def late_record(self, is_right):
        """The event is recorded before the work that it should stand for."""
        api, (a, b, c) = self.api, self.buffers
        writer, reader, event = api.stream(), api.stream(), api.event()
        if not is_right:
            api.ok("cuEventRecord", event, writer)
        self.launch(writer, b, a, 5)
        if is_right:
            api.ok("cuEventRecord", event, writer)
        api.ok("cuStreamWaitEvent", reader, event, 0)
        self.launch(reader, c, b, 1)
        return self.first(c) == 6

    def default_stream(self, is_right):
        """The default stream is ordered with streams that block, and only with those."""
        api, (a, b, c) = self.api, self.buffers
        other = api.stream(0 if is_right else 1)
        self.launch(other, b, a, 5)
        self.launch(None, c, b, 1)
        self.launch(other, a, c, 1)
        return self.first(a) == 7

    def host(self, is_right):
        """The host reads pinned memory that a copy has yet to fill."""
        api, (a, b, _) = self.api, self.buffers
        stream, (array, address) = api.stream(), api.pinned()
        array[0] = 99
        self.launch(stream, b, a, 5)
        api.ok("cuMemcpyDtoHAsync_v2", address, b, 4 * N, stream)
        if is_right:
            api.ok("cuStreamSynchronize", stream)
        return array[0] == 5

    def source(self, is_right):
        """The host changes what a copy is reading: pageable memory was copied at once, pinned memory was not."""
        api, (a, b, _) = self.api, self.buffers
        stream, (pinned, address) = api.stream(), api.pinned()
        array = (uint * N)(*[3] * N) if is_right else pinned
        array[0] = 3
        api.ok("cuMemcpyHtoDAsync_v2", a, ctypes.addressof(array), 4 * N, stream)
        array[0] = 4
        self.launch(stream, b, a, 1)
        return self.first(b) == 4

    def upload(self, is_right):
        """A stream that does not block does not wait for a copy in the default stream."""
        api, (a, b, _) = self.api, self.buffers
        stream, array = api.stream(), (uint * N)(*[3] * N)
        api.ok("cuMemcpyHtoD_v2", a, ctypes.addressof(array), 4 * N)
        array[0] = 4  # the call has its bytes
        if is_right:
            api.ok("cuStreamSynchronize", None)
        self.launch(stream, b, a, 1)
        return self.first(b) == 4

    def within(self, is_right):
        """Nor for one within the device; a stream that blocks does."""
        api, (a, b, c) = self.api, self.buffers
        stream = api.stream(0 if is_right else 1)
        self.launch(None, b, a, 3)
        api.ok("cuMemcpyDtoD_v2", a, b, 4 * N)
        self.launch(stream, c, a, 1)
        return self.first(c) == 4

    def free(self, is_right):
        """A stream frees what another one is reading."""
        api, (a, b, _) = self.api, self.buffers
        owner, reader, event = api.stream(), api.stream(), api.event()
        memory = api.get("cuMemAllocAsync", 4 * N, owner, kind=address_t)
        self.launch(owner, memory, a, 5)
        api.ok("cuStreamSynchronize", owner)
        self.launch(reader, b, memory, 1)
        api.ok("cuEventRecord", event, reader)
        if is_right:
            api.ok("cuStreamWaitEvent", owner, event, 0)
        api.ok("cuMemFreeAsync", memory, owner)
        return api.error("cuCtxSynchronize") == "SUCCESS" and self.first(b) == 6

    def graph(self, is_right):
        """A graph without one of its edges."""
        api, (a, b, c) = self.api, self.buffers
        graph = api.get("cuGraphCreate", 0)

        def node(target, source, value, after):
            request = driver_api.KernelNode()
            pointers = driver_api.arguments(address_t(target), address_t(source), uint(value))
            request.function, request.grid[:], request.block[:] = self.add.value, [1] * 3, [N, 1, 1]
            request.arguments = ctypes.addressof(pointers)
            before = (ctypes.c_void_p * len(after))(*after)
            return api.get("cuGraphAddKernelNode_v2", graph, before, len(after), ctypes.byref(request))

        first = node(b, a, 5, [])
        node(c, b, 1, [first] if is_right else [])
        stream = api.stream()
        api.ok("cuGraphLaunch", api.get("cuGraphInstantiateWithFlags", graph, 0), stream)
        return self.first(c) == 6

    def run(self, name, is_right):
        self.begin()
        return getattr(self, name)(is_right)


NAMES = ("event", "late_record", "default_stream", "host", "source", "upload", "within", "free", "graph")

if __name__ == "__main__":
    probes = Probes(sys.argv[1])
    print(json.dumps({name: [bool(probes.run(name, True)), bool(probes.run(name, False))] for name in NAMES}))
