/* An artifact by hand for both devices: y = x + w for x of [batch, 4]; its CUDA images are for the driver in
 * fake_cuda.c.
 *
 * There are two CUDA programs, so that a test sees by the result which one was chosen, and which of its images: that
 * for 9.0 alone adds w twice, in two launches, the PTX of the other one three times. Each has a weight of its own.
 */
#include "fake_cuda.h"
#include "records.h"

enum { COLUMNS = 4 };
#ifndef BLOCKS_IN_Y
#define BLOCKS_IN_Y 1 /* more are too many, and wrong */
#endif
#ifndef MOST_ROWS
#define MOST_ROWS 1000
#endif

static const float weights[COLUMNS] __attribute__((aligned(64))) = {10, 20, 30, 40};

static void add_row(int64_t row, void **args, float times) {
  const float *x = *(const float **)args[0] + row * COLUMNS;
  const float *w = *(const float **)args[1];
  float *y = *(float **)args[2] + row * COLUMNS;
  for (int column = 0; column < COLUMNS; ++column)
    y[column] = x[column] + times * w[column];
}
static void add_row_on_cpu(const dscc_block *block, void **args) { add_row(block->index, args, 1); }
static void add_row_on_cuda(unsigned block, void **args) { add_row(block, args, 1); }
/* Blocks come in clusters, of which the last may have one too many. */
static void add_row_on_90a(unsigned block, void **args) {
  if (block < *(const int64_t *)args[3])
    add_row(block, args, 1);
}
static void add_row_by_ptx(unsigned block, void **args) { add_row(block, args, 3); }

static int64_t arena_bytes(uint32_t segment, const int64_t *symbols) {
  return symbols[0] * COLUMNS * (int64_t)sizeof(float);
}

/* Through the arena, so that a wrong arena shows. */
static int32_t run_with(const dscc_run_args *args, const void *w) {
  const void *x = args->inputs[0];
  void *sum = args->arena[0], *y = args->outputs[0];
  void *kernel_args[] = {&x, &w, &sum, 0};
  const int64_t grid[3] = {args->symbols[0], BLOCKS_IN_Y, 1};
  int32_t status = args->services->launch(args->queue, 0, grid, kernel_args);
  if (status)
    return status;
  return args->services->copy(args->queue, y, sum, arena_bytes(0, args->symbols));
}

static int32_t run(const dscc_run_args *args) { return run_with(args, args->weights[0]); }

/* In clusters of two blocks. */
static int32_t run_on_90a(const dscc_run_args *args) {
  const void *x = args->inputs[0], *w = args->weights[1];
  void *sum = args->arena[0], *y = args->outputs[0];
  int64_t rows = args->symbols[0];
  /* Where the sum is, the second launch knows by a map only: the fake driver's begins with the address. */
  void *map = 0;
  const int64_t sum_dims[] = {COLUMNS, rows}, strides[] = {COLUMNS * sizeof(float)};
  void *first[] = {&x, &w, &sum, &rows, 0};
  const int64_t grid[3] = {(rows + 1) / 2 * 2, 1, 1};
  int32_t status = args->services->launch(args->queue, 0, grid, first);
  if (!status)
    status = args->services->encode_tensor_map(args->queue, 0, sum, sum_dims, strides, &map);
  void *second[] = {map, &w, &y, &rows, 0};
  return status ? status : args->services->launch(args->queue, 1, grid, second);
}

static void dims(const int64_t *symbols, int64_t *dims) {
  dims[0] = dims[2] = symbols[0];
  dims[1] = dims[3] = COLUMNS;
}

static const fake_cuda_kernel code[] = {{"add_row", add_row_on_cuda}};
static const fake_cuda_kernel code_of_90a[] = {{"add_row", add_row_on_90a, .cluster = 2, .waits = 1}};
static const fake_cuda_kernel code_of_ptx[] = {{"add_row", add_row_by_ptx}};
static const fake_cuda_image cubin = {FAKE_CUDA_MAGIC, 1, code};
static const fake_cuda_image cubin_of_90a = {FAKE_CUDA_MAGIC, 1, code_of_90a};
static const fake_cuda_image ptx = {FAKE_CUDA_MAGIC, 1, code_of_ptx};
static const dscc_tensor_map maps_of_90a[] = {{DSCC_FLOAT, 2, {COLUMNS, 2}, 0}};
/* Some records are longer than their structures. */
static const LONGER(dscc_image) images[] = {{{80, UINT32_MAX, 2, 0, &ptx, sizeof ptx}},
                                            {{80, 89, 1, 0, &cubin, sizeof cubin}}};
static const dscc_image images_of_90a[] = {{90, 90, 1, 0, &cubin_of_90a, sizeof cubin_of_90a}};

static const dscc_symbol symbols[] = {{"batch", 1, MOST_ROWS, DSCC_SYMBOL_AXIS, 0, 0, 0}};
static const char *const dim_texts[] = {"batch", "4"};
static const dscc_tensor inputs[] = {{"x", DSCC_FLOAT, 2, dim_texts}};
static const dscc_tensor outputs[] = {{"y", DSCC_FLOAT, 2, dim_texts}};
static const LONGER(dscc_weight) weight_table[] = {{{0, sizeof weights, 1u << 1 | 1u << 2, 0}},
                                                   {{0, sizeof weights, 1u << 0, 0}}};
static const dscc_kernel cpu_kernels[] = {{.name = "add_row", .cpu = add_row_on_cpu}};
static const dscc_kernel cuda_kernels[] = {{.name = "add_row", .threads = {32, 1, 1}, .shared_bytes = 64 * 1024}};
static const dscc_kernel kernels_of_90a[] = {
    {.name = "add_row", .threads = {32, 1, 1}, .cluster = {2, 1, 1}, .flags = DSCC_KERNEL_OVERLAPS}};
static const dscc_launch launches[] = {{"sum", 0}}, launches_of_90a[] = {{"sum", 0}, {"sum again", 0}};
static const dscc_module modules[] = {{RECORDS(images)}}, modules_of_90a[] = {{RECORDS(images_of_90a)}};
static const LONGER(dscc_program) programs[] = {{{.device = DSCC_DEVICE_CUDA,
                                                  .level = 90,
                                                  .services = DSCC_SERVICE_LAUNCH | DSCC_SERVICE_ENCODE_TENSOR_MAP,
                                                  .num_segments = 1,
                                                  .kernels = RECORDS(kernels_of_90a),
                                                  .launches = RECORDS(launches_of_90a),
                                                  .modules = RECORDS(modules_of_90a),
                                                  .tensor_maps = RECORDS(maps_of_90a),
                                                  .arena_bytes = arena_bytes,
                                                  .run = run_on_90a}},
                                                {{.device = DSCC_DEVICE_CUDA,
                                                  .level = 80,
                                                  .services = DSCC_SERVICE_LAUNCH | DSCC_SERVICE_COPY,
                                                  .num_segments = 1,
                                                  .kernels = RECORDS(cuda_kernels),
                                                  .launches = RECORDS(launches),
                                                  .modules = RECORDS(modules),
                                                  .arena_bytes = arena_bytes,
                                                  .run = run}},
                                                {{.device = DSCC_DEVICE_CPU,
                                                  .level = 2,
                                                  .services = DSCC_SERVICE_LAUNCH | DSCC_SERVICE_COPY,
                                                  .num_segments = 1,
                                                  .kernels = RECORDS(cpu_kernels),
                                                  .launches = RECORDS(launches),
                                                  .arena_bytes = arena_bytes,
                                                  .run = run}}};

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
                                                                         .build_info = "{}"};
