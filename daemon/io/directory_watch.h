// SPDX-License-Identifier: MIT
// Reports when something in a directory may have changed (inotify). Only a hint: changes may be reported
// twice, together, or, after too many at once, not at all, so a caller that must not miss any also looks from
// time to time. The loop's thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "daemon/io/loop.h"

namespace hikyaku::io {

class DirectoryWatch {
 public:
  // The entries that matter; changes of others are ignored.
  using Matters = std::function<bool(std::string_view name)>;
  // Errors: system (no such directory, or the kernel's limit on watches).
  static Result<std::unique_ptr<DirectoryWatch>, IoError> start(Loop& loop, const std::string& directory,
                                                                Matters matters);
  DirectoryWatch(const DirectoryWatch&) = delete;
  ~DirectoryWatch();

  // `ready` if there was a change since the start or since the last `ready`.
  Task<Woken> changed(Until until);

 private:
  struct Handle;
  DirectoryWatch(Loop& loop, Matters matters) : matters_(std::move(matters)), waiter_(loop) {}
  void note(const char* name);

  Matters matters_;
  bool has_changed_ = false;
  Waiter waiter_;
  Handle* handle_ = nullptr;  // deletes itself once libuv has closed it
};

}  // namespace hikyaku::io
