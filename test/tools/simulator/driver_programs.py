"""Random programs of kernels, copies and fills in several streams, with just the events that their data needs.

Run by streams_test.py, one process a seed. Each program runs in its streams, and captured as a graph, twice; what it
leaves must be what its calls say in their order. With `--forget` some waits are left out. Prints how many programs
there were, and how many went wrong.
"""

import json
import random
import sys

sys.dont_write_bytecode = True

import numpy as np

import driver_api
from driver_api import N, address_t, uint

BUFFERS, STREAMS, STEPS, PROGRAMS = 5, 4, 25, 12


class Stream:
    def __init__(self, handle, blocks):
        self.handle, self.blocks, self.known = handle, blocks, 0


class Program:
    """Sets of steps are bits of a number; `known` are those that a stream's next step comes after."""

    def __init__(self, api, add, choice, forget):
        self.api, self.add, self.choice, self.forget = api, add, choice, forget
        self.initial = [np.array([choice.randrange(1000) for _ in range(N)], np.uint32) for _ in range(BUFFERS)]
        self.buffers = [api.upload(array) for array in self.initial]
        api.ok("cuCtxSynchronize")
        self.own = [Stream(api.stream(1), False) for _ in range(STREAMS)] + [Stream(api.stream(0), True)]
        self.default = Stream(None, True)
        self.steps = []
        for _ in range(STEPS):
            target, source = choice.sample(range(BUFFERS), 2)
            self.steps.append((choice.choice(("kernel", "copy", "fill")), target, source, choice.randrange(1000)))

    def expected(self, rounds):
        values = [array.copy() for array in self.initial]
        for kind, target, source, number in self.steps * rounds:
            values[target] = (values[source] + np.uint32(number) if kind == "kernel" else
                              values[source].copy() if kind == "copy" else np.full(N, number, np.uint32))
        return values

    def meet(self, stream):
        """What the next call in the stream is ordered behind without being told."""
        if stream is self.default:
            for other in self.own:
                stream.known |= other.known if other.blocks else 0
        elif stream.blocks:
            stream.known |= self.default.known

    def wait(self, waiting, recorded):
        event = self.api.event()
        self.meet(recorded)
        self.api.ok("cuEventRecord", event, recorded.handle)
        self.api.ok("cuStreamWaitEvent", waiting.handle, event, 0)
        self.api.ok("cuEventDestroy_v2", event)
        waiting.known |= recorded.known

    def enqueue(self, stream, kind, target, source, number):
        to, origin = self.buffers[target], self.buffers[source]
        if kind == "kernel":
            pointers = driver_api.arguments(address_t(to), address_t(origin), uint(number))
            self.api.ok("cuLaunchKernel", self.add, 1, 1, 1, N, 1, 1, 0, stream.handle, pointers, None)
        elif kind == "copy":
            self.api.ok("cuMemcpyDtoDAsync_v2", to, origin, 4 * N, stream.handle)
        else:
            self.api.ok("cuMemsetD32Async", to, number, N, stream.handle)

    def issue(self, streams):
        """Each step in a stream of the program's choice, behind those whose buffers it touches."""
        last_write, reads, where = [0] * BUFFERS, [0] * BUFFERS, {}
        for index, (kind, target, source, number) in enumerate(self.steps):
            stream = self.choice.choice(streams)
            self.meet(stream)
            needed = last_write[target] | reads[target] | (last_write[source] if kind != "fill" else 0)
            for step in range(index):
                if needed >> step & 1 and not stream.known >> step & 1 and self.choice.random() >= self.forget:
                    self.wait(stream, where[step])
            self.enqueue(stream, kind, target, source, number)
            stream.known |= 1 << index
            where[index] = stream
            last_write[target], reads[target] = 1 << index, 0
            if kind != "fill":
                reads[source] |= 1 << index

    def is_right(self, rounds):
        self.api.ok("cuCtxSynchronize")
        return all((self.api.download(buffer, np.uint32, N) == values).all()
                   for buffer, values in zip(self.buffers, self.expected(rounds)))

    def run_streams(self):
        self.issue(self.own + [self.default])
        return self.is_right(1)

    def run_graph(self):
        first, others = self.own[0], self.own[1:]
        self.api.ok("cuStreamBeginCapture_v2", first.handle, 0)
        for other in others:
            self.wait(other, first)
        self.issue(self.own)
        for other in others:
            self.wait(first, other)
        graph = self.api.get_second("cuStreamEndCapture", first.handle, kind=driver_api.handle)
        ready = self.api.get("cuGraphInstantiateWithFlags", graph, 0)
        for stream in (first, others[0]):
            self.api.ok("cuGraphLaunch", ready, stream.handle)
        return self.is_right(2)


def main():
    forget = 0.5 if "--forget" in sys.argv else 0
    api = driver_api.Api(sys.argv[1])
    wrong = 0
    for number in range(PROGRAMS):
        for way in ("run_streams", "run_graph"):
            api.renew()
            add = api.function(api.load(driver_api.KERNELS.format(target="sm_80")), "add")
            wrong += not getattr(Program(api, add, random.Random(number), forget), way)()
    print(json.dumps([2 * PROGRAMS, wrong]))


if __name__ == "__main__":
    main()
