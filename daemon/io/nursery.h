// SPDX-License-Identifier: MIT
// Owns the tasks that nobody awaits (sessions, connections). Counts them, and can be drained; it must be
// empty when it is destroyed. What a spawned task refers to outlives the task or is a value in its frame.
#pragma once

#include <functional>
#include <string>

#include "daemon/base/task.h"
#include "daemon/io/loop.h"

namespace hikyaku::io {

class Nursery {
 public:
  // `on_exception` gets the text of an exception that ended a task: the root of a session
  // (CONTRIBUTING.md, "Errors"). Without it such an exception is a bug.
  explicit Nursery(Loop& loop, std::function<void(const std::string&)> on_exception = {});
  Nursery(const Nursery&) = delete;
  ~Nursery();

  // Runs the task until it first blocks, then returns.
  void spawn(Task<void> task);
  std::size_t size() const { return size_; }
  // Returns `ready` when no task is left. Does not cancel any task.
  Task<Woken> drained(Until until);

 private:
  detail::Root own(Task<void> task);
  void report(const std::string& what);

  Event ended_;
  std::function<void(const std::string&)> on_exception_;
  std::size_t size_ = 0;
};

}  // namespace hikyaku::io
