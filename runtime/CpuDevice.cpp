// Runs a program's launches on the model's pool.

#include "runtime/Context.h"
#include "runtime/Error.h"

#include <cassert>
#include <cstring>

namespace dscc {

static int32_t launch(void *queue, int32_t launch, const int64_t grid[3], void **args) {
  auto &context = *static_cast<dscc_context *>(queue);
  assert(grid[0] >= 0 && grid[1] >= 0 && grid[2] >= 0 && "a launch counts its blocks");
  const dscc_program &program = *context.model->program;
  int64_t blocks = grid[0] * grid[1] * grid[2];
  if (blocks > 0)
    context.model->pool->run(program.kernels[program.launches[launch].kernel].cpu, args, blocks, context.scratch);
  return 0;
}

static int32_t copy(void *, void *target, const void *source, int64_t bytes) {
  if (bytes > 0)
    memmove(target, source, bytes);
  return 0;
}

dscc_status runOnCpu(dscc_context &context) {
  static const dscc_services services = {sizeof(dscc_services), launch, copy};
  assert(context.model->pool && "a model on a CPU has threads");
  const dscc_model_v1 &table = *context.model->table;
  for (uint32_t i = 0; i < table.num_inputs; ++i) {
    if (context.binding.inputs[i]->on_device)
      return fail(DSCC_BAD_INPUT, "input '%s' is said to be on a CUDA device, but the model runs on a CPU",
                  table.inputs[i].name);
    context.inputs[i] = context.binding.inputs[i]->data;
  }
  for (uint32_t i = 0; i < table.num_outputs; ++i) {
    if (context.binding.outputs[i]->on_device)
      return fail(DSCC_BAD_INPUT, "output '%s' is said to be on a CUDA device, but the model runs on a CPU",
                  table.outputs[i].name);
    context.outputs[i] = context.binding.outputs[i]->data;
  }
  dscc_run_args args = {&services,       &context,      context.binding.symbols, context.inputs,
                        context.outputs, context.arena, context.model->weights};
  return static_cast<dscc_status>(context.model->program->run(&args));
}

} // namespace dscc
