// What dscc-run prints about a model and its run: as text for people, or as one line of JSON.

#ifndef DSCC_TOOLS_RUN_REPORT_H
#define DSCC_TOOLS_RUN_REPORT_H

#include "tools/run/Elements.h"
#include "tools/run/Profile.h"

namespace dscc::run {

/// Times of many runs, in milliseconds.
struct BenchReport {
  double min = 0, median = 0, p90 = 0, p99 = 0, max = 0; // each a time that was measured: percentiles by nearest rank
  double throughput = 0;                                 // runs a second, one after the other
  size_t runs = 0;                                       // how many were measured; those to warm up are left out
};

/// Everything there is to tell once the model has run.
struct Report {
  const dscc_model *model = nullptr;                // the caller's, as is all that is pointed to here
  std::string artifact;                             // the path of the model.so, as it was given
  const std::vector<HostTensor> *outputs = nullptr; // in the model's order, with their values; set once it has run
  std::vector<std::string> written;                 // files, in the outputs' order; empty without --output
  double openMs = 0, firstRunMs = 0;                // what dscc_model_open and the first dscc_run took, in milliseconds
  size_t workspaceBytes = 0;                        // of arena
  const BenchReport *bench = nullptr;               // NULL without --bench
  const ProfileReport *profile = nullptr;           // NULL without --profile
  std::string statistics; // of the simulated GPU, a text or a JSON document; empty without --stats
};

/// The dims of the signature: `[batch, 3]`; `[]` for rank 0.
std::string formatDims(const dscc_tensor &tensor);
/// Their values: `[2, 3]`.
std::string formatDims(const std::vector<int64_t> &dims);

/// The signature, for people, on the standard output: before the run, so that it is seen even if the run fails.
void printSignature(const dscc_model *model, const std::string &artifact);
/// The report for people, on the standard output.
void printText(const Report &report);
/// The report as one line of JSON, on the standard output. NaN and the infinities are null there.
void printJson(const Report &report);

/// The process's largest resident set so far, in bytes; 0 if the kernel does not tell.
int64_t peakResidentBytes();

} // namespace dscc::run

#endif // DSCC_TOOLS_RUN_REPORT_H
