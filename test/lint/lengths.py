"""No file past 600 lines, no function past 100.

A function is what lies between an opening brace at the end of a line that
starts a definition and the next closing brace in the same column, or further
left if the definition's head takes several lines: clang-format keeps that true,
so no parser is needed.
"""

import re

from sources import CODE, ours, report, root_argument

FILE_LINES = 600
FUNCTION_LINES = 100
# Lists of facts are data, not prose.
DATA = {"test/conformance/cases.txt"}

OPENS = re.compile(r"^(\s*)(?!namespace\b|class\b|struct\b|enum\b|union\b|extern\b|if\b|for\b|while\b|switch\b|do\b|"
                   r"else\b|\}|return\b|//)\S.*\)[^;={}]*\{$")


def long_functions(lines):
    """(line number, length) of each function that is too long."""
    for start, line in enumerate(lines):
        opening = OPENS.match(line)
        if not opening:
            continue
        for end in range(start + 1, len(lines)):
            text = lines[end].lstrip()
            if text.startswith("}") and len(lines[end]) - len(text) <= len(opening[1]):
                if end - start + 1 > FUNCTION_LINES:
                    yield start + 1, end - start + 1
                break


root = root_argument()
found = []
for path in ours(root, CODE | {".py", ".mlir", ".test", ".cmake", ".txt"}):
    name = path.relative_to(root).as_posix()
    lines = path.read_text().splitlines()
    if len(lines) > FILE_LINES and name not in DATA and not name.startswith("test/conformance/ratchet-"):
        found.append(f"{name}: {len(lines)} lines, {FILE_LINES} at most")
    if path.suffix in {".cpp", ".h", ".c"}:
        found += [f"{name}:{number}: a function of {length} lines, {FUNCTION_LINES} at most"
                  for number, length in long_functions(lines)]
report(found)
