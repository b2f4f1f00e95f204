// SPDX-License-Identifier: MIT
// The service manager that has started us, if there is one: the sockets that it hands over
// (sd_listen_fds(3)), and the notifications that it gets from us (sd_notify(3)).
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/base/fd.h"

namespace hikyaku::system {

// The sockets that were handed over to this process, in their order; they are closed on exec. The second call
// finds none: the environment that names them is removed, so that no child takes them for its own.
std::vector<Fd> inherited_sockets();

// Never blocks: a notification that a busy manager does not take is sent again with the next one. Does nothing
// where there is no manager ($NOTIFY_SOCKET).
class ServiceManager {
 public:
  void ready(const std::string& status);
  void reloading();
  void stopping();
  // A line of status, made printable; sent only if it differs from the line before.
  void status(const std::string& line);
  void alive();
  // How often alive() is due: half the time after which the manager would kill us. nullopt if it does not
  // watch us.
  static std::optional<Duration> alive_interval();
  static bool is_there();

 private:
  void send(std::string notification);
  void send_waiting();

  std::string status_;
  std::deque<std::string> waiting_;  // what the manager has not taken, in order
};

}  // namespace hikyaku::system
