#include "runtime/Inputs.h"

#include "runtime/Error.h"

#include <cassert>
#include <cstdio>
#include <cstring>

namespace dscc {

bool countBytes(int dtype, int rank, const int64_t *dims, uint64_t &bytes) {
  bytes = dscc_dtype_bytes(dtype);
  for (int axis = 0; axis < rank; ++axis)
    if (dims[axis] < 0 || __builtin_mul_overflow(bytes, uint64_t(dims[axis]), &bytes))
      return false;
  return true;
}

/// The names of tensors, for a sentence, as far as they fit.
static const char *listNames(Records<dscc_tensor> tensors, char (&text)[512]) {
  constexpr size_t roomForMore = 8; // ", ..." and its end
  size_t used = 0;
  text[0] = 0;
  for (uint32_t i = 0; i < tensors.size(); ++i) {
    size_t room = sizeof(text) - roomForMore - used;
    int wanted = snprintf(text + used, room, "%s'%s'", i ? ", " : "", tensors[i].name);
    if (wanted < 0 || size_t(wanted) >= room) {
      snprintf(text + used, roomForMore, "%s...", i ? ", " : "");
      break;
    }
    used += wanted;
  }
  return tensors.size() ? text : "none";
}

/// Sorts the caller's tensors into the model's order, by name or by position. Defaults stand in for what is missing.
static dscc_status sortByName(const char *kind, Records<dscc_tensor> tensors, const dscc_buffer *buffers, size_t count,
                              const dscc_buffer *defaults, const dscc_buffer **sorted) {
  const uint32_t expected = tensors.size();
  for (uint32_t i = 0; i < expected; ++i)
    sorted[i] = nullptr;
  for (size_t i = 0; i < count; ++i) {
    uint32_t place = expected;
    if (!buffers[i].name) {
      place = i;
      if (i >= expected)
        return fail(DSCC_BAD_INPUT, "%s number %zu was given, but the model has only %u", kind, i + 1, expected);
    }
    for (uint32_t j = 0; buffers[i].name && j < expected; ++j)
      if (!strcmp(buffers[i].name, tensors[j].name))
        place = j;
    if (place == expected) {
      char names[512];
      return fail(DSCC_BAD_INPUT, "the model has no %s '%s'; it has %s", kind, buffers[i].name,
                  listNames(tensors, names));
    }
    if (sorted[place])
      return fail(DSCC_BAD_INPUT, "%s '%s' was given twice", kind, tensors[place].name);
    sorted[place] = &buffers[i];
  }
  for (uint32_t i = 0; defaults && i < expected; ++i)
    if (!sorted[i] && defaults[i].name)
      sorted[i] = &defaults[i];
  for (uint32_t i = 0; i < expected; ++i)
    if (!sorted[i])
      return fail(DSCC_BAD_INPUT, "%s '%s' is missing", kind, tensors[i].name);
  return DSCC_OK;
}

static dscc_status checkTypeAndRank(const char *kind, const dscc_tensor &tensor, const dscc_buffer &buffer) {
  if (buffer.dtype != tensor.dtype)
    return fail(DSCC_BAD_INPUT, "%s '%s' has element type %s, but the model takes %s", kind, tensor.name,
                dscc_dtype_name(buffer.dtype), dscc_dtype_name(tensor.dtype));
  if (buffer.rank != tensor.rank)
    return fail(DSCC_BAD_INPUT, "%s '%s' has rank %d, but the model takes rank %d", kind, tensor.name, buffer.rank,
                tensor.rank);
  return DSCC_OK;
}

static dscc_status bindSymbols(const dscc_model_v2 &table, const Binding &binding) {
  Records<dscc_symbol> symbols = symbolsOf(table);
  for (uint32_t i = 0; i < symbols.size(); ++i) {
    const dscc_symbol &symbol = symbols[i];
    assert(symbol.kind == DSCC_SYMBOL_AXIS && symbol.source < table.inputs.count &&
           symbol.axis < uint32_t(binding.inputs[symbol.source]->rank) &&
           "checkTable has looked where dims are read off");
    int64_t value = binding.inputs[symbol.source]->dims[symbol.axis];
    if (value < symbol.min || value > symbol.max)
      return fail(DSCC_BAD_INPUT, "input '%s' axis %u ('%s') is %lld, but the model was compiled for %s %lld",
                  inputsOf(table)[symbol.source].name, symbol.axis, symbol.name, (long long)value,
                  value < symbol.min ? "at least" : "at most",
                  (long long)(value < symbol.min ? symbol.min : symbol.max));
    binding.symbols[i] = value;
  }
  return DSCC_OK;
}

/// Who gave a named dim its value, for a message.
static const dscc_symbol *findSymbol(const dscc_model_v2 &table, const char *text) {
  for (const dscc_symbol &symbol : symbolsOf(table))
    if (!strcmp(symbol.name, text))
      return &symbol;
  return nullptr;
}

static dscc_status refuseDim(const dscc_model_v2 &table, uint32_t input, int axis, int64_t found, int64_t expected) {
  const dscc_tensor &tensor = inputsOf(table)[input];
  const char *text = tensor.dims[axis];
  if (const dscc_symbol *symbol = findSymbol(table, text))
    return fail(DSCC_BAD_INPUT, "input '%s' axis %d ('%s') is %lld, but input '%s' made it %lld", tensor.name, axis,
                text, (long long)found, inputsOf(table)[symbol->source].name, (long long)expected);
  return fail(DSCC_BAD_INPUT, "input '%s' axis %d is %lld, but the model takes %lld%s%s%s", tensor.name, axis,
              (long long)found, (long long)expected, strspn(text, "0123456789") == strlen(text) ? "" : " (",
              strspn(text, "0123456789") == strlen(text) ? "" : text,
              strspn(text, "0123456789") == strlen(text) ? "" : ")");
}

static dscc_status checkDims(const dscc_model_v2 &table, bool needData, const Binding &binding) {
  const int64_t *expected = binding.dims;
  Records<dscc_tensor> inputs = inputsOf(table);
  for (uint32_t i = 0; i < inputs.size(); ++i) {
    const dscc_buffer &buffer = *binding.inputs[i];
    for (int axis = 0; axis < buffer.rank; ++axis)
      if (buffer.dims[axis] != expected[axis])
        return refuseDim(table, i, axis, buffer.dims[axis], expected[axis]);
    uint64_t bytes;
    if (!countBytes(buffer.dtype, buffer.rank, buffer.dims, bytes))
      return fail(DSCC_BAD_INPUT, "input '%s' has more elements than can be counted", inputs[i].name);
    if (needData && (buffer.bytes < bytes || (!buffer.data && bytes)))
      return fail(DSCC_BAD_INPUT, "input '%s' has %zu bytes, but its dims need %llu", inputs[i].name,
                  buffer.data ? buffer.bytes : 0, (unsigned long long)bytes);
    expected += buffer.rank;
  }
  return DSCC_OK;
}

static bool holds(int32_t kind, int64_t lhs, int64_t rhs) {
  switch (kind) {
  case DSCC_BROADCAST: return lhs == rhs || lhs == 1 || rhs == 1;
  // A divisor of -1 is set apart because the smallest number has no opposite.
  case DSCC_MULTIPLE: return rhs == 0 ? lhs == 0 : rhs == -1 || lhs % rhs == 0;
  default: return lhs == rhs;
  }
}

static const char *describe(int32_t kind) {
  switch (kind) {
  case DSCC_BROADCAST: return "be equal, or one of them 1";
  case DSCC_MULTIPLE: return "divide without remainder";
  default: return "be equal";
  }
}

/// Names every input whose dim takes part, with its value.
static dscc_status refuseRelation(const dscc_model_v2 &table, const dscc_relation &relation, const Binding &binding,
                                  int64_t lhs, int64_t rhs) {
  char origins[512] = "";
  for (int32_t i = 0; i < relation.num_symbols; ++i) {
    const dscc_symbol &symbol = symbolsOf(table)[relation.symbols[i]];
    size_t used = strlen(origins);
    snprintf(origins + used, sizeof(origins) - used, "%sinput '%s' axis %u ('%s') is %lld", i ? ", " : "",
             inputsOf(table)[symbol.source].name, symbol.axis, symbol.name,
             (long long)binding.symbols[relation.symbols[i]]);
  }
  return fail(DSCC_BAD_INPUT, "node '%s' needs '%s' and '%s' to %s, but they are %lld and %lld: %s", relation.node,
              relation.lhs, relation.rhs, describe(relation.kind), (long long)lhs, (long long)rhs, origins);
}

static dscc_status checkRelations(const dscc_model_v2 &table, const Binding &binding) {
  Records<dscc_relation> relations = relationsOf(table);
  if (!relations.size())
    return DSCC_OK;
  assert(table.sides && binding.sides && "whoever has relations computes their sides");
  table.sides(binding.symbols, binding.sides);
  for (uint32_t i = 0; i < relations.size(); ++i) {
    int64_t lhs = binding.sides[2 * i], rhs = binding.sides[2 * i + 1];
    if (!holds(relations[i].kind, lhs, rhs))
      return refuseRelation(table, relations[i], binding, lhs, rhs);
  }
  return DSCC_OK;
}

dscc_status bindInputs(const dscc_model_v2 &table, const dscc_buffer *inputs, size_t count, bool needData,
                       const Binding &binding) {
  Records<dscc_tensor> tensors = inputsOf(table);
  if (dscc_status status = sortByName("input", tensors, inputs, count, binding.defaults, binding.inputs))
    return status;
  for (uint32_t i = 0; i < tensors.size(); ++i) {
    if (dscc_status status = checkTypeAndRank("input", tensors[i], *binding.inputs[i]))
      return status;
    if (binding.inputs[i]->rank && !binding.inputs[i]->dims)
      return fail(DSCC_BAD_INPUT, "input '%s' has no dims", tensors[i].name);
    for (int axis = 0; axis < binding.inputs[i]->rank; ++axis)
      if (binding.inputs[i]->dims[axis] < 0)
        return fail(DSCC_BAD_INPUT, "input '%s' axis %d is %lld", tensors[i].name, axis,
                    (long long)binding.inputs[i]->dims[axis]);
  }
  if (dscc_status status = bindSymbols(table, binding))
    return status;
  table.dims(binding.symbols, binding.dims);
  if (dscc_status status = checkDims(table, needData, binding))
    return status;
  return checkRelations(table, binding);
}

dscc_status checkOutputDims(const dscc_tensor &tensor, const int64_t *dims) {
  for (int axis = 0; axis < tensor.rank; ++axis)
    if (dims[axis] < 0)
      return fail(DSCC_BAD_INPUT, "these inputs make output '%s' axis %d %lld", tensor.name, axis,
                  (long long)dims[axis]);
  return DSCC_OK;
}

dscc_status bindOutputs(const dscc_model_v2 &table, const dscc_buffer *outputs, size_t count, const Binding &binding) {
  Records<dscc_tensor> tensors = outputsOf(table);
  if (dscc_status status = sortByName("output", tensors, outputs, count, nullptr, binding.outputs))
    return status;
  const int64_t *dims = binding.dims;
  for (const dscc_tensor &input : inputsOf(table))
    dims += input.rank;
  for (uint32_t i = 0; i < tensors.size(); ++i) {
    const dscc_buffer &buffer = *binding.outputs[i];
    const dscc_tensor &tensor = tensors[i];
    if (dscc_status status = checkTypeAndRank("output", tensor, buffer))
      return status;
    if (dscc_status status = checkOutputDims(tensor, dims))
      return status;
    for (int axis = 0; axis < tensor.rank; ++axis)
      if (buffer.dims && buffer.dims[axis] != dims[axis])
        return fail(DSCC_BAD_INPUT, "output '%s' axis %d is given as %lld, but these inputs make it %lld", tensor.name,
                    axis, (long long)buffer.dims[axis], (long long)dims[axis]);
    uint64_t bytes;
    if (!countBytes(tensor.dtype, tensor.rank, dims, bytes))
      return fail(DSCC_BAD_INPUT, "output '%s' has more elements than can be counted", tensor.name);
    if (buffer.bytes < bytes || (!buffer.data && bytes))
      return fail(DSCC_TOO_SMALL, "output '%s' has room for %zu bytes and needs %llu", tensor.name,
                  buffer.data ? buffer.bytes : 0, (unsigned long long)bytes);
    dims += tensor.rank;
  }
  return DSCC_OK;
}

} // namespace dscc
