// SPDX-License-Identifier: MIT
#include "daemon/io/wait.h"

#include <algorithm>

#include "daemon/base/error.h"
#include "daemon/io/loop.h"

namespace hikyaku::io {

IoError to_error(Woken woken) {
  check(woken != Woken::ready, "a wait that ended well is no error");
  bool timeout = woken == Woken::timeout;
  return {timeout ? IoErrorKind::timeout : IoErrorKind::cancelled, timeout ? "timed out" : "cancelled"};
}

Cancel::~Cancel() { check(waiting_.empty(), "a cancel went while something waited with it"); }

void Cancel::request() {
  requested_ = true;
  while (!waiting_.empty()) waiting_.back()->wake(Woken::cancelled);
}

Waiter::~Waiter() { check(!coroutine_, "a waiter went with a coroutine in it"); }

bool Waiter::Park::await_ready() {
  check(!waiter.coroutine_, "one coroutine at a time");
  bool cancelled = until.cancel != nullptr && until.cancel->is_requested();
  bool late = until.deadline != kNever && until.deadline <= waiter.loop_.now();
  waiter.woken_ = cancelled ? Woken::cancelled : Woken::timeout;
  return cancelled || late;
}

void Waiter::Park::await_suspend(std::coroutine_handle<> coroutine) {
  waiter.coroutine_ = coroutine;
  waiter.is_woken_ = false;
  if (until.deadline != kNever) waiter.loop_.add_timer(waiter, until.deadline);
  waiter.cancel_ = until.cancel;
  if (until.cancel == nullptr) return;
  waiter.cancel_index_ = until.cancel->waiting_.size();
  until.cancel->waiting_.push_back(&waiter);
}

void Waiter::wake(Woken why) {
  if (!coroutine_ || is_woken_) return;
  is_woken_ = true;
  woken_ = why;
  leave();
  loop_.make_ready(*this);
}

void Waiter::leave() {
  if (has_timer_) loop_.remove_timer(*this);
  if (cancel_ == nullptr) return;
  auto& list = cancel_->waiting_;
  list[cancel_index_] = list.back();
  list[cancel_index_]->cancel_index_ = cancel_index_;
  list.pop_back();
  cancel_ = nullptr;
}

Event::~Event() { check(waiters_.empty(), "an event went while something waited for it"); }

Task<Woken> Event::wait(Until until) {
  Waiter waiter(loop_);
  waiters_.push_back(&waiter);
  Woken woken = co_await waiter.park(until);
  std::erase(waiters_, &waiter);
  co_return woken;
}

void Event::notify() {
  for (Waiter* waiter : waiters_) waiter->wake();
}

Task<Woken> sleep_until(Loop& loop, Until until) {
  Waiter waiter(loop);
  Woken woken = co_await waiter.park(until);
  co_return woken;
}

}  // namespace hikyaku::io
