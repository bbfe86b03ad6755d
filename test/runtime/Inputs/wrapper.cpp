// Runs y = x + (10, 20, 30, 40) through the C++ wrapper, rightly and wrongly.
#include <dscc/dscc.hpp>

#include <cstdio>
#include <numeric>
#include <utility>

int main(int argc, char **argv) {
  if (argc != 2)
    return 1;
  dscc_open_options options = {};
  options.device = DSCC_CPU;
  options.threads = 2;
  dscc::Model opened(argv[1], options);
  dscc::Model model(std::move(opened));
  std::printf("%s %d %s\n", model.input(0).name, model.input(0).rank, model.input(0).dims[0]);

  std::vector<int64_t> dims = {2, 4};
  std::vector<float> x(8), y(8);
  std::iota(x.begin(), x.end(), 0.0f);
  std::vector<dscc_buffer> inputs = {dscc::buffer("x", x, dims)};
  std::vector<dscc_buffer> outputs = {dscc::buffer("sum/y:0", y, dims)};
  std::vector<int64_t> inferred = model.outputDims(inputs, 0);
  std::printf("%d %d\n", static_cast<int>(inferred[0]), static_cast<int>(inferred[1]));
  // 16 bytes a row.
  if (model.workspaceSize(inputs) < 32)
    return 1;

  dscc::Context context(model);
  context.run(inputs, outputs);
  for (float value : y)
    std::printf("%g ", value);
  std::printf("\n");

  // On a CPU the device's memory is the host's.
  dscc::DeviceMemory memory(model, sizeof(float) * y.size());
  std::vector<float> back(y.size());
  memory.write(y.data(), sizeof(float) * y.size());
  memory.read(back.data(), sizeof(float) * back.size());
  if (back != y)
    return 1;

  std::vector<int64_t> wrong = {1, 5};
  std::vector<dscc_buffer> refused = {dscc::buffer("x", x.data(), 5, wrong)};
  try {
    context.run(refused, outputs);
  } catch (const dscc::Error &error) {
    if (error.status() == DSCC_BAD_INPUT)
      std::printf("refused: %s\n", error.what());
  }
  std::printf("untouched: %g\n", y[0]);
  try {
    dscc::Model("/nonexistent/model.so");
  } catch (const dscc::Error &error) {
    std::printf("closed\n");
  }
  return 0;
}
