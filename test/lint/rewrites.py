"""Each pass does to the first IR of its description what the second IR shows.

    rewrites.py Passes.md

The page is what mlir-tblgen makes of Passes.td. An example of a pass is

    With `OPTIONS`:          (if it needs any)
    ```mlir
    IR before
    ```
    becomes                  or: is refused with
    ```mlir                          ```
    IR after                         what the error says
    ```                              ```

Both sides are printed by dscc-opt before they are compared, so that names of values, white space and locations do
not count; symbols are numbered in their order. What the pipeline tidies up behind a pass, such as ops that nothing uses
any more, is tidied up on both sides. A few lines stand for the body of a function: its arguments are the
values that they use but do not define, those that nothing uses are its results. A function that IR after only
declares may have any body.
"""

import difflib
import pathlib
import re
import subprocess
import sys

from examples import VALUE, argument_types, operations
from sources import report

SECTION = re.compile(r"^### `-([\w-]+)`$(.*?)(?=^### |\Z)", re.DOTALL | re.MULTILINE)
FENCE = re.compile(r"^```mlir$", re.MULTILINE)
OPTIONS = r"(?:^With `([^`]*)`:\n+)?"
PAIR = re.compile(OPTIONS + r"^```mlir\n(.*?)^```\n+becomes\n+```mlir\n(.*?)^```", re.DOTALL | re.MULTILINE)
REFUSAL = re.compile(OPTIONS + r"^```mlir\n(.*?)^```\n+is refused with\n+```\n(.*?)^```", re.DOTALL | re.MULTILINE)
WHOLE = re.compile(r"\b(func\.func|module|gpu\.module|llvm\.func)\b")
# What tidy() of compiler/Pipeline.cpp runs.
TIDY = ["--canonicalize", "--cse"]
SYMBOL = re.compile(r"@[\w$.-]+")


def unused_results(lines):
    """The values that these lines define and do not use, each with its type."""
    defined, used = {}, set()
    for line in operations(lines):
        results, equals, rest = line.partition(" = ")
        if line.startswith("%") and equals:
            # What an op with a region makes stands before the brace that opens it.
            tail = rest.removesuffix("{").rpartition(" -> " if " -> " in rest else " : ")[2].strip()
            defined |= {name: tail for name in re.findall(VALUE, results)}
            used |= set(re.findall(VALUE, rest))
        else:
            used |= set(re.findall(VALUE, line))
    return {name: kind for name, kind in defined.items() if name not in used}


def as_function(lines, arguments):
    """A function around lines that stand for its body."""
    results = unused_results(lines)
    types = ", ".join(results.values())
    head = ", ".join(f"{name}: {kind}" for name, kind in arguments.items())
    back = f"return {', '.join(results)} : {types}" if results else "return"
    return f"func.func @example({head}) -> ({types}) {{\n{lines}\n{back}\n}}\n"


def modules(before, after):
    """Both sides as modules; the arguments of both are those of the first."""
    if WHOLE.search(before):
        return before, after
    arguments = argument_types(before)
    return as_function(before, arguments), as_function(after, arguments)


def opt(text, *flags):
    """What dscc-opt prints, and what it complains about."""
    child = subprocess.run(["dscc-opt", *flags, "-"], input=text, capture_output=True, text=True)
    return child.stdout, child.stderr if child.returncode else ""


def without_bodies(made, shown):
    """`made`, where functions that `shown` only declares lose their bodies and the names of their arguments."""
    declared = set(re.findall(r"^\s*llvm\.func (@[\w$.-]+)\([^{\n]*$", shown, re.MULTILINE))
    kept, closing = [], None
    for line in made.splitlines():
        head = re.match(r"(\s*)llvm\.func (@[\w$.-]+)\(.*\{$", line)
        if closing is None and head and head[2] in declared:
            closing = head[1] + "}"
            kept.append(re.sub(r"%\w+: ", "", line).removesuffix("{").rstrip())
        elif closing is None:
            kept.append(line)
        elif line == closing:
            closing = None
    return "\n".join(kept)


def with_numbered_symbols(text):
    numbers = {}
    return SYMBOL.sub(lambda symbol: "@s%d" % numbers.setdefault(symbol[0], len(numbers)), text)


def complaint_about_pair(flag, before, after):
    before, after = modules(before, after)
    unchanged, wrong = opt(before, *TIDY)
    shown, also_wrong = opt(after, *TIDY)
    made, failed = opt(before, flag, *TIDY)
    if wrong or also_wrong or failed:
        return wrong or also_wrong or failed
    if made == unchanged:
        return "the pass leaves the IR before as it is"
    made = without_bodies(made, shown)
    lines = [with_numbered_symbols(text).strip().splitlines() for text in (shown, made)]
    return "\n".join(difflib.unified_diff(*lines, "what the description shows", "what the pass makes", lineterm=""))


def complaint_about_refusal(flag, before, sentence):
    _, failed = opt(modules(before, "")[0], flag)
    if sentence.strip() in failed:
        return ""
    return f"the error is not the one shown, but:\n{failed}" if failed else "the pass refuses nothing"


found = []
sections = SECTION.findall(pathlib.Path(sys.argv[1]).read_text())
if not sections:
    sys.exit("no pass was found; is this the page that is generated?")
for name, text in sections:
    pairs, refusals = PAIR.findall(text), REFUSAL.findall(text)
    if not pairs and not refusals:
        found.append(f"{name}: its description has no IR before and after")
    if len(FENCE.findall(text)) != 2 * len(pairs) + len(refusals):
        found.append(f"{name}: some IR of its description is neither before nor after")
    for examples, complaint_about in ((pairs, complaint_about_pair), (refusals, complaint_about_refusal)):
        for options, before, after in examples:
            flag = f"--{name}={options}" if options else f"--{name}"
            if complaint := complaint_about(flag, before, after):
                found.append(f"{name}: the example of its description is not true:\n{complaint}")
report(found)
