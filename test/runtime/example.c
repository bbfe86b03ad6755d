/* Opens a compiled model, prints its signature, runs it once on ones, and prints the first numbers that come out.
 * Dims that the signature leaves open are 1 here, and all inputs are float32.
 *
 *   cc example.c -I include -L lib -ldscc_runtime -o example && ./example model.so
 */
#include <dscc/dscc.h>

#include <stdio.h>
#include <stdlib.h>

enum { MAX_TENSORS = 16 };

static int fail(const char *sentence) {
  fprintf(stderr, "example: %s\n", sentence);
  return EXIT_FAILURE;
}

/* Fills in dims, data and bytes; dims[] must outlive the buffer, and data is the caller's to free. */
static void make_ones(const dscc_tensor *tensor, int64_t *dims, dscc_buffer *buffer) {
  size_t count = 1;
  for (int axis = 0; axis < tensor->rank; ++axis) {
    char *end;
    dims[axis] = strtoll(tensor->dims[axis], &end, 10);
    if (*end != '\0')
      dims[axis] = 1; /* a named dim, such as "batch" */
    count *= (size_t)dims[axis];
  }
  float *data = calloc(count + 1, sizeof *data);
  for (size_t i = 0; data && i < count; ++i)
    data[i] = 1;
  *buffer = (dscc_buffer){tensor->name, DSCC_FLOAT, tensor->rank, dims, data, count * sizeof *data, 0};
}

int main(int argc, char **argv) {
  dscc_model *model;
  dscc_context *context;
  if (argc != 2)
    return fail("usage: example model.so");
  if (dscc_model_open(argv[1], NULL, &model) != DSCC_OK)
    return fail(dscc_last_error());
  printf("%s\n", dscc_signature_json(model));

  size_t num_inputs = dscc_num_inputs(model), num_outputs = dscc_num_outputs(model);
  if (num_inputs > MAX_TENSORS || num_outputs > MAX_TENSORS)
    return fail("more tensors than this example has room for");
  int64_t dims[2 * MAX_TENSORS][DSCC_MAX_RANK];
  dscc_buffer inputs[MAX_TENSORS], outputs[MAX_TENSORS];
  for (size_t i = 0; i < num_inputs; ++i)
    make_ones(dscc_input(model, i), dims[i], &inputs[i]);
  for (size_t i = 0; i < num_outputs; ++i) {
    const dscc_tensor *tensor = dscc_output(model, i);
    int64_t *out = dims[MAX_TENSORS + i];
    if (dscc_output_dims(model, inputs, num_inputs, i, out) != DSCC_OK)
      return fail(dscc_last_error());
    size_t bytes = dscc_dtype_bytes(tensor->dtype);
    for (int axis = 0; axis < tensor->rank; ++axis)
      bytes *= (size_t)out[axis];
    outputs[i] = (dscc_buffer){tensor->name, tensor->dtype, tensor->rank, out, malloc(bytes + 1), bytes, 0};
  }

  if (dscc_context_create(model, NULL, &context) != DSCC_OK)
    return fail(dscc_last_error());
  if (dscc_run(context, inputs, num_inputs, outputs, num_outputs, NULL) != DSCC_OK)
    return fail(dscc_last_error());
  if (num_outputs == 0 || outputs[0].dtype != DSCC_FLOAT)
    return fail("the first output is not float32");
  const float *numbers = outputs[0].data;
  for (size_t i = 0; i < 8 && i < outputs[0].bytes / sizeof *numbers; ++i)
    printf("%g ", numbers[i]);
  printf("\n");

  for (size_t i = 0; i < num_inputs + num_outputs; ++i)
    free(i < num_inputs ? inputs[i].data : outputs[i - num_inputs].data);
  dscc_context_destroy(context);
  dscc_model_close(model);
  return EXIT_SUCCESS;
}
