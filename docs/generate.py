"""Copies the reference that the build makes of the .td files into docs/, or checks that it is up to date.

    python docs/generate.py BUILD          writes docs/dsc.md and docs/passes.md
    python docs/generate.py BUILD --check  ends with 1 if one of them differs, and says which
"""

import pathlib
import sys

DOCS = pathlib.Path(__file__).resolve().parent
PAGES = {"dsc.md": "dialects/dsc/Dsc.md", "passes.md": "passes/Passes.md"}


def main():
    if len(sys.argv) not in (2, 3) or sys.argv[2:] not in ([], ["--check"]):
        sys.exit(__doc__)
    build, check = pathlib.Path(sys.argv[1]), len(sys.argv) == 3
    stale = []
    for page, made in PAGES.items():
        # Git would mark white space at the end of a line.
        text = "".join(f"{line.rstrip()}\n" for line in (build / made).read_text().rstrip().splitlines())
        if not check:
            (DOCS / page).write_text(text)
        elif not (DOCS / page).exists() or (DOCS / page).read_text() != text:
            stale.append(page)
    for page in stale:
        print(f"docs/{page} is not what the .td files say; build, then run: python docs/generate.py build")
    sys.exit(1 if stale else 0)


if __name__ == "__main__":
    main()
