"""Each model of a table is refused with just the sentence above it.

    python refused_models.py FILE

A row is a few lines, parted from the next by an empty one:

    exit 1: node 'Gemm_0' (Gemm): multiplies 4 by 4 x 2, but both must have rank 2
    (float[4] x, float[4, 2] w) { y = Gemm(x, w) }

The first line has dscc's exit code and all of its message. Lines `hint: ...`, `options: ...` (more words for dscc) and
`opset: N` may follow. The model is ONNX's text form without its head and outputs; its result is y. Comments begin
with `#`.
"""

import concurrent.futures
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

import onnx.parser

HEAD = re.compile(r"exit (\d+): (.*)")
# The model's text has its outputs between the inputs and what follows them.
INPUTS = re.compile(r"(?<=\))(?=\s*[<{])")
NEWEST = 22


def rows_of(text):
    """Each row's fields, and where it begins."""
    for block in re.finditer(r"(?:^(?!#|RUN:).+\n)+", re.sub(r"(?m)^(?:#|RUN:).*\n", "\n", text), re.MULTILINE):
        row = {"options": "", "opset": NEWEST, "hint": None, "model": ""}
        for line in block[0].splitlines():
            head = HEAD.match(line)
            key, _, value = line.partition(": ")
            if head:
                row.update(exit=int(head[1]), message=head[2])
            elif key in ("options", "opset", "hint"):
                row[key] = value
            else:
                row["model"] += line + "\n"
        yield row


def message_of(row):
    """What dscc says of the row's model: its exit code, the message, the hint."""
    text = (f'<ir_version: 10, opset_import: ["" : {row["opset"]}, "com.microsoft" : 1]>\n'
            f"g {INPUTS.sub(' => (float[result] y)', row['model'], count=1)}")
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "model.onnx"
        path.write_bytes(onnx.parser.parse_model(text).SerializeToString())
        run = subprocess.run(["dscc", path, "--until=imported", "-o", "-", *shlex.split(row["options"])],
                             capture_output=True, text=True, timeout=60)
    found = re.fullmatch(r"dscc: error: (.*)\n(?:  hint: (.*)\n)?", run.stderr)
    return (run.returncode, found[1], found[2]) if found else (run.returncode, run.stderr, None)


def main():
    rows = list(rows_of(pathlib.Path(sys.argv[1]).read_text()))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        messages = list(pool.map(message_of, rows))
    wrong = 0
    for row, found in zip(rows, messages):
        wanted = (row["exit"], row["message"], row["hint"])
        if found != wanted:
            wrong += 1
            print(f"{row['model']}  wanted: {wanted}\n  found:  {found}")
    sys.exit(1 if wrong or not rows else 0)


if __name__ == "__main__":
    main()
