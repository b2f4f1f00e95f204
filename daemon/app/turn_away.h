// SPDX-License-Identifier: MIT
// What becomes of clients when a daemon that was started by its socket cannot run. Left in the socket's queue
// they would have the service manager start us again at once, without end. Blocks.
#pragma once

#include <chrono>
#include <vector>

#include "daemon/base/fd.h"

namespace hikyaku::app {

// Tells everybody who connects within `span` that there is no service (421), so that they try again later,
// and returns. At once where there are no sockets. `listening` becomes non-blocking.
void turn_away(const std::vector<Fd>& listening, std::chrono::milliseconds span);

// The same sockets once more, for when those that were handed over have gone into use.
std::vector<Fd> duplicates(const std::vector<Fd>& sockets);

}  // namespace hikyaku::app
