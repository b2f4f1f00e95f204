// SPDX-License-Identifier: MIT
// The mail log's lines about an attempt and about a smarthost, filled in from what the relay knows. Pure.
#pragma once

#include <vector>

#include "daemon/log/mail_log.h"
#include "daemon/relay/settlement.h"
#include "smtpc/lane.h"

namespace hikyaku::relay {

// How much mail waits for the smarthosts, as a line about one of them says.
struct Backlog {
  std::size_t queued = 0;
  Duration oldest{0};        // how long the first mail that is due has waited; 0: no mail is due
  std::size_t unsorted = 0;  // due, on a route that is not known yet
};

// One line for each recipient that was tried. Empty if only the smarthost was in trouble: that is one line
// about the smarthost, not one for each mail that waits for it.
std::vector<log::Outcome> outcome_lines(const mail::QueuedMail& mail, const Settlement& settlement,
                                        const smtpc::UsedConnection& used, WallTime now);

log::Connection connection_line(const smtpc::ConnectionAttempt& attempt);

// Whether the smarthost takes mail, and if not, why and when it is probed next.
log::SmarthostChange smarthost_line(const smtpc::Lane& lane, const Backlog& backlog, Instant now);

}  // namespace hikyaku::relay
