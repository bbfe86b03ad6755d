#include "tools/run/Report.h"

#include "tools/run/Json.h"

#include <cassert>
#include <cinttypes>
#include <cmath>
#include <cstdio>

using namespace dscc::run;

std::string dscc::run::formatDims(const dscc_tensor &tensor) {
  std::string text = "[";
  for (int axis = 0; axis < tensor.rank; ++axis)
    text += (axis ? ", " : "") + std::string(tensor.dims[axis]);
  return text + "]";
}

std::string dscc::run::formatDims(const std::vector<int64_t> &dims) {
  std::string text = "[";
  for (size_t axis = 0; axis < dims.size(); ++axis)
    text += (axis ? ", " : "") + std::to_string(dims[axis]);
  return text + "]";
}

int64_t dscc::run::peakResidentBytes() {
  // Not getrusage: its figure starts with that of the process that called exec.
  FILE *status = fopen("/proc/self/status", "r");
  if (!status)
    return 0;
  char line[256];
  int64_t kibibytes = 0;
  while (fgets(line, sizeof(line), status))
    if (sscanf(line, "VmHWM: %" SCNd64, &kibibytes) == 1)
      break;
  fclose(status);
  return kibibytes * 1024;
}

static void printTensor(const dscc_tensor *tensor) {
  printf("  %s: %s %s%s\n", tensor->name, dscc_dtype_name(tensor->dtype), formatDims(*tensor).c_str(),
         tensor->default_weight ? " (optional)" : "");
}

void dscc::run::printSignature(const dscc_model *model, const std::string &artifact) {
  printf("%s: %s, threads: %d\n", artifact.c_str(), dscc_device_name(model), dscc_threads(model));
  printf("inputs:\n");
  for (size_t index = 0; index < dscc_num_inputs(model); ++index)
    printTensor(dscc_input(model, index));
  printf("outputs:\n");
  for (size_t index = 0; index < dscc_num_outputs(model); ++index)
    printTensor(dscc_output(model, index));
}

static void printStatistics(const HostTensor &output) {
  Statistics statistics = computeStatistics(output);
  printf("%s: %s %s, min %.6g, max %.6g, mean %.6g, NaN: %" PRId64 "\n", output.name.c_str(),
         dscc_dtype_name(output.dtype), formatDims(output.dims).c_str(), statistics.min, statistics.max,
         statistics.mean, statistics.nans);
}

void dscc::run::printText(const Report &report) {
  assert(report.outputs && "the report is printed after the run");
  printf("opened in %.3f ms, first run %.3f ms\n", report.openMs, report.firstRunMs);
  for (const std::string &file : report.written)
    printf("wrote %s\n", file.c_str());
  if (report.written.empty())
    for (const HostTensor &output : *report.outputs)
      printStatistics(output);
  fputs(report.statistics.c_str(), stdout);
  constexpr size_t maxProfileRows = 40;
  if (report.profile)
    fputs(formatProfile(*report.profile, maxProfileRows).c_str(), stdout);
  if (!report.bench)
    return;
  const BenchReport &bench = *report.bench;
  printf("%zu runs: min %.4f, median %.4f, p90 %.4f, p99 %.4f, max %.4f ms; %.1f runs a second\n", bench.runs,
         bench.min, bench.median, bench.p90, bench.p99, bench.max, bench.throughput);
  printf("peak resident set: %.1f MB\n", static_cast<double>(peakResidentBytes()) / 1e6);
}

static std::string jsonOutput(const HostTensor &output) {
  Statistics statistics = computeStatistics(output);
  return "{\"name\": " + jsonString(output.name) + ", \"dtype\": " + jsonString(dscc_dtype_name(output.dtype)) +
         ", \"dims\": " + formatDims(output.dims) + ", \"min\": " + jsonNumber(statistics.min) +
         ", \"max\": " + jsonNumber(statistics.max) + ", \"mean\": " + jsonNumber(statistics.mean) +
         ", \"nan\": " + std::to_string(statistics.nans) + "}";
}

static std::string jsonBench(const BenchReport &bench) {
  return "\"latency_ms\": {\"min\": " + jsonNumber(bench.min) + ", \"median\": " + jsonNumber(bench.median) +
         ", \"p90\": " + jsonNumber(bench.p90) + ", \"p99\": " + jsonNumber(bench.p99) +
         ", \"max\": " + jsonNumber(bench.max) + "}, \"throughput_per_s\": " + jsonNumber(bench.throughput) +
         ", \"runs\": " + std::to_string(bench.runs) + ", ";
}

void dscc::run::printJson(const Report &report) {
  assert(report.model && report.outputs && "the report is printed after the run");
  std::string outputs;
  for (const HostTensor &output : *report.outputs)
    outputs += (outputs.empty() ? "" : ", ") + jsonOutput(output);
  std::string line = "{";
  if (report.bench)
    line += jsonBench(*report.bench);
  if (report.profile)
    line += "\"profile\": " + jsonProfile(*report.profile) + ", ";
  if (!report.statistics.empty())
    line += "\"statistics\": " + report.statistics + ", ";
  line += "\"open_ms\": " + jsonNumber(report.openMs) + ", \"first_run_ms\": " + jsonNumber(report.firstRunMs) +
          ", \"workspace_bytes\": " + std::to_string(report.workspaceBytes) +
          ", \"peak_rss_bytes\": " + std::to_string(peakResidentBytes()) +
          ", \"device\": " + jsonString(dscc_device_name(report.model)) +
          ", \"threads\": " + std::to_string(dscc_threads(report.model)) +
          ", \"signature\": " + dscc_signature_json(report.model) + ", \"outputs\": [" + outputs + "]}";
  printf("%s\n", line.c_str());
}
