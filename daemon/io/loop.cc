// SPDX-License-Identifier: MIT
#include "daemon/io/loop.h"

#include <uv.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "daemon/base/error.h"

namespace hikyaku::io {
namespace {

IoErrorKind kind_of(int error) {
  switch (error) {
    case UV_EOF: return IoErrorKind::eof;
    case UV_ETIMEDOUT: return IoErrorKind::timeout;
    case UV_ECANCELED: return IoErrorKind::cancelled;
    case UV_ECONNRESET:
    case UV_ECONNABORTED:
    case UV_ENOTCONN:
    case UV_EPIPE: return IoErrorKind::reset;
    case UV_ECONNREFUSED: return IoErrorKind::refused;
    case UV_ENETUNREACH:
    case UV_EHOSTUNREACH:
    case UV_ENETDOWN:
    case UV_EADDRNOTAVAIL:
    case UV_EAFNOSUPPORT: return IoErrorKind::unreachable;
    case UV_EAI_NONAME:
    case UV_EAI_NODATA: return IoErrorKind::no_such_name;
    case UV_EAI_AGAIN:
    case UV_EAI_FAIL:
    case UV_EAI_FAMILY:
    case UV_EAI_MEMORY:
    case UV_EAI_SERVICE: return IoErrorKind::lookup_failed;
    case UV_EADDRINUSE: return IoErrorKind::address_in_use;
    case UV_EACCES:
    case UV_EPERM: return IoErrorKind::access_denied;
    default: return IoErrorKind::system;
  }
}

}  // namespace

Loop::Loop(Clock& clock) : clock_(clock) {
  std::signal(SIGPIPE, SIG_IGN);  // a peer that went is an error of write(), not our end
  std::signal(SIGXFSZ, SIG_IGN);  // nor is a file that outgrows RLIMIT_FSIZE: EFBIG
  check(uv_loop_init(&uv_) == 0, "no event loop");
  uv_timer_init(&uv_, &timer_);
  uv_async_init(&uv_, &async_, [](uv_async_t*) {});  // only ends the poll; turn() takes what was posted
}

Loop::~Loop() {
  check(ready_.empty() && timers_.empty(), "the loop went while something waited");
  uv_close(reinterpret_cast<uv_handle_t*>(&timer_), nullptr);
  uv_close(reinterpret_cast<uv_handle_t*>(&async_), nullptr);
  uv_run(&uv_, UV_RUN_DEFAULT);
  check(uv_loop_close(&uv_) == 0, "a libuv handle was left open");
}

void Loop::post(std::function<void()> what) {
  bool must_wake = false;
  {
    Lock lock(posted_mutex_);
    posted_.push_back(std::move(what));
    must_wake = is_waiting_;
  }
  if (must_wake) uv_async_send(&async_);
}

void Loop::run_until(const bool& done) {
  while (!done) turn();
}

// Resumes last: a coroutine whose wait has ended must not have to wait for another event.
void Loop::turn() {
  if (is_idle() && outside_ == 0 && !timers_.empty() && clock_.jump_to(timers_.begin()->first)) {
    uv_run(&uv_, UV_RUN_NOWAIT);
  } else {
    arm();
    uv_run(&uv_, is_idle() && begin_waiting() ? UV_RUN_ONCE : UV_RUN_NOWAIT);
  }
  take_posted();
  fire_timers();
  resume_ready();
  run_deferred();
}

// What becomes ready meanwhile waits for the next turn: a pair of coroutines that wake each other cannot keep
// the others from their sockets.
void Loop::resume_ready() {
  for (Waiter* waiter : std::exchange(ready_, {})) std::exchange(waiter->coroutine_, {}).resume();
}

void Loop::run_deferred() {
  for (auto& what : std::exchange(deferred_, {})) what();
}

// A loop that has work takes what is posted in its course; only one that waits costs post() a wake-up.
bool Loop::begin_waiting() {
  Lock lock(posted_mutex_);
  is_waiting_ = posted_.empty();
  return is_waiting_;
}

void Loop::take_posted() {
  std::vector<std::function<void()>> posted;
  {
    Lock lock(posted_mutex_);
    posted.swap(posted_);
    is_waiting_ = false;
  }
  for (auto& what : posted) what();
}

void Loop::add_timer(Waiter& waiter, Instant when) {
  waiter.timer_ = timers_.emplace(when, &waiter);
  waiter.has_timer_ = true;
}

void Loop::remove_timer(Waiter& waiter) {
  timers_.erase(waiter.timer_);
  waiter.has_timer_ = false;
}

void Loop::fire_timers() {
  Instant now = clock_.now();
  while (!timers_.empty() && timers_.begin()->first <= now) timers_.begin()->second->wake(Woken::timeout);
}

// libuv runs its timers before it polls as well: stopped, it does not wait for another event then.
void Loop::arm() {
  if (timers_.empty()) {
    uv_timer_stop(&timer_);
    return;
  }
  auto left = std::chrono::ceil<std::chrono::milliseconds>(timers_.begin()->first - clock_.now()).count();
  uv_update_time(&uv_);
  auto stop = [](uv_timer_t* timer) { uv_stop(timer->loop); };
  uv_timer_start(&timer_, stop, static_cast<std::uint64_t>(std::max<std::int64_t>(left, 0)), 0);
}

IoError from_uv(int error) {
  if (error == UV_EOF) return {IoErrorKind::eof, "the peer closed the connection"};
  return {kind_of(error), uv_strerror(error)};
}

}  // namespace hikyaku::io
