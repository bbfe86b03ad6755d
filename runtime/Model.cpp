#include "runtime/Model.h"

#include "runtime/Error.h"

#include <cassert>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <new>

namespace dscc {

static dscc_status checkTable(const char *path, const dscc_model_v1 *table) {
  if (table->magic != DSCC_MODEL_MAGIC || table->abi_version != DSCC_ABI_VERSION ||
      table->struct_bytes != sizeof(dscc_model_v1))
    return fail(DSCC_BAD_FILE,
                "'%s' has a table of ABI version %u and %u bytes, but this runtime expects version %u and %zu", path,
                table->abi_version, table->struct_bytes, DSCC_ABI_VERSION, sizeof(dscc_model_v1));
  for (uint32_t i = 0; i < table->num_inputs + table->num_outputs; ++i) {
    const dscc_tensor &tensor = i < table->num_inputs ? table->inputs[i] : table->outputs[i - table->num_inputs];
    if (tensor.rank < 0 || tensor.rank > DSCC_MAX_RANK || !dscc_dtype_bytes(tensor.dtype))
      return fail(DSCC_BAD_FILE,
                  "'%s' has a tensor '%s' of rank %d and element type %d, which this runtime does not know", path,
                  tensor.name, tensor.rank, tensor.dtype);
  }
  for (uint32_t i = 0; i < table->num_symbols; ++i) {
    const dscc_symbol &symbol = table->symbols[i];
    if (symbol.input < 0 || uint32_t(symbol.input) >= table->num_inputs || symbol.axis < 0 ||
        symbol.axis >= table->inputs[symbol.input].rank)
      return fail(DSCC_BAD_FILE, "'%s' reads the dim '%s' off an axis that no input has", path, symbol.name);
  }
  return DSCC_OK;
}

/// Buffers of the weights that stand in for inputs. Their dims are numbers, kept behind them.
static dscc_status makeDefaults(const char *path, dscc_model &model) {
  const dscc_model_v1 &table = *model.table;
  auto *memory = static_cast<char *>(calloc(1, table.num_inputs * sizeof(dscc_buffer) + model.numDims * 8 + 1));
  if (!memory)
    return fail(DSCC_OUT_OF_MEMORY, "no memory for the defaults of %u inputs", table.num_inputs);
  model.defaults = reinterpret_cast<dscc_buffer *>(memory);
  auto *dims = reinterpret_cast<int64_t *>(memory + table.num_inputs * sizeof(dscc_buffer));
  for (uint32_t i = 0; i < table.num_inputs; ++i) {
    const dscc_tensor &input = table.inputs[i];
    uint64_t weight = input.default_weight - 1;
    if (!input.default_weight)
      continue;
    if (weight >= table.num_weights || !model.weights[weight])
      return fail(DSCC_BAD_FILE, "'%s' has an input '%s' whose default is no weight of it", path, input.name);
    for (int32_t axis = 0; axis < input.rank; ++axis)
      dims[axis] = strtoll(input.dims[axis], nullptr, 10);
    model.defaults[i] = {input.name,
                         input.dtype,
                         input.rank,
                         dims,
                         const_cast<void *>(model.weights[weight]),
                         size_t(table.weights[weight].bytes),
                         model.device->sharesHostMemory ? 0 : 1};
    dims += input.rank;
  }
  return DSCC_OK;
}

static dscc_status locateWeights(const char *path, dscc_model &model, const unsigned char *&data) {
  const dscc_model_v1 &table = *model.table;
  data = static_cast<const unsigned char *>(table.weight_data);
  if (table.weight_file) {
    if (dscc_status status = mapBeside(path, table.weight_file, model.weightFile))
      return status;
    if (model.weightFile.bytes < table.weight_bytes)
      return fail(DSCC_BAD_FILE, "the weight file '%s' beside '%s' has %zu bytes and should have %llu",
                  table.weight_file, path, model.weightFile.bytes, (unsigned long long)table.weight_bytes);
    data = static_cast<const unsigned char *>(model.weightFile.data);
  }
  for (uint32_t i = 0; i < table.num_weights; ++i) {
    const dscc_weight &weight = table.weights[i];
    if (weight.offset > table.weight_bytes || weight.bytes > table.weight_bytes - weight.offset)
      return fail(DSCC_BAD_FILE, "'%s' has a weight outside its %llu bytes of weights", path,
                  (unsigned long long)table.weight_bytes);
  }
  return DSCC_OK;
}

static dscc_status openOn(const Device &device, const char *path, const dscc_open_options &options,
                          const unsigned char *weights, dscc_model &model) {
  model.device = &device;
  dscc_status status = device.open(path, options, weights, model);
  if (status == DSCC_OK)
    return status;
  device.close(model);
  model.device = nullptr;
  return status;
}

static dscc_status openDevice(const char *path, const dscc_open_options &options, const unsigned char *weights,
                              dscc_model &model) {
  // The best first; the last is there on every machine.
  static const Device *const devices[] = {&cudaDevice, &cpuDevice};
  for (const Device *device : devices) {
    if (options.device != DSCC_AUTO && options.device != device->kind)
      continue;
    dscc_status status = openOn(*device, path, options, weights, model);
    if (status == DSCC_OK || options.device != DSCC_AUTO || device == devices[1])
      return status;
    // No usable GPU is no error as long as nobody asked for one.
    clearError();
  }
  return fail(DSCC_BAD_CALL, "the options ask for the device %d; known are 0 (auto), 1 (CPU) and 2 (CUDA)",
              int(options.device));
}

static dscc_status load(const char *path, const dscc_open_options &options, dscc_model &model) {
  if (dscc_status status = checkArtifact(path, options.skip_hashes))
    return status;
  // dlopen searches the library path for names without a slash. This one is the name of a file that was read.
  char local[NAME_MAX + 3];
  bool plain = !strchr(path, '/');
  if (plain) {
    [[maybe_unused]] int length = snprintf(local, sizeof(local), "./%s", path);
    assert(length < int(sizeof(local)) && "a name in a folder has no more than NAME_MAX bytes");
  }
  model.library = dlopen(plain ? local : path, RTLD_NOW | RTLD_LOCAL);
  if (!model.library)
    return fail(DSCC_BAD_FILE, "'%s' cannot be loaded: %s", path, dlerror());
  model.table = static_cast<const dscc_model_v1 *>(dlsym(model.library, DSCC_MODEL_NAME));
  if (!model.table)
    return fail(DSCC_BAD_FILE, "'%s' exports no " DSCC_MODEL_NAME ": it is no artifact", path);
  if (dscc_status status = checkTable(path, model.table))
    return status;
  model.weights = static_cast<const void **>(calloc(model.table->num_weights + 1, sizeof(void *)));
  if (!model.weights)
    return fail(DSCC_OUT_OF_MEMORY, "no memory for the table of %u weights", model.table->num_weights);
  for (uint32_t i = 0; i < model.table->num_inputs; ++i)
    model.numDims += model.table->inputs[i].rank;
  for (uint32_t i = 0; i < model.table->num_outputs; ++i)
    model.numDims += model.table->outputs[i].rank;
  const unsigned char *data;
  if (dscc_status status = locateWeights(path, model, data))
    return status;
  if (dscc_status status = openDevice(path, options, data, model))
    return status;
  if (dscc_status status = makeDefaults(path, model))
    return status;
  model.signature = makeSignature(model);
  return model.signature ? DSCC_OK : fail(DSCC_OUT_OF_MEMORY, "no memory for the signature");
}

} // namespace dscc

using namespace dscc;

extern "C" dscc_status dscc_model_open(const char *path, const dscc_open_options *given, dscc_model **out) {
  if (!path || !out)
    return fail(DSCC_BAD_CALL, "dscc_model_open needs a path and a place for the model");
  dscc_open_options options = {};
  if (given)
    memcpy(&options, given, given->struct_bytes < sizeof(options) ? given->struct_bytes : sizeof(options));
  void *memory = malloc(sizeof(dscc_model));
  if (!memory)
    return fail(DSCC_OUT_OF_MEMORY, "no memory for a model");
  dscc_model *model = new (memory) dscc_model;
  if (dscc_status status = load(path, options, *model)) {
    dscc_model_close(model);
    return status;
  }
  *out = model;
  return DSCC_OK;
}

extern "C" void dscc_model_close(dscc_model *model) {
  if (!model)
    return;
  if (model->device)
    model->device->close(*model);
  free(model->signature);
  free(model->weights);
  free(model->defaults);
  unmap(model->weightFile);
  if (model->library)
    dlclose(model->library);
  free(model);
}

extern "C" const char *dscc_signature_json(const dscc_model *model) { return model->signature; }
extern "C" size_t dscc_num_inputs(const dscc_model *model) { return model->table->num_inputs; }
extern "C" size_t dscc_num_outputs(const dscc_model *model) { return model->table->num_outputs; }
extern "C" const dscc_tensor *dscc_input(const dscc_model *model, size_t index) {
  return index < model->table->num_inputs ? &model->table->inputs[index] : nullptr;
}
extern "C" const dscc_tensor *dscc_output(const dscc_model *model, size_t index) {
  return index < model->table->num_outputs ? &model->table->outputs[index] : nullptr;
}
extern "C" const char *dscc_device_name(const dscc_model *model) { return model->deviceName; }
extern "C" int dscc_threads(const dscc_model *model) { return model->device->threads(*model); }
extern "C" const char *dscc_version(void) { return "0.1.0"; }
extern "C" uint32_t dscc_abi_version(void) { return DSCC_ABI_VERSION; }
