// SPDX-License-Identifier: MIT
// How the parts of the daemon see the settings, and which settings only a restart changes. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/app/alias_sink.h"
#include "daemon/app/door_tls.h"
#include "daemon/config/settings.h"
#include "daemon/log/mail_log.h"
#include "daemon/pickup/pickup.h"
#include "smtpd/acceptor.h"
#include "spool/options.h"
#include "spool/postgresql/core.h"
#include "spool/postgresql/database_view.h"

namespace hikyaku::app {

// Puts back into `fresh` what only a restart changes; the keys of those that differed.
std::vector<std::string> keep_until_restart(const config::Settings& running, config::Settings& fresh);

// `token` is this instance's, for the greeting; `submitters` outlive the sessions; `tls` is the doors'.
smtpd::AcceptorOptions acceptor_options(const config::Settings& settings, const std::string& token,
                                        smtpd::Submitters* submitters = nullptr, const DoorTls& tls = {});
pickup::PickupOptions pickup_options(const config::Settings& settings, smtpd::SessionOptionsPtr session);
RecipientRules recipient_rules(const config::Settings& settings);
spool::SpoolOptions spool_options(const config::Settings& settings);
postgresql::SharedOptions shared_options(const config::Settings& settings);
// As whoever lists its mail needs it; nullopt: the spool is not shared.
std::optional<postgresql::SharedPlace> fleet_of(const config::Settings& settings);
log::Options log_options(const config::Settings& settings);

}  // namespace hikyaku::app
