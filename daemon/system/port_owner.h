// SPDX-License-Identifier: MIT
// Who has a port that we cannot have, and how to make them give it up. Reads /proc; who else's descriptors
// can be looked at is root's privilege, so for anybody else the answer may be that it is not known. Blocks.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "daemon/base/exit.h"
#include "daemon/base/ip.h"

namespace hikyaku::system {

struct PortOwner {
  std::string program;  // as the kernel calls it: "master"
  pid_t pid = 0;
};
// Of the processes that listen where `at` would, the oldest. `proc` is where /proc is mounted.
std::optional<PortOwner> find_port_owner(const Endpoint& at, const std::string& proc = "/proc");

// "port 25 is taken by Postfix (master, pid 812): systemctl disable --now postfix". Pure.
std::string explain_taken_port(const Endpoint& at, const std::optional<PortOwner>& owner);

// The same of the first of these ports that a mail server has which is not ours; empty where none has, or we
// may not see it.
std::string explain_other_mail_server(const std::vector<Endpoint>& ports);

// `hikyakud --check-ports`, for what runs before the socket unit binds: tells standard error of each address
// that is taken. Words that are no addresses are passed over.
Exit check_ports(const std::vector<std::string>& addresses);

}  // namespace hikyaku::system
