/* An artifact by hand: y = x for x of [batch, 4], with one thing that is odd: whatever a macro below says. */
#include <dscc/abi.h>

#ifndef ABI
#define ABI DSCC_ABI_VERSION
#endif
#ifndef RANK
#define RANK 2
#endif
#ifndef AXIS
#define AXIS 0
#endif
#ifndef LEVEL
#define LEVEL DSCC_X86_64_V3
#endif
#ifndef SYMBOL
#define SYMBOL dscc_model
#endif
#ifndef WEIGHT_FILE
#define WEIGHT_FILE 0
#endif
#ifndef WEIGHT_END
#define WEIGHT_END 16
#endif
#ifndef STATUS
#define STATUS 0
#endif
#ifndef ARENA
#define ARENA 0
#endif
#ifndef ROWS
#define ROWS symbols[0]
#endif
#ifndef COLUMNS_TEXT
#define COLUMNS_TEXT "4"
#endif
#ifndef DEFAULT
#define DEFAULT 0
#endif
#ifndef NAME
#define NAME "y"
#endif

static const float weights[4] __attribute__((aligned(64))) = {1, 2, 3, 4};

static int64_t arena_bytes(const int64_t *symbols) { return ARENA; }

static int32_t run(const dscc_run_args *args) {
  int32_t status = args->services->copy(args->queue, args->outputs[0], args->inputs[0], args->symbols[0] * 16);
  return STATUS ? STATUS : status;
}

static void dims(const int64_t *symbols, int64_t *dims) {
  dims[0] = symbols[0];
  dims[2] = ROWS;
  dims[1] = dims[3] = 4;
#ifdef SECOND
  dims[4] = ROWS;
  dims[5] = 4;
#endif
}

static const dscc_symbol symbols[] = {{"batch", 1, 1000, 0, AXIS}};
static const char *const dim_texts[] = {"batch", COLUMNS_TEXT};
static const dscc_tensor inputs[] = {{"x", DSCC_FLOAT, RANK, dim_texts, DEFAULT}};
static const dscc_tensor outputs[] = {{NAME, DSCC_FLOAT, 2, dim_texts},
#ifdef SECOND
                                      {SECOND, DSCC_FLOAT, 2, dim_texts}
#endif
};
static const dscc_weight weight_table[] = {{0, WEIGHT_END, 1u << 0, 0}};
static const dscc_program programs[] = {
    {.device = DSCC_DEVICE_CPU, .level = LEVEL, .arena_bytes = arena_bytes, .run = run}};

__attribute__((visibility("default"))) const dscc_model_v1 SYMBOL = {.magic = DSCC_MODEL_MAGIC,
                                                                     .abi_version = ABI,
                                                                     .struct_bytes = sizeof(dscc_model_v1),
                                                                     .num_symbols = 1,
                                                                     .num_inputs = 1,
                                                                     .num_outputs = sizeof outputs / sizeof outputs[0],
                                                                     .num_weights = 1,
                                                                     .num_programs = 1,
                                                                     .symbols = symbols,
                                                                     .inputs = inputs,
                                                                     .outputs = outputs,
                                                                     .weights = weight_table,
                                                                     .programs = programs,
                                                                     .dims = dims,
                                                                     .weight_data = weights,
                                                                     .weight_bytes = sizeof weights,
                                                                     .weight_file = WEIGHT_FILE,
                                                                     .build_info = "{}"};
