"""A kernel by hand that loads one matrix of pixels by an im2col map and stores it, for 1 to 3 spatial dims, with corners
and steps that differ along each, against NumPy. Several runs each: launched, recorded, replayed."""

import pathlib
import subprocess
import tempfile
import unittest

import numpy as np

MODULE = """
module attributes {{dsc.stage = "emitted", dsc.symbols = [{{name = "n", min = 1 : i64, max = 64 : i64, input = 0 : i64, axis = 0 : i64}}]}} {{
  func.func private @main({images} {{dsc.name = "x"}}) -> ({matrix} {{dsc.name = "y"}})
  module @cuda_sm90a attributes {{dsc.target = "cuda_sm90a"}} {{
    gpu.module @kernels {{
      llvm.mlir.global internal @box() {{addr_space = 3 : i32, alignment = 1024 : i64}} : !llvm.array<{elements} x f32>
      llvm.mlir.global internal @arrived() {{addr_space = 3 : i32, alignment = 16 : i64}} : !llvm.array<1 x i64>
      llvm.func @load(%x: !llvm.ptr<1>, %y: !llvm.ptr<1>,
                      %map: !llvm.ptr {{llvm.align = 64 : i64, llvm.byval = !llvm.array<128 x i8>, nvvm.grid_constant}})
          attributes {{nvvm.kernel, nvvm.reqntid = array<i32: 1, 1, 1>, dsc.kernel = {{threads = [1, 1, 1]}}}} {{
        %box = llvm.mlir.addressof @box : !llvm.ptr<3>
        %arrived = llvm.mlir.addressof @arrived : !llvm.ptr<3>
        %one = llvm.mlir.constant(1 : i32) : i32
        %bytes = llvm.mlir.constant({bytes} : i32) : i32
        nvvm.mbarrier.init %arrived, %one : !llvm.ptr<3>, i32
        nvvm.fence.mbarrier.init
        nvvm.mbarrier.arrive.expect_tx %arrived, %bytes : !llvm.ptr<3>, i32
        %number = llvm.ptrtoint %box : !llvm.ptr<3> to i32
        %target = llvm.inttoptr %number : i32 to !llvm.ptr<7>
{constants}
        nvvm.cp.async.bulk.tensor.shared.cluster.global %target, %map, %arrived, box[{at}] im2col[{offsets}]
            {{mode = #nvvm.tma_load_mode<im2col>}} : !llvm.ptr<7>, !llvm.ptr
        %phase = llvm.mlir.constant(0 : i32) : i32
        %ticks = llvm.mlir.constant(10000000 : i32) : i32
        nvvm.mbarrier.try_wait.parity %arrived, %phase, %ticks : !llvm.ptr<3>, i32, i32
        %c0 = arith.constant 0 : index
        %c1 = arith.constant 1 : index
        %end = arith.constant {elements} : index
        scf.for %i = %c0 to %end step %c1 {{
          %place = arith.index_cast %i : index to i32
          %from = llvm.getelementptr %box[%place] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, f32
          %to = llvm.getelementptr %y[%place] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
          %value = llvm.load %from : !llvm.ptr<3> -> f32
          llvm.store %value, %to : f32, !llvm.ptr<1>
        }}
        llvm.return
      }}
    }}
    func.func @main(%x: {images}) -> {matrix} attributes {{dsc.arena = []}} {{
      %y = dsc.launch @load (%x) {{grid = #dsc.dims<1, 1, 1>, symbols = [], places = array<i64: -1>, outputs = [0], tensor_maps = [
            {{tensor = 0 : i64, element = f32, dims = #dsc.dims<{dims}>, strides = #dsc.dims<{strides}>,
             box = array<i64: {pixels}, {channels}>, swizzle = {swizzle} : i64,
             pixels = {{lower = array<i64: {lower}>, upper = array<i64: {upper}>, steps = array<i64: {steps}>}}}}]}}
         : ({images}) -> {matrix}
      return %y : {matrix}
    }}
  }}
}}
"""


def words(values):
    return ", ".join(map(str, values))


def write_module(shape, channels, pixels, lower, upper, steps, start, offsets, swizzle=0):
    """For images of `shape`, without their number; `start` is the channel, then the first pixel and its image, and like
    everything else but that outermost first."""
    sizes = "x".join(map(str, shape))
    dims = words(['"n"', *shape])
    channel, *place = start
    # As the instruction has it: innermost first.
    coordinates = [channel, *reversed(place)]
    constants = [f"        %at{i} = llvm.mlir.constant({value} : i32) : i32" for i, value in enumerate(coordinates)]
    constants += [f"        %off{i} = llvm.mlir.constant({value} : i16) : i16" for i, value in enumerate(reversed(offsets))]
    return MODULE.format(
        images=f"tensor<?x{sizes}xf32, #dsc.dims<{dims}>>", matrix=f"tensor<{pixels}x{channels}xf32>", dims=dims,
        elements=pixels * channels, bytes=4 * pixels * channels, constants="\n".join(constants),
        at=words(f"%at{i}" for i in range(len(coordinates))), offsets=words(f"%off{i}" for i in range(len(offsets))),
        strides=words(int(np.prod(shape[i:])) for i in range(len(shape) + 1)), pixels=pixels, channels=channels,
        lower=words(lower), upper=words(upper), steps=words(steps), swizzle=swizzle)


def load(x, channels, pixels, lower, upper, steps, start, offsets, swizzle=0):
    """The matrix: through the bounding box of each image from `start` on, row by row. Swizzled, by lines of 128 bytes,
    chunk c of 16 bytes of row r lies where c ^ r % 8 would."""
    channel, image, *place = start
    matrix = np.zeros((pixels, channels), x.dtype)
    for row in matrix:
        at = [image, *(p + o for p, o in zip(place, offsets))]
        if all(0 <= a < size for a, size in zip(at, x.shape)):
            there = x[tuple(at)][channel:channel + channels]
            row[:len(there)] = there
        for axis in reversed(range(len(place))):
            place[axis] += steps[axis]
            if place[axis] <= x.shape[axis + 1] - 1 + upper[axis]:
                break
            place[axis] = lower[axis]
        else:
            image += 1
    if swizzle:
        rows, chunks = np.arange(pixels)[:, None], np.arange(8)
        matrix = matrix.reshape(pixels, 8, 4)[rows, chunks ^ rows % 8].reshape(pixels, 32)
    return matrix


CASES = {
    # A window of three places, one pixel of padding on each side.
    "1 spatial dim": dict(shape=(9, 8), channels=8, pixels=32, lower=[-1], upper=[-1], steps=[1], start=[0, 0, -1],
                          offsets=[2]),
    # One of 3 x 2 with distances of two pixels between neighbours, from the middle of an image on.
    "2 spatial dims": dict(shape=(6, 11, 16), channels=8, pixels=100, lower=[-1, 0], upper=[0, -3], steps=[2, 3],
                           start=[8, 0, 1, 3], offsets=[1, 2]),
    # As operands of wgmma lie.
    "swizzled": dict(shape=(7, 9, 64), channels=32, pixels=128, lower=[-1, -1], upper=[-1, -1], steps=[1, 1],
                     start=[32, 0, -1, -1], offsets=[2, 0], swizzle=128),
    "3 spatial dims": dict(shape=(3, 4, 5, 8), channels=4, pixels=120, lower=[-1, -2, 0], upper=[1, -1, 0],
                           steps=[1, 2, 3], start=[4, 0, 0, -2, 3], offsets=[0, 1, 2]),
}


class PixelsTest(unittest.TestCase):
    def test_a_matrix_of_pixels(self):
        for name, case in CASES.items():
            with tempfile.TemporaryDirectory() as folder:
                folder = pathlib.Path(folder)
                (folder / "pixels.mlir").write_text(write_module(**case))
                self.call("dscc", folder / "pixels.mlir", "-o", folder / "pixels.so")
                for images in (3, 2):
                    x = np.random.default_rng(1).standard_normal((images, *case["shape"])).astype(np.float32)
                    np.save(folder / "x.npy", x)
                    self.call("dscc-run", folder / "pixels.so", "--device=sim", "--sim-chip=sm_90", "--sim-check=all",
                              "--bench=0.001", "--input", f"x={folder}/x.npy", "--output", folder / "out")
                    expected = load(x, **{key: value for key, value in case.items() if key != "shape"})
                    with self.subTest(name, images=images):
                        self.assertTrue(expected.any() and not expected.all(), "inside and outside of the images")
                        np.testing.assert_array_equal(np.load(folder / "out" / "y.npy"), expected)

    def call(self, *command):
        child = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual((child.returncode, "dscc-sim:" in child.stderr), (0, False), child.stderr)


if __name__ == "__main__":
    unittest.main()
