// SPDX-License-Identifier: MIT
// Between the loop and other threads: blocking work on libuv's pool, and calls from other threads into the
// loop. Work on the pool cannot be cancelled; its awaiter always sees its end.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "daemon/base/mutex.h"
#include "daemon/io/loop.h"
#include "daemon/io/nursery.h"

namespace hikyaku::io {

// Runs `work` on a pool thread, and resumes when it has returned. `work` must not throw; what it refers to
// must live until then.
Task<void> run_on_pool(Loop& loop, std::function<void()> work);

// The same of work with a value, which it returns.
template <class F>
  requires(!std::is_void_v<std::invoke_result_t<F&>>)
Task<std::invoke_result_t<F&>> run_on_pool(Loop& loop, F work) {
  std::optional<std::invoke_result_t<F&>> value;
  co_await run_on_pool(loop, std::function<void()>([&] { value.emplace(work()); }));
  co_return std::move(*value);
}

// Calls into the event loop from other threads. A call becomes a task of the loop; the calling thread waits
// for the value, up to a limit. The loop is never held up: it neither waits nor takes a lock that is held for
// long. After close() nobody waits any more and no call begins, so the calling threads and the loop may end
// in any order.
class LoopCaller {
 public:
  explicit LoopCaller(Loop& loop);
  LoopCaller(const LoopCaller&) = delete;
  // close() has returned, and no thread is in call().
  ~LoopCaller();

  // From any thread but the loop's. Returns nullopt if there was no value in time (the task goes on, its
  // value is dropped), or if there will be none. What the task refers to outlives close().
  template <class T>
  std::optional<T> call(std::function<Task<T>()> task, std::chrono::milliseconds limit);

  // The loop's thread. Sends all waiting threads away, requests cancel(), and returns when every task has
  // ended.
  Task<void> close();
  // For what a task waits for. The loop's thread.
  Cancel& cancel() { return cancel_; }

 private:
  // Shared with the threads that wait and with what has been posted.
  struct Core {
    explicit Core(LoopCaller* owner) : caller(owner) {}
    Mutex mutex;
    Condition changed;
    bool is_closed GUARDED_BY(mutex) = false;
    LoopCaller* caller;  // null once closed; the loop's thread
  };

  template <class T>
  static Task<void> run(std::shared_ptr<Core> core, std::function<Task<T>()> task,
                        std::shared_ptr<std::optional<T>> value);

  Loop& loop_;
  std::shared_ptr<Core> core_;
  Cancel cancel_;
  Nursery nursery_;
};

template <class T>
std::optional<T> LoopCaller::call(std::function<Task<T>()> task, std::chrono::milliseconds limit) {
  auto value = std::make_shared<std::optional<T>>();
  auto core = core_;
  const auto until = std::chrono::steady_clock::now() + limit;
  Lock lock(core->mutex);
  if (core->is_closed) return std::nullopt;
  // Under the lock: while it is not closed, the loop is there.
  loop_.post([core, value, task = std::move(task)] {
    if (core->caller != nullptr) core->caller->nursery_.spawn(run<T>(core, task, value));
  });
  while (!value->has_value() && !core->is_closed && core->changed.wait_until(lock, until)) continue;
  return std::move(*value);
}

template <class T>
Task<void> LoopCaller::run(std::shared_ptr<Core> core, std::function<Task<T>()> task,
                           std::shared_ptr<std::optional<T>> value) {
  T result = co_await task();
  {
    Lock lock(core->mutex);
    if (!core->is_closed) value->emplace(std::move(result));  // a closed one has sent the thread away
  }
  core->changed.notify_all();
}

}  // namespace hikyaku::io
