"""Installs the wheel into a fresh environment and runs an artifact there.

    python wheel_test.py CLANG FOLDER_OF_THE_WHEEL ENVIRONMENT LIBRARY
"""

import base64
import csv
import hashlib
import os
import pathlib
import re
import subprocess
import sys
import zipfile

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import numpy  # noqa: E402

import artifact  # noqa: E402

USE = """
import pathlib, sys
import dscc, numpy
assert pathlib.Path(dscc.__file__).is_relative_to(sys.prefix), dscc.__file__
assert pathlib.Path(dscc._native.library._name).is_relative_to(sys.prefix), dscc._native.library._name
x = numpy.ones((2, 4), numpy.float32)
print(dscc.version(), dscc.Model(sys.argv[1], device="cpu").run({"x": x})["sum/y:0"].tolist())
"""


def check_record(wheel):
    """Every file but the record itself is in the record, with its hash and size."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        record = next(name for name in names if name.endswith("/RECORD"))
        rows = list(csv.reader(archive.read(record).decode().splitlines()))
        assert [name for name, *_ in rows] == names, rows
        for name, digest, size in rows[:-1]:
            content = archive.read(name)
            hashed = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            assert (digest, size) == (f"sha256={hashed}", str(len(content))), name
        assert {"dscc/py.typed", "dscc/__init__.py", "dscc/libdscc_runtime.so"} <= set(names), names


def check_tag(wheel, library):
    versions = subprocess.run(["llvm-readelf", "--version-info", library], check=True, capture_output=True, text=True)
    newest = max(int(minor) for minor in re.findall(r"GLIBC_2\.(\d+)", versions.stdout))
    assert f"-manylinux_2_{newest}_x86_64." in wheel.name, (wheel.name, newest)


def main():
    clang, folder, environment, library = sys.argv[1:]
    environment = pathlib.Path(environment)
    wheel, = pathlib.Path(folder).glob("*.whl")
    check_record(wheel)
    check_tag(wheel, library)
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    python = environment / "bin" / "python"
    # The one thing that the wheel needs, from where the tests have it.
    site, = environment.glob("lib/python3*/site-packages")
    (site / "numpy.pth").write_text(str(pathlib.Path(numpy.__file__).parent.parent))
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps",
                    "--disable-pip-version-check", wheel], check=True)
    model = environment / "model.so"
    artifact.make(clang, artifact.INPUTS / "added_row.c", model)
    plain = {key: value for key, value in os.environ.items() if key not in ("DSCC_RUNTIME", "PYTHONPATH")}
    used = subprocess.run([python, "-c", USE, model], check=True, capture_output=True, text=True, env=plain, cwd="/")
    assert used.stdout == "0.1.0 [[11.0, 21.0, 31.0, 41.0], [11.0, 21.0, 31.0, 41.0]]\n", used.stdout


main()
