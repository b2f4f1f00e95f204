// SPDX-License-Identifier: MIT
#include "daemon/io/directory_watch.h"

#include <utility>

#include "daemon/base/error.h"
#include "daemon/base/text.h"
#include "daemon/io/loop.h"

namespace hikyaku::io {

struct DirectoryWatch::Handle {
  uv_fs_event_t event{};
  DirectoryWatch* owner = nullptr;

  static void on_change(uv_fs_event_t* event, const char* name, int, int) {
    static_cast<Handle*>(event->data)->owner->note(name);
  }
  static void on_close(uv_handle_t* handle) { delete static_cast<Handle*>(handle->data); }
};

Result<std::unique_ptr<DirectoryWatch>, IoError> DirectoryWatch::start(Loop& loop,
                                                                       const std::string& directory,
                                                                       Matters matters) {
  std::unique_ptr<DirectoryWatch> watch(new DirectoryWatch(loop, std::move(matters)));
  watch->handle_ = new Handle{.event = {}, .owner = watch.get()};
  watch->handle_->event.data = watch->handle_;
  uv_fs_event_init(loop.uv(), &watch->handle_->event);
  const int started = uv_fs_event_start(&watch->handle_->event, Handle::on_change, directory.c_str(), 0);
  if (started == 0) return watch;
  IoError error = from_uv(started);
  return fail(error.kind, cat("cannot watch ", directory, ": ", error.text));
}

DirectoryWatch::~DirectoryWatch() {
  uv_close(reinterpret_cast<uv_handle_t*>(&handle_->event), Handle::on_close);
}

// Without a name it is the directory itself that has changed.
void DirectoryWatch::note(const char* name) {
  if (name != nullptr && !matters_(name)) return;
  has_changed_ = true;
  waiter_.wake();
}

Task<Woken> DirectoryWatch::changed(Until until) {
  while (!has_changed_) {
    const Woken woken = co_await waiter_.park(until);
    if (woken != Woken::ready) co_return woken;
  }
  has_changed_ = false;
  co_return Woken::ready;
}

}  // namespace hikyaku::io
