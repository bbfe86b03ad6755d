"""The programs of Inputs/cuda as the tests run them: their PTX by name, arrays as arguments, results as arrays."""

import ctypes
import pathlib

import numpy as np

import cuda

FOLDER = pathlib.Path(__file__).parent / "Inputs" / "cuda"
# One element, less and more than a warp, less than a block, some blocks, one more than a power of two.
SIZES = (1, 31, 33, 255, 1000, 4097)


class Programs:
    def __init__(self, library):
        self.library = library
        self.start()

    def start(self):
        self.driver = cuda.Driver(self.library)
        self.modules = {}

    def restart(self):
        """After a fault: its context is lost."""
        self.driver.library.cuDevicePrimaryCtxRelease_v2(0)
        self.start()

    def load(self, name):
        if name not in self.modules:
            self.modules[name] = self.driver.load((FOLDER / f"{name}.ptx").read_bytes())
        return self.modules[name]

    def run(self, name, kernel, grid, block, *arguments, shared=0):
        """Launches. Arrays are uploaded, and hold afterwards what the kernel left; an `Out` is not uploaded."""
        function = self.driver.function(self.load(name), kernel)
        values, arrays = [], []
        for argument in arguments:
            if isinstance(argument, (np.ndarray, Out)):
                array = argument.array if isinstance(argument, Out) else argument
                address = (self.driver.allocate(array.nbytes) if isinstance(argument, Out)
                           else self.driver.upload(array))
                arrays.append((array, address))
                values.append(address)
            else:
                values.append(ctypes.c_int(argument) if isinstance(argument, int) else argument)
        listed = lambda size: [size] if isinstance(size, int) else list(size)
        said = self.driver.launch(function, listed(grid), listed(block), values, shared)
        if said.fault:
            self.restart()
            return said
        for array, address in arrays:
            array[...] = self.driver.download(address, array.dtype, array.shape)
            self.driver.free(address)
        return said


class Out:
    """What a kernel writes, and nobody before it."""

    def __init__(self, dtype, *shape):
        self.array = np.zeros(shape, dtype)


def blocks_for(size, threads):
    return -(-size // threads)


def knows_clusters(programs):
    """Whether the simulator takes a barrier of a cluster: its chip may have none."""
    text = """.version 8.0
.target sm_90
.address_size 64
.visible .entry probe()
{
  barrier.cluster.arrive.aligned;
  barrier.cluster.wait.aligned;
  ret;
}
"""
    with cuda.Listening():
        try:
            programs.driver.load(text)
        except cuda.CudaError:
            return False
    return True
