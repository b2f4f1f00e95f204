// SPDX-License-Identifier: MIT
// Finds the process that occupies a port that we need, and explains how to free the port. Reads /proc; only
// root may see the descriptors of other users, so for any other user the owner may be unknown. Blocks.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "daemon/base/exit.h"
#include "daemon/base/ip.h"

namespace hikyaku::system {

struct PortOwner {
  std::string program;  // its name in the kernel: "master"
  pid_t pid = 0;
};
// The oldest process whose socket is in the way of `at`. `proc` is where /proc is mounted.
std::optional<PortOwner> find_port_owner(const Endpoint& at, const std::string& proc = "/proc");

// "port 25 is taken by Postfix (master, pid 812): systemctl disable --now postfix". Pure.
std::string explain_taken_port(const Endpoint& at, const std::optional<PortOwner>& owner);

// The same for the first of these ports that is occupied by another mail server; empty if there is none, or
// we may not see it.
std::string explain_other_mail_server(const std::vector<Endpoint>& ports);

// `hikyakud --check-ports`, run before the socket unit binds: prints each address that is taken to standard
// error. Arguments that are not addresses are ignored.
Exit check_ports(const std::vector<std::string>& addresses);

}  // namespace hikyaku::system
