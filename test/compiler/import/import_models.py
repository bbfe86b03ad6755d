"""Imports each model of a test file and lets FileCheck look at what became of it.

    python import_models.py FILE

The file holds models in ONNX's text form, parted by lines of `# -----`; comments
begin with `#`, and each model's CHECK lines stand above it. A comment
`# OPTIONS: ...` gives dscc more words for that model.
"""

import pathlib
import shlex
import subprocess
import sys
import tempfile

import onnx.parser


def import_one(text, folder):
    """What dscc prints for the model in this text, and its exit code on a last line."""
    options, lines = [], []
    for line in text.splitlines():
        if line.startswith("# OPTIONS:"):
            options += shlex.split(line.split(":", 1)[1])
        elif not line.startswith(("#", "RUN:")):
            lines.append(line)
    path = folder / "model.onnx"
    path.write_bytes(onnx.parser.parse_model("\n".join(lines)).SerializeToString())
    run = subprocess.run(["dscc", path, "--until=imported", *options], capture_output=True, text=True)
    return f"{run.stdout}{run.stderr}exit {run.returncode}\n"


def check(text, printed, folder):
    checks = folder / "checks"
    checks.write_text(text)
    return subprocess.run(["FileCheck", checks], input=printed, text=True).returncode == 0


passed = True
with tempfile.TemporaryDirectory() as name:
    for case in pathlib.Path(sys.argv[1]).read_text().split("# -----\n"):
        passed &= check(case, import_one(case, pathlib.Path(name)), pathlib.Path(name))
sys.exit(not passed)
