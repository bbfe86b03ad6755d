#include "runtime/CudaGraph.h"

#include "runtime/Error.h"
#include "runtime/Hash.h"

#include <cassert>
#include <cstdlib>
#include <cstring>

namespace dscc {

static constexpr unsigned nonBlockingStream = 1; // CU_STREAM_NON_BLOCKING
/// CU_STREAM_CAPTURE_MODE_RELAXED: what other threads and streams do meanwhile is no business of ours.
static constexpr int relaxedCapture = 2;
/// A driver that fails so often at graphs is left alone.
static constexpr int maxFailures = 3;

dscc_status openGraphs(const dscc_model_v1 &table, CudaGraphs &graphs) {
  graphs.numWords = size_t(table.num_symbols) + table.num_inputs + table.num_outputs + 1;
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
static void writeKey(const dscc_model_v1 &table, const dscc_run_args &args, uint64_t *key) {
  static_assert(sizeof(void *) == sizeof(uint64_t) && sizeof(int64_t) == sizeof(uint64_t), "a word each");
  auto append = [&](const void *words, size_t count) {
    if (count)
      memcpy(key, words, count * sizeof(uint64_t));
    key += count;
  };
  append(args.symbols, table.num_symbols);
  append(args.inputs, table.num_inputs);
  append(args.outputs, table.num_outputs);
  append(&args.arena, 1);
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

/// Null if something fails. The stream lives for the recording only: whatever becomes of it, no run is given to it.
static CuHandle capture(const CudaDriver &driver, const dscc_run_args &args, EnqueueRun enqueue) {
  CuHandle stream = nullptr, graph = nullptr;
  if (driver.streamCreate(&stream, nonBlockingStream))
    return nullptr;
  bool isWhole = false;
  if (!driver.captureBegin(stream, relaxedCapture)) {
    isWhole = enqueue(args, stream) == DSCC_OK;
    isWhole &= !driver.captureEnd(stream, &graph);
  }
  driver.streamDestroy(stream);
  if (isWhole)
    return graph;
  if (graph)
    driver.graphDestroy(graph);
  return nullptr;
}

static CuHandle record(const CudaDriver &driver, const dscc_run_args &args, EnqueueRun enqueue) {
  CuHandle graph = capture(driver, args, enqueue);
  if (!graph)
    return nullptr;
  CuHandle exec = nullptr;
  bool isMade = !driver.graphInstantiate(&exec, graph, 0);
  driver.graphDestroy(graph);
  return isMade ? exec : nullptr;
}

bool replay(const CudaDriver &driver, const dscc_model_v1 &table, CudaGraphs &graphs, const dscc_run_args &args,
            CuHandle stream, EnqueueRun enqueue) {
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
    CuHandle made = record(driver, args, enqueue);
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
