"""Graphs of the simulated driver: what CUDA promises, and what it refuses."""

import ctypes
import sys
import tempfile
import threading
import unittest

sys.dont_write_bytecode = True

import driver_api
from driver_api import N, address_t, handle, size_t, uint

GLOBAL, THREAD_LOCAL, RELAXED = 0, 1, 2
KERNEL, MEMCPY, MEMSET, HOST, EMPTY = 0, 1, 2, 3, 5


class Graphs(driver_api.GraphCase):
    def test_nodes(self):
        """A diamond: copy, then a kernel and a fill, then a host function behind both."""
        seen, scratch = [], api.allocate(4 * N)
        function = driver_api.HostFunction(lambda data: seen.append(data))
        graph = api.get("cuGraphCreate", 0)
        copy = self.add_node("cuGraphAddMemcpyNode", graph, [], ctypes.byref(self.copy(scratch, self.source)), None)
        kernel = self.add_kernel(graph, [copy], source=scratch, value=4)
        fill = driver_api.MemsetNode(target=self.source, value=9, element=4, width=N, height=1)
        fill = self.add_node("cuGraphAddMemsetNode", graph, [copy], ctypes.byref(fill), None)
        call = driver_api.HostNode(function=ctypes.cast(function, handle), data=3)
        host = self.add_node("cuGraphAddHostNode", graph, [kernel], ctypes.byref(call))
        empty = self.add_node("cuGraphAddEmptyNode", graph, [])
        api.ok("cuGraphAddDependencies", graph, (handle * 2)(fill, host), (handle * 2)(host, empty), 2)
        self.assertEqual(self.types(graph), [MEMCPY, KERNEL, MEMSET, HOST, EMPTY])
        self.assertEqual(self.dependencies(host), [kernel, fill])
        count, roots = size_t(4), (handle * 4)()
        api.ok("cuGraphGetRootNodes", graph, roots, ctypes.byref(count))
        self.assertEqual((count.value, roots[:2]), (1, [copy, None]))
        ready = self.instantiate(graph)
        api.ok("cuGraphUpload", ready, self.stream)
        self.run_graph(ready)
        self.assertEqual(seen, [3])
        self.holds(self.array + 4)
        self.holds([9] * N, self.source)

    def test_kernel_of_a_library(self):
        image = driver_api.KERNELS.format(target="sm_80").encode()
        library = api.get("cuLibraryLoadData", image, None, None, 0, None, None, 0)
        kernel = api.get("cuLibraryGetKernel", library, b"add")
        # Beside a function it does not count, nor does the context.
        request = self.kernel_node()
        for name, value in (("kernel", kernel), ("kernel", 0x12345), ("context", 0x12345)):
            setattr(request._obj, name, value)
            self.add_node("cuGraphAddKernelNode_v2", api.get("cuGraphCreate", 0), [], request)
        wrong = self.kernel_node(kernel=kernel)
        wrong._obj.context = 0x12345
        self.refuses("INVALID_VALUE", "cuGraphAddKernelNode_v2", ctypes.byref(handle()), api.get("cuGraphCreate", 0),
                     None, 0, wrong)
        graph = api.get("cuGraphCreate", 0)
        self.add_kernel(graph, kernel=kernel, value=2)
        ready = self.instantiate(graph)
        self.run_graph(ready)
        self.holds(self.array + 2)
        api.ok("cuLibraryUnload", library)
        self.refuses("INVALID_HANDLE", "cuGraphLaunch", ready, self.stream)

    def test_wrong_nodes(self):
        graph, other = api.get("cuGraphCreate", 0), api.get("cuGraphCreate", 0)
        self.refuses("INVALID_VALUE", "cuGraphCreate", ctypes.byref(handle()), 1)
        node, foreign = self.add_kernel(graph), self.add_kernel(other)
        one, two = (handle * 1)(foreign), (handle * 2)(node, node)
        made, request = handle(), self.kernel_node()
        for arguments in ((12345, None, 0, request), (graph, one, 1, request), (graph, two, 2, request),
                          (graph, None, 1, request), (graph, None, 0, None),
                          (graph, None, 0, self.kernel_node(function=handle(12345)))):
            self.refuses("INVALID_VALUE", "cuGraphAddKernelNode_v2", ctypes.byref(made), *arguments)
        copies = [self.copy(self.target, self.source, size) for size in (0, 4 * N + 4)]
        for copy in copies + [self.copy(self.target, 16)]:
            self.refuses("INVALID_VALUE", "cuGraphAddMemcpyNode", ctypes.byref(made), graph, None, 0,
                         ctypes.byref(copy), None)
        fill = driver_api.MemsetNode(target=self.target, value=0, element=3, width=1, height=1)
        self.refuses("INVALID_VALUE", "cuGraphAddMemsetNode", ctypes.byref(made), graph, None, 0, ctypes.byref(fill),
                     None)
        fill.element = 4
        self.refuses("INVALID_CONTEXT", "cuGraphAddMemsetNode", ctypes.byref(made), graph, None, 0,
                     ctypes.byref(fill), 0x12345)
        fill.target = api.get("cuMemAllocAsync", 4, self.stream, kind=address_t)
        self.refuses("INVALID_VALUE", "cuGraphAddMemsetNode", ctypes.byref(made), graph, None, 0, ctypes.byref(fill),
                     None)
        self.refuses("INVALID_VALUE", "cuGraphAddHostNode", ctypes.byref(made), graph, None, 0,
                     ctypes.byref(driver_api.HostNode()))
        self.assertEqual(len(self.nodes(graph)), 1)

    def test_dependencies(self):
        graph = api.get("cuGraphCreate", 0)
        first, second = self.add_kernel(graph), self.add_kernel(graph)
        array = lambda *nodes: (handle * len(nodes))(*nodes)
        api.ok("cuGraphAddDependencies", graph, array(first), array(second), 1)
        for wrong in ((first, second), (first, first)):  # there already; of itself
            self.refuses("INVALID_VALUE", "cuGraphAddDependencies", graph, array(wrong[0]), array(wrong[1]), 1)
        self.instantiate(graph)
        api.ok("cuGraphAddDependencies_v2", graph, array(second), array(first), None, 1)
        self.refuses("INVALID_VALUE", "cuGraphInstantiateWithFlags", ctypes.byref(handle()), graph, 0)  # a circle
        log = ctypes.create_string_buffer(100)
        self.refuses("INVALID_VALUE", "cuGraphInstantiate_v2", ctypes.byref(handle()), graph, None, log, 100)
        self.assertIn(b"circle", log.value)
        # The nodes behind a circle are not of it.
        self.add_kernel(graph, [first])
        params = driver_api.InstantiateParams()
        self.refuses("INVALID_VALUE", "cuGraphInstantiateWithParams", ctypes.byref(handle()), graph,
                     ctypes.byref(params))
        self.assertEqual(params.result, 2)
        self.assertIn(params.node, (first, second))
        for kind, data in (("INVALID_VALUE", (0, 0, 0, 1)), ("NOT_SUPPORTED", (0, 0, 1))):
            self.refuses(kind, "cuGraphAddDependencies_v2", graph, array(first), array(self.add_kernel(graph)),
                         (ctypes.c_ubyte * 8)(*data), 1)
        # A kernel that may begin before the end of another kernel, and of nothing else.
        early = (ctypes.c_ubyte * 8)(1, 0, 1)
        third, nothing = self.add_kernel(graph), handle()
        api.ok("cuGraphAddEmptyNode", ctypes.byref(nothing), graph, None, 0)
        api.ok("cuGraphAddDependencies_v2", graph, array(first), array(third), early, 1)
        self.refuses("INVALID_VALUE", "cuGraphAddDependencies_v2", graph, array(nothing), array(second), early, 1)
        self.refuses("INVALID_VALUE", "cuGraphAddDependencies_v2", graph, array(second), array(nothing), early, 1)
        self.refuses("INVALID_VALUE", "cuGraphInstantiateWithFlags", ctypes.byref(handle()), graph, 64)
        api.ok("cuGraphDestroy", graph)
        self.refuses("INVALID_VALUE", "cuGraphDestroy", graph)
        self.refuses("INVALID_VALUE", "cuGraphNodeGetType", first, ctypes.byref(ctypes.c_int()))

    def test_instantiation(self):
        UPLOAD, graph, flags = 2, api.get("cuGraphCreate", 0), address_t()
        params = driver_api.InstantiateParams(flags=UPLOAD, stream=self.stream)
        ready = api.get("cuGraphInstantiateWithParams", graph, ctypes.byref(params))
        api.ok("cuGraphExecGetFlags", ready, ctypes.byref(flags))
        self.assertEqual((params.result, flags.value), (0, 0))
        params.stream = 0x1234
        self.refuses("INVALID_HANDLE", "cuGraphInstantiateWithParams", ctypes.byref(handle()), graph,
                     ctypes.byref(params))
        self.assertEqual(params.result, 1)
        for error, value in (("INVALID_VALUE", 5), ("NOT_SUPPORTED", 4)):  # AUTO_FREE with DEVICE_LAUNCH; alone
            self.refuses(error, "cuGraphInstantiateWithFlags", ctypes.byref(handle()), graph, value)

    def build(self, *kinds, chained=True, value=1):
        graph, last = api.get("cuGraphCreate", 0), []
        for kind in kinds:
            if kind == KERNEL:
                node = self.add_kernel(graph, last, value=value)
            elif kind == MEMCPY:
                copy = ctypes.byref(self.copy(self.target, self.source))
                node = self.add_node("cuGraphAddMemcpyNode", graph, last, copy, None)
            else:
                node = self.add_node("cuGraphAddEmptyNode", graph, last)
            last = [node] if chained else []
        return graph

    def test_updates(self):
        def update(graph):
            info = driver_api.UpdateInfo()
            error = api.error("cuGraphExecUpdate_v2", ready, graph, ctypes.byref(info))
            return error, info.result, info.node, info.origin

        ready = self.instantiate(self.build(MEMCPY, KERNEL))
        self.assertEqual(update(self.build(MEMCPY, KERNEL, value=8)), ("SUCCESS", 0, None, None))
        self.run_graph(ready)
        self.holds(self.array + 8)
        failure = "GRAPH_EXEC_UPDATE_FAILURE"
        for graph, result, node in ((self.build(MEMCPY), 2, None), (self.build(MEMCPY, KERNEL, chained=False), 2, 1),
                                    (self.build(MEMCPY, EMPTY), 3, 1)):
            expected = None if node is None else self.nodes(graph)[node]
            self.assertEqual(update(graph)[:3], (failure, result, expected))
        # A copy from the host cannot take the place of one within the device.
        _, pinned = api.pinned()
        graph = api.get("cuGraphCreate", 0)
        copy = self.add_node("cuGraphAddMemcpyNode", graph, [], ctypes.byref(self.copy(self.target, pinned)), None)
        self.add_kernel(graph, [copy])
        self.assertEqual(update(graph)[:3], (failure, 5, copy))
        self.assertEqual(update(12345)[:2], ("INVALID_VALUE", 1))
        self.run_graph(ready)  # as it was
        self.holds(self.array + 8)

    def update(self, ready, graph):
        info = driver_api.UpdateInfo()
        error = api.error("cuGraphExecUpdate_v2", ready, graph, ctypes.byref(info))
        return error, info.result, info.node, info.origin

    def test_pairs(self):
        """Nodes are paired by their edges, from those that none waits for; not by when they were made."""
        scratch = [api.allocate(4 * N) for _ in range(2)]

        def diamond(value, is_swapped=False, edges=(0, 1)):
            graph, first = api.get("cuGraphCreate", 0), {}
            for i in (1, 0) if is_swapped else (0, 1):
                first[i] = self.add_kernel(graph, target=scratch[i], value=value + i)
            after = [first[i] for i in edges]
            end = self.add_node("cuGraphAddMemcpyNode", graph, after,
                                ctypes.byref(self.copy(self.target, scratch[1])), None)
            return graph, first, end

        graph, first, _ = diamond(10)
        ready = self.instantiate(graph)
        for is_swapped in (False, True):
            changed = diamond(20 + is_swapped, is_swapped)
            self.assertEqual(self.update(ready, changed[0])[:2], ("SUCCESS", 0))
            self.run_graph(ready)
            self.holds(self.array + 20 + is_swapped, scratch[0])
            self.holds(self.array + 21 + is_swapped)
        # The nodes of the first graph still stand for what they did.
        api.ok("cuGraphExecKernelNodeSetParams_v2", ready, first[0], self.kernel_node(50, target=scratch[0]))
        self.run_graph(ready)
        self.holds(self.array + 50, scratch[0])

        # A node that two edges contradict each other about.
        def ladder(is_crossed):
            graph = api.get("cuGraphCreate", 0)
            roots = [self.add_kernel(graph) for _ in range(2)]
            left = self.add_kernel(graph, roots)
            right = self.add_kernel(graph, roots[::-1] if is_crossed else roots)
            return graph, [left, right], roots

        ready = self.instantiate(ladder(False)[0])
        graph, middle, roots = ladder(True)
        error, result, node, origin = self.update(ready, graph)
        self.assertEqual((error, result), ("GRAPH_EXEC_UPDATE_FAILURE", 2))
        self.assertIn(node, middle)
        self.assertIn(origin, roots)
        graph, middle, _ = ladder(False)
        self.add_kernel(graph)
        self.assertEqual(self.update(ready, graph)[1:3], (2, None))  # other nodes
        graph = api.get("cuGraphCreate", 0)
        nodes = [self.add_kernel(graph) for _ in range(4)]
        self.assertEqual(self.update(ready, graph)[1:3], (2, nodes[2]))  # too many ends

    def test_pairs_of_captures(self):
        """Two streams may have been called in any order relative to each other."""
        other, fork, join = api.stream(), api.event(), api.event()

        def capture(value, is_swapped):
            calls = [lambda: api.ok("cuMemsetD32Async", self.target, value, N, self.stream),
                     lambda: self.launch(other, target=self.source, value=value)]
            api.ok("cuStreamBeginCapture_v2", self.stream, GLOBAL)
            api.ok("cuEventRecord", fork, self.stream)
            api.ok("cuStreamWaitEvent", other, fork, 0)
            for call in calls[::-1] if is_swapped else calls:
                call()
            api.ok("cuEventRecord", join, other)
            api.ok("cuStreamWaitEvent", self.stream, join, 0)
            return api.get_second("cuStreamEndCapture", self.stream, kind=handle)

        ready = self.instantiate(capture(1, False))
        self.assertEqual(self.update(ready, capture(2, True))[:2], ("SUCCESS", 0))
        self.run_graph(ready)
        self.holds([2] * N)
        self.holds(self.array + 2, self.source)

    def test_refused_parameters(self):
        """What an instantiated node cannot become; nodes of other graphs are none of it, wherever they lie."""
        _, pinned = api.pinned()
        rows, whole = self.copy(self.target, self.source, 16, 4), self.copy(self.target, self.source)
        set_copy = lambda *arguments: api.error("cuGraphExecMemcpyNodeSetParams", *arguments)

        def of_copy(copy):
            graph = api.get("cuGraphCreate", 0)
            node = self.add_node("cuGraphAddMemcpyNode", graph, [], ctypes.byref(copy), None)
            return self.instantiate(graph), node, graph

        plain, node, _ = of_copy(whole)
        several, other, graph = of_copy(rows)
        self.assertEqual(set_copy(plain, node, ctypes.byref(rows), None), "INVALID_VALUE")
        self.assertEqual(set_copy(several, other, ctypes.byref(whole), None), "INVALID_VALUE")
        self.assertEqual(set_copy(several, other, ctypes.byref(rows), None), "INVALID_VALUE")
        self.assertEqual(set_copy(plain, node, ctypes.byref(whole), 0x12345), "INVALID_VALUE")
        self.assertEqual(set_copy(plain, node, ctypes.byref(whole), None), "SUCCESS")
        self.assertEqual(self.update(plain, graph)[1], 5)
        self.assertEqual(self.update(several, graph)[1], 0)
        fill = driver_api.MemsetNode(target=self.target, value=0, element=4, width=N, height=1)
        graph = api.get("cuGraphCreate", 0)
        node = self.add_node("cuGraphAddMemsetNode", graph, [], ctypes.byref(fill), None)
        ready = self.instantiate(graph)
        set_fill = lambda context=None: api.error("cuGraphExecMemsetNodeSetParams", ready, node, ctypes.byref(fill),
                                                  context)
        self.assertEqual((set_fill(), set_fill(0x12345)), ("SUCCESS", "INVALID_VALUE"))
        fill.target = pinned
        self.assertEqual(set_fill(), "INVALID_VALUE")
        for _ in range(20):
            graph = api.get("cuGraphCreate", 0)
            self.add_kernel(graph)
            ready = self.instantiate(graph)
            api.ok("cuGraphDestroy", graph)
            graph = api.get("cuGraphCreate", 0)
            self.refuses("INVALID_VALUE", "cuGraphExecKernelNodeSetParams_v2", ready, self.add_kernel(graph),
                         self.kernel_node())

    def test_parameters(self):
        graph = self.build(MEMCPY, KERNEL)
        copy, kernel = self.nodes(graph)
        ready = self.instantiate(graph)
        api.ok("cuGraphExecKernelNodeSetParams_v2", ready, kernel, self.kernel_node(function=self.cube))
        self.run_graph(ready)
        self.holds(self.array ** 3)
        self.refuses("INVALID_VALUE", "cuGraphExecKernelNodeSetParams_v2", ready, copy, self.kernel_node())
        self.refuses("INVALID_VALUE", "cuGraphExecKernelNodeSetParams_v2", 12345, kernel, self.kernel_node())
        api.ok("cuGraphNodeSetEnabled", ready, kernel, 0)
        self.run_graph(ready)
        self.holds(self.array)  # what the copy leaves
        self.assertEqual(api.get_second("cuGraphNodeGetEnabled", ready, kernel, kind=uint), 0)

    def test_told_parameters(self):
        """What a node was made of is told, and can be given to another one."""
        calls = []
        function = driver_api.HostFunction(calls.append)
        fill = driver_api.MemsetNode(target=self.target, value=9, element=4, width=N, height=1)
        host = driver_api.HostNode(function=ctypes.cast(function, handle), data=3)
        copy = self.copy(self.target, self.source)
        requests = (("Kernel", "_v2", self.kernel_node(5)._obj), ("Memcpy", "", copy), ("Memset", "", fill),
                    ("Host", "", host))
        for kind, version, request in requests:
            context = [None] if kind in ("Memcpy", "Memset") else []
            graph = api.get("cuGraphCreate", 0)
            node = self.add_node(f"cuGraphAdd{kind}Node{version}", graph, [], ctypes.byref(request), *context)
            told, get, change = type(request)(), f"cuGraph{kind}NodeGetParams", f"cuGraph{kind}NodeSetParams"
            api.ok(get + version, node, ctypes.byref(told))
            if kind == "Kernel":
                self.assertEqual((list(told.block), told.function), (list(request.block), request.function))
                places = (handle * 3).from_address(told.arguments)
                self.assertEqual(uint.from_address(places[2]).value, 5)
                told = self.kernel_node(6)._obj
            elif kind == "Memset":
                self.assertEqual((told.target, told.value, told.width), (self.target, 9, N))
                told.value = 6
            elif kind == "Memcpy":
                self.assertEqual(bytes(told), bytes(request))
                told.target.device, told.source.device = self.source, self.target
            else:
                self.assertEqual((told.function, told.data), (request.function, 3))
                told.data = 4
            api.ok(change + version, node, ctypes.byref(told))
            empty = self.add_node("cuGraphAddEmptyNode", graph, [])
            self.refuses("INVALID_VALUE", get + version, empty, ctypes.byref(told))
            self.refuses("INVALID_VALUE", change + version, empty, ctypes.byref(told))
            self.run_graph(self.instantiate(graph))
            if kind == "Memcpy":
                self.holds(self.array + 6, self.source)  # what the kernel left in the target
            else:
                self.holds(self.array + 6 if kind == "Kernel" else [6] * N)
        self.assertEqual(calls, [4])
        # Of a capture, in the terms of the call.
        api.ok("cuStreamBeginCapture_v2", self.stream, GLOBAL)
        api.ok("cuMemcpyDtoDAsync_v2", self.target, self.source, 4 * N, self.stream)
        node, = self.nodes(api.get_second("cuStreamEndCapture", self.stream, kind=handle))
        told = driver_api.Copy3D()
        api.ok("cuGraphMemcpyNodeGetParams", node, ctypes.byref(told))
        self.assertEqual((told.source.device, told.target.device, told.width), (self.source, self.target, 4 * N))
        api.ok("cuGraphMemcpyNodeSetParams", node, ctypes.byref(told))

    def test_nodes_of_any_kind(self):
        graph, params = api.get("cuGraphCreate", 0), driver_api.NodeParams(type=MEMCPY)
        params.copy.request = self.copy(self.target, self.source)
        first = self.add_node("cuGraphAddNode", graph, [], ctypes.byref(params))
        params = driver_api.NodeParams(type=KERNEL)
        request = self.kernel_node(2, source=self.target)._obj
        params.kernel = request
        second = api.get("cuGraphAddNode_v2", graph, (handle * 1)(first), None, 1, ctypes.byref(params))
        ready = self.instantiate(graph)
        self.run_graph(ready)
        self.holds(self.array + 2)
        for value, name, node in ((7, "cuGraphExecNodeSetParams", (ready, second)),
                                  (8, "cuGraphNodeSetParams", (second,))):
            request = self.kernel_node(value, source=self.target)._obj
            params.kernel = request
            api.ok(name, *node, ctypes.byref(params))
            self.run_graph(ready)
            self.holds(self.array + 7)  # what is instantiated does not follow the graph
        self.run_graph(self.instantiate(graph))
        self.holds(self.array + 8)
        self.refuses("INVALID_VALUE", "cuGraphNodeSetParams", first, ctypes.byref(params))
        for error, wrong in (("NOT_SUPPORTED", dict(type=4)), ("INVALID_VALUE", dict(type=14)),
                             ("INVALID_VALUE", dict(type=EMPTY, end=1))):
            self.refuses(error, "cuGraphAddNode", ctypes.byref(handle()), graph, None, 0,
                         ctypes.byref(driver_api.NodeParams(**wrong)))

    def test_edges(self):
        graph = api.get("cuGraphCreate", 0)
        first, second, third = (self.add_kernel(graph) for _ in range(3))
        array = lambda *nodes: (handle * len(nodes))(*nodes)

        def edges():
            count = size_t()
            api.ok("cuGraphGetEdges", graph, None, None, ctypes.byref(count))
            begins, ends, data = (handle * 4)(), (handle * 4)(), (ctypes.c_ubyte * 32)(*[1] * 32)
            room = size_t(4)
            api.ok("cuGraphGetEdges_v2", graph, begins, ends, data, ctypes.byref(room))
            self.assertEqual((count.value, bytes(data[:8 * room.value])), (room.value, bytes(8 * room.value)))
            return list(zip(begins[:room.value], ends))

        def dependents(node):
            count, nodes = size_t(4), (handle * 4)()
            api.ok("cuGraphNodeGetDependentNodes", node, nodes, ctypes.byref(count))
            return nodes[:count.value]

        api.ok("cuGraphAddDependencies", graph, array(first, first, second), array(second, third, third), 3)
        self.assertEqual(edges(), [(first, second), (first, third), (second, third)])
        self.assertEqual([dependents(node) for node in (first, second, third)], [[second, third], [third], []])
        for _ in ("there", "gone"):
            error = api.error("cuGraphRemoveDependencies", graph, array(first), array(third), 1)
        self.assertEqual((error, edges()), ("INVALID_VALUE", [(first, second), (second, third)]))
        ready = self.instantiate(graph)
        api.ok("cuGraphDestroyNode", second)
        self.assertEqual((edges(), self.nodes(graph)), ([], [first, third]))
        self.refuses("INVALID_VALUE", "cuGraphDestroyNode", second)
        self.refuses("INVALID_VALUE", "cuGraphExecKernelNodeSetParams_v2", ready, second, self.kernel_node())
        self.run_graph(ready)
        self.holds(self.array + 1)

    def test_clones(self):
        graph = self.build(MEMCPY, KERNEL, value=3)
        clone = api.get("cuGraphClone", graph)
        nodes, others = self.nodes(graph), self.nodes(clone)
        self.assertEqual([api.get("cuGraphNodeFindInClone", node, clone) for node in nodes], others)
        self.refuses("INVALID_VALUE", "cuGraphNodeFindInClone", ctypes.byref(handle()), others[0], graph)
        api.ok("cuGraphKernelNodeSetParams_v2", nodes[1], self.kernel_node(4))
        ready = self.instantiate(clone)
        self.run_graph(ready)
        self.holds(self.array + 3)
        self.assertEqual(self.update(ready, graph)[:2], ("SUCCESS", 0))
        self.run_graph(ready)
        self.holds(self.array + 4)
        with tempfile.NamedTemporaryFile() as file:
            api.ok("cuGraphDebugDotPrint", graph, file.name.encode(), 0)
            text = file.read().decode()
        self.assertRegex(text, r"(?s)digraph.*MEMCPY.*KERNEL.*add.*node_0 -> node_1")
        self.refuses("OPERATING_SYSTEM", "cuGraphDebugDotPrint", graph, b"/none/none", 0)

    def test_user_objects(self):
        """Graphs, what they become and launches under way hold them; the destructor comes behind the last one."""
        ended, go, waited = threading.Event(), threading.Event(), []
        destroy = driver_api.HostFunction(lambda data: (waited.append(data), ended.set()))
        wait = driver_api.HostFunction(lambda _: go.wait(60))
        thing = api.get("cuUserObjectCreate", 5, destroy, 2, 1)
        self.refuses("INVALID_VALUE", "cuUserObjectCreate", ctypes.byref(handle()), 5, destroy, 1, 0)
        api.ok("cuUserObjectRetain", thing, 1)
        api.ok("cuUserObjectRelease", thing, 2)
        self.refuses("INVALID_VALUE", "cuUserObjectRelease", thing, 2)
        graph = api.get("cuGraphCreate", 0)
        host = driver_api.HostNode(function=ctypes.cast(wait, handle))
        self.add_node("cuGraphAddHostNode", graph, [], ctypes.byref(host))
        api.ok("cuGraphRetainUserObject", graph, thing, 2, 0)
        api.ok("cuGraphReleaseUserObject", graph, thing, 2)
        self.refuses("INVALID_VALUE", "cuGraphReleaseUserObject", graph, thing, 1)
        api.ok("cuGraphRetainUserObject", graph, thing, 1, 1)  # moved there
        clone, ready = api.get("cuGraphClone", graph), self.instantiate(graph)
        api.ok("cuGraphDestroy", graph)
        api.ok("cuGraphLaunch", ready, self.stream)
        api.ok("cuGraphExecDestroy", ready)
        api.ok("cuGraphDestroy", clone)
        self.assertFalse(ended.wait(0.05))
        go.set()
        api.ok("cuStreamSynchronize", self.stream)
        self.assertTrue(ended.wait(60))
        self.assertEqual(waited, [5])
        self.refuses("INVALID_VALUE", "cuUserObjectRetain", thing, 1)
        # A context that ends lets go of what its graphs hold.
        thing = api.get("cuUserObjectCreate", 6, destroy, 1, 1)
        api.ok("cuGraphRetainUserObject", api.get("cuGraphCreate", 0), thing, 1, 1)
        api.renew()
        self.assertEqual(waited, [5, 6])

    def test_kernel_attributes(self):
        graph, value = api.get("cuGraphCreate", 0), (uint * 16)()
        node, other, copy = self.add_kernel(graph), self.add_kernel(graph), self.nodes(self.build(MEMCPY))[0]
        PRIORITY, COOPERATIVE, CLUSTER = 8, 2, 4
        api.ok("cuGraphKernelNodeSetAttribute", node, PRIORITY, (uint * 16)(7))
        api.ok("cuGraphKernelNodeSetAttribute", node, CLUSTER, (uint * 16)(1, 1, 1))
        self.refuses("INVALID_CLUSTER_SIZE", "cuGraphKernelNodeSetAttribute", node, CLUSTER, (uint * 16)(2, 1, 1))
        self.refuses("NOT_SUPPORTED", "cuGraphKernelNodeSetAttribute", node, COOPERATIVE, (uint * 16)(1))
        api.ok("cuGraphKernelNodeSetParams_v2", node, self.kernel_node(3))
        api.ok("cuGraphKernelNodeCopyAttributes", other, node)
        api.ok("cuGraphKernelNodeGetAttribute", other, PRIORITY, value)
        self.assertEqual(value[0], 7)
        api.ok("cuGraphKernelNodeGetAttribute", other, CLUSTER, value)
        self.assertEqual(value[:4], [1, 1, 1, 0])
        for wrong in ((copy, PRIORITY), (node, 99)):
            self.refuses("INVALID_VALUE", "cuGraphKernelNodeGetAttribute", *wrong, value)

    def test_memory_that_is_gone(self):
        """The graph remembers an address; whether something is there shows when it runs."""
        memory = api.allocate(4 * N)
        graph = api.get("cuGraphCreate", 0)
        self.add_node("cuGraphAddMemcpyNode", graph, [], ctypes.byref(self.copy(memory, self.source)), None)
        ready = self.instantiate(graph)
        self.run_graph(ready)
        api.free(memory)
        api.ok("cuGraphLaunch", ready, self.stream)
        self.refuses("ILLEGAL_ADDRESS", "cuStreamSynchronize", self.stream)

    def test_launch_order(self):
        """A graph waits for its stream and for its own last launch, and the stream for it."""
        graph = api.get("cuGraphCreate", 0)
        self.add_kernel(graph, source=self.target, value=1)
        ready, other = self.instantiate(graph), api.stream()
        self.assertEqual(self.launch(self.stream, value=10), "SUCCESS")
        for stream in (self.stream, other, self.stream, other):
            api.ok("cuGraphLaunch", ready, stream)
        api.ok("cuStreamSynchronize", other)
        self.assertEqual(self.launch(self.stream, source=self.target, value=100), "SUCCESS")
        self.holds(self.array + 114)


if __name__ == "__main__":
    LIBRARY = sys.argv.pop(1)
    api = driver_api.Case.api = driver_api.Api(LIBRARY)
    unittest.main()
