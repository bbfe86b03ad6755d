// One run at a time on a CUDA device: where the buffers lie, the copies, the launches or the graph that stands for
// them.
//
//     inputs in (CudaStaging) ──► launches, or a replay of them (CudaGraph) ──► outputs out (CudaStaging)

#include "runtime/Context.h"
#include "runtime/CudaDevice.h"
#include "runtime/CudaGraph.h"
#include "runtime/CudaStaging.h"
#include "runtime/CudaTensorMaps.h"
#include "runtime/Error.h"

#include <cassert>
#include <cstdio>
#include <cstdlib>
#include <new>

namespace dscc {

static constexpr unsigned nonBlockingStream = 1; // CU_STREAM_NON_BLOCKING
/// What kernels assume of pointers that callers give them.
static constexpr uintptr_t bufferAlignment = 16;

namespace {
/// Device memory for a tensor that the caller has on the host.
struct DeviceBuffer {
  void *pointer = nullptr;
  size_t bytes = 0;
};

/// What a context has on the device.
struct CudaQueue {
  dscc_context *owner = nullptr;
  CuHandle stream = nullptr;          // the context's own
  CuHandle current = nullptr;         // of the run under way
  bool isCaptured = false;            // whether the caller captures it; not all drivers let launches overlap then
  DeviceBuffer *buffers = nullptr;    // inputs, then outputs
  CudaStaging staging;                // between the caller's host tensors and those
  bool isStaged = false;              // whether the run under way uses it
  CudaGraphs graphs;                  // of runs that may come again
  CudaTensorMaps maps;                // that launches take
  CudaRecording *recording = nullptr; // where launches and copies go in the place of the stream; null: nowhere
  CuHandle *events = nullptr;         // two an entry of the profile: its beginning and its end
  size_t numEvents = 0;
};
} // namespace

static CudaQueue &queueOf(const dscc_context &context) { return *static_cast<CudaQueue *>(context.queue); }

//===-- Opening -------------------------------------------------------------------------------------------------===//

dscc_status openCudaQueue(dscc_context &context) {
  CudaDevice &cuda = cudaOf(*context.model);
  const dscc_model_v2 &table = *context.model->table;
  void *memory = malloc(sizeof(CudaQueue));
  if (!memory)
    return fail(DSCC_OUT_OF_MEMORY, "no memory for a stream");
  auto *queue = new (memory) CudaQueue;
  context.queue = queue;
  queue->owner = &context;
  queue->buffers =
      static_cast<DeviceBuffer *>(calloc(size_t(table.inputs.count) + table.outputs.count + 1, sizeof(DeviceBuffer)));
  if (!queue->buffers)
    return fail(DSCC_OUT_OF_MEMORY, "no memory for the table of device buffers");
  if (dscc_status status = openTensorMaps(*context.model->program, queue->maps))
    return status;
  // A graph has no events between its launches, so measured runs are made launch by launch.
  if (context.replays && !context.profile.isOn)
    if (dscc_status status = openGraphs(table, cuda.context, queue->graphs))
      return status;
  Current current(cuda);
  if (dscc_status status = current.check())
    return status;
  return cuda.driver.report(cuda.driver.streamCreate(&queue->stream, nonBlockingStream), "cuStreamCreate");
}

void closeCudaQueue(dscc_context &context) {
  if (!context.queue)
    return;
  CudaQueue &queue = queueOf(context);
  CudaDevice &cuda = cudaOf(*context.model);
  const dscc_model_v2 &table = *context.model->table;
  for (uint32_t i = 0; queue.buffers && i < table.inputs.count + table.outputs.count; ++i)
    if (queue.buffers[i].pointer)
      releaseOnCuda(*context.model, queue.buffers[i].pointer);
  {
    Current current(cuda);
    closeGraphs(cuda.driver, queue.graphs);
    closeStaging(cuda.driver, queue.staging);
    while (queue.numEvents)
      cuda.driver.eventDestroy(queue.events[--queue.numEvents]);
    if (queue.stream)
      cuda.driver.streamDestroy(queue.stream);
  }
  closeTensorMaps(queue.maps);
  free(queue.events);
  free(queue.buffers);
  free(&queue);
  context.queue = nullptr;
}

//===-- Measuring -----------------------------------------------------------------------------------------------===//

/// Events for one more entry than there were.
static dscc_status addEvents(CudaQueue &queue, CudaDriver &driver, size_t count) {
  auto *events = static_cast<CuHandle *>(realloc(queue.events, count * sizeof(CuHandle)));
  if (!events)
    return fail(DSCC_OUT_OF_MEMORY, "no memory for %zu events of a profile", count);
  queue.events = events;
  for (; queue.numEvents < count; ++queue.numEvents)
    if (dscc_status status = driver.report(driver.eventCreate(&events[queue.numEvents], 0), "cuEventCreate"))
      return status;
  return DSCC_OK;
}

/// Enqueues a piece of work by `enqueue`, between two events if its time is wanted.
template <typename Enqueue>
static dscc_status measured(dscc_context &context, const char *kernel, const char *nodes, int64_t blocks,
                            Enqueue enqueue) {
  if (!context.profile.isOn)
    return enqueue();
  CudaQueue &queue = queueOf(context);
  CudaDriver &driver = cudaOf(*context.model).driver;
  if (!addEntry(context.profile, kernel, nodes, blocks))
    return DSCC_OUT_OF_MEMORY;
  size_t end = 2 * context.profile.count;
  if (end > queue.numEvents)
    if (dscc_status status = addEvents(queue, driver, end))
      return status;
  if (dscc_status status = driver.report(driver.eventRecord(queue.events[end - 2], queue.current), "cuEventRecord"))
    return status;
  if (dscc_status status = enqueue())
    return status;
  return driver.report(driver.eventRecord(queue.events[end - 1], queue.current), "cuEventRecord");
}

/// Reads the events of a run that is done.
static dscc_status readProfile(dscc_context &context) {
  CudaQueue &queue = queueOf(context);
  CudaDriver &driver = cudaOf(*context.model).driver;
  auto between = [&](size_t from, size_t to, double &microseconds) {
    float milliseconds = 0;
    CuResult result = driver.eventElapsed(&milliseconds, queue.events[from], queue.events[to]);
    microseconds = 1e3 * double(milliseconds);
    return driver.report(result, "cuEventElapsedTime");
  };
  for (size_t i = 0; i < context.profile.count; ++i) {
    dscc_profile_entry &entry = context.profile.entries[i];
    if (dscc_status status = between(0, 2 * i, entry.start_us))
      return status;
    if (dscc_status status = between(2 * i, 2 * i + 1, entry.us))
      return status;
  }
  return DSCC_OK;
}

//===-- What the program asks for -------------------------------------------------------------------------------===//

static CuResult launchOrRecord(const CudaQueue &queue, const CudaDriver &driver, const CuKernelLaunch &launch,
                               const char *nodes) {
  if (driver.nameLaunch)
    driver.nameLaunch(nodes);
  return queue.recording ? recordLaunch(driver, *queue.recording, launch) : driver.launchKernel(launch, queue.current);
}

static int32_t launch(void *handle, int32_t number, const int64_t grid[3], void **args) {
  auto &queue = *static_cast<CudaQueue *>(handle);
  CudaDevice &cuda = cudaOf(*queue.owner->model);
  const dscc_program &program = *queue.owner->model->program;
  const dscc_launch &launch = launchesOf(program)[number];
  const dscc_kernel &facts = kernelsOf(program)[launch.kernel];
  if (grid[0] > INT32_MAX || grid[1] > 65535 || grid[2] > 65535)
    return fail(DSCC_BAD_INPUT, "kernel %s would need %lld x %lld x %lld blocks, more than a launch can have",
                facts.name, (long long)grid[0], (long long)grid[1], (long long)grid[2]);
  return measured(*queue.owner, facts.name, launch.nodes, grid[0] * grid[1] * grid[2], [&] {
    CuKernelNode node = {cuda.functions[launch.kernel],
                         {unsigned(grid[0]), unsigned(grid[1]), unsigned(grid[2])},
                         {facts.threads[0], facts.threads[1], facts.threads[2]},
                         facts.shared_bytes,
                         args,
                         nullptr};
    bool overlaps = (facts.flags & DSCC_KERNEL_OVERLAPS) && !queue.isCaptured;
    bool hasClusters = facts.cluster[0] * facts.cluster[1] * facts.cluster[2] > 1;
    CuResult result =
        launchOrRecord(queue, cuda.driver, {node, hasClusters ? facts.cluster : nullptr, overlaps}, launch.nodes);
    if (!result)
      return DSCC_OK;
    char what[512];
    snprintf(what, sizeof(what), "the launch of kernel %s (%s)", facts.name, launch.nodes);
    return cuda.driver.report(result, what);
  });
}

static int32_t copy(void *handle, void *target, const void *source, int64_t bytes) {
  auto &queue = *static_cast<CudaQueue *>(handle);
  CudaDriver &driver = cudaOf(*queue.owner->model).driver;
  if (bytes <= 0)
    return DSCC_OK;
  auto to = reinterpret_cast<CuPointer>(target), from = reinterpret_cast<CuPointer>(source);
  return measured(*queue.owner, "copy", "", bytes, [&] {
    CuResult result = queue.recording ? recordCopy(driver, *queue.recording, to, from, bytes)
                                      : driver.copyWithin(to, from, bytes, queue.current);
    return driver.report(result, "cuMemcpyDtoDAsync");
  });
}

static int32_t encode(void *handle, int32_t map, void *address, const int64_t *dims, const int64_t *strides,
                      void **encoded) {
  auto &queue = *static_cast<CudaQueue *>(handle);
  return encodeTensorMap(cudaOf(*queue.owner->model).driver, *queue.owner->model->program, queue.maps, uint32_t(map),
                         address, dims, strides, encoded);
}

//===-- Buffers -------------------------------------------------------------------------------------------------===//

/// A device buffer for a host tensor; grown when needed, before anything of the run is enqueued.
static dscc_status grow(const dscc_model &model, DeviceBuffer &buffer, size_t bytes) {
  if (bytes <= buffer.bytes)
    return DSCC_OK;
  if (buffer.pointer)
    releaseOnCuda(model, buffer.pointer);
  buffer = {};
  if (dscc_status status = allocateOnCuda(model, bytes, buffer.pointer))
    return status;
  buffer.bytes = bytes;
  return DSCC_OK;
}

/// Where tensor `index` lies on the device: the caller's buffer, or one of the context's.
static dscc_status place(dscc_context &context, size_t index, const char *name, const dscc_buffer &buffer,
                         uint64_t bytes, void *&pointer) {
  if (buffer.on_device) {
    pointer = buffer.data;
    if (reinterpret_cast<uintptr_t>(pointer) % bufferAlignment)
      return fail(DSCC_BAD_INPUT, "the device buffer of '%s' is not aligned to %u bytes", name,
                  unsigned(bufferAlignment));
    return DSCC_OK;
  }
  assert(index < context.model->table->inputs.count + context.model->table->outputs.count &&
         "a device buffer a tensor");
  DeviceBuffer &own = queueOf(context).buffers[index];
  if (dscc_status status = grow(*context.model, own, bytes ? bytes : 1))
    return status;
  pointer = own.pointer;
  return DSCC_OK;
}

/// Calls `visit(i, buffer, bytes)` for each of `count` bound buffers until one fails. `dims` advances past theirs.
template <typename Visit>
static dscc_status visitBuffers(const dscc_buffer *const *buffers, uint32_t count, const int64_t *&dims, Visit visit) {
  for (uint32_t i = 0; i < count; ++i) {
    uint64_t bytes = 0;
    [[maybe_unused]] bool isCounted = countBytes(buffers[i]->dtype, buffers[i]->rank, dims, bytes);
    assert(isCounted && "dims were checked when the buffer was bound");
    dims += buffers[i]->rank;
    if (dscc_status status = visit(i, *buffers[i], bytes))
      return status;
  }
  return DSCC_OK;
}

static dscc_status placeAll(dscc_context &context) {
  const dscc_model_v2 &table = *context.model->table;
  const int64_t *dims = context.binding.dims;
  dscc_status status = visitBuffers(
      context.binding.inputs, table.inputs.count, dims, [&](uint32_t i, const dscc_buffer &buffer, uint64_t bytes) {
        void *pointer = nullptr;
        dscc_status status = place(context, i, inputsOf(table)[i].name, buffer, bytes, pointer);
        context.inputs[i] = pointer;
        return status;
      });
  if (status != DSCC_OK)
    return status;
  return visitBuffers(
      context.binding.outputs, table.outputs.count, dims, [&](uint32_t i, const dscc_buffer &buffer, uint64_t bytes) {
        return place(context, table.inputs.count + i, outputsOf(table)[i].name, buffer, bytes, context.outputs[i]);
      });
}

static dscc_status copyInputs(dscc_context &context) {
  CudaDriver &driver = cudaOf(*context.model).driver;
  CudaQueue &queue = queueOf(context);
  const int64_t *dims = context.binding.dims;
  return visitBuffers(context.binding.inputs, context.model->table->inputs.count, dims,
                      [&](uint32_t i, const dscc_buffer &buffer, uint64_t bytes) {
                        if (buffer.on_device || !bytes)
                          return DSCC_OK;
                        auto target = reinterpret_cast<CuPointer>(context.inputs[i]);
                        return measured(
                            context, "copy in", inputsOf(*context.model->table)[i].name, int64_t(bytes), [&] {
                              if (queue.isStaged)
                                return stageIn(driver, queue.staging, queue.current, target, buffer.data, bytes);
                              return driver.report(driver.copyIn(target, buffer.data, bytes, queue.current),
                                                   "cuMemcpyHtoDAsync of an input");
                            });
                      });
}

static dscc_status copyOutputs(dscc_context &context) {
  const dscc_model_v2 &table = *context.model->table;
  CudaDriver &driver = cudaOf(*context.model).driver;
  CudaQueue &queue = queueOf(context);
  const int64_t *dims = context.binding.dims;
  for (const dscc_tensor &input : inputsOf(table))
    dims += input.rank;
  return visitBuffers(context.binding.outputs, table.outputs.count, dims,
                      [&](uint32_t i, const dscc_buffer &buffer, uint64_t bytes) {
                        if (buffer.on_device || !bytes)
                          return DSCC_OK;
                        auto source = reinterpret_cast<CuPointer>(context.outputs[i]);
                        return measured(context, "copy out", outputsOf(table)[i].name, int64_t(bytes), [&] {
                          if (queue.isStaged)
                            return stageOut(driver, queue.staging, queue.current, buffer.data, source, bytes);
                          return driver.report(driver.copyOut(buffer.data, source, bytes, queue.current),
                                               "cuMemcpyDtoHAsync of an output");
                        });
                      });
}

//===-- A run ---------------------------------------------------------------------------------------------------===//

static dscc_status wait(dscc_context &context) {
  CudaDriver &driver = cudaOf(*context.model).driver;
  return driver.report(driver.streamWait(queueOf(context).current), "cuStreamSynchronize");
}

static int32_t record(const dscc_run_args &args, CudaRecording &recording) {
  auto &queue = *static_cast<CudaQueue *>(args.queue);
  queue.recording = &recording;
  int32_t status = queue.owner->model->program->run(&args);
  queue.recording = nullptr;
  return status;
}

const dscc_services cudaServices = {sizeof(dscc_services), launch, copy, nullptr, nullptr, encode, nullptr, nullptr};

static dscc_status enqueue(dscc_context &context, bool mayReplay) {
  CudaQueue &queue = queueOf(context);
  if (dscc_status status = copyInputs(context))
    return status;
  dscc_run_args args = {&cudaServices,   context.queue,  context.binding.symbols, context.inputs,
                        context.outputs, &context.arena, context.model->weights};
  const CudaDriver &driver = cudaOf(*context.model).driver;
  if (mayReplay && replay(driver, *context.model->table, queue.graphs, args, queue.current, record))
    return DSCC_OK;
  return static_cast<dscc_status>(context.model->program->run(&args));
}

static bool hasHostBuffer(const dscc_buffer *const *buffers, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i)
    if (!buffers[i]->on_device)
      return true;
  return false;
}

/// What a run does with the outputs that are on the host. Kernels fail before one of them is touched.
static dscc_status finishOnHost(dscc_context &context) {
  CudaQueue &queue = queueOf(context);
  if (!queue.isStaged)
    if (dscc_status status = wait(context))
      return status;
  dscc_status status = copyOutputs(context);
  // Also after a failure: the caller may free its buffers then.
  dscc_status waited = wait(context);
  if (status != DSCC_OK || waited != DSCC_OK)
    return status != DSCC_OK ? status : waited;
  if (queue.isStaged)
    deliver(queue.staging);
  return DSCC_OK;
}

/// A run that the caller records into a graph of its own: nothing may be waited for, and our graphs stay out of it.
static dscc_status runCaptured(dscc_context &context, bool isOnHost) {
  if (isOnHost || context.profile.isOn)
    return fail(DSCC_BAD_CALL, "the stream is being captured; a run on it takes buffers of the device only, and a "
                               "context that does not measure");
  if (dscc_status status = placeAll(context))
    return status;
  return enqueue(context, /*mayReplay=*/false);
}

dscc_status runOnCuda(dscc_context &context, void *stream) {
  const dscc_model_v2 &table = *context.model->table;
  CudaQueue &queue = queueOf(context);
  const CudaDriver &driver = cudaOf(*context.model).driver;
  Current current(cudaOf(*context.model));
  if (dscc_status status = current.check())
    return status;
  assert(context.queue && queue.stream && "the context was made for this device");
  queue.current = stream ? stream : queue.stream;
  bool hostOutputs = hasHostBuffer(context.binding.outputs, table.outputs.count);
  bool isOnHost = hostOutputs || hasHostBuffer(context.binding.inputs, table.inputs.count);
  // A stream that cannot be asked (the default one, while others are captured) is not given graphs either.
  int capturing = 0;
  CuResult asked = stream ? driver.streamIsCapturing(stream, &capturing) : 0;
  queue.isCaptured = !asked && capturing;
  if (queue.isCaptured)
    return runCaptured(context, isOnHost);
  if (dscc_status status = placeAll(context))
    return status;
  queue.isStaged = isOnHost && beginStaging(driver, queue.staging, table.outputs.count);
  if (dscc_status status = enqueue(context, /*mayReplay=*/!asked)) {
    // The caller may free its buffers after this call, so nothing may still be read from them.
    driver.streamWait(queue.current);
    return status;
  }
  bool isMeasured = context.profile.isOn;
  // The caller's own stream and device buffers: the work is enqueued, waiting is the caller's business.
  if (stream && !isMeasured && !isOnHost)
    return DSCC_OK;
  if (dscc_status status = hostOutputs ? finishOnHost(context) : wait(context))
    return status;
  return isMeasured ? readProfile(context) : DSCC_OK;
}

} // namespace dscc
