#include "runtime/Context.h"

#include "runtime/Error.h"

#include <cassert>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

namespace dscc {

static constexpr size_t arenaAlignment = 256;

dscc_status allocateArena(dscc_context &context, size_t bytes) {
  if (bytes <= context.arenaBytes)
    return DSCC_OK;
  if (!context.ownsArena)
    return fail(DSCC_TOO_SMALL, "the workspace has %zu bytes, but these inputs need %zu", context.arenaBytes, bytes);
  freeArena(context);
  assert(!context.arena && !context.arenaBytes && "the old arena is gone before the new one comes");
  size_t rounded = (bytes + arenaAlignment - 1) / arenaAlignment * arenaAlignment;
  if (dscc_status status = context.model->device->allocate(*context.model, rounded, context.arena)) {
    char why[256];
    snprintf(why, sizeof(why), "%s", dscc_last_error());
    return fail(status, "the arena of %zu bytes that these inputs need cannot be allocated: %s", bytes, why);
  }
  context.arenaBytes = rounded;
  return DSCC_OK;
}

void freeArena(dscc_context &context) {
  if (!context.ownsArena || !context.arena)
    return;
  context.model->device->release(*context.model, context.arena);
  context.arena = nullptr;
  context.arenaBytes = 0;
}

/// Arrays for the checks of one model, in one piece of memory.
static bool makeBinding(const dscc_model &model, Binding &binding) {
  const dscc_model_v2 &table = *model.table;
  size_t numbers = table.symbols.count + model.numDims + 2 * size_t(table.relations.count);
  size_t pointers = size_t(table.inputs.count) + table.outputs.count;
  static_assert(sizeof(int64_t) == 8 && sizeof(void *) == 8, "numbers and pointers are packed into one array");
  auto *memory = static_cast<char *>(calloc(numbers + pointers + 1, 8));
  if (!memory)
    return false;
  binding.symbols = reinterpret_cast<int64_t *>(memory);
  binding.dims = binding.symbols + table.symbols.count;
  binding.sides = binding.dims + model.numDims;
  binding.inputs = reinterpret_cast<const dscc_buffer **>(binding.sides + 2 * size_t(table.relations.count));
  binding.outputs = binding.inputs + table.inputs.count;
  binding.defaults = model.defaults;
  return true;
}

static void freeBinding(Binding &binding) { free(binding.symbols); }

static dscc_status checkCall(const dscc_model *model, const dscc_buffer *inputs, size_t count) {
  if (!model)
    return fail(DSCC_BAD_CALL, "the model is NULL");
  if (!inputs && count)
    return fail(DSCC_BAD_CALL, "%zu inputs are announced, but the pointer to them is NULL", count);
  return DSCC_OK;
}

static dscc_status finish(dscc_status status) {
  if (status == DSCC_BAD_INPUT && !hasError())
    return fail(status, "the inputs break a relation between dims that the model needs");
  if (int(status) == DSCC_RUN_TOO_LARGE)
    return fail(DSCC_BAD_INPUT, "on these inputs a tensor of the model has more elements than its kernels for this "
                                "device can count; split the batch");
  if (status != DSCC_OK && !hasError())
    return fail(status, "the program ended with status %d", int(status));
  return status;
}

static dscc_status run(dscc_context &context, const dscc_buffer *inputs, size_t numInputs, const dscc_buffer *outputs,
                       size_t numOutputs, void *stream) {
  dscc_model &model = *context.model;
  assert(model.program && "a model that opened has a program");
  if (dscc_status status = bindInputs(*model.table, inputs, numInputs, /*needData=*/true, context.binding))
    return status;
  if (dscc_status status = bindOutputs(*model.table, outputs, numOutputs, context.binding))
    return status;
  int64_t bytes = model.program->arena_bytes(/*segment=*/0, context.binding.symbols);
  if (bytes < 0)
    return fail(DSCC_BAD_INPUT, "these inputs need an arena of more bytes than can be counted");
  if (dscc_status status = allocateArena(context, bytes))
    return status;
  clearError();
  context.profile.count = 0;
  dscc_status status = finish(model.device->run(context, stream));
  if (status != DSCC_OK)
    context.profile.count = 0;
  return status;
}

} // namespace dscc

using namespace dscc;

extern "C" dscc_status dscc_context_create(dscc_model *model, const dscc_context_options *given, dscc_context **out) {
  if (!model || !out)
    return fail(DSCC_BAD_CALL, "dscc_context_create needs a model and a place for the context");
  dscc_context_options options = {};
  if (given)
    memcpy(&options, given, given->struct_bytes < sizeof(options) ? given->struct_bytes : sizeof(options));
  if (reinterpret_cast<uintptr_t>(options.workspace) % arenaAlignment)
    return fail(DSCC_BAD_CALL, "the workspace is not aligned to %zu bytes", arenaAlignment);
  void *memory = malloc(sizeof(dscc_context));
  if (!memory)
    return fail(DSCC_OUT_OF_MEMORY, "no memory for a context");
  dscc_context *context = new (memory) dscc_context;
  context->model = model;
  context->profile.isOn = options.profile;
  context->replays = !options.no_replay;
  if (options.workspace) {
    context->arena = options.workspace;
    context->arenaBytes = options.workspace_bytes;
    context->ownsArena = false;
  }
  context->inputs = static_cast<const void **>(calloc(size_t(model->table->inputs.count) + 1, sizeof(void *)));
  context->outputs = static_cast<void **>(calloc(size_t(model->table->outputs.count) + 1, sizeof(void *)));
  bool complete = context->inputs && context->outputs && makeBinding(*model, context->binding);
  dscc_status status =
      complete ? model->device->openQueue(*context) : fail(DSCC_OUT_OF_MEMORY, "no memory for a context");
  if (status != DSCC_OK) {
    dscc_context_destroy(context);
    return status;
  }
  *out = context;
  return DSCC_OK;
}

extern "C" void dscc_context_destroy(dscc_context *context) {
  if (!context)
    return;
  assert(!context->running.load() && "a context is destroyed after its run");
  context->model->device->closeQueue(*context);
  freeArena(*context);
  free(context->inputs);
  free(context->outputs);
  freeBinding(context->binding);
  freeProfile(context->profile);
  free(context);
}

extern "C" dscc_status dscc_run(dscc_context *context, const dscc_buffer *inputs, size_t num_inputs,
                                const dscc_buffer *outputs, size_t num_outputs, void *stream) {
  if (!context)
    return fail(DSCC_BAD_CALL, "the context is NULL");
  if (dscc_status status = checkCall(context->model, inputs, num_inputs))
    return status;
  if (!outputs && num_outputs)
    return fail(DSCC_BAD_CALL, "%zu outputs are announced, but the pointer to them is NULL", num_outputs);
  if (context->running.exchange(true, std::memory_order_acquire))
    return fail(DSCC_BAD_CALL, "the context is running another inference; make one context for each that is in flight");
  dscc_status status = run(*context, inputs, num_inputs, outputs, num_outputs, stream);
  context->running.store(false, std::memory_order_release);
  return status;
}

extern "C" dscc_status dscc_output_dims(const dscc_model *model, const dscc_buffer *inputs, size_t num_inputs,
                                        size_t index, int64_t *dims) {
  if (dscc_status status = checkCall(model, inputs, num_inputs))
    return status;
  const dscc_model_v2 &table = *model->table;
  Records<dscc_tensor> outputs = outputsOf(table);
  if (index >= outputs.size())
    return fail(DSCC_BAD_CALL, "output %zu is asked for, but the model has %u", index, outputs.size());
  if (!dims)
    return fail(DSCC_BAD_CALL, "dscc_output_dims needs a place for the answer");
  Binding binding;
  if (!makeBinding(*model, binding))
    return fail(DSCC_OUT_OF_MEMORY, "no memory for a check");
  dscc_status status = bindInputs(table, inputs, num_inputs, /*needData=*/false, binding);
  if (status == DSCC_OK) {
    const int64_t *own = binding.dims;
    for (const dscc_tensor &input : inputsOf(table))
      own += input.rank;
    for (size_t i = 0; i < index; ++i)
      own += outputs[i].rank;
    status = checkOutputDims(outputs[index], own);
    if (status == DSCC_OK && outputs[index].rank)
      memcpy(dims, own, outputs[index].rank * sizeof(int64_t));
  }
  freeBinding(binding);
  return status;
}

extern "C" dscc_status dscc_workspace_size(const dscc_model *model, const dscc_buffer *inputs, size_t num_inputs,
                                           size_t *bytes) {
  if (dscc_status status = checkCall(model, inputs, num_inputs))
    return status;
  if (!bytes)
    return fail(DSCC_BAD_CALL, "dscc_workspace_size needs a place for the answer");
  Binding binding;
  if (!makeBinding(*model, binding))
    return fail(DSCC_OUT_OF_MEMORY, "no memory for a check");
  dscc_status status = bindInputs(*model->table, inputs, num_inputs, /*needData=*/false, binding);
  int64_t count = status == DSCC_OK ? model->program->arena_bytes(/*segment=*/0, binding.symbols) : 0;
  freeBinding(binding);
  if (count < 0)
    return fail(DSCC_BAD_INPUT, "these inputs need an arena of more bytes than can be counted");
  if (status == DSCC_OK)
    *bytes = count;
  return status;
}
