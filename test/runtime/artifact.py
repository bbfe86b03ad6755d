"""Makes an artifact from a C file that holds the model's table: compiles it and appends the trailer of <dscc/abi.h>.

    python artifact.py CLANG SOURCE.c OUTPUT.so [-DNAME=VALUE...]
"""

import pathlib
import struct
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
INPUTS = pathlib.Path(__file__).resolve().parent / "Inputs"

ABI_VERSION = 5
MAX_SECTIONS = 6
TRAILER_MAGIC = b"dscc.trailer.v1\0"

MASK = 2**64 - 1
PRIMES = (11400714785074694791, 14029467366897019727, 1609587929392839161, 9650029242287828579, 2870177450012600261)


def rotate(value, bits):
    return ((value << bits) | (value >> (64 - bits))) & MASK


def mix_lane(lane, word):
    return rotate((lane + word * PRIMES[1]) & MASK, 31) * PRIMES[0] & MASK


def xxh64(data, seed=0):
    """XXH64, by its specification: github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md."""
    position, size = 0, len(data)
    if size >= 32:
        lanes = [(seed + PRIMES[0] + PRIMES[1]) & MASK, (seed + PRIMES[1]) & MASK, seed, (seed - PRIMES[0]) & MASK]
        for position in range(0, size - 31, 32):
            words = struct.unpack_from("<4Q", data, position)
            lanes = [mix_lane(lane, word) for lane, word in zip(lanes, words)]
        position += 32
        total = sum(rotate(lane, bits) for lane, bits in zip(lanes, (1, 7, 12, 18))) & MASK
        for lane in lanes:
            total = ((total ^ mix_lane(0, lane)) * PRIMES[0] + PRIMES[3]) & MASK
    else:
        total = (seed + PRIMES[4]) & MASK
    total = (total + size) & MASK
    while position + 8 <= size:
        total ^= mix_lane(0, struct.unpack_from("<Q", data, position)[0])
        total = (rotate(total, 27) * PRIMES[0] + PRIMES[3]) & MASK
        position += 8
    if position + 4 <= size:
        total ^= struct.unpack_from("<I", data, position)[0] * PRIMES[0] & MASK
        total = (rotate(total, 23) * PRIMES[1] + PRIMES[2]) & MASK
        position += 4
    for byte in data[position:]:
        total = rotate(total ^ (byte * PRIMES[4] & MASK), 11) * PRIMES[0] & MASK
    total = (total ^ (total >> 33)) * PRIMES[1] & MASK
    total = (total ^ (total >> 29)) * PRIMES[2] & MASK
    return total ^ (total >> 32)


def trailer(body, abi_version=ABI_VERSION):
    """The trailer of a file whose other bytes are `body`, hashed in two sections."""
    half = len(body) // 2
    ranges = [(0, half), (half, len(body) - half)]
    sections = [(offset, size, xxh64(body[offset:offset + size])) for offset, size in ranges]
    sections += [(0, 0, 0)] * (MAX_SECTIONS - len(sections))
    size = 16 + MAX_SECTIONS * 24 + 8 + len(TRAILER_MAGIC)
    text = struct.pack("<QII", len(body) + size, abi_version, len(ranges))
    text += b"".join(struct.pack("<3Q", *section) for section in sections)
    return text + struct.pack("<Q", xxh64(text)) + TRAILER_MAGIC


def make(clang, source, output, defines=()):
    command = [clang, "-shared", "-fPIC", "-nostdlib", "-O1", "-ffreestanding", "-fvisibility=hidden", "-fuse-ld=lld",
               f"-I{ROOT / 'runtime/include'}", *defines, str(source), "-o", str(output)]
    subprocess.run(command, check=True)
    body = pathlib.Path(output).read_bytes()
    body += bytes(-len(body) % 8)
    pathlib.Path(output).write_bytes(body + trailer(body))


if __name__ == "__main__":
    make(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:])
