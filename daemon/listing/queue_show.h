// SPDX-License-Identifier: MIT
// One queued mail at length, for people: envelope, what became of each recipient, and the attempts that the
// log still knows. Pure.
#pragma once

#include <string>
#include <vector>

#include "daemon/mail/queue_state.h"
#include "spool/view.h"

namespace hikyaku::listing {

// Of all states that were written down those that ended an attempt, oldest first.
std::vector<spool::PastProgress> attempts_in(std::vector<spool::PastProgress> history);

// Several lines, each with its end. `attempts` as attempts_in() gives them.
std::string queue_details(const spool::ViewedMail& mail, const mail::MailState& state,
                          const std::vector<spool::PastProgress>& attempts);

}  // namespace hikyaku::listing
