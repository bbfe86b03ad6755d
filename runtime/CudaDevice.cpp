#include "runtime/CudaDevice.h"

#include "runtime/Context.h"
#include "runtime/CudaDriver.h"
#include "runtime/Error.h"

#include <cassert>
#include <cstdio>
#include <cstdlib>
#include <new>

namespace dscc {

// Numbers of the driver's enumerations.
static constexpr int computeMajor = 75, computeMinor = 76; // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_*
static constexpr int maxDynamicShared = 8;                 // CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
static constexpr unsigned nonBlockingStream = 1;           // CU_STREAM_NON_BLOCKING
static constexpr uint32_t sharedWithoutAsking = 48 * 1024;
static constexpr size_t deviceAlignment = 256;
/// What kernels assume of pointers that callers give them.
static constexpr uintptr_t bufferAlignment = 16;

struct CudaDevice {
  CudaDriver driver;
  CuDevice device = 0;
  CuHandle context = nullptr;
  CuHandle *modules = nullptr; // as many as numModules, those not loaded null
  uint32_t numModules = 0;
  CuHandle *functions = nullptr;
  CuPointer weights = 0;
};

struct Staging {
  void *pointer = nullptr;
  size_t bytes = 0;
};

struct CudaQueue {
  dscc_context *owner;
  CuHandle stream = nullptr;  // the context's own
  CuHandle current = nullptr; // of the run under way
  Staging *staging = nullptr; // inputs, then outputs
};

namespace {
/// Makes the model's context current for a scope.
struct Current {
  explicit Current(CudaDevice &device) : device(device), result(device.driver.contextPush(device.context)) {}
  ~Current() {
    // After a push that failed, the context on top is the caller's.
    CuHandle ignored;
    if (!result)
      device.driver.contextPop(&ignored);
  }
  dscc_status check() const { return device.driver.report(result, "cuCtxPushCurrent"); }
  CudaDevice &device;
  CuResult result;
};
} // namespace

//===-- Opening -------------------------------------------------------------------------------------------------===//

static const dscc_image *chooseImage(const dscc_module &module, unsigned sm) {
  const dscc_image *best = nullptr;
  for (uint32_t i = 0; i < module.num_images; ++i) {
    const dscc_image &image = module.images[i];
    bool isCubin = image.kind == 1;
    // A cubin runs on its own chip and on later ones of the same major version, PTX on all later ones.
    bool runs = isCubin ? image.sm / 10 == sm / 10 && image.sm <= sm : image.sm <= sm;
    if (!runs)
      continue;
    bool bestIsCubin = best && best->kind == 1;
    if (!best || (isCubin && !bestIsCubin) || (isCubin == bestIsCubin && image.sm > best->sm))
      best = &image;
  }
  return best;
}

static dscc_status findDevice(const dscc_open_options &options, CudaDevice &cuda, unsigned &sm) {
  CudaDriver &driver = cuda.driver;
  if (dscc_status status = driver.load(options.cuda_driver ? options.cuda_driver : "libcuda.so.1"))
    return status;
  if (CuResult result = driver.init(0)) {
    driver.report(result, "cuInit");
    return DSCC_NO_DEVICE;
  }
  int count = 0;
  if (dscc_status status = driver.report(driver.deviceCount(&count), "cuDeviceGetCount"))
    return status;
  if (options.device_ordinal < 0 || options.device_ordinal >= count)
    return fail(DSCC_NO_DEVICE, "CUDA device %d is asked for, but there are %d", options.device_ordinal, count);
  if (dscc_status status = driver.report(driver.deviceGet(&cuda.device, options.device_ordinal), "cuDeviceGet"))
    return status;
  int major = 0, minor = 0;
  if (dscc_status status =
          driver.report(driver.deviceAttribute(&major, computeMajor, cuda.device), "cuDeviceGetAttribute"))
    return status;
  if (dscc_status status =
          driver.report(driver.deviceAttribute(&minor, computeMinor, cuda.device), "cuDeviceGetAttribute"))
    return status;
  sm = major * 10 + minor;
  return driver.report(driver.primaryRetain(&cuda.context, cuda.device), "cuDevicePrimaryCtxRetain");
}

static dscc_status loadModules(const dscc_program &program, CudaDevice &cuda, unsigned sm) {
  cuda.modules = static_cast<CuHandle *>(calloc(program.num_modules + 1, sizeof(CuHandle)));
  if (!cuda.modules)
    return fail(DSCC_OUT_OF_MEMORY, "no memory for the table of modules");
  for (; cuda.numModules < program.num_modules; ++cuda.numModules) {
    const dscc_image *image = chooseImage(program.modules[cuda.numModules], sm);
    if (!image)
      return fail(DSCC_NO_DEVICE, "the model has no code for sm_%u; compile it with --arch=sm_%u", sm, sm);
    if (dscc_status status =
            cuda.driver.report(cuda.driver.moduleLoad(&cuda.modules[cuda.numModules], image->data), "cuModuleLoadData"))
      return status;
  }
  return DSCC_OK;
}

static dscc_status loadKernels(const dscc_program &program, CudaDevice &cuda, unsigned sm) {
  CudaDriver &driver = cuda.driver;
  if (dscc_status status = loadModules(program, cuda, sm))
    return status;
  cuda.functions = static_cast<CuHandle *>(calloc(program.num_kernels + 1, sizeof(CuHandle)));
  if (!cuda.functions)
    return fail(DSCC_OUT_OF_MEMORY, "no memory for the table of kernels");
  for (uint32_t i = 0; i < program.num_kernels; ++i) {
    const dscc_kernel &kernel = program.kernels[i];
    if (dscc_status status = driver.report(
            driver.moduleFunction(&cuda.functions[i], cuda.modules[kernel.module], kernel.name), "cuModuleGetFunction"))
      return status;
    if (kernel.shared_bytes <= sharedWithoutAsking)
      continue;
    if (dscc_status status = driver.report(
            driver.functionAttribute(cuda.functions[i], maxDynamicShared, kernel.shared_bytes), "cuFuncSetAttribute"))
      return status;
  }
  return DSCC_OK;
}

/// Copies the weights that CUDA programs use, once; entries that share their bytes are copied for each.
static dscc_status uploadWeights(dscc_model &model, CudaDevice &cuda, const unsigned char *data) {
  const dscc_model_v1 &table = *model.table;
  auto isOurs = [](const dscc_weight &weight) { return weight.devices & (1u << DSCC_DEVICE_CUDA); };
  auto rounded = [](uint64_t bytes) { return (bytes + deviceAlignment - 1) / deviceAlignment * deviceAlignment; };
  uint64_t total = 0;
  for (uint32_t i = 0; i < table.num_weights; ++i)
    total += isOurs(table.weights[i]) ? rounded(table.weights[i].bytes) : 0;
  if (!total)
    return DSCC_OK;
  if (dscc_status status = cuda.driver.report(cuda.driver.allocate(&cuda.weights, total), "cuMemAlloc for the weights"))
    return status;
  CuPointer next = cuda.weights;
  for (uint32_t i = 0; i < table.num_weights; ++i) {
    const dscc_weight &weight = table.weights[i];
    if (!isOurs(weight))
      continue;
    assert(next + weight.bytes <= cuda.weights + total && "the weights fit into what was counted");
    model.weights[i] = reinterpret_cast<const void *>(next);
    if (dscc_status status = cuda.driver.report(cuda.driver.copyIn(next, data + weight.offset, weight.bytes, nullptr),
                                                "cuMemcpyHtoDAsync of a weight"))
      return status;
    next += rounded(weight.bytes);
  }
  return cuda.driver.report(cuda.driver.streamWait(nullptr), "cuStreamSynchronize");
}

dscc_status openCuda(const dscc_open_options &options, dscc_model &model, const unsigned char *weights,
                     CudaDevice *&device) {
  void *memory = calloc(1, sizeof(CudaDevice));
  if (!memory)
    return fail(DSCC_OUT_OF_MEMORY, "no memory for a device");
  auto *cuda = new (memory) CudaDevice;
  unsigned sm = 0;
  dscc_status status = findDevice(options, *cuda, sm);
  if (status == DSCC_OK) {
    Current current(*cuda);
    status = current.check();
    if (status == DSCC_OK)
      status = loadKernels(*model.program, *cuda, sm);
    if (status == DSCC_OK)
      status = uploadWeights(model, *cuda, weights);
  }
  if (status != DSCC_OK) {
    closeCuda(cuda);
    return status;
  }
  char name[64] = "";
  cuda->driver.deviceName(name, sizeof(name), cuda->device);
  snprintf(model.deviceName, sizeof(model.deviceName), "cuda (sm_%u, %s)", sm, name);
  device = cuda;
  return DSCC_OK;
}

void closeCuda(CudaDevice *cuda) {
  if (!cuda)
    return;
  if (cuda->context) {
    {
      Current current(*cuda);
      if (cuda->weights)
        cuda->driver.release(cuda->weights);
      while (cuda->numModules)
        cuda->driver.moduleUnload(cuda->modules[--cuda->numModules]);
    }
    cuda->driver.primaryRelease(cuda->device);
  }
  free(cuda->functions);
  free(cuda->modules);
  cuda->driver.unload();
  free(cuda);
}

//===-- Memory --------------------------------------------------------------------------------------------------===//

dscc_status allocateOnCuda(CudaDevice &cuda, size_t bytes, void *&pointer) {
  Current current(cuda);
  if (dscc_status status = current.check())
    return status;
  CuPointer address = 0;
  if (dscc_status status = cuda.driver.report(cuda.driver.allocate(&address, bytes), "cuMemAlloc"))
    return status;
  pointer = reinterpret_cast<void *>(address);
  return DSCC_OK;
}

void freeOnCuda(CudaDevice &cuda, void *pointer) {
  Current current(cuda);
  cuda.driver.release(reinterpret_cast<CuPointer>(pointer));
}

dscc_status writeToCuda(CudaDevice &cuda, void *target, const void *source, size_t bytes) {
  Current current(cuda);
  if (dscc_status status = current.check())
    return status;
  auto address = reinterpret_cast<CuPointer>(target);
  if (dscc_status status = cuda.driver.report(cuda.driver.copyIn(address, source, bytes, nullptr), "cuMemcpyHtoDAsync"))
    return status;
  return cuda.driver.report(cuda.driver.streamWait(nullptr), "cuStreamSynchronize");
}

dscc_status readFromCuda(CudaDevice &cuda, void *target, const void *source, size_t bytes) {
  Current current(cuda);
  if (dscc_status status = current.check())
    return status;
  auto address = reinterpret_cast<CuPointer>(source);
  if (dscc_status status =
          cuda.driver.report(cuda.driver.copyOut(target, address, bytes, nullptr), "cuMemcpyDtoHAsync"))
    return status;
  return cuda.driver.report(cuda.driver.streamWait(nullptr), "cuStreamSynchronize");
}

dscc_status waitOnCuda(CudaDevice &cuda, void *stream) {
  Current current(cuda);
  if (dscc_status status = current.check())
    return status;
  return cuda.driver.report(cuda.driver.streamWait(stream), "cuStreamSynchronize");
}

//===-- Running -------------------------------------------------------------------------------------------------===//

dscc_status openQueue(dscc_context &context) {
  CudaDevice &cuda = *context.model->cuda;
  const dscc_model_v1 &table = *context.model->table;
  auto *queue = static_cast<CudaQueue *>(calloc(1, sizeof(CudaQueue)));
  if (!queue)
    return fail(DSCC_OUT_OF_MEMORY, "no memory for a stream");
  context.queue = queue;
  queue->owner = &context;
  queue->staging = static_cast<Staging *>(calloc(table.num_inputs + table.num_outputs + 1, sizeof(Staging)));
  if (!queue->staging)
    return fail(DSCC_OUT_OF_MEMORY, "no memory for staging buffers");
  Current current(cuda);
  if (dscc_status status = current.check())
    return status;
  return cuda.driver.report(cuda.driver.streamCreate(&queue->stream, nonBlockingStream), "cuStreamCreate");
}

void closeQueue(dscc_context &context) {
  if (!context.queue)
    return;
  assert(context.model->cuda && "only a model on a device has streams");
  CudaDevice &cuda = *context.model->cuda;
  const dscc_model_v1 &table = *context.model->table;
  for (uint32_t i = 0; context.queue->staging && i < table.num_inputs + table.num_outputs; ++i)
    if (context.queue->staging[i].pointer)
      freeOnCuda(cuda, context.queue->staging[i].pointer);
  if (context.queue->stream) {
    Current current(cuda);
    cuda.driver.streamDestroy(context.queue->stream);
  }
  free(context.queue->staging);
  free(context.queue);
  context.queue = nullptr;
}

static int32_t launch(void *handle, int32_t number, const int64_t grid[3], void **args) {
  auto &queue = *static_cast<CudaQueue *>(handle);
  CudaDevice &cuda = *queue.owner->model->cuda;
  const dscc_program &program = *queue.owner->model->program;
  const dscc_launch &launch = program.launches[number];
  const dscc_kernel &facts = program.kernels[launch.kernel];
  if (grid[0] > INT32_MAX || grid[1] > 65535 || grid[2] > 65535)
    return fail(DSCC_BAD_INPUT, "kernel %s would need %lld x %lld x %lld blocks, more than a launch can have",
                facts.name, (long long)grid[0], (long long)grid[1], (long long)grid[2]);
  if (cuda.driver.nameLaunch)
    cuda.driver.nameLaunch(launch.nodes);
  CuResult result =
      cuda.driver.launch(cuda.functions[launch.kernel], grid[0], grid[1], grid[2], facts.threads[0], facts.threads[1],
                         facts.threads[2], facts.shared_bytes, queue.current, args, nullptr);
  if (!result)
    return DSCC_OK;
  char what[512];
  snprintf(what, sizeof(what), "the launch of kernel %s (%s)", facts.name, launch.nodes);
  return cuda.driver.report(result, what);
}

static int32_t copy(void *handle, void *target, const void *source, int64_t bytes) {
  auto &queue = *static_cast<CudaQueue *>(handle);
  CudaDriver &driver = queue.owner->model->cuda->driver;
  if (bytes <= 0)
    return DSCC_OK;
  return driver.report(
      driver.copyWithin(reinterpret_cast<CuPointer>(target), reinterpret_cast<CuPointer>(source), bytes, queue.current),
      "cuMemcpyDtoDAsync");
}

/// A device buffer for a host tensor; grown when needed, before anything of the run is enqueued.
static dscc_status stage(CudaDevice &cuda, Staging &staging, size_t bytes) {
  if (bytes <= staging.bytes)
    return DSCC_OK;
  if (staging.pointer)
    freeOnCuda(cuda, staging.pointer);
  staging = {};
  if (dscc_status status = allocateOnCuda(cuda, bytes, staging.pointer))
    return status;
  staging.bytes = bytes;
  return DSCC_OK;
}

/// Where tensor `index` lies on the device: the caller's buffer, or a staging buffer.
static dscc_status place(dscc_context &context, size_t index, const char *name, const dscc_buffer &buffer,
                         uint64_t bytes, void *&pointer) {
  if (buffer.on_device) {
    pointer = buffer.data;
    if (reinterpret_cast<uintptr_t>(pointer) % bufferAlignment)
      return fail(DSCC_BAD_INPUT, "the device buffer of '%s' is not aligned to %u bytes", name,
                  unsigned(bufferAlignment));
    return DSCC_OK;
  }
  assert(index < context.model->table->num_inputs + context.model->table->num_outputs && "a staging buffer a tensor");
  Staging &staging = context.queue->staging[index];
  if (dscc_status status = stage(*context.model->cuda, staging, bytes ? bytes : 1))
    return status;
  pointer = staging.pointer;
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
  const dscc_model_v1 &table = *context.model->table;
  const int64_t *dims = context.binding.dims;
  dscc_status status = visitBuffers(
      context.binding.inputs, table.num_inputs, dims, [&](uint32_t i, const dscc_buffer &buffer, uint64_t bytes) {
        void *pointer = nullptr;
        dscc_status status = place(context, i, table.inputs[i].name, buffer, bytes, pointer);
        context.inputs[i] = pointer;
        return status;
      });
  if (status != DSCC_OK)
    return status;
  return visitBuffers(
      context.binding.outputs, table.num_outputs, dims, [&](uint32_t i, const dscc_buffer &buffer, uint64_t bytes) {
        return place(context, table.num_inputs + i, table.outputs[i].name, buffer, bytes, context.outputs[i]);
      });
}

static dscc_status copyInputs(dscc_context &context) {
  CudaDriver &driver = context.model->cuda->driver;
  const int64_t *dims = context.binding.dims;
  return visitBuffers(context.binding.inputs, context.model->table->num_inputs, dims,
                      [&](uint32_t i, const dscc_buffer &buffer, uint64_t bytes) {
                        if (buffer.on_device || !bytes)
                          return DSCC_OK;
                        auto target = reinterpret_cast<CuPointer>(context.inputs[i]);
                        return driver.report(driver.copyIn(target, buffer.data, bytes, context.queue->current),
                                             "cuMemcpyHtoDAsync of an input");
                      });
}

static dscc_status copyOutputs(dscc_context &context) {
  const dscc_model_v1 &table = *context.model->table;
  CudaDriver &driver = context.model->cuda->driver;
  const int64_t *dims = context.binding.dims;
  for (uint32_t i = 0; i < table.num_inputs; ++i)
    dims += table.inputs[i].rank;
  return visitBuffers(context.binding.outputs, table.num_outputs, dims,
                      [&](uint32_t i, const dscc_buffer &buffer, uint64_t bytes) {
                        if (buffer.on_device || !bytes)
                          return DSCC_OK;
                        auto source = reinterpret_cast<CuPointer>(context.outputs[i]);
                        return driver.report(driver.copyOut(buffer.data, source, bytes, context.queue->current),
                                             "cuMemcpyDtoHAsync of an output");
                      });
}

static dscc_status wait(dscc_context &context) {
  CudaDriver &driver = context.model->cuda->driver;
  return driver.report(driver.streamWait(context.queue->current), "cuStreamSynchronize");
}

static dscc_status enqueue(dscc_context &context) {
  static const dscc_services services = {sizeof(dscc_services), launch, copy};
  if (dscc_status status = copyInputs(context))
    return status;
  dscc_run_args args = {&services,       context.queue, context.binding.symbols, context.inputs,
                        context.outputs, context.arena, context.model->weights};
  return static_cast<dscc_status>(context.model->program->run(&args));
}

static bool hasHostBuffer(const dscc_buffer *const *buffers, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i)
    if (!buffers[i]->on_device)
      return true;
  return false;
}

dscc_status runOnCuda(dscc_context &context, void *stream) {
  const dscc_model_v1 &table = *context.model->table;
  Current current(*context.model->cuda);
  if (dscc_status status = current.check())
    return status;
  assert(context.queue && context.queue->stream && "the context was made for this device");
  context.queue->current = stream ? stream : context.queue->stream;
  if (dscc_status status = placeAll(context))
    return status;
  if (dscc_status status = enqueue(context)) {
    // The caller may free its buffers after this call, so nothing may still be read from them.
    context.model->cuda->driver.streamWait(context.queue->current);
    return status;
  }
  bool hostOutputs = hasHostBuffer(context.binding.outputs, table.num_outputs);
  // The caller's own stream and device buffers: the work is enqueued, waiting is the caller's business.
  if (stream && !hostOutputs && !hasHostBuffer(context.binding.inputs, table.num_inputs))
    return DSCC_OK;
  // Kernels fail here at the latest, when the outputs are still untouched.
  if (dscc_status status = wait(context))
    return status;
  if (!hostOutputs)
    return DSCC_OK;
  dscc_status status = copyOutputs(context);
  dscc_status waited = wait(context);
  return status != DSCC_OK ? status : waited;
}

} // namespace dscc
