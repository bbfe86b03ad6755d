// The work that streams have been given and that is not done: a graph of tasks, from which any ready one may be next.
//
//     stream a:  copy ──► kernel ──► record(e)
//                                        │
//     stream b:            wait(e) ◄─────┘ ──► copy
//
// With seed 0 a task runs when it is enqueued. With another seed it runs when somebody waits, and which ready task is
// the next is drawn: a program that relies on an order which it has not asked for computes something else with some
// seed.

#ifndef DSCC_RUNTIME_SIMULATOR_DRIVER_QUEUE_H
#define DSCC_RUNTIME_SIMULATOR_DRIVER_QUEUE_H

#include "runtime/simulator/driver/Operations.h"

#include <memory>
#include <vector>

namespace dscc::sim {

struct Task;
using TaskPtr = std::shared_ptr<Task>;

struct Task {
  Operation operation;
  std::vector<TaskPtr> after; // those that must be done before
  uint64_t stream = 0;        // its number
  bool isBlocking = false;    // ordered with the legacy default stream
  bool isDone = false;
  double finishedMs = 0;      // the host's clock
};

/// Appends to a stream, behind what must come before there and behind `after`.
TaskPtr enqueue(CUstream_st &stream, Operation operation, std::vector<TaskPtr> after = {});
/// What the next task of the stream has to wait for.
std::vector<TaskPtr> predecessors(const CUstream_st &stream);
/// Hands over tasks whose predecessors are set.
void schedule(const std::vector<TaskPtr> &tasks);
/// The task is the stream's last one now.
void append(CUstream_st &stream, const TaskPtr &task);

/// Runs tasks until this one is done; null is done.
void finish(const TaskPtr &task);
void finishAll();
/// Runs one task that is ready, if there is one: for queries, so that who polls gets there.
void makeProgress();
/// True if a task that the legacy default stream waits for is not done.
bool isBlockingWorkPending();

} // namespace dscc::sim

#endif // DSCC_RUNTIME_SIMULATOR_DRIVER_QUEUE_H
