#include "runtime/simulator/driver/Queue.h"

#include "runtime/simulator/driver/State.h"

#include "llvm/ADT/STLExtras.h"

#include <chrono>
#include <optional>
#include <random>

namespace dscc::sim {

/// Tasks that may wait; who enqueues more pushes older ones out, as a full queue of a GPU does.
static constexpr size_t maxPending = 256;
/// Times in four that the next task is one of the last one's stream: some streams get far ahead of others.
static constexpr unsigned loyalty = 3;

namespace {
struct Queue {
  std::vector<TaskPtr> pending; // in the order in which they were enqueued
  std::mt19937_64 random{settings().seed};
  std::optional<uint64_t> lastStream; // of the last task since somebody began to wait
};
} // namespace

static Queue &queue() {
  static Queue &all = *new Queue;
  return all;
}

static bool isReady(const TaskPtr &task) {
  return llvm::all_of(task->after, [](const TaskPtr &before) { return before->isDone; });
}

/// The place of the next task among those pending.
static size_t pick() {
  Queue &all = queue();
  std::vector<size_t> ready, ofLastStream;
  for (size_t i = 0; i < all.pending.size(); ++i) {
    if (!isReady(all.pending[i]))
      continue;
    if (!settings().seed)
      return i;
    ready.push_back(i);
    if (all.pending[i]->stream == all.lastStream)
      ofLastStream.push_back(i);
  }
  assert(!ready.empty() && "a task waits for one that was never enqueued");
  if (!ofLastStream.empty() && all.random() % 4 < loyalty)
    return ofLastStream[all.random() % ofLastStream.size()];
  // The order of the calls is what hides a missing dependency, so half of the time it is turned round.
  if (all.random() % 2)
    return ready.back();
  return ready[all.random() % ready.size()];
}

static void runOne() {
  Queue &all = queue();
  size_t next = pick();
  TaskPtr task = all.pending[next];
  all.pending.erase(all.pending.begin() + long(next));
  all.lastStream = task->stream;
  perform(task->operation);
  auto now = std::chrono::steady_clock::now().time_since_epoch();
  task->finishedMs = std::chrono::duration<double, std::milli>(now).count();
  task->isDone = true;
  task->after.clear();
  task->operation = Nothing();
}

std::vector<TaskPtr> predecessors(const CUstream_st &stream) {
  std::vector<TaskPtr> result;
  auto add = [&](const TaskPtr &task) {
    if (task && !task->isDone)
      result.push_back(task);
  };
  const CUstream_st &legacy = state().legacyStream;
  if (&stream == &legacy) {
    for (const TaskPtr &task : queue().pending)
      if (task->isBlocking)
        add(task);
    return result;
  }
  add(stream.last);
  if (!(stream.flags & StreamNonBlocking))
    add(legacy.last);
  return result;
}

void schedule(const std::vector<TaskPtr> &tasks) {
  std::vector<TaskPtr> &pending = queue().pending;
  pending.insert(pending.end(), tasks.begin(), tasks.end());
  if (!settings().seed)
    return finishAll();
  while (pending.size() > maxPending)
    runOne();
}

void append(CUstream_st &stream, const TaskPtr &task) {
  task->stream = stream.number;
  task->isBlocking = !(stream.flags & StreamNonBlocking);
  stream.last = task;
}

TaskPtr enqueue(CUstream_st &stream, Operation operation, std::vector<TaskPtr> after) {
  auto task = std::make_shared<Task>();
  task->operation = std::move(operation);
  task->after = predecessors(stream);
  task->after.insert(task->after.end(), after.begin(), after.end());
  append(stream, task);
  schedule({task});
  return task;
}

void finish(const TaskPtr &task) {
  queue().lastStream.reset();
  while (task && !task->isDone)
    runOne();
  trimPools();
}

void finishAll() {
  queue().lastStream.reset();
  while (!queue().pending.empty())
    runOne();
  trimPools();
}

void makeProgress() {
  queue().lastStream.reset();
  if (!queue().pending.empty())
    runOne();
}

bool isBlockingWorkPending() {
  return llvm::any_of(queue().pending, [](const TaskPtr &task) { return task->isBlocking; });
}

} // namespace dscc::sim
