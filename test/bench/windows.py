"""What windows save: copies, launches, bytes moved and the arena of blocks that join and split, before and after.

    python test/bench/windows.py                       a dense block, a YOLO head, Inception, U-Net; static, symbolic
    python test/bench/windows.py --block yolo --size 4,640

`before` is the same compiler with --disable=place-windows. Both keep the model's order of dims (--disable=choose-layouts),
so that joins and parts alone are counted. A copy is a launch whose ops only move elements. Bytes are
what launches read and write, each tensor once a launch, at the sizes of the run. The exit code is 1 if a copy is left.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "models"))

import window_models

MOVEMENT = {"transpose", "slice", "pad", "pad_edge", "pad_reflect", "pad_wrap", "expand", "tile", "concat", "gather",
            "reshape"}
WIDTHS = {"f64": 8, "i64": 8, "f32": 4, "i32": 4, "f16": 2, "bf16": 2, "i16": 2}
TENSOR = re.compile(r'tensor<([\w?]+)(?:, #dsc\.dims<((?:"[^"]*"|[^">])*)>)?>')
DIM = re.compile(r'"([^"]*)"|(\d+)')
GROUP = re.compile(r"%\S+ = dsc\.group\((.*?)\) .*: \((.*)\) -> (.*) \{$")
OP = re.compile(r"%\S+ = dsc\.(\w+)(.*)$")
TABLE = re.compile(r"dsc\.arena = \[(.*?\})?\]")
PLACE = re.compile(r'above = array<i64(?:: ([^>]*))?>, bytes = #dsc\.dims<"?([^">]*)"?>')


def evaluate(text, sizes):
    words = {"floordiv": lambda a, b: a // b, "max": max, "min": min, **sizes}
    return eval(text, {"__builtins__": {}}, words)


def bytes_of(text, sizes):
    """Of each tensor type in the text."""
    counts = []
    for shape, named in TENSOR.findall(text):
        *dims, element = shape.split("x")
        if named:
            dims = [name or number for name, number in DIM.findall(named)]
        count = WIDTHS.get(element, 1)
        for dim in dims:
            count *= evaluate(dim, sizes)
        counts.append(count)
    return counts


def bytes_read(arguments, types, body, sizes):
    """Of each input all, or of one that only slices read what they take."""
    total = 0
    for argument, whole in zip(arguments, bytes_of(types, sizes), strict=True):
        users = [OP.match(line) for line in body if re.search(re.escape(argument) + r"\b", line)]
        slices = [bytes_of(user[2], sizes)[-1] for user in users if user and user[1] == "slice"]
        total += min(whole, sum(slices)) if users and len(slices) == len(users) else whole
    return total


def arena_bytes(module, sizes):
    ends = []
    for above, size in PLACE.findall(TABLE.search(module)[1] or ""):
        below = [ends[int(index)] for index in above.split(",")] if above else [0]
        ends.append(max(below) + evaluate(size, sizes))
    return max(ends, default=0)


def measure(path, sizes, *options):
    command = ["dscc", path, "--target=cpu", "--march=x86-64-v3", "--disable=choose-layouts", "--until=placed", "-o", "-",
               *options]
    module = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    figures = {"copies": 0, "launches": 0, "bytes": 0, "arena": arena_bytes(module, sizes)}
    lines = [line.strip() for line in re.sub(r" loc\(#?\w*\)", "", module).splitlines()]
    for number, line in enumerate(lines):
        if not (group := GROUP.match(line)):
            continue
        end = next(i for i in range(number, len(lines)) if lines[i].startswith("dsc.yield"))
        arguments, body = re.findall(r"%\w+(?=:)", lines[number + 1]), lines[number + 2:end]
        ops = {op[1] for line in body if (op := OP.match(line))} - {"constant"}
        figures["launches"] += 1
        figures["copies"] += ops <= MOVEMENT
        figures["bytes"] += bytes_read(arguments, group[2], body, sizes) + sum(bytes_of(group[3], sizes))
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--block", choices=window_models.BLOCKS, action="append", help="only this one; may be repeated")
    parser.add_argument("--size", default="2,61", metavar="BATCH,HEIGHT", help="default: %(default)s")
    arguments = parser.parse_args()
    sizes = dict(zip(("batch", "height"), map(int, arguments.size.split(","))))
    left = 0
    print(f"{'block':<10} {'dims':<9} {'copies':>10} {'launches':>10} {'bytes moved':>21} {'arena':>19}")
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.block or window_models.BLOCKS:
            for kind in ("static", "symbolic"):
                path = pathlib.Path(folder) / f"{name}-{kind}.onnx"
                dims = window_models.DIMS
                window_models.write_model(name, path, [sizes.get(dim, dim) if kind == "static" else dim for dim in dims])
                before = measure(path, sizes, "--disable=place-windows")
                after = measure(path, sizes)
                columns = [f"{before[what]} > {after[what]}" for what in ("copies", "launches", "bytes", "arena")]
                print(f"{name:<10} {kind:<9} {columns[0]:>10} {columns[1]:>10} {columns[2]:>21} {columns[3]:>19}",
                      flush=True)
                left += after["copies"]
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
