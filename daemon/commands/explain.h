// SPDX-License-Identifier: MIT
// What would become of a message, for `hikyaku explain`: aliases, route, rewriting, and the commands and header
// that the smarthost would get; for `hikyaku queue show` the route that queued mail would take now. Follows the same
// functions as the daemon. Pure.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daemon/base/json.h"
#include "daemon/base/json_value.h"
#include "daemon/config/settings.h"
#include "daemon/dkim/key_ring.h"
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
// From the answer to GET /v1/status.
SmarthostTroubles troubles_in(const JsonValue& status);

// One smarthost on a recipient's way.
struct ExplainedHop {
  std::string name;
  std::string host;  // empty: the servers of the recipient's domain
  std::uint16_t port = 0;
  std::optional<std::string> trouble;
};

struct ExplainedWay {
  std::size_t route = 0;                       // from 1 on
  std::string route_text;                      // which mail it is for
  std::vector<std::vector<ExplainedHop>> via;  // in order; those of an inner list share the load
  std::size_t takes = 0;                       // the group that would take the mail now
};

struct ExplainedRecipient {
  std::string address;
  ExplainedWay way;
  std::vector<std::string> commands;  // MAIL and RCPT, to its first smarthost
  std::string signature;              // "signed as …", or why not; empty: there are no keys
  std::string header;                 // as it leaves, with LF; empty without a message
};

struct Explanation {
  std::string sender;                 // as it is accepted
  std::string refusal;                // why the sender may not send at all; empty: they may
  std::vector<std::string> replaced;  // recipients that aliases or `local_mail` put others in the place of
  std::vector<ExplainedRecipient> recipients;
};

// Without a message its author counts as the sender. Fails with what is wrong with an address.
Result<Explanation, std::string> explain(const config::Settings& settings, const mail::Aliases& aliases,
                                         const ExplainQuestion& question, const SmarthostTroubles& troubles,
                                         const mail::IsUser& is_user, const dkim::KeyRing& keys = {});

ExplainedWay way_of(const config::Settings& settings, const std::string& sender, const std::string& recipient,
                    const SmarthostTroubles& troubles);
// The ways of a queued mail's recipients; those with the same one stand together.
struct SharedWay {
  ExplainedWay way;
  std::vector<std::string> recipients;
};
std::vector<SharedWay> ways_of(const config::Settings& settings, const std::string& sender,
                               const std::vector<std::string>& recipients, const SmarthostTroubles& troubles);
std::string to_text(const std::vector<SharedWay>& ways);
JsonList to_json_list(const std::vector<SharedWay>& ways);

std::string to_text(const Explanation& explanation);
JsonObject to_json_object(const Explanation& explanation);

}  // namespace hikyaku::commands
