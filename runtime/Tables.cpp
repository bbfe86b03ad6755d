#include "runtime/Tables.h"

#include "runtime/Device.h"
#include "runtime/Error.h"

#include <cstring>

namespace dscc {

uint32_t servicesIn(const dscc_services &services) {
  static_assert(offsetof(dscc_services, launch) == sizeof(void *), "the functions lie behind the size, each a pointer");
  uint32_t there = 0;
  for (size_t i = 0; i + 1 < sizeof(services) / sizeof(void *); ++i) {
    void *function;
    memcpy(&function, reinterpret_cast<const char *>(&services) + (i + 1) * sizeof(void *), sizeof(function));
    there |= function ? 1u << i : 0;
  }
  return there;
}

/// A service by its bit's number, for a sentence.
static const char *nameOfService(unsigned number) {
  static const char *const names[] = {"launch", "copy", "fill", "read", "encode_tensor_map", "mark", "collective"};
  return number < sizeof(names) / sizeof(names[0]) ? names[number] : "unknown";
}

/// Records that are there, and at least as long as this runtime reads them.
template <typename Record>
static dscc_status checkRecords(const char *path, const dscc_table &table, const char *what) {
  static_assert(sizeof(Record) % 8 == 0 && alignof(Record) <= 8, "records lie at multiples of 8");
  if (!table.count)
    return DSCC_OK;
  if (!table.data || reinterpret_cast<uintptr_t>(table.data) % 8)
    return fail(DSCC_BAD_FILE, "'%s' has a table of %u %s that lies nowhere", path, table.count, what);
  if (table.stride < sizeof(Record) || table.stride % 8)
    return fail(DSCC_BAD_FILE, "'%s' has a table of %s with %u bytes for each, but this runtime reads %zu", path, what,
                table.stride, sizeof(Record));
  return DSCC_OK;
}

static dscc_status checkTensors(const char *path, Records<dscc_tensor> tensors) {
  for (const dscc_tensor &tensor : tensors)
    if (tensor.rank < 0 || tensor.rank > DSCC_MAX_RANK || !dscc_dtype_bytes(tensor.dtype))
      return fail(DSCC_BAD_FILE,
                  "'%s' has a tensor '%s' of rank %d and element type %d, which this runtime does not know", path,
                  tensor.name, tensor.rank, tensor.dtype);
  return DSCC_OK;
}

static dscc_status checkSymbols(const char *path, const dscc_model_v2 &model) {
  Records<dscc_tensor> inputs = inputsOf(model);
  for (const dscc_symbol &symbol : symbolsOf(model)) {
    if (symbol.kind != DSCC_SYMBOL_AXIS)
      return fail(DSCC_BAD_FILE, "'%s' takes the dim '%s' from %s (kind %u), which this runtime does not know", path,
                  symbol.name,
                  symbol.kind == DSCC_SYMBOL_VALUE    ? "the value of a tensor"
                  : symbol.kind == DSCC_SYMBOL_LENGTH ? "the length of a state"
                                                      : "a source",
                  symbol.kind);
    if (symbol.source >= inputs.size() || symbol.axis >= uint32_t(inputs[symbol.source].rank))
      return fail(DSCC_BAD_FILE, "'%s' reads the dim '%s' off an axis that no input has", path, symbol.name);
  }
  return DSCC_OK;
}

static dscc_status checkRelations(const char *path, const dscc_model_v2 &model) {
  for (const dscc_relation &relation : relationsOf(model)) {
    bool isKnown = relation.kind >= DSCC_EQUAL && relation.kind <= DSCC_MULTIPLE && model.sides;
    for (int32_t i = 0; i < relation.num_symbols; ++i)
      isKnown &= uint32_t(relation.symbols[i]) < model.symbols.count;
    if (!isKnown)
      return fail(DSCC_BAD_FILE, "'%s' has a relation of node '%s', of kind %d, which this runtime cannot check", path,
                  relation.node, relation.kind);
  }
  return DSCC_OK;
}

static dscc_status checkServices(const char *path, const dscc_program &program) {
  for (const Device *device : allDevices()) {
    uint32_t missing = program.services & ~servicesIn(*device->services);
    if (device->kind != dscc_device(program.device) || !missing)
      continue;
    unsigned number = __builtin_ctz(missing);
    return fail(DSCC_BAD_FILE, "'%s' needs the service '%s' (number %u) of its runtime, which this one does not have",
                path, nameOfService(number), number);
  }
  return DSCC_OK;
}

/// Of a map of pixels of a rank that may be.
static dscc_status checkPixels(const char *path, const dscc_tensor_map &map) {
  static constexpr int32_t ends[DSCC_MAX_MAP_SPATIAL] = {1 << 15, 1 << 7, 1 << 4}; // of corners
  if (map.box[0] < 1 || map.box[0] > 256 || map.box[1] < 1 || map.box[1] > 1024)
    return fail(DSCC_BAD_FILE, "'%s' has a tensor map of %u pixels with %u channels, which no hardware knows", path,
                map.box[1], map.box[0]);
  uint32_t spatial = map.rank - 2;
  auto isCorner = [&](int32_t corner) { return corner >= -ends[spatial - 1] && corner < ends[spatial - 1]; };
  for (uint32_t i = 0; i < spatial; ++i)
    if (!isCorner(map.lower[i]) || !isCorner(map.upper[i]) || map.steps[i] < 1 || map.steps[i] > 8)
      return fail(
          DSCC_BAD_FILE,
          "'%s' has a tensor map of rank %u with the corners %d and %d and the step %u, which no hardware knows", path,
          map.rank, map.lower[i], map.upper[i], map.steps[i]);
  return DSCC_OK;
}

static dscc_status checkTensorMaps(const char *path, Records<dscc_tensor_map> maps) {
  for (const dscc_tensor_map &map : maps) {
    if (map.kind > DSCC_MAP_PIXELS)
      return fail(DSCC_BAD_FILE, "'%s' has a tensor map of kind %u, which this runtime does not know", path, map.kind);
    uint32_t least = map.kind == DSCC_MAP_PIXELS ? 3 : 1;
    if (map.rank < least || map.rank > DSCC_MAX_MAP_RANK)
      return fail(DSCC_BAD_FILE, "'%s' has a tensor map of rank %u, which this runtime does not know", path, map.rank);
    if (dscc_status status = map.kind == DSCC_MAP_PIXELS ? checkPixels(path, map) : DSCC_OK)
      return status;
  }
  return DSCC_OK;
}

static dscc_status checkProgram(const char *path, const dscc_program &program) {
  if (dscc_status status = checkRecords<dscc_kernel>(path, program.kernels, "kernels"))
    return status;
  if (dscc_status status = checkRecords<dscc_launch>(path, program.launches, "launches"))
    return status;
  if (dscc_status status = checkRecords<dscc_module>(path, program.modules, "modules"))
    return status;
  if (dscc_status status = checkRecords<dscc_tensor_map>(path, program.tensor_maps, "tensor maps"))
    return status;
  if (dscc_status status = checkTensorMaps(path, tensorMapsOf(program)))
    return status;
  for (const dscc_module &module : modulesOf(program))
    if (dscc_status status = checkRecords<dscc_image>(path, module.images, "images"))
      return status;
  if (program.num_segments != 1)
    return fail(DSCC_BAD_FILE, "'%s' has a program with an arena of %u segments, but this runtime knows arenas of one",
                path, program.num_segments);
  for (const dscc_launch &launch : launchesOf(program))
    if (launch.kernel >= program.kernels.count)
      return fail(DSCC_BAD_FILE, "'%s' launches kernel %u of a program that has %u", path, launch.kernel,
                  program.kernels.count);
  for (const dscc_kernel &kernel : kernelsOf(program))
    if (program.device == DSCC_DEVICE_CUDA && kernel.module >= program.modules.count)
      return fail(DSCC_BAD_FILE, "'%s' has a kernel '%s' in module %u of a program that has %u", path, kernel.name,
                  kernel.module, program.modules.count);
  return checkServices(path, program);
}

/// That each of the model's own tables can be read.
static dscc_status checkLists(const char *path, const dscc_model_v2 &model) {
  if (dscc_status status = checkRecords<dscc_symbol>(path, model.symbols, "symbols"))
    return status;
  if (dscc_status status = checkRecords<dscc_tensor>(path, model.inputs, "inputs"))
    return status;
  if (dscc_status status = checkRecords<dscc_tensor>(path, model.outputs, "outputs"))
    return status;
  if (dscc_status status = checkRecords<dscc_weight>(path, model.weights, "weights"))
    return status;
  if (dscc_status status = checkRecords<dscc_program>(path, model.programs, "programs"))
    return status;
  return checkRecords<dscc_relation>(path, model.relations, "relations");
}

dscc_status checkTable(const char *path, const dscc_model_v2 &model) {
  if (model.magic != DSCC_MODEL_MAGIC || model.abi_version != DSCC_ABI_VERSION ||
      model.struct_bytes < sizeof(dscc_model_v2))
    return fail(DSCC_BAD_FILE,
                "'%s' has a table of ABI version %u and %u bytes, but this runtime expects version %u and %zu", path,
                model.abi_version, model.struct_bytes, DSCC_ABI_VERSION, sizeof(dscc_model_v2));
  if (dscc_status status = checkLists(path, model))
    return status;
  if (model.states.count)
    return fail(DSCC_BAD_FILE, "'%s' keeps %u states from run to run, and this runtime knows none", path,
                model.states.count);
  if (dscc_status status = checkTensors(path, inputsOf(model)))
    return status;
  if (dscc_status status = checkTensors(path, outputsOf(model)))
    return status;
  if (dscc_status status = checkSymbols(path, model))
    return status;
  if (dscc_status status = checkRelations(path, model))
    return status;
  if (model.programs.count > maxPrograms)
    return fail(DSCC_BAD_FILE, "'%s' has %u programs, more than %u", path, model.programs.count, maxPrograms);
  for (const dscc_program &program : programsOf(model))
    if (dscc_status status = checkProgram(path, program))
      return status;
  return DSCC_OK;
}

} // namespace dscc
