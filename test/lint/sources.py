"""Which files are ours, for the checks of the house rules in this folder."""

import pathlib
import subprocess
import sys

CODE = {".h", ".cpp", ".c", ".td"}
TEXT = CODE | {".py", ".md", ".txt", ".cmake", ".in", ".mlir", ".test"}


def ours(root, suffixes):
    """Our files below `root` with one of these suffixes, sorted. A checkout without git counts as ours, but for
    the build folder."""
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=root,
                            capture_output=True, text=True)
    if listed.returncode == 0:
        paths = [root / name for name in listed.stdout.splitlines()]
    else:
        paths = [path for path in root.rglob("*") if path.relative_to(root).parts[0] not in ("build", ".git")]
    return sorted(path for path in paths if path.suffix in suffixes and path.is_file())


def report(complaints):
    """Prints each complaint and ends: with 0 if there is none."""
    for complaint in complaints:
        print(complaint)
    sys.exit(1 if complaints else 0)


def root_argument():
    return pathlib.Path(sys.argv[1]).resolve()
