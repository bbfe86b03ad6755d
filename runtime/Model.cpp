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

/// Buffers of the weights that stand in for inputs. Their dims are numbers, kept behind them.
static dscc_status makeDefaults(const char *path, dscc_model &model) {
  Records<dscc_tensor> inputs = inputsOf(*model.table);
  Records<dscc_weight> weights = weightsOf(*model.table);
  auto *memory = static_cast<char *>(calloc(1, inputs.size() * sizeof(dscc_buffer) + model.numDims * 8 + 1));
  if (!memory)
    return fail(DSCC_OUT_OF_MEMORY, "no memory for the defaults of %u inputs", inputs.size());
  model.defaults = reinterpret_cast<dscc_buffer *>(memory);
  auto *dims = reinterpret_cast<int64_t *>(memory + inputs.size() * sizeof(dscc_buffer));
  for (uint32_t i = 0; i < inputs.size(); ++i) {
    const dscc_tensor &input = inputs[i];
    uint64_t weight = input.default_weight - 1;
    if (!input.default_weight)
      continue;
    if (weight >= weights.size() || !model.weights[weight])
      return fail(DSCC_BAD_FILE, "'%s' has an input '%s' whose default is no weight of it", path, input.name);
    for (int32_t axis = 0; axis < input.rank; ++axis)
      dims[axis] = strtoll(input.dims[axis], nullptr, 10);
    model.defaults[i] = {input.name,
                         input.dtype,
                         input.rank,
                         dims,
                         const_cast<void *>(model.weights[weight]),
                         size_t(weights[weight].bytes),
                         model.device->sharesHostMemory ? 0 : 1};
    dims += input.rank;
  }
  return DSCC_OK;
}

static dscc_status locateWeights(const char *path, dscc_model &model, const unsigned char *&data) {
  const dscc_model_v2 &table = *model.table;
  data = static_cast<const unsigned char *>(table.weight_data);
  if (table.weight_file) {
    if (dscc_status status = mapBeside(path, table.weight_file, model.weightFile))
      return status;
    if (model.weightFile.bytes < table.weight_bytes)
      return fail(DSCC_BAD_FILE, "the weight file '%s' beside '%s' has %zu bytes and should have %llu",
                  table.weight_file, path, model.weightFile.bytes, (unsigned long long)table.weight_bytes);
    data = static_cast<const unsigned char *>(model.weightFile.data);
  }
  for (const dscc_weight &weight : weightsOf(table)) {
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
  for (const Device *device : allDevices()) {
    if (options.device != DSCC_AUTO && options.device != device->kind)
      continue;
    dscc_status status = openOn(*device, path, options, weights, model);
    if (status == DSCC_OK || options.device != DSCC_AUTO || device == &cpuDevice)
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
  model.table = static_cast<const dscc_model_v2 *>(dlsym(model.library, DSCC_MODEL_NAME));
  if (!model.table)
    return fail(DSCC_BAD_FILE, "'%s' exports no " DSCC_MODEL_NAME ": it is no artifact", path);
  if (dscc_status status = checkTable(path, *model.table))
    return status;
  model.weights = static_cast<const void **>(calloc(size_t(model.table->weights.count) + 1, sizeof(void *)));
  if (!model.weights)
    return fail(DSCC_OUT_OF_MEMORY, "no memory for the table of %u weights", model.table->weights.count);
  for (const dscc_tensor &input : inputsOf(*model.table))
    model.numDims += input.rank;
  for (const dscc_tensor &output : outputsOf(*model.table))
    model.numDims += output.rank;
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
extern "C" size_t dscc_num_inputs(const dscc_model *model) { return model->table->inputs.count; }
extern "C" size_t dscc_num_outputs(const dscc_model *model) { return model->table->outputs.count; }
extern "C" const dscc_tensor *dscc_input(const dscc_model *model, size_t index) {
  return index < model->table->inputs.count ? &inputsOf(*model->table)[index] : nullptr;
}
extern "C" const dscc_tensor *dscc_output(const dscc_model *model, size_t index) {
  return index < model->table->outputs.count ? &outputsOf(*model->table)[index] : nullptr;
}
extern "C" const char *dscc_device_name(const dscc_model *model) { return model->deviceName; }
extern "C" int dscc_threads(const dscc_model *model) { return model->device->threads(*model); }
extern "C" const char *dscc_version(void) { return "0.1.0"; }
extern "C" uint32_t dscc_abi_version(void) { return DSCC_ABI_VERSION; }
