"""Reads the tensors and the settings of a GGUF file, version 3, of the types that SmolLM2's file has.

    header = GgufFile(path)
    header.settings["llama.block_count"]
    header.tensor("blk.0.attn_q.weight")     float32, [rows, columns]
"""

import struct

import numpy as np

NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
STRING, ARRAY = 8, 9
BLOCK = 32  # numbers that share a scale


def plain(raw, count):
    return raw.view(np.float32)[:count]


def four_bits(raw, count):
    """Q4_1: scale and offset in fp16, then 32 numbers of 4 bits, the low halves first."""
    block = np.dtype([("scale", "<f2"), ("offset", "<f2"), ("packed", "u1", BLOCK // 2)])
    blocks = raw[: count // BLOCK * block.itemsize].view(block)
    digits = np.concatenate([blocks["packed"] & 15, blocks["packed"] >> 4], axis=1).astype(np.float32)
    return digits * blocks["scale"].astype(np.float32)[:, None] + blocks["offset"].astype(np.float32)[:, None]


def eight_bits(raw, count):
    """Q8_0: a scale in fp16, then 32 signed bytes."""
    block = np.dtype([("scale", "<f2"), ("numbers", "i1", BLOCK)])
    blocks = raw[: count // BLOCK * block.itemsize].view(block)
    return blocks["numbers"].astype(np.float32) * blocks["scale"].astype(np.float32)[:, None]


# By the number of the type in the file.
DECODERS = {0: plain, 3: four_bits, 8: eight_bits}


class GgufFile:
    def __init__(self, path):
        self._bytes, self._at = np.memmap(path, np.uint8, "r"), 0
        magic, version = self._read("4s"), self._read("I")
        if magic != b"GGUF" or version != 3:
            raise ValueError(f"{path}: is no GGUF file of version 3")
        tensors, settings = self._read("Q"), self._read("Q")
        self.settings = {self._string(): self._value(self._read("I")) for _ in range(settings)}
        self._tensors = {self._string(): self._place() for _ in range(tensors)}
        alignment = self.settings.get("general.alignment", 32)
        self._data = -(-self._at // alignment) * alignment

    def tensor(self, name):
        dims, kind, offset = self._tensors[name]
        if kind not in DECODERS:
            raise ValueError(f"{name} is of type {kind}; known are {', '.join(map(str, DECODERS))}")
        # The fastest dim is written first.
        raw, count = self._bytes[self._data + offset:], int(np.prod(dims))
        return np.ascontiguousarray(DECODERS[kind](raw, count).reshape(dims[::-1]))

    def _place(self):
        dims = [self._read("Q") for _ in range(self._read("I"))]
        return dims, self._read("I"), self._read("Q")

    def _read(self, code):
        size = struct.calcsize("<" + code)
        value = struct.unpack("<" + code, self._bytes[self._at:self._at + size].tobytes())[0]
        self._at += size
        return value

    def _string(self):
        length = self._read("Q")
        self._at += length
        return self._bytes[self._at - length:self._at].tobytes().decode()

    def _value(self, kind):
        if kind == STRING:
            return self._string()
        if kind == ARRAY:
            element, count = self._read("I"), self._read("Q")
            return [self._value(element) for _ in range(count)]
        return self._read(NUMBERS[kind])
