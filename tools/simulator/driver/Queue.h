// The work that streams have been given and that is not done: a graph of tasks, from which any ready one may be next.
//
//     stream a:  copy ──► kernel ──► record(e)
//                                        │
//     stream b:            wait(e) ◄─────┘ ──► copy
//
// With seed 0 a task runs when it is enqueued. With another seed it runs when somebody waits, and which ready task is
// the next is drawn: a program that relies on an order which it has not asked for computes something else with some
// seed.
//
// The program's own functions run on a host thread of ours, without the driver's lock: they may wait for a thread that
// calls the driver, or hold what it waits for. The thread also does what must come before them, since nobody has to
// call the driver for them to run; a program without such functions has no such thread.

#ifndef DSCC_TOOLS_SIMULATOR_DRIVER_QUEUE_H
#define DSCC_TOOLS_SIMULATOR_DRIVER_QUEUE_H

#include "tools/simulator/driver/Operations.h"

#include <memory>
#include <vector>

namespace dscc::sim {

struct Task;
/// Kept by the queue, the stream, events, and the tasks that wait for it.
using TaskPtr = std::shared_ptr<Task>;

/// An operation in its turn.
struct Task {
  Operation operation;         // Nothing, once it is done
  std::vector<TaskPtr> after;  // those that must be done before
  std::shared_ptr<void> keeps; // what must not go before it is done
  uint64_t stream = 0;         // its number
  bool isBlocking = false;     // ordered with the legacy default stream
  bool isAtHost = false;       // a function of the program, whose turn has come
  bool isDone = false;         // performed, or left out because the context is lost
  double finishedMs = 0;       // the host's clock
};

/// Appends to a stream, behind what must come before there and behind `after`.
TaskPtr enqueue(CUstream_st &stream, Operation operation, std::vector<TaskPtr> after = {});
/// What the next task of the stream has to wait for.
std::vector<TaskPtr> predecessors(const CUstream_st &stream);
/// Hands over tasks whose predecessors are set. Never waits for functions of the program.
void schedule(const std::vector<TaskPtr> &tasks);
/// The task is the stream's last one now.
void append(CUstream_st &stream, const TaskPtr &task);

/// Runs tasks until this one is done; null is done. While a function of the program runs others have the driver's lock.
void finish(TaskPtr task);
/// Runs tasks until none is pending, those included that others enqueue meanwhile.
void finishAll();
/// Runs one task that is ready, if there is one: for queries, so that who polls gets there.
void makeProgress();
/// Runs all that does not wait for a function of the program.
void finishReady();
/// The same as finishAll; then nothing is left of the thread for the program's functions.
void finishAndStop();
/// True if a task is not done.
bool isWorkPending();
/// True if a task that the legacy default stream waits for is not done.
bool isBlockingWorkPending();

} // namespace dscc::sim

#endif // DSCC_TOOLS_SIMULATOR_DRIVER_QUEUE_H
