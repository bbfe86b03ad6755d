#include "runtime/CudaGraph.h"

#include "runtime/Error.h"
#include "runtime/Hash.h"

#include <cassert>
#include <cstdlib>
#include <cstring>

namespace dscc {

static constexpr int deviceMemory = 2; // CU_MEMORYTYPE_DEVICE
/// Bytes of a node that copies: rows may be no longer than 2^31 - 1.
static constexpr size_t maxRowBytes = size_t(1) << 30;
/// Of a program's arena; checkTable refuses others.
static constexpr size_t numSegments = 1;
/// A driver that fails so often at graphs is left alone.
static constexpr int maxFailures = 3;

dscc_status openGraphs(const dscc_model_v2 &table, CuHandle context, CudaGraphs &graphs) {
  graphs.context = context;
  graphs.numWords = size_t(table.symbols.count) + table.inputs.count + table.outputs.count + numSegments;
  graphs.keys = static_cast<uint64_t *>(calloc((graphs.capacity + 1) * graphs.numWords, sizeof(uint64_t)));
  return graphs.keys ? DSCC_OK : fail(DSCC_OUT_OF_MEMORY, "no memory for the keys of %zu graphs", graphs.capacity);
}

static void drop(const CudaDriver &driver, CudaGraphs &graphs, size_t place) {
  if (graphs.graphs[place])
    driver.graphExecDestroy(graphs.graphs[place]); // one that is running ends first
  graphs.graphs[place] = nullptr;
}

void closeGraphs(const CudaDriver &driver, CudaGraphs &graphs) {
  for (size_t place = 0; place < graphs.capacity; ++place)
    drop(driver, graphs, place);
  free(graphs.keys);
  graphs.keys = nullptr;
}

//===-- Which graph ---------------------------------------------------------------------------------------------===//

static uint64_t *keyOf(const CudaGraphs &graphs, size_t place) { return graphs.keys + place * graphs.numWords; }

/// Everything that the program sees of a run and that may differ from the last one.
static void writeKey(const dscc_model_v2 &table, const dscc_run_args &args, uint64_t *key) {
  static_assert(sizeof(void *) == sizeof(uint64_t) && sizeof(int64_t) == sizeof(uint64_t), "a word each");
  auto append = [&](const void *words, size_t count) {
    if (count)
      memcpy(key, words, count * sizeof(uint64_t));
    key += count;
  };
  append(args.symbols, table.symbols.count);
  append(args.inputs, table.inputs.count);
  append(args.outputs, table.outputs.count);
  append(args.arena, numSegments);
}

/// `capacity` if there is none.
static size_t findGraph(const CudaGraphs &graphs, const uint64_t *key, uint64_t hash) {
  for (size_t place = 0; place < graphs.capacity; ++place)
    if (graphs.graphs[place] && graphs.hashes[place] == hash &&
        !memcmp(keyOf(graphs, place), key, graphs.numWords * sizeof(uint64_t)))
      return place;
  return graphs.capacity;
}

/// Whether the set was marked; the mark is gone then. Else it is marked now. Two sets of one hash: the second is
/// recorded a run early, no more.
static bool takeMark(CudaGraphs &graphs, uint64_t hash) {
  for (uint64_t &mark : graphs.marks)
    if (mark == hash) {
      mark = 0;
      return true;
    }
  graphs.marks[graphs.nextMark] = hash;
  graphs.nextMark = (graphs.nextMark + 1) % graphs.capacity;
  return false;
}

/// A free place, or that of the graph whose last use is the longest ago.
static size_t choosePlace(const CudaGraphs &graphs) {
  size_t oldest = 0;
  for (size_t place = 0; place < graphs.capacity; ++place) {
    if (!graphs.graphs[place])
      return place;
    if (graphs.lastUses[place] < graphs.lastUses[oldest])
      oldest = place;
  }
  return oldest;
}

//===-- Recording -----------------------------------------------------------------------------------------------===//

/// `to` may begin when all blocks of `from` have said that it may. A driver that refuses that gets a plain edge.
static CuResult addEarlyEdge(const CudaDriver &driver, CuHandle graph, CuHandle from, CuHandle to) {
  // CU_GRAPH_KERNEL_NODE_PORT_PROGRAMMATIC, the default port, CU_GRAPH_DEPENDENCY_TYPE_PROGRAMMATIC.
  static constexpr CuGraphEdge early = {1, 0, 1, {}}, plain = {};
  if (!driver.graphAddEdges(graph, &from, &to, &early, 1))
    return 0;
  return driver.graphAddEdges(graph, &from, &to, &plain, 1);
}

CuResult recordLaunch(const CudaDriver &driver, CudaRecording &recording, const CuKernelLaunch &launch) {
  CuHandle before = recording.last;
  bool isEarly = launch.overlaps && recording.lastIsKernel && driver.graphAddEdges;
  CuResult result =
      driver.graphAddKernel(&recording.last, recording.graph, &before, before && !isEarly ? 1 : 0, &launch.node);
  recording.lastIsKernel = true;
  if (!result && launch.cluster && driver.graphKernelAttribute) {
    CuLaunchAttribute::Value cluster = {};
    memcpy(cluster.dims, launch.cluster, sizeof(cluster.dims));
    result = driver.graphKernelAttribute(recording.last, clusterDimension, &cluster);
  }
  if (!result && isEarly)
    result = addEarlyEdge(driver, recording.graph, before, recording.last);
  return result;
}

CuResult recordCopy(const CudaDriver &driver, CudaRecording &recording, CuPointer target, CuPointer source,
                    size_t bytes) {
  for (size_t offset = 0; offset < bytes; offset += maxRowBytes) {
    size_t width = bytes - offset < maxRowBytes ? bytes - offset : maxRowBytes;
    auto side = [&](CuPointer address) {
      return CuCopyNode::Side{0, 0, 0, 0, deviceMemory, nullptr, address + offset, nullptr, nullptr, width, 1};
    };
    CuCopyNode copy = {side(source), side(target), width, 1, 1};
    CuHandle before = recording.last;
    recording.lastIsKernel = false;
    if (CuResult result =
            driver.graphAddCopy(&recording.last, recording.graph, &before, before ? 1 : 0, &copy, recording.context))
      return result;
  }
  return 0;
}

/// An instantiated graph of the run; null if something fails.
static CuHandle make(const CudaDriver &driver, CuHandle context, const dscc_run_args &args, RecordRun record) {
  CudaRecording recording;
  recording.context = context;
  if (driver.graphCreate(&recording.graph, 0))
    return nullptr;
  CuHandle made = nullptr;
  if (record(args, recording) != DSCC_OK || driver.graphInstantiate(&made, recording.graph, 0))
    made = nullptr;
  driver.graphDestroy(recording.graph);
  return made;
}

bool replay(const CudaDriver &driver, const dscc_model_v2 &table, CudaGraphs &graphs, const dscc_run_args &args,
            CuHandle stream, RecordRun record) {
  if (!graphs.keys || graphs.numFailures >= maxFailures)
    return false;
  ++graphs.numUses;
  uint64_t *key = keyOf(graphs, graphs.capacity);
  writeKey(table, args, key);
  uint64_t hash = xxh64(key, graphs.numWords * sizeof(uint64_t));
  size_t place = findGraph(graphs, key, hash);
  if (place == graphs.capacity) {
    if (!takeMark(graphs, hash))
      return false;
    CuHandle made = make(driver, graphs.context, args, record);
    if (!made) {
      clearError();
      ++graphs.numFailures;
      return false;
    }
    place = choosePlace(graphs);
    drop(driver, graphs, place);
    graphs.graphs[place] = made;
    graphs.hashes[place] = hash;
    memcpy(keyOf(graphs, place), key, graphs.numWords * sizeof(uint64_t));
  }
  assert(graphs.graphs[place] && "found, or made");
  graphs.lastUses[place] = graphs.numUses;
  if (!driver.graphLaunch(graphs.graphs[place], stream))
    return true;
  ++graphs.numFailures;
  drop(driver, graphs, place);
  return false;
}

} // namespace dscc
