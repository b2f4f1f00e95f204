// SPDX-License-Identifier: MIT
// Calls into the event loop from other threads. A call becomes a task on the loop; the calling thread waits
// for the task's value, up to a time limit. The loop never waits, nor takes a lock that is held for long. Once
// closed, no thread waits and no call begins, so the calling threads and the loop may end in any order.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "daemon/io/loop.h"
#include "daemon/io/nursery.h"

namespace hikyaku::io {

class LoopCaller {
 public:
  explicit LoopCaller(Loop& loop);
  LoopCaller(const LoopCaller&) = delete;
  // close() has returned, and no thread is in call().
  ~LoopCaller();

  // From any thread but the loop's. Returns nullopt if there was no value in time (the task goes on, its value
  // is dropped) or if this is closed. What `work` refers to outlives close().
  template <class T>
  std::optional<T> call(std::function<Task<T>()> work, std::chrono::milliseconds limit);

  // The loop's thread. Ends all waiting calls, cancels with cancel(), and returns when every task has ended.
  Task<void> close();
  // For what a task waits for. The loop's thread.
  Cancel& cancel() { return cancel_; }

 private:
  // Shared with the threads that wait and with what has been posted.
  struct Core {
    explicit Core(LoopCaller* owner) : caller(owner) {}
    std::mutex lock;
    std::condition_variable changed;
    bool is_closed = false;
    LoopCaller* caller;  // null once closed; the loop's thread
  };

  template <class T>
  static Task<void> run(std::shared_ptr<Core> core, std::function<Task<T>()> work,
                        std::shared_ptr<std::optional<T>> answer);

  Loop& loop_;
  std::shared_ptr<Core> core_;
  Cancel cancel_;
  Nursery nursery_;
};

template <class T>
std::optional<T> LoopCaller::call(std::function<Task<T>()> work, std::chrono::milliseconds limit) {
  auto answer = std::make_shared<std::optional<T>>();
  auto core = core_;
  std::unique_lock lock(core->lock);
  if (core->is_closed) return std::nullopt;
  // Under the lock: while it is not closed, the loop is there.
  loop_.post([core, answer, work = std::move(work)] {
    if (core->caller != nullptr) core->caller->nursery_.spawn(run<T>(core, work, answer));
  });
  core->changed.wait_for(lock, limit, [&] { return answer->has_value() || core->is_closed; });
  return std::move(*answer);
}

template <class T>
Task<void> LoopCaller::run(std::shared_ptr<Core> core, std::function<Task<T>()> work,
                           std::shared_ptr<std::optional<T>> answer) {
  T value = co_await work();
  {
    std::lock_guard lock(core->lock);
    if (!core->is_closed) answer->emplace(std::move(value));  // nobody waits any more
  }
  core->changed.notify_all();
}

}  // namespace hikyaku::io
