"""Makes a wheel of the runtime: the package beside this file, with libdscc_runtime.so in it.

    python make_wheel.py --version 0.1.0 --library libdscc_runtime.so --license LICENSE --output FOLDER

The same files give the same bytes. The wheel's tag says what the library needs: manylinux_2_N for the newest version
of glibc that it asks for, if it needs nothing but glibc, else plain linux. Prints the wheel's path.
"""

import argparse
import base64
import hashlib
import pathlib
import re
import struct
import sys
import zipfile

PACKAGE = pathlib.Path(__file__).resolve().parent / "dscc"
# What PEP 600 lets a manylinux wheel take from the system, as far as a library in C may need it.
GLIBC = {"libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "ld-linux-x86-64.so.2"}
EPOCH = (1980, 1, 1, 0, 0, 0)  # the oldest date that a zip file can hold
NEEDED = 1  # DT_NEEDED


def sections(elf):
    """By name: (bytes, index of the section that holds its names) of a 64-bit little-endian ELF file."""
    if elf[:6] != b"\x7fELF\x02\x01":
        sys.exit("the library is no 64-bit little-endian ELF file")
    offset, = struct.unpack_from("<Q", elf, 0x28)
    size, count, names = struct.unpack_from("<3H", elf, 0x3A)
    rows = [struct.unpack_from("<2I4Q2I2Q", elf, offset + index * size) for index in range(count)]
    return rows, [elf[row[4]:row[4] + row[5]] for row in rows], names


def text_at(table, offset):
    return table[offset:table.index(b"\0", offset)].decode()


def read_needs(path):
    """The names of the libraries that a library needs, and the versions of symbols that it asks them for."""
    rows, contents, names = sections(path.read_bytes())
    libraries, versions = set(), set()
    for row, content in zip(rows, contents):
        name = text_at(contents[names], row[0])
        if name == ".dynamic":
            libraries |= {text_at(contents[row[6]], value) for tag, value in struct.iter_unpack("<qQ", content)
                          if tag == NEEDED}
        if name == ".gnu.version_r":
            versions |= set(read_versions(content, contents[row[6]]))
    return libraries, versions


def read_versions(content, strings):
    file_at = 0
    while True:
        _, count, _, first, next_file = struct.unpack_from("<2H3I", content, file_at)
        version_at = file_at + first
        for _ in range(count):
            _, _, _, name, next_version = struct.unpack_from("<I2H2I", content, version_at)
            yield text_at(strings, name)
            version_at += next_version
        if not next_file:
            return
        file_at += next_file


def platform_of(path):
    libraries, versions = read_needs(path)
    minors = [re.fullmatch(r"GLIBC_2\.(\d+)(?:\.\d+)?", version) for version in versions]
    if libraries - GLIBC or not all(minors):
        return "linux_x86_64"
    # The oldest policy there is says 2.5.
    return f"manylinux_2_{max([5, *(int(minor[1]) for minor in minors)])}_x86_64"


def metadata(version):
    return "\n".join([
        "Metadata-Version: 2.1", "Name: dscc", f"Version: {version}",
        "Summary: Runs models that dscc compiled ahead of time; the compiler is not in this package",
        "License: MIT", "Requires-Python: >=3.9", "Requires-Dist: numpy>=1.23",
        "Classifier: Operating System :: POSIX :: Linux", "Classifier: Typing :: Typed", "", ""])


def digest(content):
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def write_wheel(folder, version, library, license_file):
    tag = f"py3-none-{platform_of(library)}"
    info = f"dscc-{version}.dist-info"
    files = {f"dscc/{path.name}": path.read_bytes() for path in [*PACKAGE.glob("*.py"), PACKAGE / "py.typed"]}
    files[f"dscc/{library.name}"] = library.read_bytes()
    files[f"{info}/METADATA"] = metadata(version).encode()
    files[f"{info}/LICENSE"] = license_file.read_bytes()
    files[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: dscc\nRoot-Is-Purelib: false\nTag: {tag}\n".encode()
    record = f"{info}/RECORD"
    rows = [f"{name},{digest(content)},{len(content)}\n" for name, content in sorted(files.items())]
    files[record] = "".join([*rows, f"{record},,\n"]).encode()
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("dscc-*.whl"):
        old.unlink()
    wheel = folder / f"dscc-{version}-{tag}.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        # The record comes last, as installers like it.
        for name in [*sorted(set(files) - {record}), record]:
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o755 if name.endswith(".so") else 0o644) << 16
            archive.writestr(entry, files[name])
    return wheel


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--version", required=True)
    for name in ("--library", "--license", "--output"):
        parser.add_argument(name, required=True, type=pathlib.Path)
    arguments = parser.parse_args()
    print(write_wheel(arguments.output, arguments.version, arguments.library, arguments.license))


if __name__ == "__main__":
    main()
