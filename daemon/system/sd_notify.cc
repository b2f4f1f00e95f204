// SPDX-License-Identifier: MIT
#include "daemon/system/sd_notify.h"

#include <systemd/sd-daemon.h>
#include <time.h>

#include <cstdlib>

#include "daemon/base/text.h"

namespace hikyaku::system {
namespace {

void say(const std::string& message) { ::sd_notify(0, message.c_str()); }

// The manager compares it with its own reading of this very clock.
std::string monotonic_microseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::to_string(now.tv_sec * 1'000'000 + now.tv_nsec / 1'000);
}

}  // namespace

void ServiceManager::ready(const std::string& status) {
  status_ = still_printable(status);
  say(cat("READY=1\nSTATUS=", status_));
}

void ServiceManager::reloading() { say(cat("RELOADING=1\nMONOTONIC_USEC=", monotonic_microseconds())); }

void ServiceManager::stopping() { say("STOPPING=1\nSTATUS=stopping"); }

void ServiceManager::status(const std::string& line) {
  std::string text = still_printable(line);
  if (text == status_) return;
  status_ = text;
  say(cat("STATUS=", status_));
}

void ServiceManager::alive() { say("WATCHDOG=1"); }

std::optional<Duration> ServiceManager::alive_interval() {
  std::uint64_t microseconds = 0;
  if (::sd_watchdog_enabled(0, &microseconds) <= 0) return std::nullopt;
  return Duration(static_cast<Duration::rep>(microseconds / 2));
}

bool ServiceManager::is_there() { return std::getenv("NOTIFY_SOCKET") != nullptr; }

}  // namespace hikyaku::system
