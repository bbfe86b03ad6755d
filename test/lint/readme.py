"""The C program in the README is test/runtime/example.c to the letter, and every path that README and docs link to is there."""

import re

from sources import report, root_argument

BLOCK = re.compile(r"^```c\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")

root = root_argument()
found = []
blocks = BLOCK.findall((root / "README.md").read_text())
example = (root / "test/runtime/example.c").read_text()
if blocks != [example]:
    found.append("README.md: its C program is not test/runtime/example.c; copy the file into the block")
if len(example.splitlines()) >= 80:
    found.append("test/runtime/example.c: 80 lines or more; the README promises a short one")
for page in [root / "README.md", *sorted((root / "docs").glob("*.md"))]:
    for link in LINK.findall(page.read_text()):
        if not (page.parent / link).exists():
            found.append(f"{page.relative_to(root)}: links to {link}, which is not there")
report(found)
