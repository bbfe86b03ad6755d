/* Runs the first program of an artifact for several values of its one named dim, and tells what it did. */

#include <dscc/abi.h>

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static const dscc_model_v2 *model;
static int launches;
static long copied;

static const dscc_program *program_of(void) { return model->programs.data; }

static int32_t launch(void *queue, int32_t launch, const int64_t grid[3], void **args) {
  const dscc_launch *launch_table = program_of()->launches.data;
  const dscc_kernel *kernels = program_of()->kernels.data;
  dscc_block block = {0, grid[0] * grid[1] * grid[2], 0};
  for (; block.index < block.count; ++block.index)
    kernels[launch_table[launch].kernel].cpu(&block, args);
  ++launches;
  return 0;
}

static int32_t copy(void *queue, void *target, const void *source, int64_t bytes) {
  memcpy(target, source, bytes);
  copied += bytes;
  return 0;
}

static void runOnce(int64_t n) {
  const dscc_services services = {.struct_bytes = sizeof services, .launch = launch, .copy = copy};
  float x[4] = {1, 2, 3, 4}, y[4] = {0}, w[2] = {0};
  _Alignas(64) char memory[256];
  void *arena[] = {memory};
  const void *inputs[] = {x};
  void *outputs[] = {y, w};
  const void *weights[] = {(const char *)model->weight_data + ((const dscc_weight *)model->weights.data)->offset};
  const dscc_run_args args = {&services, 0, &n, inputs, outputs, arena, weights};
  launches = 0;
  copied = 0;
  int status = program_of()->run(&args);
  printf("n=%ld status=%d arena=%ld launches=%d copied=%ld y=%g %g %g %g w=%g %g\n", (long)n, status,
         (long)program_of()->arena_bytes(0, &n), launches, copied, y[0], y[1], y[2], y[3], w[0], w[1]);
}

int main(int count, char **arguments) {
  void *library = dlopen(arguments[1], RTLD_NOW);
  if (!library)
    return fprintf(stderr, "%s\n", dlerror()), 1;
  model = dlsym(library, DSCC_MODEL_NAME);
  for (int64_t n = 4; n >= 0; --n)
    runOnce(n);
  runOnce((int64_t)1 << 60);
  return 0;
}
