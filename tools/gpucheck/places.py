"""Where dscc's programs, libraries and Python module are: in a build folder or an installation."""

import os
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent


def _first(paths, what):
    for path in paths:
        if path.exists():
            return path
    sys.exit(f"gpu-check: {what} was not found; looked for {', '.join(map(str, paths))}")


class Places:
    """`prefix` holds bin/ and lib/: the build folder beside this file, or the installation that it is a part of."""

    def __init__(self, build=None):
        source = HERE.parents[1]  # of a checkout, where this folder is tools/gpucheck; share/dscc/gpucheck if installed
        prefixes = [pathlib.Path(build)] if build else [source / "build", HERE.parents[2]]
        self.dscc = _first([prefix / "bin/dscc" for prefix in prefixes], "dscc").resolve()
        self.prefix = self.dscc.parent.parent
        self.runtime = _first([self.prefix / "lib/libdscc_runtime.so"], "the runtime")
        self.simulator = self.prefix / "lib/libdscc_cuda_sim.so"
        python = _first([self.prefix / "lib/python/dscc", source / "runtime/python/dscc"], "the Python package dscc").parent
        self.replays = _first([HERE / "simulator", source / "test/tools/simulator"], "the folder of replays")
        os.environ["DSCC_RUNTIME"] = str(self.runtime)
        sys.path[:0] = [str(python)]

    def find_clang(self):
        """A clang that compiles for NVIDIA's chips, or None."""
        import shutil
        return next((found for name in ("clang-22", "/usr/lib/llvm-22/bin/clang", "clang") if (found := shutil.which(name))), None)
