"""Our C and C++ files are as clang-format writes them, with the style in .clang-format."""

import subprocess
import sys

from sources import ours, report, root_argument

FORMATTER = "clang-format-22"


def is_ours(path, root):
    # Inputs of tests may be in any shape, and some show a user's code.
    return "Inputs" not in path.relative_to(root).parts


root = root_argument()
files = [path for path in ours(root, {".cpp", ".h", ".c"}) if is_ours(path, root)]
if not files:
    sys.exit("no file to look at")
try:
    child = subprocess.run([FORMATTER, "--dry-run", "-Werror", *files], capture_output=True, text=True)
except FileNotFoundError:
    sys.exit(f"{FORMATTER} is missing; tools/setup installs it")
report([line for line in child.stderr.splitlines() if "error:" in line])
