// SPDX-License-Identifier: MIT
#include "daemon/commands/progress.h"

#include <unistd.h>

#include <chrono>
#include <system_error>

#include "daemon/base/columns.h"
#include "daemon/base/text.h"
#include "daemon/commands/output.h"

namespace hikyaku::commands {
namespace {

constexpr std::string_view kWipe = "\r\x1b[K";  // to the beginning of the line, and erase what is there
constexpr Duration kBetweenTicks = 200ms;

void write_on(int fd, const std::string& text) {
  // Whoever has closed the terminal misses nothing.
  [[maybe_unused]] const ssize_t ignored = ::write(fd, text.data(), text.size());
}

}  // namespace

std::string progress_text(const std::string& what, std::uint64_t done, std::uint64_t total, Duration since) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since).count();
  const std::string of = total == 0 ? "" : cat(" of ", std::to_string(total));
  const std::string count = done == 0 && total == 0 ? "" : cat(std::to_string(done), of, " mails, ");
  return cat(what, " … ", count, std::to_string(seconds), " s");
}

Progress::Progress(std::string what, int fd, Duration patience) : what_(std::move(what)), fd_(fd) {
  if (!may_rewrite_lines(fd)) return;
  try {
    thread_ = std::jthread([this, patience](const std::stop_token& stop) { run(stop, patience); });
  } catch (const std::system_error&) {  // no thread is left: the work matters, its line does not
  }
}

Progress::~Progress() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
  if (is_shown_) write_on(fd_, std::string(kWipe));
}

void Progress::run(const std::stop_token& stop, Duration patience) {
  SystemClock clock;
  const Instant begin = clock.now();
  std::unique_lock lock(mutex_);
  for (Duration wait = patience; !stop.stop_requested(); wait = kBetweenTicks) {
    woken_.wait_for(lock, stop, wait, [] { return false; });
    if (!stop.stop_requested()) show(clock.now() - begin);
  }
}

void Progress::show(Duration since) {
  is_shown_ = true;
  const std::size_t width = terminal_width(fd_).value_or(80);
  write_on(fd_, cat(kWipe, cut_to(progress_text(what_, done_, total_, since), width - 1)));
}

}  // namespace hikyaku::commands
