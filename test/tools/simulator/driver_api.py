"""The structures and a few kernels for driver_test.py: the driver's calls by name, errors as names."""

import ctypes
import pathlib
import re
import struct
import unittest

import numpy as np

import cuda

N = 64

KERNELS = """.version 8.0
.target {target}
.address_size 64
.visible .global .align 4 .b8 table[16];

.visible .entry add(.param .u64 out, .param .u64 in, .param .u32 value)
{{
  .reg .b32 %r<8>;
  .reg .b64 %rd<8>;
  ld.param.u64 %rd1, [out];
  ld.param.u64 %rd2, [in];
  ld.param.u32 %r1, [value];
  mov.u32 %r2, %tid.x;
  mul.wide.u32 %rd3, %r2, 4;
  add.u64 %rd4, %rd2, %rd3;
  ld.global.u32 %r3, [%rd4];
  add.u32 %r3, %r3, %r1;
  add.u64 %rd5, %rd1, %rd3;
  st.global.u32 [%rd5], %r3;
  ret;
}}

.visible .entry cube(.param .u64 out, .param .u64 in, .param .u32 value)
.maxntid 128, 1, 1
{{
  .reg .b32 %r<8>;
  .reg .b64 %rd<8>;
  .shared .align 4 .b8 scratch[1024];
  ld.param.u64 %rd1, [out];
  ld.param.u64 %rd2, [in];
  mov.u32 %r2, %tid.x;
  mul.wide.u32 %rd3, %r2, 4;
  add.u64 %rd4, %rd2, %rd3;
  ld.global.u32 %r3, [%rd4];
  mov.u32 %r5, scratch;
  st.shared.u32 [%r5], %r3;
  mul.lo.u32 %r4, %r3, %r3;
  mul.lo.u32 %r3, %r4, %r3;
  add.u64 %rd5, %rd1, %rd3;
  st.global.u32 [%rd5], %r3;
  ret;
}}
"""

# Each block writes how many blocks its cluster has.
CLUSTERS = """.version 8.0
.target sm_90
.address_size 64
{entries}
"""
CLUSTER_ENTRY = """.visible .entry {name}(.param .u64 out)
{directive}
{{
  .reg .b32 %r<8>;
  .reg .b64 %rd<8>;
  ld.param.u64 %rd1, [out];
  mov.u32 %r1, %ctaid.x;
  mov.u32 %r2, %cluster_nctaid.x;
  mul.wide.u32 %rd2, %r1, 4;
  add.u64 %rd3, %rd1, %rd2;
  st.global.u32 [%rd3], %r2;
  ret;
}}
"""

handle, size_t, uint, address_t = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_uint64


def fields(*rows):
    class Made(ctypes.Structure):
        _fields_ = list(rows)

    return Made


Attribute = fields(("id", ctypes.c_int), ("padding", ctypes.c_int), ("value", uint * 16))
LaunchConfig = fields(("grid", uint * 3), ("block", uint * 3), ("shared", uint), ("stream", handle),
                      ("attributes", handle), ("count", uint))
Copy2D = fields(("source_x", size_t), ("source_y", size_t), ("source_type", uint), ("source_host", handle),
                ("source_device", address_t), ("source_array", handle), ("source_pitch", size_t),
                ("target_x", size_t), ("target_y", size_t), ("target_type", uint), ("target_host", handle),
                ("target_device", address_t), ("target_array", handle), ("target_pitch", size_t),
                ("width", size_t), ("height", size_t))
Side3D = fields(("x", size_t), ("y", size_t), ("z", size_t), ("lod", size_t), ("type", uint), ("host", handle),
                ("device", address_t), ("array", handle), ("reserved", handle), ("pitch", size_t), ("height", size_t))
Copy3D = fields(("source", Side3D), ("target", Side3D), ("width", size_t), ("height", size_t), ("depth", size_t))
KernelNode = fields(("function", handle), ("grid", uint * 3), ("block", uint * 3), ("shared", uint),
                    ("arguments", handle), ("extra", handle), ("kernel", handle), ("context", handle))
MemsetNode = fields(("target", address_t), ("pitch", size_t), ("value", uint), ("element", uint), ("width", size_t),
                    ("height", size_t))
HostNode = fields(("function", handle), ("data", handle))
InstantiateParams = fields(("flags", address_t), ("stream", handle), ("node", handle), ("result", ctypes.c_int))
UpdateInfo = fields(("result", ctypes.c_int), ("node", handle), ("origin", handle))
BatchMemOp = fields(("type", ctypes.c_int), ("barrier", uint), ("address", address_t), ("value", address_t),
                    ("flags", uint), ("alias", address_t), ("padding", address_t))
PoolProps = fields(("allocation", ctypes.c_int), ("handles", ctypes.c_int), ("location", ctypes.c_int),
                   ("device", ctypes.c_int), ("security", handle), ("max_bytes", size_t), ("usage", ctypes.c_ushort),
                   ("reserved", ctypes.c_ubyte * 54))
class NodeParams(ctypes.Structure):
    """CUgraphNodeParams: of a node of any kind."""

    class Kinds(ctypes.Union):
        _fields_ = [("bytes", ctypes.c_ubyte * 232), ("kernel", KernelNode),
                    ("copy", fields(("flags", ctypes.c_int), ("reserved", ctypes.c_int), ("context", handle),
                                    ("request", Copy3D))),
                    ("fill", MemsetNode), ("host", HostNode)]

    _anonymous_ = ["kinds"]
    _fields_ = [("type", ctypes.c_int), ("reserved", ctypes.c_int * 3), ("kinds", Kinds), ("end", address_t)]


HostFunction = ctypes.CFUNCTYPE(None, handle)
StreamCallback = ctypes.CFUNCTYPE(None, handle, ctypes.c_int, handle)

MEMORY_HOST, MEMORY_DEVICE, MEMORY_ARRAY, MEMORY_UNIFIED = 1, 2, 3, 4


class Api(cuda.Driver):
    """Calls return the name of their error, without CUDA_ERROR_; "SUCCESS" if all is well."""

    def code(self, name, *arguments):
        """Integers are passed with 64 bits, which is right for narrower parameters too."""
        wide = [address_t(a & (2**64 - 1)) if isinstance(a, int) else a for a in arguments]
        return getattr(self.library, name)(*wide)

    def error(self, name, *arguments):
        text = ctypes.c_char_p()
        code = self.code(name, *arguments)
        self.library.cuGetErrorName(code, ctypes.byref(text))
        return text.value.decode().removeprefix("CUDA_").removeprefix("ERROR_") if text.value else str(code)

    def ok(self, name, *arguments):
        error = self.error(name, *arguments)
        if error != "SUCCESS":
            raise cuda.CudaError(name, 0, error)

    def get(self, name, *arguments, kind=handle):
        """The value behind the first parameter."""
        value = kind()
        self.ok(name, ctypes.byref(value), *arguments)
        return value.value

    def get_second(self, name, *arguments, kind=address_t):
        """The value behind the last parameter."""
        value = kind()
        self.ok(name, *arguments, ctypes.byref(value))
        return value.value

    def renew(self):
        """Ends the context with all that is in it, and makes a new one."""
        self.library.cuDevicePrimaryCtxRelease_v2(0)
        context = ctypes.c_void_p()
        self.ok("cuDevicePrimaryCtxRetain", ctypes.byref(context), 0)
        self.ok("cuCtxSetCurrent", context)

    def stream(self, flags=1):
        return self.get("cuStreamCreate", flags)

    def event(self, flags=2):
        return self.get("cuEventCreate", flags)

    def pinned(self, count=N):
        """An array in pinned memory, and its address."""
        address = self.get("cuMemHostAlloc", 4 * count, 0)
        return (uint * count).from_address(address), address


def arguments(*values):
    """An array of pointers, which keeps what they point to."""
    pointers = (ctypes.c_void_p * max(1, len(values)))(*[ctypes.addressof(value) for value in values])
    pointers.values = values
    return pointers


def table():
    """(name, version, symbol) of each entry point, from the source."""
    source = pathlib.Path(__file__).parents[3] / "tools/simulator/driver/EntryPoints.cpp"
    return [(name, int(version), symbol)
            for name, version, symbol in re.findall(r"X\((\w+), (\d+), (\w+)\)", source.read_text())]


def exported(library):
    """What the library's dynamic symbol table defines."""
    data = pathlib.Path(library).read_bytes()
    offset, = struct.unpack_from("<Q", data, 40)
    size, count, _ = struct.unpack_from("<HHH", data, 58)
    sections = [struct.unpack_from("<IIQQQQIIQQ", data, offset + i * size) for i in range(count)]
    symbols = next(section for section in sections if section[1] == 11)  # SHT_DYNSYM
    names = sections[symbols[6]][4]
    found = set()
    for at in range(symbols[4], symbols[4] + symbols[5], 24):
        name, _, _, section, _, _ = struct.unpack_from("<IBBHQQ", data, at)
        if section:
            begin = names + name
            found.add(data[begin:data.index(b"\0", begin)].decode())
    return found


class Case(unittest.TestCase):
    """A new context for each test, with two kernels, an array and room for a result."""

    api = None  # set by the test's main program

    def setUp(self):
        api = self.api
        api.renew()
        self.module = api.load(KERNELS.format(target="sm_80"))
        self.add, self.cube = api.function(self.module, "add"), api.function(self.module, "cube")
        self.array = np.arange(N, dtype=np.uint32)
        self.source, self.target = api.upload(self.array), api.upload(np.zeros(N, np.uint32))
        api.ok("cuCtxSynchronize")  # an upload may not have ended for streams that do not block

    def refuses(self, error, name, *arguments):
        self.assertEqual(self.api.error(name, *arguments), error, name)

    def launch(self, stream=None, target=None, source=None, value=1, function=None, threads=N):
        pointers = arguments(address_t(target or self.target), address_t(source or self.source), uint(value))
        return self.api.error("cuLaunchKernel", function or self.add, 1, 1, 1, threads, 1, 1, 0, stream, pointers, None)

    def result(self, address=None):
        return self.api.download(address or self.target, np.uint32, N)

    def holds(self, expected, address=None):
        self.api.ok("cuCtxSynchronize")
        np.testing.assert_array_equal(self.result(address), expected)

    def fault(self):
        """A kernel writes where nothing is; the launch itself succeeds."""
        self.assertEqual(self.launch(target=16), "SUCCESS")


class GraphCase(Case):
    """With a stream, and graphs by their nodes."""

    def setUp(self):
        super().setUp()
        self.stream = self.api.stream()

    def status(self, stream):
        return self.api.get_second("cuStreamIsCapturing", stream, kind=ctypes.c_int)

    def nodes(self, graph):
        count = size_t()
        self.api.ok("cuGraphGetNodes", graph, None, ctypes.byref(count))
        nodes = (handle * count.value)()
        self.api.ok("cuGraphGetNodes", graph, nodes, ctypes.byref(count))
        return list(nodes)

    def types(self, graph):
        return [self.api.get_second("cuGraphNodeGetType", node, kind=ctypes.c_int) for node in self.nodes(graph)]

    def dependencies(self, node):
        count, nodes = size_t(8), (handle * 8)()
        self.api.ok("cuGraphNodeGetDependencies", node, nodes, ctypes.byref(count))
        return nodes[:count.value]

    def instantiate(self, graph):
        return self.api.get("cuGraphInstantiateWithFlags", graph, 0)

    def run_graph(self, graph):
        self.api.ok("cuGraphLaunch", graph, self.stream)
        self.api.ok("cuStreamSynchronize", self.stream)

    def kernel_node(self, value=1, function=None, target=None, source=None, kernel=None):
        node = KernelNode()
        node.kept = arguments(address_t(target or self.target), address_t(source or self.source),
                                         uint(value))
        node.grid[:], node.block[:], node.arguments = [1] * 3, [N, 1, 1], ctypes.addressof(node.kept)
        node.function = None if kernel else (function or self.add).value
        node.kernel = kernel
        return ctypes.byref(node)

    def add_node(self, name, graph, after, *request):
        before = (handle * max(1, len(after)))(*after)
        return self.api.get(name, graph, before, len(after), *request)

    def add_kernel(self, graph, after=(), **parameters):
        return self.add_node("cuGraphAddKernelNode_v2", graph, after, self.kernel_node(**parameters))

    def copy(self, target, source, size=4 * N, height=1):
        copy = Copy3D(width=size, height=height, depth=1)
        for side, address in ((copy.source, source), (copy.target, target)):
            side.type, side.device, side.pitch = MEMORY_DEVICE, address, size if height > 1 else 0
        return copy
