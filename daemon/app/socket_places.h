// SPDX-License-Identifier: MIT
// Where the daemon's own sockets are: fixed names in `runtime_directory`.
#pragma once

#include <string>

namespace hikyaku::app {

inline std::string submit_socket_in(const std::string& runtime) { return runtime + "/submit.sock"; }
inline std::string control_socket_in(const std::string& runtime) { return runtime + "/control.sock"; }

}  // namespace hikyaku::app
