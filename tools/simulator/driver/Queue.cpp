#include "tools/simulator/driver/Queue.h"

#include "tools/simulator/driver/State.h"

#include "llvm/ADT/STLExtras.h"

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <optional>
#include <random>
#include <thread>
#include <unistd.h>

namespace dscc::sim {

/// Tasks that may wait; who enqueues more pushes older ones out, as a full queue of a GPU does.
static constexpr size_t maxPending = 256;
/// Times in four that the next task is one of the last one's stream: some streams get far ahead of others.
static constexpr unsigned loyalty = 3;
/// For how long the host thread lets a program enqueue more, so that what it does late is late.
static constexpr std::chrono::microseconds patience(1000);

namespace {
struct Queue {
  std::vector<TaskPtr> pending; // in the order in which they were enqueued
  std::mt19937_64 random{settings().seed};
  std::optional<uint64_t> lastStream; // of the last task since somebody began to wait

  std::deque<TaskPtr> atHost; // functions of the program that are to run, in that order; pending too
  size_t numHostTasks = 0;    // those that are pending, whether their turn has come or not
  std::thread host;           // runs them
  bool isHostUp = false;      // or it is over, and only to be joined
  bool isHostInFunction = false;
  bool isExiting = false;              // the process is
  std::condition_variable_any changed; // atHost has grown, or one of it is done
};
} // namespace

static Queue &queue() {
  static Queue &all = *new Queue;
  return all;
}

static bool isReady(const TaskPtr &task) {
  if (task->isAtHost || !llvm::all_of(task->after, [](const TaskPtr &before) { return before->isDone; }))
    return false;
  auto *wait = std::get_if<WaitValue>(&task->operation);
  return !wait || holds(*wait);
}

static bool waitsForValue(const TaskPtr &task) { return std::holds_alternative<WaitValue>(task->operation); }

/// The place of the next task among those pending; none if all wait for the program.
static std::optional<size_t> pick() {
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
  assert((!ready.empty() || !all.atHost.empty() || all.pending.empty() || llvm::any_of(all.pending, waitsForValue)) &&
         "a task waits for one that was never enqueued");
  if (ready.empty())
    return std::nullopt;
  if (!ofLastStream.empty() && all.random() % 4 < loyalty)
    return ofLastStream[all.random() % ofLastStream.size()];
  // The order of the calls is what hides a missing dependency, so half of the time it is turned round.
  if (all.random() % 2)
    return ready.back();
  return ready[all.random() % ready.size()];
}

static bool isOfHost(const TaskPtr &task) {
  return std::holds_alternative<HostCall>(task->operation) || std::holds_alternative<Callback>(task->operation);
}

static void settle(const TaskPtr &task) {
  auto now = std::chrono::steady_clock::now().time_since_epoch();
  task->finishedMs = std::chrono::duration<double, std::milli>(now).count();
  task->isDone = true;
  task->after.clear();
  task->operation = Nothing();
  task->keeps = nullptr;
}

/// False if none is ready.
static bool tryOne() {
  Queue &all = queue();
  std::optional<size_t> next = pick();
  if (!next)
    return false;
  TaskPtr task = all.pending[*next];
  all.lastStream = task->stream;
  if (isOfHost(task)) {
    task->isAtHost = true;
    all.atHost.push_back(task);
    all.changed.notify_all();
    return true;
  }
  all.pending.erase(all.pending.begin() + long(*next));
  perform(task->operation);
  settle(task);
  return true;
}

//===-- the host thread -------------------------------------------------------------------------------------------===//

static void runAtHost() {
  Queue &all = queue();
  TaskPtr task = all.atHost.front();
  all.isHostInFunction = true;
  perform(task->operation); // gives the lock away meanwhile
  all.isHostInFunction = false;
  all.atHost.pop_front();
  llvm::erase(all.pending, task);
  --all.numHostTasks;
  settle(task);
  all.changed.notify_all();
}

/// Nothing is ready. What is written to memory tells nobody, so it is looked at now and then.
static void rest() {
  Queue &all = queue();
  if (llvm::any_of(all.pending, waitsForValue))
    all.changed.wait_for(state().lock, patience / 10);
  else
    all.changed.wait(state().lock);
}

/// Somebody waits, so there is something pending. At exit the thread is gone, and destructors may still wait.
static void runOne() {
  Queue &all = queue();
  if (tryOne())
    return;
  if (all.isExiting && !all.isHostInFunction && !all.atHost.empty())
    return runAtHost();
  rest();
}

/// Until there is nothing more to do: the next function gets a new thread.
static void serveHost() {
  std::lock_guard<std::mutex> guard(state().lock);
  Queue &all = queue();
  while (all.numHostTasks && !all.isExiting) {
    all.changed.wait_for(state().lock, patience, [&] { return !all.atHost.empty() || all.isExiting; });
    while (all.atHost.empty() && !all.isExiting)
      if (!tryOne())
        rest();
    if (all.isExiting)
      break;
    runAtHost();
    if (!settings().seed && !all.isExiting)
      finishReady();
  }
  all.isHostUp = false;
}

/// Waits for the thread to end, without the lock, which it needs for that.
static void joinHost() {
  std::thread host = std::move(queue().host);
  if (!host.joinable())
    return;
  state().lock.unlock();
  host.join();
  state().lock.lock();
}

/// What nobody has waited for is lost. A function that runs is left alone: it may wait for what never comes.
static void stopAtExit(pid_t process) {
  if (isInHostFunction() || getpid() != process) // another process has not got the thread
    return;
  std::lock_guard<std::mutex> guard(state().lock);
  Queue &all = queue();
  all.isExiting = true;
  all.changed.notify_all();
  if (!all.isHostInFunction)
    joinHost();
}

static void startHost() {
  static const pid_t process = getpid();
  static const int registered = std::atexit([] { stopAtExit(process); });
  (void)registered;
  Queue &all = queue();
  if (all.isHostUp || all.isExiting)
    return;
  if (all.host.joinable())
    all.host.join(); // it is over, and has given the lock back
  all.isHostUp = true;
  all.host = std::thread(serveHost);
}

//===-- enqueuing -------------------------------------------------------------------------------------------------===//

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
  auto numOfHost = llvm::count_if(tasks, isOfHost);
  queue().numHostTasks += size_t(numOfHost);
  if (numOfHost)
    startHost();
  if (!settings().seed)
    return finishReady();
  while (pending.size() > maxPending && tryOne())
    ;
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

//===-- waiting ---------------------------------------------------------------------------------------------------===//

void finish(TaskPtr task) {
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

void finishReady() {
  queue().lastStream.reset();
  while (tryOne())
    ;
}

void finishAndStop() {
  do {
    finishAll();
    joinHost();
  } while (isWorkPending()); // somebody may have had the lock meanwhile
}

void makeProgress() {
  queue().lastStream.reset();
  tryOne();
}

bool isWorkPending() { return !queue().pending.empty(); }

bool isBlockingWorkPending() {
  return llvm::any_of(queue().pending, [](const TaskPtr &task) { return task->isBlocking; });
}

} // namespace dscc::sim
