// SPDX-License-Identifier: MIT
// The event loop: libuv's, plus the list of coroutines that are ready and the queue of deadlines. Coroutines
// are resumed by turn() only, never from inside a libuv callback or another coroutine. Everything but post()
// belongs to the loop's thread. Destroying the loop closes its handles and checks that nothing of ours is
// left in libuv.
#pragma once

#include <uv.h>

#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/base/io_error.h"
#include "daemon/base/mutex.h"
#include "daemon/base/task.h"
#include "daemon/io/wait.h"

namespace hikyaku::io {

class Loop {
 public:
  explicit Loop(Clock& clock);
  Loop(const Loop&) = delete;
  ~Loop();

  // Runs the task and everything spawned beside it until the task is done.
  template <class T>
  T run(Task<T> task);

  Clock& clock() const { return clock_; }
  Instant now() const { return clock_.now(); }
  Until within(Duration time, Cancel* cancel = nullptr) const { return {now() + time, cancel}; }
  uv_loop_t* uv() { return &uv_; }

  // Calls `what` on the loop's thread. From any thread.
  void post(std::function<void()> what);
  // Calls `what` at the end of this turn, when every coroutine that was ready has run: what all of them have
  // caused is done once. The loop's thread.
  void defer(std::function<void()> what) { deferred_.push_back(std::move(what)); }

  // While one exists, a simulated clock does not jump: work on another thread will still post().
  class OutsideWork {
   public:
    explicit OutsideWork(Loop& loop) : loop_(loop) { ++loop_.outside_; }
    OutsideWork(const OutsideWork&) = delete;
    ~OutsideWork() { --loop_.outside_; }

   private:
    Loop& loop_;
  };

 private:
  friend class Waiter;
  void add_timer(Waiter& waiter, Instant when);
  void remove_timer(Waiter& waiter);
  void make_ready(Waiter& waiter) { ready_.push_back(&waiter); }

  void turn();
  bool is_idle() const { return ready_.empty() && deferred_.empty(); }
  void resume_ready();
  void run_deferred();
  void fire_timers();
  void arm();
  bool begin_waiting();
  void take_posted();
  void run_until(const bool& done);

  Clock& clock_;
  uv_loop_t uv_{};
  uv_timer_t timer_{};
  uv_async_t async_{};
  std::multimap<Instant, Waiter*> timers_;
  std::vector<Waiter*> ready_;
  std::vector<std::function<void()>> deferred_;
  int outside_ = 0;
  Mutex posted_mutex_;
  std::vector<std::function<void()>> posted_ GUARDED_BY(posted_mutex_);
  bool is_waiting_ GUARDED_BY(posted_mutex_) = false;  // in the poll, so that post() has to end it
};

namespace detail {

// A coroutine that nobody awaits. It frees itself at its end.
struct Root {
  struct promise_type {
    Root get_return_object() const { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const {}
    [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
  };
};

template <class T>
struct Outcome {
  std::optional<T> value;
};
template <>
struct Outcome<void> {};

template <class T>
Root run_root(Task<T> task, Outcome<T>& outcome, std::exception_ptr& error, bool& done) {
  try {
    if constexpr (std::is_void_v<T>)
      co_await std::move(task);
    else
      outcome.value.emplace(co_await std::move(task));
  } catch (...) {
    error = std::current_exception();
  }
  done = true;
}

}  // namespace detail

template <class T>
T Loop::run(Task<T> task) {
  detail::Outcome<T> outcome;
  std::exception_ptr error;
  bool done = false;
  detail::run_root(std::move(task), outcome, error, done);
  run_until(done);
  if (error) std::rethrow_exception(error);
  if constexpr (!std::is_void_v<T>) return std::move(*outcome.value);
}

// libuv's error numbers as our closed set. Internal to daemon/io.
IoError from_uv(int error);

}  // namespace hikyaku::io
