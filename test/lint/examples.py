"""Every ```mlir example in the generated reference parses with dscc-opt.

    examples.py FILE.md...

An example is whole (it has a function of its own), or it is a few lines of a
function's body. The latter uses values that it does not define: they become the
function's arguments, with the types that the using line itself gives them,
`%y = dsc.op %a, %b : (A, B) -> Y` or `... : A`.
"""

import pathlib
import re
import subprocess
import sys

FENCE = re.compile(r"```mlir\n(.*?)```", re.DOTALL)
VALUE = r"%[\w$.-]+"


def split_types(text):
    """Splits at the commas that stand in no bracket."""
    parts, depth, start = [], 0, 0
    for index, letter in enumerate(text):
        arrow = letter == ">" and text[index - 1] == "-"
        depth += (letter in "(<[{") - (letter in ")>]}" and not arrow)
        if letter == "," and depth == 0:
            parts.append(text[start:index].strip())
            start = index + 1
    return [part for part in [*parts, text[start:].strip()] if part]


def up_to_closing(text):
    """The text before the bracket that closes one opened just before it."""
    depth = 1
    for index, letter in enumerate(text):
        arrow = letter == ">" and text[index - 1] == "-"
        depth += (letter in "(<[{") - (letter in ")>]}" and not arrow)
        if depth == 0:
            return text[:index]
    return text


def without_attributes(text):
    """The text with its attribute dictionaries blanked, whose own colons say nothing of operand types."""
    kept, depth = [], 0
    for letter in text:
        depth += letter == "{"
        kept.append(letter if depth == 0 else " ")
        depth -= letter == "}"
    return "".join(kept) if depth == 0 else text


def operations(example):
    """The example's lines, an operation that goes on over several lines made one."""
    whole_line = ""
    for line in example.splitlines():
        whole_line = f"{whole_line} {line.strip()}".strip()
        balanced = whole_line.count("{") == whole_line.count("}")
        if balanced and " : " in without_attributes(whole_line) or whole_line.endswith("{") or not whole_line.startswith("%"):
            yield whole_line
            whole_line = ""


def argument_types(example):
    """The values that the example uses but does not define, each with its type."""
    defined, found = set(), {}
    for line in operations(example):
        if line.startswith("^"):
            defined |= set(re.findall(VALUE, line))
            continue
        opens_region = line.endswith("{")
        plain = without_attributes(line[:-1] if opens_region else line)
        head, _, tail = plain.partition(" : ")
        tail = tail.strip()
        results, _, uses = head.partition(" = ") if line.startswith("%") else ("", "", head)
        used = re.findall(VALUE, uses)
        types = split_types(up_to_closing(tail[1:])) if tail.startswith("(") else split_types(tail.split(" -> ")[0])
        if tail and not tail.startswith("("):
            types = types * len(used) if len(types) == 1 else types
        for name, kind in zip(used, types):
            if name not in defined:
                found.setdefault(name, kind)
        defined |= set(re.findall(VALUE, results))
    return {name: kind for name, kind in found.items() if name not in defined}


def whole(example):
    """The example as a module that dscc-opt can read."""
    if re.search(r"\b(func\.func|module|gpu\.module|llvm\.func)\b", example):
        return example
    arguments = ", ".join(f"{name}: {kind}" for name, kind in argument_types(example).items())
    return f"func.func @example({arguments}) {{\n{example}\nreturn\n}}\n"


def parse(texts):
    """dscc-opt's complaint about these texts, or None."""
    child = subprocess.run(["dscc-opt", "--split-input-file", "-o", "/dev/null", "-"],
                           input="\n// -----\n".join(texts), capture_output=True, text=True)
    return child.stderr if child.returncode else None


def main():
    found = []
    for path in map(pathlib.Path, sys.argv[1:]):
        text = path.read_text()
        found += [(path, text.count("\n", 0, fence.start()) + 2, whole(fence[1])) for fence in FENCE.finditer(text)]
    if not found:
        sys.exit("no example was found; are these the generated documents?")
    if parse([example for _, _, example in found]) is None:
        return
    # One by one only now, to say which.
    for path, line, example in found:
        if complaint := parse([example]):
            print(f"{path}:{line}: the example does not parse:\n{example}\n{complaint}")
    sys.exit(1)


if __name__ == "__main__":
    main()
