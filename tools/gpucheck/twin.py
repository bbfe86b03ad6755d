"""One driver for two: what a test of the simulator asks of its driver, the device under test and the simulator both do.

Results of the device are what the test sees, and compares with its own exact reference. What the simulator made of the
same text and the same operands is compared on the way, bit by bit, and counted. PTX written for a later chip or driver is
turned into that of the device; what this takes away is left out, if both refuse it.
"""

import ctypes
import dataclasses
import re
import unittest

import numpy as np

# The newest PTX that a driver of a version reads, by cuDriverGetVersion.
PTX_OF_DRIVERS = [(13010, 9.1), (13000, 9.0), (12090, 8.8), (12080, 8.7), (12070, 8.6), (12050, 8.5), (12040, 8.4),
                  (12030, 8.3), (12020, 8.2), (12010, 8.1), (12000, 8.0)]
ENTRY = re.compile(r"(?=^\.visible \.entry )", re.MULTILINE)
NAME = re.compile(r"\.entry (\w+)")


class Pair:
    """Two of a thing: the device's and the simulator's."""

    def __init__(self, device, simulator):
        self.device, self.simulator = device, simulator


@dataclasses.dataclass
class Module:
    """A text, as one module on both sides, or an entry each where some are refused."""

    whole: Pair = None
    entries: dict = None  # name: Pair, or why it is refused


class Refused(Exception):
    """By one of the two only."""


def side(value, name):
    return getattr(value, name) if isinstance(value, Pair) else value


class Twin:
    def __init__(self, cuda, device_library, simulator_library, chip, driver_number, ordinal=0):
        self.error = cuda.CudaError
        self.device = cuda.Driver(device_library)
        self.simulator = cuda.Driver(simulator_library)
        self.library = self.device.library
        self.chip = chip
        self.ptx = next((ptx for number, ptx in PTX_OF_DRIVERS if driver_number >= number), 7.8)
        self.is_older = False
        self.words = self.differing = self.left_out = 0
        self.farthest = 0

    # What is asked of the drivers themselves.

    def call(self, name, *arguments):
        if arguments and isinstance(arguments[0], Module):
            module = arguments[0]
            for one in [module.whole] if module.whole else [pair for pair in module.entries.values() if isinstance(pair, Pair)]:
                self.call(name, one, *arguments[1:])
            return
        self.device.call(name, *[side(value, "device") for value in arguments])
        self.simulator.call(name, *[side(value, "simulator") for value in arguments])

    def fitted(self, text):
        """For this chip and this driver."""
        version, target = (re.search(pattern, text)[1] for pattern in (r"\.version ([\d.]+)", r"\.target sm_(\w+)"))
        if target.endswith("a") and int(target[:-1]) != self.chip:
            raise unittest.SkipTest(f"for sm_{target} alone")
        self.is_older = float(version) > self.ptx
        if self.is_older:
            text = text.replace(f".version {version}", f".version {self.ptx}", 1)
        if not target.endswith("a") and int(target) > self.chip:
            text = text.replace(f".target sm_{target}", f".target sm_{self.chip}", 1)
        return text

    def load_on(self, driver, text):
        try:
            return driver.load(text), None
        except self.error as error:
            return None, str(error)

    def load_both(self, text):
        """A Pair, or why both refuse it; Refused if only one does."""
        (on_device, why), (on_simulator, simulators) = (self.load_on(driver, text) for driver in (self.device, self.simulator))
        if on_device is None and on_simulator is not None and self.is_older:
            return f"the driver reads PTX {self.ptx}, which may lack it: {why}"
        if (on_device is None) != (on_simulator is None):
            raise Refused(f"the device says {why or 'yes'}, the simulator {simulators or 'yes'}")
        return Pair(on_device, on_simulator) if on_device is not None else why

    def load(self, text):
        text = self.fitted(text)
        try:
            whole = self.load_both(text)
        except Refused:
            whole = None
        if isinstance(whole, Pair):
            return Module(whole)
        # Entry by entry, to leave out no more than what is refused.
        head, *entries = ENTRY.split(text)
        made = {}
        for entry in entries:
            try:
                made[NAME.search(entry)[1]] = self.load_both(head + entry)
            except Refused as refused:
                made[NAME.search(entry)[1]] = refused
        return Module(None, made)

    def function(self, module, name):
        """A Pair; or, for launch to say, why there is none."""
        if module.whole:
            return Pair(self.device.function(module.whole.device, name), self.simulator.function(module.whole.simulator, name))
        found = module.entries[name]
        if not isinstance(found, Pair):
            return found
        return Pair(self.device.function(found.device, name), self.simulator.function(found.simulator, name))

    def allocate(self, size):
        return Pair(self.device.allocate(size), self.simulator.allocate(size))

    def free(self, address):
        self.device.free(address.device)
        self.simulator.free(address.simulator)

    def upload(self, array):
        return Pair(self.device.upload(array), self.simulator.upload(array))

    def launch(self, function, grid, block, arguments, shared=0):
        if isinstance(function, Refused):
            raise AssertionError(f"one takes the instruction and one does not: {function}")
        if isinstance(function, str):
            self.left_out += 1
            raise unittest.SkipTest(function)
        told = self.simulator.launch(function.simulator, grid, block, [side(one, "simulator") for one in arguments], shared)
        if told.text or told.fault:
            return told
        return self.device.launch(function.device, grid, block, [side(one, "device") for one in arguments], shared)

    def download(self, address, dtype, shape):
        got, other = self.device.download(address.device, dtype, shape), self.simulator.download(address.simulator, dtype, shape)
        self.compare(np.ascontiguousarray(got), np.ascontiguousarray(other))
        return got

    def compare(self, got, other):
        """Counts the words that differ, and how far apart they are as whole numbers: units of the last place."""
        words, others = (array.view(f"u{array.itemsize}") for array in (got, other))
        differs = words != others
        self.words += words.size
        if differs.any():
            self.differing += int(differs.sum())
            x, y = words[differs], others[differs]
            self.farthest = max(self.farthest, int((np.maximum(x, y) - np.minimum(x, y)).max()))
