// SPDX-License-Identifier: MIT
// What a probe has found, for people and for scripts. Whatever a peer or the DNS has said is escaped here; there is
// no secret in a ProbeResult, and where a peer repeated one it was masked when it came in. Pure.
#pragma once

#include <string>

#include "daemon/base/clock.h"
#include "daemon/base/json.h"
#include "daemon/checkup/probe.h"

namespace hikyaku::checkup {

// Lines: what the DNS says, each host and port, what is recommended and why, what to paste. `now` is for the
// dates of certificates.
std::string to_text(const ProbeResult& result, WallTime now);

JsonObject to_json_object(const ProbeResult& result);

// Why a port cannot be used, or a log-in has failed, and what to change: one line, without the port's name.
std::string explain(const mail::Failure& trouble);

// "named by a SRV record of example.com".
std::string explain(Origin origin, const std::string& domain);

}  // namespace hikyaku::checkup
