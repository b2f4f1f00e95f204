// SPDX-License-Identifier: MIT
// A probe over the real network, as this machine's daemon would see it: by the same name service and DNS server, and
// under the same name in EHLO. Needs no daemon and no configuration that is valid. For `hikyaku probe` and
// `hikyaku setup`.
#pragma once

#include <optional>
#include <string>

#include "daemon/checkup/probe.h"
#include "daemon/io/loop.h"

namespace hikyaku::checkup {

// How this machine looks at the network.
struct Standpoint {
  std::string hostname;         // in EHLO
  std::optional<Endpoint> dns;  // asked for records instead of the servers in resolv.conf
};
// Of a configuration, as far as it can be read; of the machine where it says nothing, or is not there. Blocks, for
// at most some seconds.
Standpoint standpoint_of(const std::string& config_file);

// The loop's thread. `credentials` are for one log-in, as in probe().
Task<ProbeResult> probe_from_here(io::Loop& loop, Standpoint here, ProbeTarget target,
                                  std::optional<mail::Credentials> credentials = {});

}  // namespace hikyaku::checkup
