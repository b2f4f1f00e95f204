// SPDX-License-Identifier: MIT
// What sendmail(1) does besides sending: mailq, newaliases, -q, -bv, -bt. Each function prints its result on
// standard output, or fails with the reason.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/mail/aliases.h"
#include "daemon/sendmail/arguments.h"
#include "daemon/sendmail/daemon_info.h"

namespace hikyaku::sendmail {

// mailq: in Postfix's format, or with -j as one JSON object a line.
Result<void, Failure> list_queue(const DaemonInfo& info, bool json);
Result<void, Failure> count_queue(const DaemonInfo& info);
// -q: makes the daemon retry now.
Result<void, Failure> run_queue(const DaemonInfo& info, const QueueRun& what);
// newaliases: makes the daemon check and read the aliases file. If no daemon runs, only checks the file.
Result<void, Failure> check_aliases(const DaemonInfo& info);
// -bv: shows how each address is parsed and which addresses its alias expands to. Fails with bad_data if an
// address is wrong.
Result<void, Failure> verify(const DaemonInfo& info, const std::vector<std::string>& addresses);
// -bt: the same for each line of standard input, until its end.
Result<void, Failure> test_addresses(const DaemonInfo& info, int in);
// -v -v: prints each outcome as it becomes known, and why the mail waits, until the mail was delivered or has
// failed, the smarthost is paused, or a minute has passed.
void show_outcome(const DaemonInfo& info, const std::string& id);

// Turns one JSON line of the daemon into text: a recipient's outcome ("a@b: delivered, 250 Ok"), or why the
// mail waits. Pure.
std::string outcome_line(std::string_view json);
// The body of POST /v1/queue/retry. Pure.
std::string retry_body(const QueueRun& what);
// One line for each address: "a@b: user a, domain b"; for an alias one line for each address that it expands
// to: "root -> a@b: user a, domain b". A user of this machine is shown like an alias
// for `local_mail`. Fails with what is wrong with the address. Pure.
Result<std::string, Failure> explain_addresses(std::string_view text, const mail::AliasRules& rules,
                                               const mail::IsUser& is_user);

}  // namespace hikyaku::sendmail
