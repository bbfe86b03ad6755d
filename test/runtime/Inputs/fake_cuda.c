/* A CUDA driver for tests: device memory is memory, images are tables of C functions, and work waits in its stream
 * until somebody synchronizes, as on a real device.
 *
 *   FAKE_CUDA_FAIL=N    the N-th call since the last fake_cuda_reset fails
 *   FAKE_CUDA_RESULT=N  with this CUresult (default 700, an illegal address)
 *   FAKE_CUDA_SM=N      compute capability (default 80)
 *   FAKE_CUDA_OLD=1     no edges of a graph but plain ones
 *
 * Misuse (a foreign pointer, a call without a context, one pop too many) is kept for fake_cuda_report. */
#include "fake_cuda.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CALLS = 4096, MAX_BLOCKS = 64, MAX_WORK = 256, MAX_ARGS = 16, DEVICE = 7 };
enum { MAX_STREAMS = 8, MAX_NODES = 16 };
enum { INVALID_VALUE = 1, OUT_OF_MEMORY = 2, INVALID_CONTEXT = 201, NO_BINARY = 209, NOT_FOUND = 500 };
enum { MAJOR = 75, MINOR = 76, CLUSTER = 4, SERIALIZATION = 6 };

typedef struct allocation {
  char *memory;
  size_t bytes;
} allocation;

typedef struct work {
  void *stream;
  const fake_cuda_kernel *kernel;
  fake_cuda_code code;
  unsigned blocks, grid, cluster; /* along x, the last two */
  uint64_t args[MAX_ARGS];
  void *target;
  const void *source;
  size_t bytes;
  int with_host;
  int has_edge; /* of a graph's node: it comes behind the one before it */
} work;

/* Work that was captured, or made ready to run. */
typedef struct graph {
  work nodes[MAX_NODES];
  size_t num_nodes;
} graph;

/* A stream that is being captured, and what has come so far. */
typedef struct capture {
  void *stream;
  graph *graph;
} capture;

static const char *calls[MAX_CALLS];
static size_t num_calls, num_work;
static const char *fault;
static allocation allocations[MAX_BLOCKS];
static work queue[MAX_WORK];
static int modules, streams, retained, pushed, events, graphs, execs, pinned;
static capture captures[MAX_STREAMS];
static float ticks; /* of a clock that goes on with each event that is recorded */
static int context; /* its address is the handle */

static int number_of(const char *name, int otherwise) {
  const char *text = getenv(name);
  return text && *text ? atoi(text) : otherwise;
}

/* Counts a call; nonzero if it is the one to fail. */
static int enter(const char *name) {
  if (num_calls < MAX_CALLS)
    calls[num_calls] = name;
  ++num_calls;
  return num_calls == (size_t)number_of("FAKE_CUDA_FAIL", 0) ? number_of("FAKE_CUDA_RESULT", 700) : 0;
}
#define ENTER(name)                                                                                                    \
  do {                                                                                                                 \
    int failure = enter(name);                                                                                         \
    if (failure)                                                                                                       \
      return failure;                                                                                                  \
  } while (0)
#define NEED_CONTEXT()                                                                                                 \
  do {                                                                                                                 \
    if (!pushed)                                                                                                       \
      return misuse("a call without a current context", INVALID_CONTEXT);                                              \
  } while (0)

static int misuse(const char *what, int result) {
  if (!fault)
    fault = what;
  return result;
}

void fake_cuda_reset(void) {
  num_calls = num_work = 0;
  fault = NULL;
}

void fake_cuda_get_report(fake_cuda_report *report) {
  size_t live = 0, pending = 0;
  for (int i = 0; i < MAX_BLOCKS; ++i)
    live += allocations[i].bytes;
  for (size_t i = 0; i < num_work; ++i)
    pending += queue[i].with_host;
  *report = (fake_cuda_report){num_calls < MAX_CALLS ? num_calls : MAX_CALLS,
                               calls,
                               fault,
                               live,
                               modules,
                               streams,
                               retained,
                               pushed,
                               pending,
                               events,
                               graphs,
                               execs,
                               pinned};
}

static int is_live(const void *pointer, size_t bytes) {
  const char *at = pointer;
  for (int i = 0; i < MAX_BLOCKS; ++i)
    if (allocations[i].memory && at >= allocations[i].memory &&
        at + bytes <= allocations[i].memory + allocations[i].bytes)
      return 1;
  return 0;
}

static int make_launch(const void *function, const unsigned grid[3], const unsigned block[3], void **args, void **extra,
                       work *item) {
  const fake_cuda_kernel *kernel = function;
  *item = (work){.kernel = kernel, .code = kernel->code, .blocks = grid[0] * grid[1] * grid[2], .grid = grid[0]};
  if (!item->blocks || !block[0] || !block[1] || !block[2] || extra)
    return misuse("an empty launch", INVALID_VALUE);
  for (int i = 0; i < MAX_ARGS && args[i]; ++i)
    memcpy(&item->args[i], args[i], sizeof item->args[i]); /* as the driver does: args may die after the call */
  return 0;
}

static capture *capture_of(const void *stream) {
  for (int i = 0; i < MAX_STREAMS; ++i)
    if (captures[i].graph && captures[i].stream == stream)
      return &captures[i];
  return NULL;
}

static int has_its_cluster(const work *item) {
  unsigned cluster = item->kernel ? item->kernel->cluster : 0;
  return cluster == item->cluster && (!cluster || item->grid % cluster == 0);
}

static int enqueue(work item) {
  if (!has_its_cluster(&item))
    return misuse("a launch with another cluster than its kernel has", INVALID_VALUE);
  capture *capture = capture_of(item.stream);
  if (capture) {
    if (capture->graph->num_nodes == MAX_NODES)
      return misuse("more nodes than a test should need", OUT_OF_MEMORY);
    item.has_edge = 1;
    capture->graph->nodes[capture->graph->num_nodes++] = item;
    return 0;
  }
  if (num_work == MAX_WORK)
    return misuse("more work than a test should need", OUT_OF_MEMORY);
  queue[num_work++] = item;
  return 0;
}

static void perform(work *item) {
  if (!item->code) {
    if (item->bytes)
      memcpy(item->target, item->source, item->bytes);
    return;
  }
  void *args[MAX_ARGS];
  for (int i = 0; i < MAX_ARGS; ++i)
    args[i] = &item->args[i];
  for (unsigned block = 0; block < item->blocks; ++block)
    item->code(block, args);
}

int cuInit(unsigned flags) {
  ENTER("cuInit");
  return flags ? INVALID_VALUE : 0;
}

int cuDriverGetVersion(int *version) {
  ENTER("cuDriverGetVersion");
  *version = 12000;
  return 0;
}

int cuGetErrorName(int result, const char **name) {
  *name = result == OUT_OF_MEMORY     ? "CUDA_ERROR_OUT_OF_MEMORY"
          : result == INVALID_CONTEXT ? "CUDA_ERROR_INVALID_CONTEXT"
          : result == 700             ? "CUDA_ERROR_ILLEGAL_ADDRESS"
                                      : NULL;
  return *name ? 0 : INVALID_VALUE;
}

int cuDeviceGetCount(int *count) {
  ENTER("cuDeviceGetCount");
  *count = 1;
  return 0;
}

int cuDeviceGet(int *device, int ordinal) {
  ENTER("cuDeviceGet");
  *device = DEVICE;
  return ordinal ? INVALID_VALUE : 0;
}

int cuDeviceGetAttribute(int *value, int attribute, int device) {
  ENTER("cuDeviceGetAttribute");
  int sm = number_of("FAKE_CUDA_SM", 80);
  *value = attribute == MAJOR ? sm / 10 : sm % 10;
  return device == DEVICE && (attribute == MAJOR || attribute == MINOR) ? 0 : INVALID_VALUE;
}

int cuDeviceGetName(char *name, int bytes, int device) {
  ENTER("cuDeviceGetName");
  snprintf(name, bytes, "Fake");
  return device == DEVICE ? 0 : INVALID_VALUE;
}

int cuDevicePrimaryCtxRetain(void **handle, int device) {
  ENTER("cuDevicePrimaryCtxRetain");
  ++retained;
  *handle = &context;
  return device == DEVICE ? 0 : INVALID_VALUE;
}

int cuDevicePrimaryCtxRelease_v2(int device) {
  int failure = enter("cuDevicePrimaryCtxRelease");
  --retained;
  return failure;
}

int cuCtxPushCurrent_v2(void *handle) {
  ENTER("cuCtxPushCurrent");
  ++pushed;
  return handle == &context ? 0 : misuse("a push of no context", INVALID_CONTEXT);
}

int cuCtxPopCurrent_v2(void **handle) {
  int failure = enter("cuCtxPopCurrent");
  if (!pushed)
    return misuse("one pop too many", INVALID_CONTEXT);
  --pushed;
  *handle = &context;
  return failure;
}

int cuModuleLoadData(void **module, const void *data) {
  ENTER("cuModuleLoadData");
  NEED_CONTEXT();
  if (((const fake_cuda_image *)data)->magic != FAKE_CUDA_MAGIC)
    return NO_BINARY;
  ++modules;
  *module = (void *)(uintptr_t)data;
  return 0;
}

int cuModuleUnload(void *module) {
  int failure = enter("cuModuleUnload");
  if (!module)
    return misuse("an unload of no module", INVALID_VALUE);
  --modules;
  return failure;
}

int cuModuleGetFunction(void **function, void *module, const char *name) {
  ENTER("cuModuleGetFunction");
  const fake_cuda_image *image = module;
  for (unsigned i = 0; i < image->num_kernels; ++i)
    if (!strcmp(image->kernels[i].name, name)) {
      *function = (void *)(uintptr_t)&image->kernels[i];
      return 0;
    }
  return NOT_FOUND;
}

int cuFuncSetAttribute(void *function, int attribute, int value) {
  ENTER("cuFuncSetAttribute");
  return function && attribute == 8 && value > 48 * 1024 ? 0 : INVALID_VALUE;
}

int cuMemAlloc_v2(unsigned long long *pointer, size_t bytes) {
  ENTER("cuMemAlloc");
  NEED_CONTEXT();
  for (int i = 0; bytes && i < MAX_BLOCKS; ++i) {
    if (allocations[i].memory)
      continue;
    allocations[i].memory = aligned_alloc(256, (bytes + 255) / 256 * 256);
    if (!allocations[i].memory)
      return OUT_OF_MEMORY;
    allocations[i].bytes = bytes;
    memset(allocations[i].memory, 0xa5, bytes); /* nobody may rely on zeros */
    *pointer = (uintptr_t)allocations[i].memory;
    return 0;
  }
  return bytes ? OUT_OF_MEMORY : INVALID_VALUE;
}

/* Device memory for the test itself. */
void *fake_cuda_allocate(size_t bytes) {
  unsigned long long pointer = 0;
  ++pushed;
  cuMemAlloc_v2(&pointer, bytes);
  --pushed;
  return (void *)(uintptr_t)pointer;
}

/* Memory that is freed stays until the next is, so that what is allocated in its place lies elsewhere. */
static char *released;

__attribute__((destructor)) static void forget_released(void) {
  free(released);
  released = NULL;
}

int cuMemFree_v2(unsigned long long pointer) {
  int failure = enter("cuMemFree");
  for (int i = 0; i < MAX_BLOCKS; ++i) {
    if (!allocations[i].memory || (uintptr_t)allocations[i].memory != pointer)
      continue;
    forget_released();
    released = allocations[i].memory;
    allocations[i] = (allocation){0};
    return failure;
  }
  return misuse("a free of what was not allocated", INVALID_VALUE);
}

int cuMemcpyHtoDAsync_v2(unsigned long long target, const void *source, size_t bytes, void *stream) {
  ENTER("cuMemcpyHtoDAsync");
  NEED_CONTEXT();
  if (!is_live((void *)(uintptr_t)target, bytes))
    return misuse("a copy to what is no device memory", INVALID_VALUE);
  return enqueue(
      (work){.stream = stream, .target = (void *)(uintptr_t)target, .source = source, .bytes = bytes, .with_host = 1});
}

int cuMemcpyDtoHAsync_v2(void *target, unsigned long long source, size_t bytes, void *stream) {
  ENTER("cuMemcpyDtoHAsync");
  NEED_CONTEXT();
  if (!is_live((void *)(uintptr_t)source, bytes))
    return misuse("a copy from what is no device memory", INVALID_VALUE);
  return enqueue(
      (work){.stream = stream, .target = target, .source = (void *)(uintptr_t)source, .bytes = bytes, .with_host = 1});
}

int cuMemcpyDtoDAsync_v2(unsigned long long target, unsigned long long source, size_t bytes, void *stream) {
  ENTER("cuMemcpyDtoDAsync");
  NEED_CONTEXT();
  if (!is_live((void *)(uintptr_t)target, bytes) || !is_live((void *)(uintptr_t)source, bytes))
    return misuse("a copy within what is no device memory", INVALID_VALUE);
  return enqueue((work){
      .stream = stream, .target = (void *)(uintptr_t)target, .source = (void *)(uintptr_t)source, .bytes = bytes});
}

int cuStreamCreate(void **stream, unsigned flags) {
  ENTER("cuStreamCreate");
  NEED_CONTEXT();
  *stream = malloc(1);
  streams += *stream != NULL;
  return *stream ? 0 : OUT_OF_MEMORY;
}

int cuStreamDestroy_v2(void *stream) {
  int failure = enter("cuStreamDestroy");
  capture *capture = capture_of(stream);
  if (capture) {
    free(capture->graph);
    capture->graph = NULL;
  }
  --streams;
  free(stream);
  return failure;
}

int cuStreamIsCapturing(void *stream, int *status) {
  ENTER("cuStreamIsCapturing");
  NEED_CONTEXT();
  *status = capture_of(stream) != NULL;
  return 0;
}

int cuStreamBeginCapture_v2(void *stream, int mode) {
  ENTER("cuStreamBeginCapture");
  NEED_CONTEXT();
  if (capture_of(stream) || mode < 0 || mode > 2)
    return misuse("a stream is captured twice, or in no mode", INVALID_VALUE);
  for (int i = 0; i < MAX_STREAMS; ++i) {
    if (captures[i].graph)
      continue;
    captures[i].stream = stream;
    captures[i].graph = calloc(1, sizeof(graph));
    return captures[i].graph ? 0 : OUT_OF_MEMORY;
  }
  return misuse("more captures than a test should need", OUT_OF_MEMORY);
}

int cuStreamEndCapture(void *stream, void **result) {
  ENTER("cuStreamEndCapture");
  NEED_CONTEXT();
  capture *capture = capture_of(stream);
  if (!capture)
    return misuse("a capture ends that has not begun", INVALID_VALUE);
  *result = capture->graph;
  capture->graph = NULL;
  ++graphs;
  return 0;
}

#include "fake_cuda_graphs.h"

int cuMemHostAlloc(void **memory, size_t bytes, unsigned flags) {
  ENTER("cuMemHostAlloc");
  NEED_CONTEXT();
  *memory = flags ? NULL : malloc(bytes);
  if (!*memory)
    return OUT_OF_MEMORY;
  memset(*memory, 0x5a, bytes);
  ++pinned;
  return 0;
}

int cuMemFreeHost(void *memory) {
  int failure = enter("cuMemFreeHost");
  --pinned;
  free(memory);
  return failure;
}

int cuEventCreate(void **event, unsigned flags) {
  ENTER("cuEventCreate");
  NEED_CONTEXT();
  *event = calloc(1, sizeof(float));
  events += *event != NULL;
  return *event ? 0 : OUT_OF_MEMORY;
}

int cuEventDestroy_v2(void *event) {
  int failure = enter("cuEventDestroy");
  --events;
  free(event);
  return failure;
}

int cuEventRecord(void *event, void *stream) {
  ENTER("cuEventRecord");
  NEED_CONTEXT();
  if (capture_of(stream))
    return misuse("an event in a capture", INVALID_VALUE);
  *(float *)event = ++ticks;
  /* Work without code and bytes: a mark that cuEventSynchronize finds. */
  return enqueue((work){.stream = stream, .source = event});
}

int cuEventElapsedTime(float *milliseconds, void *start, void *end) {
  ENTER("cuEventElapsedTime");
  NEED_CONTEXT();
  for (size_t i = 0; i < num_work; ++i)
    if (queue[i].source == start || queue[i].source == end)
      return misuse("a time is asked for before the work is done", INVALID_VALUE);
  *milliseconds = *(float *)end - *(float *)start;
  return 0;
}

/* Performs the first `count` pieces of work of the stream, or forgets them. */
static void perform_until(const void *stream, size_t count, int is_forgotten) {
  size_t kept = 0;
  for (size_t i = 0; i < num_work; ++i) {
    if (queue[i].stream != stream || i >= count)
      queue[kept++] = queue[i];
    else if (!is_forgotten)
      perform(&queue[i]);
  }
  num_work = kept;
}

int cuStreamSynchronize(void *stream) {
  /* One that fails has waited all the same, and what was to come has not happened. */
  int failure = enter("cuStreamSynchronize");
  if (capture_of(stream))
    return misuse("a wait for a stream that is being captured", INVALID_VALUE);
  perform_until(stream, num_work, failure);
  return failure;
}

int cuEventSynchronize(void *event) {
  ENTER("cuEventSynchronize");
  NEED_CONTEXT();
  for (size_t i = num_work; i-- > 0;)
    if (!queue[i].code && queue[i].source == event) {
      perform_until(queue[i].stream, i + 1, 0);
      return 0;
    }
  return 0;
}

/* A map is what it was made of. */
int cuTensorMapEncodeTiled(void *map, int type, unsigned rank, void *address, const uint64_t *dims,
                           const uint64_t *strides, const unsigned *box, const unsigned *steps, int interleave,
                           int swizzle, int promotion, int fill) {
  ENTER("cuTensorMapEncodeTiled");
  NEED_CONTEXT();
  if ((uintptr_t)map % 64 || type != 7 || rank != 2 || !is_live(address, dims[0] * dims[1] * 4) || dims[0] != 4 ||
      strides[0] != 16 || box[0] != 4 || box[1] != 2 || steps[0] != 1 || steps[1] != 1 || interleave || swizzle || fill)
    return misuse("a map of something else", INVALID_VALUE);
  memset(map, 0, 128);
  memcpy(map, &address, sizeof address);
  return 0;
}

int cuLaunchKernel(void *function, unsigned x, unsigned y, unsigned z, unsigned block_x, unsigned block_y,
                   unsigned block_z, unsigned shared, void *stream, void **args, void **extra) {
  ENTER("cuLaunchKernel");
  NEED_CONTEXT();
  work item;
  const unsigned grid[] = {x, y, z}, block[] = {block_x, block_y, block_z};
  int failure = make_launch(function, grid, block, args, extra, &item);
  item.stream = stream;
  return failure ? failure : enqueue(item);
}

int cuLaunchKernelEx(const fake_cuda_config *config, void *function, void **args, void **extra) {
  ENTER("cuLaunchKernelEx");
  NEED_CONTEXT();
  work item;
  int failure = make_launch(function, config->grid, config->block, args, extra, &item);
  item.stream = config->stream;
  for (unsigned i = 0; i < config->num_attributes; ++i) {
    const fake_cuda_attribute *attribute = &config->attributes[i];
    if (attribute->id == CLUSTER)
      item.cluster = attribute->value.dims[0];
    else if (attribute->id != SERIALIZATION || attribute->value.number != 1 || !item.kernel->waits)
      return misuse("an attribute that a launch should not have", INVALID_VALUE);
    else if (capture_of(config->stream))
      return misuse("a launch that overlaps in a capture", INVALID_VALUE);
  }
  return failure ? failure : enqueue(item);
}
