"""How many declarations of our headers have a sentence, layer by layer, and that it is enough of them.

    headers.py ROOT              fails below a layer's floor
    headers.py ROOT --list PART  names what lacks one in the headers whose path begins with PART

Declarations are types, aliases, functions, constants and the members of a class that are not private. A sentence is a
`///` comment above (in headers that C reads: any comment above), or a comment that ends the declaration's line. One
sentence may stand for the overloads below it, and for a definition beside it in the header. What has its sentence
elsewhere or needs none is left out: overrides, destructors, what is defaulted or deleted, forward declarations, names
taken over from another namespace, and enumerators.
"""

import re
import sys

from sources import ours, root_argument

# The least share of declarations with a sentence, in percent.
FLOORS = {"dialects": 95, "passes": 95, "compiler": 95, "runtime": 97, "tools": 97, "tools/simulator": 97}
C_HEADERS = {"runtime/include/dscc/abi.h", "runtime/include/dscc/dscc.h"}

TOKEN = re.compile(r"""
    (?P<line>//[^\n]*) | (?P<block>/\*.*?\*/) | (?P<macro>^[ \t]*\#(?:[^\n]*\\\n)*[^\n]*)
  | (?P<text>R"\((?:.*?)\)"|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)+') | (?P<newline>\n) | (?P<other>.)
""", re.VERBOSE | re.DOTALL | re.MULTILINE)
SCOPE = re.compile(r"(?:template <.*> )?(?:typedef )?(?P<kind>namespace|class|struct|union|extern)\b(?P<rest>[^=(]*)$")
NAME = re.compile(r"(operator\s*[^\s(]+|~?\w+)\s*\(")
NO_SENTENCE = re.compile(r"""
    ^(friend|static_assert|using\ namespace)\b | ^using\ [\w:]+$ | ^(enum\ )?(class|struct|union)\ [\w:]+$
  | \boverride$ | =\ (default|delete)$ | ^~ | ^virtual\ ~ | ^template\ <[^>]*>\ (class|struct)\ \w+$
""", re.VERBOSE)


class Declaration:
    """What stands between two ends of declarations, with the comments around it."""

    def __init__(self):
        self.text, self.line, self.above, self.beside = "", 0, [], []


class Header:
    """Splits a header into declarations. `found` has (line, name, has a sentence)."""

    def __init__(self, text, is_c):
        self.found, self.is_c = [], is_c
        self.scopes = []  # of namespaces and classes: may its members be seen from outside?
        self.skipped = 0  # depth within a body that declares nothing
        self.parentheses = 0
        self.now = Declaration()
        self.last = None  # ended on this line
        self.previous = ("", False)
        line = 1
        for token in TOKEN.finditer(text):
            self.take(token, line)
            line += token[0].count("\n")

    def take(self, token, line):
        kind, text = token.lastgroup, token[0]
        if kind == "newline":
            self.last = None
            self.now.text += " "
        elif kind in ("line", "block"):
            self.comment(text)
        elif kind == "macro":
            pass
        elif self.skipped:
            self.skipped += (text == "{") - (text == "}")
            if not self.skipped:
                self.end(after_body=True)
        else:
            self.code(text, line)

    def comment(self, text):
        if self.last:
            self.last.beside.append(text)
            self.judge_again()
        elif self.now.text.strip():
            self.now.beside.append(text)
        else:
            self.now.above.append(text)

    def code(self, text, line):
        if not self.now.text.strip() and text.strip():
            self.now.line = line
        self.parentheses += (text == "(") - (text == ")")
        if text == "{" and not self.parentheses:
            self.open()
        elif text == "}" and not self.parentheses:
            if self.scopes:
                self.scopes.pop()
            self.now = Declaration()
            self.now.text = "}"  # up to the semicolon, or to the next declaration
        elif text == ";" and not self.parentheses:
            self.end()
        elif text == ":" and self.now.text.strip() in ("public", "protected", "private"):
            self.scopes[-1] = self.now.text.strip() != "private"
            self.now = Declaration()
        else:
            if self.now.text.strip() == "}" and text.strip():
                self.now = Declaration()
                self.now.line = line
            self.now.text += text

    def open(self):
        head = " ".join(self.now.text.split())
        scope = SCOPE.match(head)
        if scope and scope["kind"] in ("namespace", "extern"):
            self.scopes.append("anonymous" if not scope["rest"].strip() else True)
            self.now = Declaration()
        elif scope:
            self.judge(self.now, head)
            self.scopes.append(scope["kind"] != "class" and not self.hidden())
            self.now = Declaration()
        else:
            self.now.text += "{"
            self.skipped = 1

    def hidden(self):
        return not all(self.scopes)

    def end(self, after_body=False):
        text = " ".join(self.now.text.split())
        if text not in ("", "}") and not (after_body and re.search(r"[=,]\s*\{$|\w\{$", text)):
            self.judge(self.now, text.removesuffix("{").strip())
            self.last = self.now
            self.now = Declaration()
        elif not after_body:
            self.now = Declaration()

    def judge(self, declaration, text):
        if self.hidden() or not text or text == "}" or NO_SENTENCE.search(text):
            return
        named = NAME.search(text)
        name = named[1] if named else re.split(r"[=\[{:]", text)[0].split()[-1]
        mark = "" if self.is_c else "///"
        has = bool(declaration.beside) or any(comment.startswith(mark) for comment in declaration.above)
        has = has or (self.previous == (name, True) and bool(named))
        self.previous = (name, has)
        self.found.append((declaration.line, name, has))

    def judge_again(self):
        """A comment has come after the end of the declaration that was judged last."""
        if self.found and self.found[-1][0] == self.last.line:
            self.found[-1] = (*self.found[-1][:2], True)
            self.previous = (self.previous[0], True)


def layer_of(name):
    return max((layer for layer in FLOORS if name.startswith(layer + "/")), key=len, default=None)


root = root_argument()
wanted = sys.argv[3] if sys.argv[2:3] == ["--list"] else None
counts = {layer: [0, 0] for layer in FLOORS}
for path in ours(root, {".h", ".hpp"}):
    name = path.relative_to(root).as_posix()
    if layer := layer_of(name):
        for line, declared, has in Header(path.read_text(), name in C_HEADERS).found:
            counts[layer][0] += has
            counts[layer][1] += 1
            if wanted and name.startswith(wanted) and not has:
                print(f"{name}:{line}: {declared}")
failed = False
for layer, (with_sentence, all_of_them) in counts.items():
    share = 100 * with_sentence / max(1, all_of_them)
    failed |= share < FLOORS[layer]
    print(f"{layer}: {with_sentence} of {all_of_them} declarations have a sentence, {share:.1f} %"
          + (f"; at least {FLOORS[layer]} % must" if share < FLOORS[layer] else ""))
sys.exit(1 if failed else 0)
