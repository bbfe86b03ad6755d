# How lit runs the tests below this folder: which files are tests, which words
# they may use, and what they may require.

import glob
import os
import shutil

import lit.formats

config.name = "dscc"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Inputs"]  # read by tests, no tests themselves
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.dscc_obj, "test")

venv_bin = os.path.join(config.dscc_venv, "bin")
config.environment["PATH"] = os.pathsep.join([config.dscc_bin, config.llvm_bin, os.environ["PATH"]])
config.environment["LC_ALL"] = "C"
# Python reads our sources and must not write beside them.
config.environment["PYTHONDONTWRITEBYTECODE"] = "1"
# The linker's memory for its sections is freed by exit alone.
config.environment["ASAN_OPTIONS"] = "detect_leaks=0:allow_user_poisoning=0"
config.environment["UBSAN_OPTIONS"] = "print_stacktrace=1:halt_on_error=1"

# A longer word stands before the shorter word that it begins with.
config.substitutions += [
    ("%venv_python", os.path.join(venv_bin, "python")),
    ("%venv", config.dscc_venv),
    ("%src", config.dscc_src),
    ("%obj", config.dscc_obj),
    ("%clangxx", config.clangxx),
    ("%clang", config.clang),
]

# What a test may ask for with REQUIRES.
bundled_ptxas = glob.glob(os.path.join(config.dscc_venv, "lib/python3*/site-packages/nvidia/cuda_nvcc/bin/ptxas"))
if bundled_ptxas or shutil.which("ptxas"):
    config.available_features.add("ptxas")
if os.path.exists("/dev/nvidia0"):
    config.available_features.add("gpu")
if config.dscc_sanitize in ("ON", "1", "TRUE"):
    config.available_features.add("sanitizers")
