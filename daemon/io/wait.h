// SPDX-License-Identifier: MIT
// How a coroutine waits, and how it is woken. Every wait in hikyaku ends in one of three ways: what it waits
// for is there, its deadline passed, or it was cancelled. One thread, the loop's. A waiter never loses its
// coroutine: a cancelled wait wakes it with `cancelled` and it unwinds by itself.
#pragma once

#include <coroutine>
#include <map>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/base/io_error.h"
#include "daemon/base/task.h"

namespace hikyaku::io {

class Loop;
class Waiter;

enum class Woken { ready, timeout, cancelled };
// The text is "timed out" or "cancelled"; `woken` is not `ready`.
IoError to_error(Woken woken);

// Wakes everything that waits with it, and everything that will. Outlives those waits.
class Cancel {
 public:
  Cancel() = default;
  Cancel(const Cancel&) = delete;
  ~Cancel();
  void request();
  bool is_requested() const { return requested_; }

 private:
  friend class Waiter;
  bool requested_ = false;
  std::vector<Waiter*> waiting_;
};

// How long a wait may last: until a time (absolute, so that a line cannot drip), or until it is cancelled.
struct Until {
  Instant deadline = kNever;
  Cancel* cancel = nullptr;
};

// The place where one coroutine at a time is parked. May live in a coroutine frame.
class Waiter {
 public:
  explicit Waiter(Loop& loop) : loop_(loop) {}
  Waiter(const Waiter&) = delete;
  ~Waiter();

  struct Park {
    Waiter& waiter;
    Until until;
    bool await_ready();
    void await_suspend(std::coroutine_handle<> coroutine);
    Woken await_resume() const { return waiter.woken_; }
  };
  // Suspends until wake(), the deadline or the cancellation; one that has passed already does not suspend.
  Park park(Until until) { return Park{*this, until}; }
  // Resumes the coroutine in the loop's next turn. Has no effect if none is parked: check the
  // condition before parking, and again after it.
  void wake() { wake(Woken::ready); }
  bool is_parked() const { return static_cast<bool>(coroutine_); }
  Loop& loop() const { return loop_; }

 private:
  friend class Loop;
  friend class Cancel;
  void wake(Woken why);
  void leave();  // the cancel's list and the timer queue

  Loop& loop_;
  std::coroutine_handle<> coroutine_;
  Cancel* cancel_ = nullptr;
  std::size_t cancel_index_ = 0;
  std::multimap<Instant, Waiter*>::iterator timer_;
  bool has_timer_ = false;
  bool is_woken_ = false;
  Woken woken_ = Woken::ready;
};

// Something that several coroutines wait for. notify() wakes all that wait now; each checks its condition
// again.
class Event {
 public:
  explicit Event(Loop& loop) : loop_(loop) {}
  ~Event();
  Task<Woken> wait(Until until);
  void notify();

 private:
  Loop& loop_;
  std::vector<Waiter*> waiters_;
};

// Waits for a time to pass: `timeout` is the good end, `cancelled` the other.
Task<Woken> sleep_until(Loop& loop, Until until);

}  // namespace hikyaku::io
