"""The types that the rows of compiler/import let an operator's inputs have, against ONNX's own schemas.

A row holds for the opsets from its own on to the next row's of that operator. The newest schema among them must say
the same as the row; what an older one allows, the row must allow. Strings, complex numbers and what is no tensor are
left out: no value of those types comes that far.
"""

import collections
import pathlib
import re
import sys
import unittest

import onnx

SOURCE = pathlib.Path(sys.argv.pop(1))

# Schemas by version that a row does not follow, and why.
EXCEPTIONS = {
    ("Erf", 9): "took integers, which opset 13 took back",
    ("Split", 1): "had an input of sizes in floats",
}


def read_kinds():
    """The kinds of OperandTypes.cpp, as sets of type names."""
    text = (SOURCE / "OperandTypes.cpp").read_text()
    kinds = {}
    for name, types in re.findall(r'^    \{"(\w+)", "([\w+]+)"\},$', text, re.MULTILINE):
        kinds[name] = set().union(*(kinds.get(word, {word}) for word in types.split("+")))
    return kinds


Row = collections.namedtuple("Row", "op since least most types")


def read_rows():
    rows = []
    for path in sorted(SOURCE.glob("*.cpp")):
        text = path.read_text()
        for row in re.finditer(r'\{"", "(\w+)", (\d+), (\d+), (\w+),\s*\w[^"{}]*,\s*((?:"[^"]*"\s*)+)\}', text):
            types = "".join(re.findall('"([^"]*)"', row[5]))
            most = None if row[4] == "anyCount" else int(row[4])
            rows.append(Row(row[1], int(row[2]), int(row[3]), most, types.split(", ") if types else []))
    return rows


KINDS, ROWS = read_kinds(), read_rows()

SCHEMAS = collections.defaultdict(list)
for schema in onnx.defs.get_all_schemas_with_history():
    if schema.domain == "":
        SCHEMAS[schema.name].append(schema)


def schemas_of(row):
    """Those that the row stands for, oldest first."""
    after = min((other.since for other in ROWS if other.op == row.op and other.since > row.since), default=1000)
    known = sorted((s for s in SCHEMAS[row.op] if s.since_version < after), key=lambda s: s.since_version)
    in_force = max((s.since_version for s in known if s.since_version <= row.since), default=0)
    return [s for s in known if s.since_version >= in_force]


def facts_of_row(row):
    """For each input: its types, and the first input of its name."""
    facts, named = [], {}
    for i, entry in enumerate(entry.removesuffix("...") for entry in row.types):
        name, _, types = entry.partition("=")
        if name[0].islower():
            facts.append((set().union(*(KINDS.get(word, {word}) for word in name.split("+"))), i))
            continue
        if types:
            named[name] = (set().union(*(KINDS.get(word, {word}) for word in types.split("+"))), i)
        facts.append(named[name])
    return facts


def facts_of_schema(schema):
    allowed = {c.type_param_str: c.allowed_type_strs for c in schema.type_constraints}
    facts, first = [], {}
    for i, operand in enumerate(schema.inputs):
        name = operand.type_str
        types = {re.sub(r"^tensor\((\w+)\)$", r"\1", text) for text in allowed.get(name, [name])} & KINDS["all"]
        facts.append((types, first.setdefault(name, i) if name in allowed else i))
    return facts


def is_variadic(schema):
    return bool(schema.inputs) and str(schema.inputs[-1].option).endswith("Variadic")


class OperandTypesTest(unittest.TestCase):
    def test_every_row_is_read(self):
        written = sum(len(re.findall(r'\{"", "\w+", \d+,', path.read_text())) for path in SOURCE.glob("*.cpp"))
        self.assertEqual(len(ROWS), written)
        self.assertGreater(written, 150)

    def test_rows_say_what_the_newest_schema_says(self):
        for row in ROWS:
            newest = schemas_of(row)[-1]
            with self.subTest(row=f"{row.op} {row.since}", schema=newest.since_version):
                expected, found = facts_of_schema(newest), facts_of_row(row)
                self.assertEqual(len(found), len(expected))
                self.assertEqual(is_variadic(newest), bool(row.types) and row.types[-1].endswith("..."))
                for i, ((types, first), (own, own_first)) in enumerate(zip(expected, found)):
                    self.assertEqual(own, types, f"input {i}")
                    self.assertEqual(own_first, first, f"input {i}")

    def test_rows_take_what_older_schemas_take(self):
        for row in ROWS:
            found = facts_of_row(row)
            for schema in schemas_of(row)[:-1]:
                if (row.op, schema.since_version) in EXCEPTIONS:
                    continue
                with self.subTest(row=f"{row.op} {row.since}", schema=schema.since_version):
                    for i, (types, first) in enumerate(facts_of_schema(schema)[:len(found)]):
                        self.assertLessEqual(types, found[i][0], f"input {i}")
                        # What the row makes equal, the schema makes equal, if only by leaving no choice.
                        twin_types, twin_first = facts_of_schema(schema)[found[i][1]]
                        if len(types | twin_types) > 1:
                            self.assertTrue(found[i][1] == i or twin_first == first, f"input {i}")


if __name__ == "__main__":
    unittest.main()
