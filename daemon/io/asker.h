// SPDX-License-Identifier: MIT
// Questions to the event loop from other threads. A question becomes a task of the loop's; whoever asks waits
// for its value, at most as long as it says. The loop is never held up: it neither waits nor takes a lock
// that is held for long. Once closed, nobody waits any more and no question begins, so the threads that ask
// and the loop may end in any order.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "daemon/base/mutex.h"
#include "daemon/io/loop.h"
#include "daemon/io/nursery.h"

namespace hikyaku::io {

class Asker {
 public:
  explicit Asker(Loop& loop);
  Asker(const Asker&) = delete;
  // closed() has returned, and no thread is in ask().
  ~Asker();

  // From any thread but the loop's. Nothing: there was no answer in time (the task goes on, unheard), or none
  // will come. What the question refers to outlives closed().
  template <class T>
  std::optional<T> ask(std::function<Task<T>()> question, std::chrono::milliseconds limit);

  // The loop's thread. Sends away all who wait, cancels with cancel(), and returns when every task has ended.
  Task<void> closed();
  // For what a question waits for. The loop's thread.
  Cancel& cancel() { return cancel_; }

 private:
  // Shared with the threads that wait and with what has been posted.
  struct Core {
    explicit Core(Asker* owner) : asker(owner) {}
    Mutex mutex;
    Condition changed;
    bool is_closed GUARDED_BY(mutex) = false;
    Asker* asker;  // null once closed; the loop's thread
  };

  template <class T>
  static Task<void> run(std::shared_ptr<Core> core, std::function<Task<T>()> question,
                        std::shared_ptr<std::optional<T>> answer);

  Loop& loop_;
  std::shared_ptr<Core> core_;
  Cancel cancel_;
  Nursery nursery_;
};

template <class T>
std::optional<T> Asker::ask(std::function<Task<T>()> question, std::chrono::milliseconds limit) {
  auto answer = std::make_shared<std::optional<T>>();
  auto core = core_;
  const auto until = std::chrono::steady_clock::now() + limit;
  Lock lock(core->mutex);
  if (core->is_closed) return std::nullopt;
  // Under the lock: while it is not closed, the loop is there.
  loop_.post([core, answer, question = std::move(question)] {
    if (core->asker != nullptr) core->asker->nursery_.spawn(run<T>(core, question, answer));
  });
  while (!answer->has_value() && !core->is_closed && core->changed.wait_until(lock, until)) continue;
  return std::move(*answer);
}

template <class T>
Task<void> Asker::run(std::shared_ptr<Core> core, std::function<Task<T>()> question,
                      std::shared_ptr<std::optional<T>> answer) {
  T value = co_await question();
  {
    Lock lock(core->mutex);
    if (!core->is_closed) answer->emplace(std::move(value));  // who waited has been sent away
  }
  core->changed.notify_all();
}

}  // namespace hikyaku::io
