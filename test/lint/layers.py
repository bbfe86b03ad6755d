"""The arrows point down: a layer includes itself and the layers below, never one above.

    tools ──► compiler ──► passes ──► dialects          runtime knows nothing of them,
      └──────────┴─────────────────────────► <dscc/abi.h>    and shares only its treaty.

Within the layers of the compiler they point down too: X.h and X.cpp are one unit, and no unit reaches itself through
others.
"""

import re

from sources import CODE, ours, report, root_argument

LAYERS = ("dialects", "passes", "compiler", "tools")  # from the ground up
# Outside of the stack; tools/dscc-run.cpp is a user of the runtime like any other.
RUNTIME_HEADERS = {"tools": {"abi.h", "dscc.h", "dscc.hpp"}, "runtime": {"abi.h", "dscc.h", "dscc.hpp"}}
# A library of its own: the software driver includes nothing of ours, and may use LLVM.
SIMULATOR = ("tools", "simulator")
LLVM = re.compile(r'#\s*include\s*["<](llvm|mlir|lld|llvm-c|mlir-c)/')
QUOTED = re.compile(r'\s*#?\s*include\s*"([\w./+-]+)"')
TREATY = re.compile(r'\s*#\s*include\s*[<"](?:runtime/include/)?dscc/([\w.]+)[>"]')


def may_include(layer, other):
    if layer == other:
        return True
    if layer == "runtime" or other == "runtime":
        return False
    return LAYERS.index(other) < LAYERS.index(layer)


def complaints_about(path, layer, relative):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        place = f"{relative}:{number}"
        if treaty := TREATY.match(line):
            if treaty[1] not in RUNTIME_HEADERS.get(layer, {"abi.h"}):
                yield f"{place}: {layer} may share only <dscc/abi.h> with the runtime, not {treaty[1]}"
            continue
        quoted = QUOTED.match(line)
        first = quoted[1].split("/")[0] if quoted else None
        if first in (*LAYERS, "runtime") and not may_include(layer, first):
            yield f"{place}: {layer} must not include {first}"
        simulator = relative.parts[:2] == SIMULATOR
        if simulator and first in (*LAYERS, "runtime") and not quoted[1].startswith("/".join(SIMULATOR)):
            yield f"{place}: the simulator must not include {first}"
        if layer == "runtime" and LLVM.match(line):
            yield f"{place}: the runtime must not include LLVM or MLIR"


def includes_of(units, root):
    """For each unit, the other units that its files include."""
    graph = {unit: set() for unit in units}
    for unit, files in units.items():
        for path in files:
            named = [quoted[1] for line in path.read_text().splitlines() if (quoted := QUOTED.match(line))]
            graph[unit] |= {name.rsplit(".", 1)[0] for name in named if (root / name).exists()} & units.keys() - {unit}
    return graph


def complaints_about_rings(graph):
    """A sentence for each way from a unit back to itself, found depth first."""
    done, way = set(), []

    def visit(unit):
        if unit in way:
            yield f"these files include each other in a ring: {' -> '.join([*way[way.index(unit):], unit])}"
        elif unit not in done:
            way.append(unit)
            for other in sorted(graph[unit]):
                yield from visit(other)
            done.add(way.pop())

    for unit in sorted(graph):
        yield from visit(unit)


root = root_argument()
found, units = [], {}
for source in ours(root, CODE):
    relative = source.relative_to(root)
    if relative.parts[0] in (*LAYERS, "runtime"):
        found += complaints_about(source, relative.parts[0], relative)
    if relative.parts[0] in LAYERS and relative.parts[:2] != SIMULATOR and source.suffix != ".td":
        units.setdefault(relative.as_posix().rsplit(".", 1)[0], []).append(source)
report(found + list(complaints_about_rings(includes_of(units, root))))
