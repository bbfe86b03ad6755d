#include "tools/run/Profile.h"

#include "tools/run/Json.h"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <map>

using namespace dscc::run;

static double medianOf(std::vector<double> &times) {
  assert(!times.empty() && "at least one run was measured");
  auto middle = times.begin() + times.size() / 2;
  std::nth_element(times.begin(), middle, times.end());
  return *middle;
}

dscc_status dscc::run::takeProfile(const dscc_context *context, const std::function<dscc_status()> &run,
                                   ProfileReport &report) {
  constexpr size_t minRuns = 3, maxRuns = 100;
  constexpr std::chrono::milliseconds enough(500);
  using Clock = std::chrono::steady_clock;
  std::vector<std::vector<double>> times; // of each launch, one a run
  Clock::time_point start = Clock::now();
  size_t count = 0;
  const dscc_profile_entry *entries = nullptr;
  for (report.runs = 0; report.runs < minRuns || (report.runs < maxRuns && Clock::now() - start < enough);
       ++report.runs) {
    if (dscc_status status = run(); status != DSCC_OK)
      return status;
    entries = dscc_profile(context, &count);
    // The same inputs make the same launches.
    times.resize(count);
    for (size_t i = 0; i < count; ++i)
      times[i].push_back(entries[i].us);
  }
  for (size_t i = 0; i < count; ++i)
    report.rows.push_back({entries[i].kernel, entries[i].nodes, entries[i].blocks, entries[i].start_us,
                           medianOf(times[i]), entries[i].us});
  return DSCC_OK;
}

static double totalOf(const ProfileReport &report) {
  double total = 0;
  for (const ProfileRow &row : report.rows)
    total += row.us;
  return total;
}

std::string dscc::run::formatProfile(const ProfileReport &report, size_t maxRows) {
  struct Sum {
    double us = 0;
    size_t launches = 0;
    const ProfileRow *row = nullptr;
  };
  std::map<std::pair<std::string, std::string>, Sum> sums;
  for (const ProfileRow &row : report.rows) {
    Sum &sum = sums[{row.kernel, row.nodes}];
    sum = {sum.us + row.us, sum.launches + 1, &row};
  }
  std::vector<Sum> sorted;
  for (const auto &[key, sum] : sums)
    sorted.push_back(sum);
  std::stable_sort(sorted.begin(), sorted.end(), [](const Sum &a, const Sum &b) { return a.us > b.us; });

  double total = totalOf(report), shown = 0;
  char line[160];
  snprintf(line, sizeof(line), "profile of %zu launches and copies, medians of %zu runs, %.1f us in all:\n",
           report.rows.size(), report.runs, total);
  std::string text = line;
  text += "        us  share  launches  kernel, nodes\n";
  auto share = [&](double us) { return total > 0 ? 100 * us / total : 0; };
  for (size_t i = 0; i < sorted.size() && i < maxRows; ++i) {
    const Sum &sum = sorted[i];
    snprintf(line, sizeof(line), "%10.1f  %4.1f%%  %8zu  ", sum.us, share(sum.us), sum.launches);
    text += line + sum.row->kernel + (sum.row->nodes.empty() ? "" : "  ") + sum.row->nodes + "\n";
    shown += sum.us;
  }
  if (sorted.size() > maxRows) {
    snprintf(line, sizeof(line), "%10.1f  %4.1f%%  in %zu more\n", total - shown, share(total - shown),
             sorted.size() - maxRows);
    text += line;
  }
  return text;
}

std::string dscc::run::jsonProfile(const ProfileReport &report) {
  std::string list;
  for (const ProfileRow &row : report.rows)
    list += (list.empty() ? "" : ", ") + ("{\"kernel\": " + jsonString(row.kernel)) +
            ", \"nodes\": " + jsonString(row.nodes) + ", \"blocks\": " + std::to_string(row.blocks) +
            ", \"start_us\": " + jsonNumber(row.startUs) + ", \"us\": " + jsonNumber(row.us) + "}";
  return "{\"runs\": " + std::to_string(report.runs) + ", \"total_us\": " + jsonNumber(totalOf(report)) +
         ", \"launches\": [" + list + "]}";
}

/// What a viewer writes on the bar: the nodes, or the kernel where there are none.
static const std::string &titleOf(const ProfileRow &row) { return row.nodes.empty() ? row.kernel : row.nodes; }

bool dscc::run::writeTrace(const std::string &path, const std::string &device, const ProfileReport &report,
                           std::string &error) {
  std::string text = "{\"displayTimeUnit\": \"ms\", \"traceEvents\": [\n"
                     "{\"ph\": \"M\", \"pid\": 1, \"name\": \"process_name\", \"args\": {\"name\": " +
                     jsonString(device) + "}}";
  for (const ProfileRow &row : report.rows)
    text += ",\n{\"ph\": \"X\", \"pid\": 1, \"tid\": 1, \"name\": " + jsonString(titleOf(row)) +
            ", \"cat\": " + jsonString(row.kernel) + ", \"ts\": " + jsonNumber(row.startUs) +
            ", \"dur\": " + jsonNumber(row.lastUs) + ", \"args\": {\"kernel\": " + jsonString(row.kernel) +
            ", \"blocks\": " + std::to_string(row.blocks) + ", \"median_us\": " + jsonNumber(row.us) + "}}";
  text += "\n]}\n";
  // Beside its place first, so that there is never half a file.
  std::string unfinished = path + ".tmp";
  FILE *file = fopen(unfinished.c_str(), "w");
  bool ok = file && fwrite(text.data(), 1, text.size(), file) == text.size();
  ok = file && fclose(file) == 0 && ok;
  if (ok && rename(unfinished.c_str(), path.c_str()) == 0)
    return true;
  error = path + ": cannot be written: " + std::strerror(errno);
  remove(unfinished.c_str());
  return false;
}
