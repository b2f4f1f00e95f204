// SPDX-License-Identifier: MIT
// Log lines in Postfix's notation, for what reads Postfix's log: pflogsumm, logwatch, fail2ban. These programs look
// for `postfix/SERVICE[PID]: ID: …`, so each event goes under the name of the Postfix service that would have written it;
// what Postfix has no line for goes under `master` (warnings, errors) or `hikyakud`, which they count or pass over.
// Nothing is invented: `delays` and message IDs, which the log does not know, are left out. All foreign text is escaped
// here. Pure, but for the host's name.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/log/line.h"

namespace hikyaku::log {

// "postfix/smtp[PID]: 001K0TS4WBCFH: to=<b@example.org>, relay=main[192.0.2.1]:587, delay=0.03, dsn=2.0.0, status=sent
// (250 ok)", and others for the same event. IDs are in capitals: logwatch knows no other.
std::vector<std::string> to_postfix(const Line& line, std::uint32_t pid);

// What syslog puts before a line: "Nov 29 19:09:50 relay1 ", local time and the host's name up to its first dot.
std::string syslog_prefix(WallTime time);

}  // namespace hikyaku::log
