/* Runs the model that this project's build compiled: y = x + x. */
#include <dscc/dscc.h>

#include <stdio.h>

static int fail(void) {
  fprintf(stderr, "%s\n", dscc_last_error());
  return 1;
}

int main(void) {
  dscc_open_options options = {.struct_bytes = sizeof options, .device = DSCC_CPU, .threads = 1};
  dscc_model *model;
  if (dscc_model_open(MODEL, &options, &model) != DSCC_OK)
    return fail();
  dscc_context *context;
  if (dscc_context_create(model, NULL, &context) != DSCC_OK)
    return fail();

  const int64_t dims[] = {3};
  float x[] = {1, 2, 3.5f}, y[3];
  const dscc_tensor *signature = dscc_input(model, 0);
  dscc_buffer input = {.name = "x", .dtype = signature->dtype, .rank = 1, .dims = dims, .data = x, .bytes = sizeof x};
  dscc_buffer output = {.name = "y", .dtype = signature->dtype, .rank = 1, .data = y, .bytes = sizeof y};
  if (dscc_run(context, &input, 1, &output, 1, NULL) != DSCC_OK)
    return fail();
  printf("%g %g %g\n", y[0], y[1], y[2]);

  dscc_context_destroy(context);
  dscc_model_close(model);
  return 0;
}
