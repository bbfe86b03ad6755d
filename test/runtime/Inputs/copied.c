/* An artifact by hand: y = x, elements of type DTYPE, one byte or more each (WIDTH). */
#include <dscc/abi.h>

static int64_t arena_bytes(const int64_t *symbols) { return 0; }

static int32_t run(const dscc_run_args *args) {
  return args->services->copy(args->queue, args->outputs[0], args->inputs[0], args->symbols[0] * WIDTH);
}

static void dims(const int64_t *symbols, int64_t *dims) { dims[0] = dims[1] = symbols[0]; }

static const dscc_symbol symbols[] = {{"length", 0, 1000, 0, 0}};
static const char *const dim_texts[] = {"length"};
static const dscc_tensor inputs[] = {{"x", DTYPE, 1, dim_texts}};
static const dscc_tensor outputs[] = {{"y", DTYPE, 1, dim_texts}};
static const dscc_program programs[] = {
    {.device = DSCC_DEVICE_CPU, .level = DSCC_X86_64_V3, .arena_bytes = arena_bytes, .run = run}};

__attribute__((visibility("default"))) const dscc_model_v1 dscc_model = {.magic = DSCC_MODEL_MAGIC,
                                                                         .abi_version = DSCC_ABI_VERSION,
                                                                         .struct_bytes = sizeof(dscc_model_v1),
                                                                         .num_symbols = 1,
                                                                         .num_inputs = 1,
                                                                         .num_outputs = 1,
                                                                         .num_programs = 1,
                                                                         .symbols = symbols,
                                                                         .inputs = inputs,
                                                                         .outputs = outputs,
                                                                         .programs = programs,
                                                                         .dims = dims,
                                                                         .build_info = "{}"};
