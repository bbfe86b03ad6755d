/* An artifact by hand: y = x + w for x of [batch, 4], one block of the grid a row. The output's name has letters
 * that no file name should have. */
#include "records.h"

#include <stddef.h>

enum { COLUMNS = 4 };

static const float weights[COLUMNS] __attribute__((aligned(64))) = {10, 20, 30, 40};

/* The block stores to its scratch first, so that scratch that two workers share shows in the result. */
static void add_row(const dscc_block *block, void **args) {
  const float *x = *(const float **)args[0] + block->index * COLUMNS;
  const float *w = *(const float **)args[1];
  float *y = *(float **)args[2] + block->index * COLUMNS;
  volatile float *scratch = block->scratch;
  for (int column = 0; column < COLUMNS; ++column)
    scratch[column] = x[column];
  for (int column = 0; column < COLUMNS; ++column)
    y[column] = scratch[column] + w[column];
}

static int64_t arena_bytes(uint32_t segment, const int64_t *symbols) {
  return symbols[0] * COLUMNS * (int64_t)sizeof(float);
}

/* Through the arena, so that a wrong arena shows. */
static int32_t run(const dscc_run_args *args) {
  const void *x = args->inputs[0], *w = args->weights[0];
  void *sum = args->arena[0], *y = args->outputs[0];
  void *kernel_args[] = {&x, &w, &sum};
  const int64_t grid[3] = {args->symbols[0], 1, 1};
  int32_t status = args->services->launch(args->queue, 0, grid, kernel_args);
  if (status)
    return status;
  return args->services->copy(args->queue, y, sum, arena_bytes(0, args->symbols));
}

static void dims(const int64_t *symbols, int64_t *dims) {
  dims[0] = dims[2] = symbols[0];
  dims[1] = dims[3] = COLUMNS;
}

static const dscc_symbol symbols[] = {{"batch", 1, 1000, DSCC_SYMBOL_AXIS, 0, 0, 0}};
static const char *const dim_texts[] = {"batch", "4"};
static const dscc_tensor inputs[] = {{"x", DSCC_FLOAT, 2, dim_texts}};
static const dscc_tensor outputs[] = {{"sum/y:0", DSCC_FLOAT, 2, dim_texts}};
static const dscc_weight weight_table[] = {{0, sizeof weights, 1u << 0, 0}};
static const dscc_kernel kernels[] = {
    {.name = "add_row", .cpu = add_row, .threads = {1, 1, 1}, .scratch_bytes = sizeof weights}};
static const dscc_launch launches[] = {{"sum", 0}};
static const dscc_program programs[] = {{.device = DSCC_DEVICE_CPU,
                                         .level = DSCC_X86_64_V3,
                                         .services = DSCC_SERVICE_LAUNCH | DSCC_SERVICE_COPY,
                                         .num_segments = 1,
                                         .kernels = RECORDS(kernels),
                                         .launches = RECORDS(launches),
                                         .arena_bytes = arena_bytes,
                                         .run = run}};

__attribute__((visibility("default"))) const dscc_model_v2 dscc_model = {.magic = DSCC_MODEL_MAGIC,
                                                                         .abi_version = DSCC_ABI_VERSION,
                                                                         .struct_bytes = sizeof(dscc_model_v2),
                                                                         .symbols = RECORDS(symbols),
                                                                         .inputs = RECORDS(inputs),
                                                                         .outputs = RECORDS(outputs),
                                                                         .weights = RECORDS(weight_table),
                                                                         .programs = RECORDS(programs),
                                                                         .dims = dims,
                                                                         .weight_data = weights,
                                                                         .weight_bytes = sizeof weights,
                                                                         .build_info = "{\"made\": \"by hand\"}"};
