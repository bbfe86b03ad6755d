// Objects of the program with a count of references, some of which graphs hold: cuUserObjectCreate.

#include "tools/simulator/driver/Entry.h"

#include <climits>

using namespace dscc::sim;

static constexpr unsigned noDestructorSync = 1, moveReferences = 1;

namespace dscc::sim {
void release(CUuserObject object, unsigned count) {
  object->references -= count;
  if (object->references)
    return;
  // In no stream, so nothing is ordered with it.
  auto task = std::make_shared<Task>();
  task->operation = HostCall{object->destroy, object->data, /*isDestructor=*/true};
  state().userObjects.take(object);
  schedule({task});
}

HeldObjects::HeldObjects(const HeldObjects &other) : counts(other.counts) {
  for (auto [object, count] : counts)
    object->references += count;
}

HeldObjects::~HeldObjects() {
  for (auto [object, count] : counts)
    release(object, count);
}
} // namespace dscc::sim

DSCC_EXPORT CUresult cuUserObjectCreate(CUuserObject *object, void *data, CUhostFn destroy, unsigned count,
                                        unsigned flags) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(object && destroy && count && count <= INT_MAX && flags == noDestructorSync, CUDA_ERROR_INVALID_VALUE);
  *object = state().userObjects.add(std::make_unique<CUuserObject_st>(CUuserObject_st{data, destroy, count}));
  return CUDA_SUCCESS;
}

static bool isCountOk(CUuserObject object, unsigned count) {
  return state().userObjects.has(object) && count && count <= INT_MAX;
}

DSCC_EXPORT CUresult cuUserObjectRetain(CUuserObject object, unsigned count) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(isCountOk(object, count), CUDA_ERROR_INVALID_VALUE);
  object->references += count;
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuUserObjectRelease(CUuserObject object, unsigned count) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(isCountOk(object, count) && count <= object->references, CUDA_ERROR_INVALID_VALUE);
  release(object, count);
  return CUDA_SUCCESS;
}

/// Flag 1 gives the graph references that the program has.
DSCC_EXPORT CUresult cuGraphRetainUserObject(CUgraph graph, CUuserObject object, unsigned count, unsigned flags) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(state().graphs.has(graph) && isCountOk(object, count) && flags <= moveReferences,
               CUDA_ERROR_INVALID_VALUE);
  if (!flags)
    object->references += count;
  graph->objects.counts[object] += count;
  return CUDA_SUCCESS;
}

DSCC_EXPORT CUresult cuGraphReleaseUserObject(CUgraph graph, CUuserObject object, unsigned count) {
  DSCC_ENTER(Driver);
  DSCC_REQUIRE(state().graphs.has(graph) && isCountOk(object, count), CUDA_ERROR_INVALID_VALUE);
  auto held = graph->objects.counts.find(object);
  DSCC_REQUIRE(held != graph->objects.counts.end() && held->second >= count, CUDA_ERROR_INVALID_VALUE);
  held->second -= count;
  if (!held->second)
    graph->objects.counts.erase(held);
  release(object, count);
  return CUDA_SUCCESS;
}
