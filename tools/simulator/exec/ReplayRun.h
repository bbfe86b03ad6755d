// A replay's warps, blocks and units, and what they wait for.

#ifndef DSCC_TOOLS_SIMULATOR_EXEC_REPLAYRUN_H
#define DSCC_TOOLS_SIMULATOR_EXEC_REPLAYRUN_H

#include "tools/simulator/exec/Replay.h"
#include "tools/simulator/exec/ReplayBarriers.h"
#include "tools/simulator/exec/ReplayUnits.h"

#include <map>
#include <memory>
#include <queue>

namespace dscc::sim {

/// Copies of one warp, by the groups in which it waits for them.
struct CopyGroups {
  Arrival open, all;             // since the last commit; so far
  std::deque<Arrival> committed; // the oldest first

  /// One more that is open.
  void add(const Arrival &arrival) {
    open.join(arrival);
    all.join(arrival);
  }
  /// Makes a group of what is open.
  void commit() {
    committed.push_back(open);
    open = {};
  }
  /// Until at most so many groups are left.
  Arrival wait(size_t left) {
    Arrival latest;
    for (; committed.size() > left; committed.pop_front())
      latest.join(committed.front());
    return latest;
  }
};

struct BlockRun;

/// One warp under way.
struct WarpRun {
  /// At the beginning of what it does.
  explicit WarpRun(const WarpTrace &trace) : cursor(trace) {}

  TraceCursor cursor;                       // what it does next
  BlockRun *block = nullptr;                // that it is in
  Scheduler *scheduler = nullptr;           // that issues for it
  uint32_t number = 0, index = 0;           // in the replay; in its block
  double next = 0, last = 0;                // when it may issue again; when it has done with its last instruction
  Stall why = IssueStall;                   // it may not earlier
  double queued = 0;                        // of that wait, for others' requests
  std::vector<Result> registers;            // by number, of all functions
  CopyGroups copies, bulkReads, bulkStores; // cp.async; bulk stores until their sources are read, and are done
  uint32_t numProducts = 0;                 // wgmma so far
  std::deque<uint32_t> productGroups;       // how many there were at each commit that it has not waited for
  uint32_t awaitedProducts = 0;             // while it waits for other warps to come to so many
  bool isBlocked = false;                   // it waits for others, and has no turn
  PhaseQuery query;                         // while it waits for a phase
  uint64_t clusterPhase = 0;                // when it arrived at the cluster's barrier
};

/// The wgmma of four warps: one begins when all of them have come to it.
struct WarpgroupRun {
  /// One of them.
  struct Product {
    uint32_t warps = 0; // that have come to it
    double latest = 0;  // of them
    double done = 0;    // once all have come
  };
  std::deque<Product> products;           // so far
  std::vector<uint32_t> members, waiting; // warps, by their numbers in the replay
};

struct UnitRun;

/// One block under way.
struct BlockRun {
  UnitRun *unit;                        // that it is in
  const BlockTrace *trace;              // what it does
  Multiprocessor *multiprocessor;       // that it is on
  uint32_t alive;                       // warps
  ReplayBarrier barriers[numBarriers];  // by id
  std::vector<WarpgroupRun> warpgroups; // by a warp's index / 4
};

/// One unit under way.
struct UnitRun {
  const UnitTrace *trace;                                            // what it does
  std::vector<std::unique_ptr<BlockRun>> blocks;                     // by rank
  std::map<std::pair<uint32_t, uint64_t>, ReplayMbarrier> mbarriers; // by rank and place in the window
  ReplayMbarrier cluster;                                            // barrier.cluster
  uint32_t alive = 0;                                                // warps
  double end = 0;                                                    // the latest of its warps so far
};

/// A replay under way. Replay.cpp has what single warps do, ReplayMeetings.cpp what they do together.
class Replay {
public:
  /// What it gets has to outlive it.
  Replay(const std::vector<UnitTrace> &units, const Chip &chip, const Latencies &latencies, const MemoryRates &rates)
      : traces(units), latencies(latencies), table(chip, latencies) {
    for (size_t i = 0; i < units.front().blocks.size(); ++i)
      multiprocessors.push_back(std::make_unique<Multiprocessor>(latencies, rates));
  }
  /// Of all units, so many at a time.
  ReplayResult run(uint32_t resident);

private:
  void startUnit(double time);
  void run(WarpRun &warp);
  /// False if the warp waits now for others.
  bool issue(WarpRun &warp, const MicroOp &op, double time);
  bool perform(WarpRun &warp, const MicroOp &op, double start);
  void end(WarpRun &warp);
  void push(WarpRun &warp) { ready.push({warp.next, ~warp.number}); }

  bool access(WarpRun &warp, const MicroOp &op, double start);
  bool copy(WarpRun &warp, const MicroOp &op, double start);
  bool multiply(WarpRun &warp, const MicroOp &op, double start);
  void issueProduct(WarpRun &warp, const MicroOp &op, double start);
  bool waitForProducts(WarpRun &warp, uint32_t number);
  bool meet(WarpRun &warp, const MicroOp &op, double start);
  bool askMbarrier(WarpRun &warp, const MicroOp &op, double start);
  bool tellMbarrier(WarpRun &warp, const MicroOp &op, double start);

  void loadBulk(WarpRun &warp, const Record &event, double start);
  void waitUntil(WarpRun &warp, const Arrival &arrival, Stall why);
  void waitFor(WarpRun &warp, const PhaseEnd &phase, double latency);
  void release(ReplayBarrier &barrier);
  void wake(ReplayMbarrier &mbarrier, double latency);
  void forceOne();
  /// Of the block that has the address, or at its place in another one's window; null if it is in none.
  ReplayMbarrier *mbarrierAt(WarpRun &warp, uint64_t address, int rank = -1);
  void setResult(WarpRun &warp, const MicroOp &op, const Result &result);

  const std::vector<UnitTrace> &traces;
  const Latencies &latencies;
  UnitTable table;
  std::vector<std::unique_ptr<Multiprocessor>> multiprocessors;
  std::vector<std::unique_ptr<WarpRun>> warps;
  std::vector<std::unique_ptr<UnitRun>> units;
  RegisterPlaces places;
  /// A clock, and the complement of a warp's number: of those that could go at one time the youngest does.
  using Turn = std::pair<double, uint32_t>;
  std::priority_queue<Turn, std::vector<Turn>, std::greater<Turn>> ready;
  ReplayResult result;
};

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_EXEC_REPLAYRUN_H
