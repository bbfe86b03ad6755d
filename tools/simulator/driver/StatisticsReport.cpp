#include "tools/simulator/driver/StatisticsReport.h"

#include "tools/simulator/Roofline.h"
#include "tools/simulator/driver/State.h"
#include "tools/simulator/exec/Statistics.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <numeric>

namespace dscc::sim {

using llvm::json::Object;

template <typename Array> static uint64_t sumOf(const Array &numbers) {
  return std::accumulate(numbers.begin(), numbers.end(), uint64_t(0));
}

static double ratio(double part, double whole) { return whole > 0 ? part / whole : 1; }

static double activeLanes(const Counters &counters) {
  return ratio(double(sumOf(counters.threadInstructions)), 32.0 * double(sumOf(counters.warpInstructions)));
}

/// All kinds of access to one space.
static Traffic trafficOf(const Counters &counters, MemorySpace space) {
  Traffic sum;
  for (const Traffic &traffic : counters.traffic[space]) {
    sum.requests += traffic.requests;
    sum.pieces += traffic.pieces;
    sum.idealPieces += traffic.idealPieces;
  }
  return sum;
}

static size_t bindingLimit(const KernelStatistics &kernel) {
  return size_t(std::max_element(kernel.limitSeconds.begin(), kernel.limitSeconds.end()) - kernel.limitSeconds.begin());
}

static KernelStatistics sumOf(const std::vector<KernelStatistics> &kernels) {
  KernelStatistics sum;
  for (const KernelStatistics &kernel : kernels) {
    sum.launches += kernel.launches;
    sum.blocks += kernel.blocks;
    sum.blocksRun += kernel.blocksRun;
    sum.threads += kernel.threads;
    sum.counters.add(kernel.counters);
    sum.limitSeconds.resize(kernel.limitSeconds.size());
    for (size_t i = 0; i < kernel.limitSeconds.size(); ++i)
      sum.limitSeconds[i] += kernel.limitSeconds[i];
    sum.boundSeconds += kernel.boundSeconds;
    sum.modelled.add(kernel.modelled);
  }
  return sum;
}

//===-- JSON ------------------------------------------------------------------------------------------------------===//

/// Zeros are left out, but for the total.
static Object instructionsAsJson(const std::array<uint64_t, numInstructionClasses> &counts) {
  Object object{{"total", sumOf(counts)}};
  for (unsigned i = 0; i < numInstructionClasses; ++i)
    if (counts[i])
      object[className(i)] = counts[i];
  return object;
}

static Object trafficAsJson(const Traffic &traffic, unsigned space) {
  Object object{{"requests", traffic.requests}, {"bytes", traffic.bytes}};
  if (space == GlobalSpace) {
    object["sectors"] = traffic.pieces;
    object["ideal_sectors"] = traffic.idealPieces;
  }
  if (space == SharedSpace) {
    object["wavefronts"] = traffic.pieces;
    object["ideal_wavefronts"] = traffic.idealPieces;
    object["least_wavefronts"] = traffic.leastPieces;
  }
  if (traffic.lanes)
    object["accesses"] = traffic.lanes;
  return object;
}

static Object memoryAsJson(const Counters &counters) {
  static constexpr llvm::StringLiteral kinds[numAccessKinds] = {"load", "store", "atomic"};
  Object spaces;
  for (unsigned space = 0; space < numSpaces; ++space) {
    Object object;
    for (unsigned kind = 0; kind < numAccessKinds; ++kind)
      if (counters.traffic[space][kind].bytes)
        object[kinds[kind]] = trafficAsJson(counters.traffic[space][kind], space);
    if (!object.empty())
      spaces[spaceName(space)] = std::move(object);
  }
  return spaces;
}

static Object flopAsJson(const Counters &counters) {
  Object object;
  for (unsigned unit = 0; unit < numFlopUnits; ++unit)
    if (counters.flop[unit])
      object[flopUnitName(unit)] = counters.flop[unit];
  return object;
}

static Object rooflineAsJson(const KernelStatistics &kernel) {
  Object limits;
  for (size_t i = 0; i < kernel.limitSeconds.size(); ++i)
    limits[limitName(i)] = 1e6 * kernel.limitSeconds[i];
  Object object{{"bound_us", 1e6 * kernel.boundSeconds}, {"limits_us", std::move(limits)}};
  if (!kernel.limitSeconds.empty())
    object["limit"] = limitName(bindingLimit(kernel));
  return object;
}

/// By the model of time: all of it, and what warps waited for while kernels ran.
static Object timeAsJson(const ModelledTime &time) {
  Object stalls;
  for (unsigned stall = 0; stall < numStalls; ++stall)
    stalls[stallName(stall)] = 1e6 * time.stalls[stall];
  return Object{{"modelled_us", 1e6 * time.seconds},
                {"launch_us", 1e6 * time.launchSeconds},
                {"resident_blocks", time.residentBlocks},
                {"stalls_us", std::move(stalls)}};
}

static Object kernelAsJson(const KernelStatistics &kernel) {
  const Counters &counters = kernel.counters;
  uint64_t atomics = 0;
  for (const auto &space : counters.traffic)
    atomics += space[AtomicAccess].lanes;
  return Object{{"launches", kernel.launches},
                {"blocks", kernel.blocks},
                {"blocks_run", kernel.blocksRun},
                {"threads", kernel.threads},
                {"warp_instructions", instructionsAsJson(counters.warpInstructions)},
                {"thread_instructions", instructionsAsJson(counters.threadInstructions)},
                {"active_lanes", activeLanes(counters)},
                {"flop", flopAsJson(counters)},
                {"memory", memoryAsJson(counters)},
                {"atomics", atomics},
                {"barriers", counters.warpInstructions[BarrierClass]},
                {"l2_sectors", counters.l2Sectors},
                {"dram_read_bytes", counters.dramReadBytes},
                {"dram_written_bytes", counters.dramWrittenBytes},
                {"roofline", rooflineAsJson(kernel)},
                {"time", timeAsJson(kernel.modelled)}};
}

static void writeJson(llvm::raw_ostream &out, const std::vector<KernelStatistics> &kernels) {
  llvm::json::Array list;
  for (const KernelStatistics &kernel : kernels) {
    Object object = kernelAsJson(kernel);
    object["name"] = llvm::json::fixUTF8(kernel.name);
    if (!kernel.nodes.empty())
      object["nodes"] = llvm::json::fixUTF8(kernel.nodes);
    list.push_back(std::move(object));
  }
  const Chip &chip = *state().chip;
  out << llvm::json::Value(Object{{"chip", chip.name},
                                  {"product", chip.product},
                                  {"kernels", std::move(list)},
                                  {"total", kernelAsJson(sumOf(kernels))}});
}

//===-- text ------------------------------------------------------------------------------------------------------===//

/// 1234567 as 1.23M.
static std::string shortNumber(double number) {
  static constexpr llvm::StringLiteral suffixes[] = {"", "k", "M", "G", "T", "P"};
  size_t power = 0;
  for (; number >= 1000 && power + 1 < std::size(suffixes); ++power)
    number /= 1000;
  char text[32];
  std::snprintf(text, sizeof(text), power && number < 99.95 ? "%.1f%s" : "%.0f%s", number, suffixes[power].data());
  return text;
}

static std::string percent(double part, double whole) {
  return whole > 0 ? shortNumber(100 * part / whole) + "%" : "-";
}

/// What warps waited for most, and how much of the kernel's own time it is.
static std::string mainStall(const ModelledTime &time) {
  const double *most = std::max_element(time.stalls.begin(), time.stalls.end());
  double own = time.seconds - time.launchSeconds;
  return own > 0 ? percent(*most, own) + " " + stallName(unsigned(most - time.stalls.begin())).str() : "-";
}

static void writeRow(llvm::raw_ostream &out, const KernelStatistics &kernel, double wholeSeconds) {
  const Counters &counters = kernel.counters;
  Traffic global = trafficOf(counters, GlobalSpace), shared = trafficOf(counters, SharedSpace);
  uint64_t flop = sumOf(counters.flop);
  out << llvm::format(
             "%10.2f %-18s %10.2f %5s %-16s %8s %7s %6s %8s %7s %7s %7s  ", 1e6 * kernel.modelled.seconds,
             mainStall(kernel.modelled).c_str(), 1e6 * kernel.boundSeconds,
             percent(kernel.boundSeconds, wholeSeconds).c_str(),
             kernel.limitSeconds.empty() ? "-" : limitName(bindingLimit(kernel)).data(),
             shortNumber(double(kernel.launches)).c_str(),
             shortNumber(double(sumOf(counters.warpInstructions))).c_str(), percent(activeLanes(counters), 1).c_str(),
             shortNumber(double(counters.dramReadBytes + counters.dramWrittenBytes)).c_str(),
             percent(double(global.idealPieces), double(global.pieces)).c_str(),
             percent(double(shared.idealPieces), double(shared.pieces)).c_str(), shortNumber(double(flop)).c_str())
      << (kernel.name.empty() ? "total" : kernel.name) << (kernel.nodes.empty() ? "" : "  ") << kernel.nodes << '\n';
}

static void writeText(llvm::raw_ostream &out, const std::vector<KernelStatistics> &kernels) {
  KernelStatistics whole = sumOf(kernels);
  const Chip &chip = *state().chip;
  out << "kernels on " << chip.product << " (" << chip.name << "): modelled time, and bounds from what was counted\n"
      << llvm::format("%10s %-18s %10s %5s %-16s %8s %7s %6s %8s %7s %7s %7s  %s\n", "model us", "waits for",
                      "bound us", "share", "limit", "launches", "instr", "lanes", "DRAM B", "sectors", "shared", "FLOP",
                      "kernel");
  if (whole.blocksRun < whole.blocks)
    out << "counted on " << whole.blocksRun << " of " << whole.blocks
        << " blocks, which stand for the others; results are incomplete\n";
  for (const KernelStatistics &kernel : kernels)
    writeRow(out, kernel, whole.boundSeconds);
  writeRow(out, whole, whole.boundSeconds);
}

//===-- who asks --------------------------------------------------------------------------------------------------===//

static std::string statisticsAs(llvm::StringRef form) {
  std::string text;
  llvm::raw_string_ostream out(text);
  form == "json" ? writeJson(out, kernelStatistics()) : writeText(out, kernelStatistics());
  return text;
}

static std::atomic<bool> wasGivenOut{false};

static void printStatistics() {
  if (!wasGivenOut)
    std::fputs((statisticsAs(state().statisticsForm) + "\n").c_str(), stderr);
}

void printStatisticsAtExit() { [[maybe_unused]] static const int once = std::atexit(printStatistics); }

} // namespace dscc::sim

extern "C" __attribute__((visibility("default"))) const char *dsccSimStatistics(const char *form) {
  using namespace dscc::sim;
  static thread_local std::string text;
  llvm::StringRef wanted = form ? form : "";
  if (!settings().statistics || (wanted != "json" && wanted != "text"))
    return nullptr;
  wasGivenOut = true;
  text = statisticsAs(wanted);
  return text.c_str();
}
