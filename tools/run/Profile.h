// --profile: how long each launch of a run took, with the ONNX nodes that it computes, as a table and as a trace.

#ifndef DSCC_TOOLS_RUN_PROFILE_H
#define DSCC_TOOLS_RUN_PROFILE_H

#include <dscc/dscc.h>

#include <functional>
#include <string>
#include <vector>

namespace dscc::run {

/// A launch or a copy, over several runs. Times are in microseconds.
struct ProfileRow {
  std::string kernel, nodes; // as in dscc_profile_entry
  int64_t blocks = 0;        // of a copy its bytes
  double startUs = 0;        // in the last run
  double us = 0;             // median of all runs
  double lastUs = 0;         // in the last run
};

/// What a profile tells.
struct ProfileReport {
  std::vector<ProfileRow> rows; // in the order of the run
  size_t runs = 0;              // that were measured; those to warm up are left out
};

/// Runs a context made with profile = 1 some times by `run`: at least 3, then until half a second has passed, at most
/// 100.
dscc_status takeProfile(const dscc_context *context, const std::function<dscc_status()> &run, ProfileReport &report);

/// The table for people: launches of the same kernel and nodes are rows, the longest first; at most `maxRows` of them.
std::string formatProfile(const ProfileReport &report, size_t maxRows);
/// As a list of JSON objects, in the order of the run.
std::string jsonProfile(const ProfileReport &report);
/// The last run in the trace event format that Perfetto and chrome://tracing open. False, with the reason, if the file
/// cannot be written.
bool writeTrace(const std::string &path, const std::string &device, const ProfileReport &report, std::string &error);

} // namespace dscc::run

#endif // DSCC_TOOLS_RUN_PROFILE_H
