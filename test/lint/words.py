"""Names that say nothing, notes to oneself that no issue holds, and options or output below tools/."""

import re

from sources import CODE, TEXT, ours, report, root_argument

EMPTY_NAME = re.compile(r"(?:^|[^a-z])(utils?|common|misc|helpers?|manager)(?:[^a-z]|$)", re.IGNORECASE)
# A capital starts a new word in CamelCase: MatmulUtils is as empty as utils.
CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
NOTE = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b(?!\(#\d+\))")

# What a library of ours leaves to its caller.
BELOW_TOOLS = {
    r"\bcl::opt\b": "command-line options exist in tools/ only",
    r"\bgetenv\s*\(": "the environment is read in tools/ only",
    r"\b(?:llvm::)?(?:errs|outs)\(\)": "below tools/ nothing is printed",
    r"\b(?:std::)?exit\s*\(": "below tools/ nobody exits",
    r"\bfprintf\s*\(\s*stderr": "below tools/ nothing is printed",
}
LIBRARIES = ("dialects", "passes", "compiler")


def notes(path, name):
    # This file and the style guide name the words to forbid them.
    if name in ("test/lint/words.py", "docs/STYLE.md"):
        return
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        if NOTE.search(line):
            yield f"{name}:{number}: a note without an issue; write TODO(#123)"


def library_manners(path, name):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        code = line.split("//")[0]
        for pattern, reason in BELOW_TOOLS.items():
            if re.search(pattern, code):
                yield f"{name}:{number}: {reason}"


root = root_argument()
found = []
for source in ours(root, TEXT):
    relative = source.relative_to(root)
    for part in relative.parts:
        if EMPTY_NAME.search(CAMEL.sub("-", part)):
            found.append(f"{relative}: the name `{part}` says nothing; find the real one")
    found += notes(source, relative.as_posix())
    if relative.parts[0] in LIBRARIES and source.suffix in CODE:
        found += library_manners(source, relative.as_posix())
report(found)
