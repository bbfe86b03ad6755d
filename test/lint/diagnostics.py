"""Every sentence that dscc says about an error occurs in a test: its fixed words, in order, on one line.

    diagnostics.py ROOT [ROW...]

Prints how many there are for each layer, then those that no test has, and fails if a layer falls below its floor. A
sentence is a text that a reporting call is given; what is computed is a gap, a choice of whole texts is several
sentences, a choice within one is a gap. Hints count like sentences. Who adds one adds the test that gets it.
"""

import pathlib
import re
import sys

from sources import ours

# Percent of a layer's sentences, rounded down. They only rise.
FLOORS = {"dialects": 98, "passes": 97, "compiler/import": 100, "compiler": 95, "runtime": 97, "tools": 96}
# The simulator has rules of its own: what it says is about PTX, not about models.
LEFT_OUT = ("tools/simulator",)

STREAMED = ("emitOpError", "emitError", "attachNote")  # what follows by << belongs to the sentence
JOINED = ("emitOptionalError",)                        # all arguments are one sentence
SEPARATE = ("reject", "unsupported", "limit", "usage", "complain", "fail", "failed", "refuse", "typeProblem", "warn",
            "remark", "error", "push_back", "insert", "diagnose", "report_fatal_error", "onBreakdown")
CALL = re.compile(r"\b(%s)\s*\(" % "|".join(STREAMED + JOINED + SEPARATE))
# A sentence on its way to a reporting call.
HELD = re.compile(r"(?:\b(?:error|reason|problem|complaint|message|sentence)\s*\+?=(?!=)\s*|\breturn\s+(?=\"))")

LITERAL = re.compile(r'"(?:[^"\\\n]|\\.)*"')
SKIPPED = re.compile(r"//[^\n]*|/\*.*?\*/|'(?:[^'\\\n]|\\.)'", re.DOTALL)
FORMAT = re.compile(r"%[-+ #0]*[\d*]*(?:\.[\d*]+)?(?:hh|h|ll|l|z|j)?[a-zA-Z]")
WORD = re.compile(r"[A-Za-z0-9_]+")
# A call that hands its argument on as a text.
TEXT_MAKER = re.compile(r"(?:Twine|string|StringRef)$")


def without_comments(text):
    """The text with comments and character literals blanked."""
    result, at = [], 0
    while at < len(text):
        literal = LITERAL.match(text, at)
        skipped = None if literal else SKIPPED.match(text, at)
        found = literal or skipped
        result.append(literal[0] if literal else re.sub(r"[^\n]", " ", skipped[0]) if skipped else text[at])
        at = found.end() if found else at + 1
    return "".join(result)


def scan(code, start):
    """Each letter outside of literals from `start` on, with its place and depth in brackets, until one closes a
    bracket that was opened before."""
    depth, at = 0, start
    while at < len(code):
        literal = LITERAL.match(code, at)
        if literal:
            at = literal.end()
            continue
        letter = code[at]
        if letter in ")]}":
            depth -= 1
        yield at, letter, depth
        if depth < 0:
            return
        if letter in "([{":
            depth += 1
        at += 1


def end_of(code, start, ends):
    """Where one of the letters `ends` stands at depth 0, or the bracket around `start` closes."""
    for at, letter, depth in scan(code, start):
        if depth < 0 or depth == 0 and letter in ends:
            return at
    return len(code)


def split_arguments(code):
    commas = [at for at, letter, depth in scan(code, 0) if depth == 0 and letter == ","]
    return [code[start:end] for start, end in zip([0] + [at + 1 for at in commas], commas + [len(code)])]


def split_choice(code):
    """The two texts of `condition ? text : text`, or None."""
    marks = [(at, letter) for at, letter, depth in scan(code, 0)
             if depth == 0 and letter in "?:" and code[at:at + 2] != "::" and code[at - 1:at + 1] != "::"]
    if not marks or marks[0][1] != "?":
        return None
    open_choices = 0
    for at, letter in marks:
        open_choices += 1 if letter == "?" else -1
        if open_choices == 0:
            return code[marks[0][0] + 1:at], code[at + 1:]
    return None


def texts(code):
    """What the expression may read: lists of fixed pieces, with gaps between them."""
    code = code.strip()
    choice = split_choice(code)
    if choice:
        return texts(choice[0]) + texts(choice[1])
    pieces, at, adjacent = [], 0, False
    while at < len(code):
        literal = LITERAL.match(code, at)
        if literal:
            pieces[len(pieces) - adjacent:] = [(pieces[-1] if adjacent else "") + literal[0][1:-1]]
            at, adjacent = literal.end(), True
            continue
        if code[at] in "([{":
            inner = code[at + 1:end_of(code, at + 1, "")]
            before = re.search(r"[\w:]*$", code[:at].rstrip())[0]
            if code[at] == "(" and (not before or TEXT_MAKER.search(before)):
                within = texts(inner)
                pieces += within[0] if len(within) == 1 else []
            at += len(inner) + 2
            adjacent = False
            continue
        adjacent = adjacent and code[at].isspace()
        at += 1
    return [pieces]


def sentences_of(code, name):
    """Where each sentence begins, and its pieces."""
    for call in CALL.finditer(code):
        inside = code[call.end():end_of(code, call.end(), "")]
        if call[1] in STREAMED:
            rest = code[call.end() + len(inside) + 1:]
            inside = inside.replace(",", "<<") + " << " + rest[:end_of(rest, 0, ";")]
            parts = [inside] if not split_choice(inside) else [re.sub(r"\?|(?<!:):(?!:)", " ", inside)]
        else:
            parts = [inside] if call[1] in JOINED else split_arguments(inside)
        for part in parts:
            for pieces in texts(part):
                yield call.start(), pieces
    for held in HELD.finditer(code):
        for pieces in texts(code[held.end():end_of(code, held.end(), ";")]):
            yield held.start(), pieces


def words_of(pieces, is_format):
    """The words of each piece; what has less than two in all is a name, what quotes its words is JSON."""
    if any(r'\"' in piece for piece in pieces):  # a piece of JSON
        return []
    if is_format:
        pieces = [part for piece in pieces for part in FORMAT.split(piece)]
    words = [WORD.findall(re.sub(r"\\[nt]", " ", piece)) for piece in pieces]
    words = [piece for piece in words if piece]
    return words if sum(map(len, words)) >= 2 else []


def row_of(name):
    if name.startswith(LEFT_OUT):
        return None
    return next((row for row in sorted(FLOORS, key=len, reverse=True) if name.startswith(row + "/")), None)


def collect(root):
    """row -> {(file, words): line}"""
    rows = {row: {} for row in FLOORS}
    for path in ours(root, {".cpp", ".h"}):
        name = path.relative_to(root).as_posix()
        row = row_of(name)
        if not row:
            continue
        code = without_comments(path.read_text())
        for start, pieces in sentences_of(code, name):
            words = words_of(pieces, is_format=row == "runtime")
            if words:
                key = (name, tuple(map(tuple, words)))
                rows[row].setdefault(key, code.count("\n", 0, start) + 1)
    return rows


def tested_lines(root):
    """The lines of the tests, those that go on made one, without what is said not to come."""
    lines = []
    for path in ours(root / "test", {".mlir", ".test", ".py", ".cpp", ".c"}):
        if path.parent.name == "lint":
            continue
        text = path.read_text(errors="replace")
        text = re.sub(r"\\\n|\n[#/\s]*[\w-]*-SAME:|[\"']\s*\+?\s*\n\s*\+?\s*[rf]{0,2}[\"']", " ", text)
        lines += [re.sub(r"\\(.)", r"\1", line) for line in text.splitlines() if "-NOT:" not in line]
    return "\n".join(lines)


def pattern_of(words):
    """The words in order: next to each other within a piece, anything on the line between pieces."""
    return re.compile(r".{0,160}?".join(r"\b" + r"[^\w\n]+".join(piece) + r"\b" for piece in words))


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    chosen = sys.argv[2:] or list(FLOORS)
    tests = tested_lines(root)
    complaints = []
    for row, found in collect(root).items():
        if row not in chosen:
            continue
        missing = sorted((name, line, words) for (name, words), line in found.items() if not pattern_of(words).search(tests))
        percent = 100 * (len(found) - len(missing)) // max(1, len(found))
        print(f"{row}: {len(found) - len(missing)} of {len(found)} sentences occur in a test ({percent} %)")
        for name, line, words in missing:
            print(f"  {name}:{line}: {' .. '.join(' '.join(piece) for piece in words)}")
        if percent < FLOORS[row]:
            complaints.append(f"{row}: {percent} % is below its floor, {FLOORS[row]} %; test what was added")
    print(*complaints, sep="\n")
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
