"""Passes ask ops for facts, they keep no lists of ops.

What is true of many ops is a field of each op's entry in its .td file (dialects/dsc/Facts.h). A pass that handles an op
for what it means may name it, and a few more that it handles alike.
"""

import re

from sources import CODE, ours, report, root_argument

MOST = 3
TEST = re.compile(r"\bisa(?:_and_\w+)?<([^<>;]*)>")
OP = re.compile(r"\bdsc::\w+Op\b")

root = root_argument()
found = []
for path in ours(root, CODE):
    name = path.relative_to(root)
    if name.parts[0] != "passes":
        continue
    text = path.read_text()
    for test in TEST.finditer(text):
        ops = OP.findall(test[1])
        if len(ops) > MOST:
            line = text.count("\n", 0, test.start()) + 1
            found.append(f"{name}:{line}: a list of {len(ops)} ops; say in their .td files what they have in common")
report(found)
