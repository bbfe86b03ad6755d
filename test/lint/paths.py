"""A file of ours that a comment or a page names is there: `passes/Passes.td` by its path, `Passes.td` anywhere."""

import re

from sources import TEXT, ours, report, root_argument

PATH = re.compile(r"(?<![\w./%$<{-])(?:dialects|passes|compiler|runtime|tools|test|docs)/[\w./-]*\w\.(?:cpp|h|td|py|md|c|mlir|test)\b(?!\.)")
# Our sources begin with a capital; those of others are named with their folder.
BARE = re.compile(r"(?<![\w./-])[A-Z]\w+\.(?:cpp|h|td)\b(?!\.)")
COMMENT = re.compile(r"(?://|^\s*\*|/\*)(.*)")
# Made by the build.
GENERATED = {"dialects/dsc/Dsc.md", "passes/Passes.md", "compiler/import/onnx-ml.pb.h"}

root = root_argument()
sources = ours(root, TEXT | {".hpp", ".inc"})
names = {path.name for path in sources}
found = []
for source in sources:
    relative = source.relative_to(root).as_posix()
    for number, line in enumerate(source.read_text(errors="replace").splitlines(), 1):
        if re.match(r"\s*#\s*include", line):
            continue
        gone = [path for path in PATH.findall(line) if path not in GENERATED and not (root / path).exists()]
        comment = line if source.suffix == ".md" else "".join(COMMENT.findall(line))
        gone += [name for name in BARE.findall(comment) if name not in names]
        found += [f"{relative}:{number}: names {name}, which is not there" for name in gone]
report(found)
