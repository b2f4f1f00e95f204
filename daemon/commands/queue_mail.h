// SPDX-License-Identifier: MIT
// `hikyaku queue show` and `hikyaku queue cat`: one mail, as the spool's files have it, which way it would take, and
// what was said when it failed last. Changes nothing, and works without a daemon as far as the files go. Blocks.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "daemon/base/exit.h"
#include "daemon/commands/daemon_paths.h"
#include "daemon/commands/explain.h"
#include "daemon/commands/output.h"
#include "daemon/mail/queue_state.h"
#include "spool/queue_view.h"

namespace hikyaku::commands {

inline constexpr std::string_view kQueueCommand = "hikyaku queue";

// Where the queue is. A spool named by `spool.directory` may be a copy that belongs to no daemon: none is asked then,
// unless there is a `socket`.
struct QueuePlace {
  SpoolOptions spool;
  std::string socket;
};

struct OneMailOptions {
  QueuePlace place;
  std::string id;
  bool json = false;
  bool as_sent = false;  // of `cat`: not as it is stored
  std::string via;       // … the smarthost; empty: the one that would get it now
};
Exit show_mail(const OneMailOptions& options);
Exit cat_mail(const OneMailOptions& options);

// Uses an open spool: a view of one mail or of all.
using UseSpool = std::function<Exit(const SpoolPlace&, spool::QueueView&, Output&)>;
Exit with_view(const SpoolOptions& options, std::optional<mail::MailId> only, const UseSpool& use);
StartError to_start_error(const mail::SourceError& error);

// What the daemon says of its smarthosts.
struct DaemonWord {
  std::string socket{};  // empty: it was not asked, or does not answer
  mail::RouteState route{};
  SmarthostTroubles troubles{};
};
// Reports on standard error why it does not answer, unless it does not run.
DaemonWord ask_daemon(const QueuePlace& place);

}  // namespace hikyaku::commands
