// A model on the machine's own processors: a pool of threads runs the blocks of each launch.

#include "runtime/Context.h"
#include "runtime/Device.h"
#include "runtime/Error.h"
#include "runtime/Pool.h"

#include <cassert>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace dscc {

static constexpr size_t memoryAlignment = 256, scratchAlignment = 64;

namespace {
struct Cpu {
  Pool *pool;
  size_t scratchBytes; // of the hungriest kernel
};
} // namespace

static Cpu &cpuOf(const dscc_model &model) { return *static_cast<Cpu *>(model.deviceState); }

//===-- Opening -------------------------------------------------------------------------------------------------===//

static bool supportsLevel(uint32_t level) {
  if (level <= 2)
    return __builtin_cpu_supports("x86-64-v2");
  if (level == DSCC_X86_64_V3)
    return __builtin_cpu_supports("x86-64-v3");
  return level == DSCC_X86_64_V4 && __builtin_cpu_supports("x86-64-v4");
}

static dscc_status open(const char *path, const dscc_open_options &options, const unsigned char *weights,
                        dscc_model &model) {
  const dscc_model_v2 &table = *model.table;
  model.program =
      findProgram(table, DSCC_DEVICE_CPU, [](const dscc_program &program) { return supportsLevel(program.level); });
  if (!model.program)
    return fail(DSCC_NO_DEVICE, "'%s' has no code for this processor; compile it with --target=cpu and a lower --march",
                path);
  Records<dscc_weight> entries = weightsOf(table);
  for (uint32_t i = 0; i < entries.size(); ++i)
    if (isUsed(model, entries[i]))
      model.weights[i] = weights + entries[i].offset;
  auto *cpu = static_cast<Cpu *>(calloc(1, sizeof(Cpu)));
  if (!cpu)
    return fail(DSCC_OUT_OF_MEMORY, "no memory for a device");
  model.deviceState = cpu;
  for (const dscc_kernel &kernel : kernelsOf(*model.program))
    cpu->scratchBytes = kernel.scratch_bytes > cpu->scratchBytes ? kernel.scratch_bytes : cpu->scratchBytes;
  int threads = options.threads > 0 ? options.threads : countCores();
  assert(threads > 0 && "one pool, of the calling thread at least");
  cpu->pool = Pool::create(threads, cpu->scratchBytes);
  if (!cpu->pool)
    return fail(DSCC_OUT_OF_MEMORY, "%d worker threads could not be started", threads);
  snprintf(model.deviceName, sizeof(model.deviceName), "cpu (x86-64-v%u)", model.program->level);
  return DSCC_OK;
}

static void close(dscc_model &model) {
  if (!model.deviceState)
    return;
  if (Pool *pool = cpuOf(model).pool)
    pool->destroy();
  free(model.deviceState);
  model.deviceState = nullptr;
}

static int threads(const dscc_model &model) { return cpuOf(model).pool->threads(); }

//===-- Memory --------------------------------------------------------------------------------------------------===//

static dscc_status allocate(const dscc_model &, size_t bytes, void *&memory) {
  bool canBeRounded = bytes <= SIZE_MAX - memoryAlignment;
  size_t rounded = (bytes + memoryAlignment - 1) / memoryAlignment * memoryAlignment;
  void *allocated = canBeRounded ? aligned_alloc(memoryAlignment, rounded) : nullptr;
  if (!allocated)
    return fail(DSCC_OUT_OF_MEMORY, "%zu bytes cannot be allocated", bytes);
  memory = allocated;
  return DSCC_OK;
}

static void release(const dscc_model &, void *memory) { free(memory); }

static dscc_status copyBytes(const dscc_model &, void *target, const void *source, size_t bytes) {
  memcpy(target, source, bytes);
  return DSCC_OK;
}

/// Whatever was asked for was done before the call returned.
static dscc_status wait(const dscc_model &, void *) { return DSCC_OK; }

//===-- Running -------------------------------------------------------------------------------------------------===//

namespace {
struct CpuQueue {
  void *scratch; // the calling thread's; null if no kernel needs any
  double begin;  // of the first work of the run, if it is measured
};
} // namespace

static dscc_status openQueue(dscc_context &context) {
  auto *queue = static_cast<CpuQueue *>(calloc(1, sizeof(CpuQueue)));
  context.queue = queue;
  size_t bytes = cpuOf(*context.model).scratchBytes;
  if (queue && bytes)
    queue->scratch =
        aligned_alloc(scratchAlignment, (bytes + scratchAlignment - 1) / scratchAlignment * scratchAlignment);
  return queue && (queue->scratch || !bytes) ? DSCC_OK : fail(DSCC_OUT_OF_MEMORY, "no memory for a context");
}

static void closeQueue(dscc_context &context) {
  if (context.queue)
    free(static_cast<CpuQueue *>(context.queue)->scratch);
  free(context.queue);
}

static double microseconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return double(now.tv_sec) * 1e6 + double(now.tv_nsec) * 1e-3;
}

/// Does a piece of work, and notes how long it took if that is wanted.
template <typename Work>
static int32_t measured(dscc_context &context, const char *kernel, const char *nodes, int64_t blocks, Work work) {
  if (!context.profile.isOn) {
    work();
    return DSCC_OK;
  }
  dscc_profile_entry *entry = addEntry(context.profile, kernel, nodes, blocks);
  if (!entry)
    return DSCC_OUT_OF_MEMORY;
  auto &queue = *static_cast<CpuQueue *>(context.queue);
  double start = microseconds();
  if (context.profile.count == 1)
    queue.begin = start;
  work();
  entry->start_us = start - queue.begin;
  entry->us = microseconds() - start;
  return DSCC_OK;
}

static int32_t launch(void *queue, int32_t number, const int64_t grid[3], void **args) {
  auto &context = *static_cast<dscc_context *>(queue);
  assert(grid[0] >= 0 && grid[1] >= 0 && grid[2] >= 0 && "a launch counts its blocks");
  const dscc_program &program = *context.model->program;
  const dscc_launch &launch = launchesOf(program)[number];
  const dscc_kernel &kernel = kernelsOf(program)[launch.kernel];
  int64_t blocks = grid[0] * grid[1] * grid[2];
  return measured(context, kernel.name, launch.nodes, blocks, [&] {
    if (blocks > 0)
      cpuOf(*context.model).pool->run(kernel.cpu, args, blocks, static_cast<CpuQueue *>(context.queue)->scratch);
  });
}

static int32_t copy(void *queue, void *target, const void *source, int64_t bytes) {
  return measured(*static_cast<dscc_context *>(queue), "copy", "", bytes, [&] {
    if (bytes > 0)
      memmove(target, source, bytes);
  });
}

static const dscc_services services = {
    sizeof(dscc_services), launch, copy, nullptr, nullptr, nullptr, nullptr, nullptr};

static dscc_status run(dscc_context &context, void *) {
  const dscc_model_v2 &table = *context.model->table;
  Records<dscc_tensor> inputs = inputsOf(table), outputs = outputsOf(table);
  for (uint32_t i = 0; i < inputs.size(); ++i) {
    if (context.binding.inputs[i]->on_device)
      return fail(DSCC_BAD_INPUT, "input '%s' is said to be on a CUDA device, but the model runs on a CPU",
                  inputs[i].name);
    context.inputs[i] = context.binding.inputs[i]->data;
  }
  for (uint32_t i = 0; i < outputs.size(); ++i) {
    if (context.binding.outputs[i]->on_device)
      return fail(DSCC_BAD_INPUT, "output '%s' is said to be on a CUDA device, but the model runs on a CPU",
                  outputs[i].name);
    context.outputs[i] = context.binding.outputs[i]->data;
  }
  dscc_run_args args = {&services,       &context,       context.binding.symbols, context.inputs,
                        context.outputs, &context.arena, context.model->weights};
  return static_cast<dscc_status>(context.model->program->run(&args));
}

const Device cpuDevice = {DSCC_CPU,   &services, /*sharesHostMemory=*/true,
                          open,       close,     threads,
                          allocate,   release,   copyBytes,
                          copyBytes,  wait,      openQueue,
                          closeQueue, run};

} // namespace dscc
