// SPDX-License-Identifier: MIT
// What would become of a message, for `hikyaku explain`: aliases, route, rewriting, and the commands and header
// that the smarthost would get. Follows the same functions as the daemon. Pure.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daemon/base/json.h"
#include "daemon/config/settings.h"
#include "daemon/mail/aliases.h"

namespace hikyaku::commands {

struct ExplainQuestion {
  std::string from;  // empty: <>
  std::vector<std::string> to;
  std::string message;  // empty: none was given
};

// Why each smarthost takes no mail at the moment, by its name; empty: it is up. nullopt: the daemon was not asked,
// or did not answer.
using SmarthostTroubles = std::optional<std::map<std::string, std::string>>;

// One smarthost on a recipient's way.
struct ExplainedHop {
  std::string name;
  std::string host;  // empty: the servers of the recipient's domain
  std::uint16_t port = 0;
  std::optional<std::string> trouble;
};

struct ExplainedRecipient {
  std::string address;
  std::size_t route = 0;                       // from 1 on
  std::string route_text;                      // which mail it is for
  std::vector<std::vector<ExplainedHop>> via;  // in order; those of an inner list share the load
  std::size_t takes = 0;                       // the group that would take the mail now
  std::vector<std::string> commands;           // MAIL and RCPT, to its first smarthost
  std::string header;                          // as it leaves, with LF; empty without a message
};

struct Explanation {
  std::string sender;                 // as it is accepted
  std::string refusal;                // why the sender may not send at all; empty: they may
  std::vector<std::string> replaced;  // recipients that aliases or `local_mail` put others in the place of
  std::vector<ExplainedRecipient> recipients;
};

// Fails with what is wrong with an address.
Result<Explanation, std::string> explain(const config::Settings& settings, const mail::Aliases& aliases,
                                         const ExplainQuestion& question, const SmarthostTroubles& troubles,
                                         const mail::IsUser& is_user);

std::string to_text(const Explanation& explanation);
JsonObject to_json_object(const Explanation& explanation);

}  // namespace hikyaku::commands
