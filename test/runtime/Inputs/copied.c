/* An artifact by hand: y = x, elements of type DTYPE, one byte or more each (WIDTH). */
#include "records.h"

static int64_t arena_bytes(uint32_t segment, const int64_t *symbols) { return 0; }

static int32_t run(const dscc_run_args *args) {
  return args->services->copy(args->queue, args->outputs[0], args->inputs[0], args->symbols[0] * WIDTH);
}

static void dims(const int64_t *symbols, int64_t *dims) { dims[0] = dims[1] = symbols[0]; }

static const dscc_symbol symbols[] = {{"length", 0, 1000, DSCC_SYMBOL_AXIS, 0, 0, 0}};
static const char *const dim_texts[] = {"length"};
static const dscc_tensor inputs[] = {{"x", DTYPE, 1, dim_texts}};
static const dscc_tensor outputs[] = {{"y", DTYPE, 1, dim_texts}};
static const dscc_program programs[] = {{.device = DSCC_DEVICE_CPU,
                                         .level = DSCC_X86_64_V3,
                                         .services = DSCC_SERVICE_COPY,
                                         .num_segments = 1,
                                         .arena_bytes = arena_bytes,
                                         .run = run}};

__attribute__((visibility("default"))) const dscc_model_v2 dscc_model = {.magic = DSCC_MODEL_MAGIC,
                                                                         .abi_version = DSCC_ABI_VERSION,
                                                                         .struct_bytes = sizeof(dscc_model_v2),
                                                                         .symbols = RECORDS(symbols),
                                                                         .inputs = RECORDS(inputs),
                                                                         .outputs = RECORDS(outputs),
                                                                         .programs = RECORDS(programs),
                                                                         .dims = dims,
                                                                         .build_info = "{}"};
