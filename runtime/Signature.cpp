// The signature of a model as one line of JSON.

#include "runtime/Model.h"

#include <cassert>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace dscc {

namespace {
/// A text that grows. After a failed allocation it stays empty.
class Text {
public:
  ~Text() { free(data); }
  char *release() {
    char *result = failed ? nullptr : data;
    if (result)
      data = nullptr;
    return result;
  }

  void append(const char *text, size_t bytes) {
    if (failed)
      return;
    if (used + bytes + 1 > capacity) {
      capacity = 2 * (used + bytes + 1);
      char *larger = static_cast<char *>(realloc(data, capacity));
      failed = !larger;
      if (failed)
        return;
      data = larger;
    }
    assert(used + bytes < capacity && "text and its end fit");
    memcpy(data + used, text, bytes);
    used += bytes;
    data[used] = 0;
  }
  void add(const char *text) { append(text, strlen(text)); }

  void number(long long value) {
    char digits[32];
    append(digits, snprintf(digits, sizeof(digits), "%lld", value));
  }

  void quoted(const char *text) {
    add("\"");
    for (const char *c = text ? text : ""; *c; ++c) {
      char escape[8];
      if (*c == '"' || *c == '\\')
        append(escape, snprintf(escape, sizeof(escape), "\\%c", *c));
      else if (static_cast<unsigned char>(*c) < 0x20)
        append(escape, snprintf(escape, sizeof(escape), "\\u%04x", *c));
      else
        append(c, 1);
    }
    add("\"");
  }

private:
  char *data = nullptr;
  size_t used = 0, capacity = 0;
  bool failed = false;
};
} // namespace

static void addTensors(Text &text, const char *key, Records<dscc_tensor> tensors) {
  text.quoted(key);
  text.add(": [");
  for (uint32_t i = 0; i < tensors.size(); ++i) {
    text.add(i ? ", {\"name\": " : "{\"name\": ");
    text.quoted(tensors[i].name);
    text.add(", \"dtype\": ");
    text.quoted(dscc_dtype_name(tensors[i].dtype));
    text.add(", \"dims\": [");
    for (int32_t axis = 0; axis < tensors[i].rank; ++axis) {
      const char *dim = tensors[i].dims[axis];
      text.add(axis ? ", " : "");
      bool isNumber = dim[0] && strspn(dim, "0123456789") == strlen(dim);
      if (isNumber)
        text.add(dim);
      else
        text.quoted(dim);
    }
    text.add(tensors[i].default_weight ? "], \"optional\": true}" : "]}");
  }
  text.add("]");
}

/// JSON that may have been laid out over several lines, on one.
static void addFlattened(Text &text, const char *json) {
  for (const char *c = json; *c; ++c)
    text.append(*c == '\n' || *c == '\r' ? " " : c, 1);
}

char *makeSignature(const dscc_model &model) {
  const dscc_model_v2 &table = *model.table;
  assert(model.program && model.deviceName[0] && "the device is chosen before it is described");
  Text text;
  text.add("{");
  addTensors(text, "inputs", inputsOf(table));
  text.add(", ");
  addTensors(text, "outputs", outputsOf(table));
  text.add(", \"symbols\": [");
  Records<dscc_symbol> symbols = symbolsOf(table);
  for (uint32_t i = 0; i < symbols.size(); ++i) {
    text.add(i ? ", {\"name\": " : "{\"name\": ");
    text.quoted(symbols[i].name);
    text.add(", \"min\": ");
    text.number(symbols[i].min);
    text.add(", \"max\": ");
    text.number(symbols[i].max);
    text.add("}");
  }
  text.add("], \"device\": ");
  text.quoted(model.deviceName);
  text.add(", \"kernels\": ");
  text.number(model.program->kernels.count);
  text.add(", \"weight_bytes\": ");
  text.number(table.weight_bytes);
  if (table.build_info && table.build_info[0]) {
    text.add(", \"build\": ");
    addFlattened(text, table.build_info);
  }
  text.add("}");
  return text.release();
}

} // namespace dscc
