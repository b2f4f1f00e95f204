// SPDX-License-Identifier: MIT
// What we tell the service manager (sd_notify(3)): that we are ready, reloading, stopping and alive, and one
// line of status. Says nothing where nobody listens ($NOTIFY_SOCKET).
#pragma once

#include <optional>
#include <string>

#include "daemon/base/clock.h"

namespace hikyaku::system {

class ServiceManager {
 public:
  void ready(const std::string& status);
  void reloading();
  void stopping();
  void status(const std::string& line);  // sent only if it is another than last time
  void alive();
  // How often alive() is due, half of what would have us killed; nothing: the manager does not watch us.
  static std::optional<Duration> alive_interval();
  static bool is_there();

 private:
  std::string status_;
};

}  // namespace hikyaku::system
