// SPDX-License-Identifier: MIT
// What sendmail(1) does beside sending: mailq, newaliases, -q, -bv, -bt. Each prints what was asked for on
// standard output and fails with the reason.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/mail/aliases.h"
#include "daemon/sendmail/arguments.h"
#include "daemon/sendmail/daemon_info.h"

namespace hikyaku::sendmail {

// mailq: as Postfix prints it, or with -j one JSON object a line.
Result<void, Failure> list_queue(const DaemonInfo& info, bool json);
Result<void, Failure> count_queue(const DaemonInfo& info);
// -q: the daemon is asked to try again now.
Result<void, Failure> run_queue(const DaemonInfo& info, const QueueRun& what);
// newaliases: checks the file, and the daemon reads it. Without a daemon it is only checked.
Result<void, Failure> check_aliases(const DaemonInfo& info);
// -bv: how each address is understood, and whom it means in the end; fails with bad_data if one is not.
Result<void, Failure> verify(const DaemonInfo& info, const std::vector<std::string>& addresses);
// -bt: the same for each line of standard input, until its end.
Result<void, Failure> test_addresses(const DaemonInfo& info, int in);
// -v -v: prints what becomes of the mail as it becomes known, and why it waits, until it has been delivered
// or has failed, the smarthost is paused, or a minute has passed.
void show_outcome(const DaemonInfo& info, const std::string& id);

// A recipient's outcome as the daemon tells it (JSON) in words: "a@b: delivered, 250 Ok"; or why the mail
// waits. Pure.
std::string outcome_line(std::string_view json);
// The body of POST /v1/queue/retry. Pure.
std::string retry_body(const QueueRun& what);
// "a@b: user a, domain b", a line for each; of an alias "root -> a@b: user a, domain b" for each recipient in
// the end; or what is wrong with it. Pure.
Result<std::string, Failure> explain_addresses(std::string_view text, const mail::AliasRules& rules);

}  // namespace hikyaku::sendmail
