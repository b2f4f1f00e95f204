// SPDX-License-Identifier: MIT
// A check of one smarthost of a configuration over the real network, with what the daemon would use: its name
// service, its DNS server, its credentials. Needs no daemon and touches no spool. The loop's thread.
#pragma once

#include <string>

#include "daemon/checkup/report.h"
#include "daemon/config/authinfo.h"
#include "daemon/config/settings.h"
#include "daemon/io/loop.h"
#include "daemon/mail/aliases.h"
#include "smtpc/token_source.h"

namespace hikyaku::dkim {
class KeyRing;
}

namespace hikyaku::checkup {

// The sender whose mail should leave whatever happens: root's on this machine, as the world sees it.
std::string usual_sender(const config::Settings& settings);
// Where mail goes that is for this recipient: the first address that aliases and `local_mail` lead to.
std::string where_mail_goes(const config::Settings& settings, const mail::Aliases& aliases,
                            const mail::Recipient& to, const mail::IsUser& is_user);
// Where root's goes.
std::string usual_recipient(const config::Settings& settings, const mail::Aliases& aliases);

struct Checkup {
  const config::Settings& settings;
  const config::Authinfo& credentials;  // for entries by address, which count only once a host is looked up
  std::string recipient;
  bool sends = false;                    // a test mail to the recipient
  const dkim::KeyRing* keys = nullptr;   // that sign the test mail; null: none
  smtpc::TokenSource* tokens = nullptr;  // null only without `oauth`
};

// `smarthost` is one of the settings'. Takes a few minutes at the worst.
Task<Report> check_smarthost(io::Loop& loop, Checkup checkup, const mail::Smarthost& smarthost,
                             Journal::Tell tell);

}  // namespace hikyaku::checkup
