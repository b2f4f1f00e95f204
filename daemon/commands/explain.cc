// SPDX-License-Identifier: MIT
#include "daemon/commands/explain.h"

#include <algorithm>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/config/route_keys.h"
#include "daemon/dkim/signing_reader.h"
#include "daemon/mail/address.h"
#include "daemon/mail/dot_stuffing.h"
#include "daemon/mail/header_rewriter.h"
#include "daemon/mail/masquerade.h"

namespace hikyaku::commands {
namespace {

using mail::Smarthost;

std::string in_brackets(const std::string& address) { return cat("<", printable(address), ">"); }

Result<std::string, std::string> complete(const std::string& address, const config::Settings& settings) {
  auto path = mail::parse_path(address, {.default_domain = settings.domain, .smtputf8 = true});
  if (path) return std::move(path->address);
  return std::unexpected(cat("'", printable(address), "' is no mail address"));
}

const Smarthost& smarthost_named(const config::Settings& settings, const std::string& name) {
  return *std::ranges::find_if(settings.smarthosts,
                               [&](const Smarthost& each) { return equals_ignoring_case(each.name, name); });
}

ExplainedHop hop_of(const Smarthost& smarthost, const SmarthostTroubles& troubles) {
  ExplainedHop hop{.name = smarthost.name, .host = smarthost.host, .port = smarthost.port, .trouble = {}};
  if (!troubles) return hop;
  auto found = troubles->find(smarthost.name);
  hop.trouble = found == troubles->end() ? "" : found->second;
  return hop;
}

std::string describe(const config::RouteSettings& route) {
  const std::string from = mail::to_text(route.from), to = mail::to_text(route.to);
  if (from == "*" && to == "*") return "all mail";
  return cat(from == "*" ? "" : cat("from ", from), from == "*" || to == "*" ? "" : ", ",
             to == "*" ? "" : cat("to ", to));
}

std::string header_of(std::string message) {
  message.resize(std::min(message.find("\r\n\r\n"), message.size()));
  std::erase(message, '\r');
  return message.ends_with('\n') || message.empty() ? message : message + "\n";
}

// The first group with a smarthost that takes mail; if there is none, mail waits for the first.
std::size_t group_that_takes(const std::vector<std::vector<ExplainedHop>>& via) {
  auto takes = [](const ExplainedHop& hop) { return hop.trouble.value_or("").empty(); };
  auto found =
      std::ranges::find_if(via, [&](const auto& group) { return std::ranges::any_of(group, takes); });
  return found == via.end() ? 0 : static_cast<std::size_t>(found - via.begin());
}

// Of a message as it leaves.
std::string signature_of(std::string_view message, const mail::SigningRules& rules,
                         const dkim::KeyRing& keys) {
  if (keys.is_empty()) return {};
  if (!rules.sign) return cat("not signed: ", dkim::to_text(dkim::Unsigned::off, ""));
  dkim::SignedHeader header(dkim::SignedFields(keys.signed_fields(), rules.omit));
  header.feed(message);
  header.finish();
  const auto choice = dkim::choose_signatures(header, keys);
  if (choice.trouble) return cat("not signed: ", dkim::to_text(*choice.trouble, choice.domain));
  std::vector<std::string> names;
  for (const dkim::DomainKey* key : choice.keys)
    names.push_back(cat(key->domain, "/", key->selector, " (", dkim::algorithm(key->key.kind()), ")"));
  return cat("signed as ", join(names, " and "));
}

// What all recipients of one question share.
struct Background {
  const config::Settings& settings;
  const SmarthostTroubles& troubles;
  const dkim::KeyRing& keys;
};

ExplainedRecipient explain_one(const Background& background, const std::string& sender,
                               const mail::Recipient& recipient, const std::string& message) {
  const auto& [settings, troubles, keys] = background;
  ExplainedRecipient explained{.address = recipient.address,
                               .way = way_of(settings, sender, recipient.address, troubles),
                               .commands = {},
                               .signature = {},
                               .header = {}};
  const ExplainedWay& way = explained.way;
  const Smarthost& first = smarthost_named(settings, way.via[way.takes].front().name);
  explained.commands = {cat("MAIL FROM:", in_brackets(mail::sender_as_sent(first.rewrite, sender))),
                        cat("RCPT TO:", in_brackets(recipient.address))};
  const std::string leaves =
      mail::rewritten(message.empty() ? cat("From: ", sender, "\r\n\r\n") : message, first.rewrite);
  explained.signature = signature_of(leaves, first.dkim, keys);
  if (!message.empty()) explained.header = header_of(leaves);
  return explained;
}

std::string text_of(const ExplainedHop& hop) {
  const std::string where = hop.host.empty() ? "the servers of the recipient's domain" : hop.host;
  const std::string state = !hop.trouble           ? ""
                            : hop.trouble->empty() ? ", up"
                                                   : cat(", takes no mail now: ", *hop.trouble);
  return cat(hop.name, " (", where, " port ", std::to_string(hop.port), state, ")");
}

std::string indented(std::string_view lines, std::string_view indent) {
  std::string text;
  for (std::size_t at = 0; at < lines.size();) {
    const std::size_t end = std::min(lines.find('\n', at), lines.size());
    text += cat(indent, still_printable(std::string(lines.substr(at, end - at)), 4096), "\n");
    at = end + 1;
  }
  return text;
}

std::string text_of(const ExplainedWay& way) {
  std::string text = cat("  route ", std::to_string(way.route), " (", way.route_text, ")\n");
  for (std::size_t i = 0; i < way.via.size(); ++i) {
    std::vector<std::string> hops;
    for (const ExplainedHop& hop : way.via[i]) hops.push_back(text_of(hop));
    text += cat(i == way.takes ? "  via  " : "  else ", join(hops, ", or "), "\n");
  }
  return text;
}

std::string text_of(const ExplainedRecipient& recipient) {
  std::string text = cat("to ", in_brackets(recipient.address), "\n", text_of(recipient.way));
  for (const std::string& command : recipient.commands) text += cat("       ", command, "\n");
  if (!recipient.signature.empty()) text += cat("       ", recipient.signature, "\n");
  return text + indented(recipient.header, "       ");
}

JsonObject json_of(const ExplainedWay& way) {
  JsonList via;
  for (const auto& group : way.via) {
    JsonList hops;
    for (const ExplainedHop& hop : group)
      hops.add(JsonObject()
                   .add("name", hop.name)
                   .add("host", hop.host)
                   .add("port", hop.port)
                   .add("trouble", hop.trouble));
    via.add(hops);
  }
  return JsonObject().add("route", way.route).add("via", via).add("takes", way.takes);
}

JsonObject json_of(const ExplainedRecipient& recipient) {
  return JsonObject()
      .add("address", recipient.address)
      .append(json_of(recipient.way))
      .add("commands", JsonList(recipient.commands))
      .add("signature", unless_empty(recipient.signature))
      .add("header", recipient.header);
}

// "<a@example.com>, <b@example.com> and 7 more".
std::string list_of(const std::vector<std::string>& addresses) {
  constexpr std::size_t kMost = 3;
  std::vector<std::string> first;
  for (std::size_t i = 0; i < addresses.size() && i < kMost; ++i) first.push_back(in_brackets(addresses[i]));
  const std::size_t more = addresses.size() - first.size();
  return cat(join(first, ", "), more == 0 ? "" : cat(" and ", std::to_string(more), " more"));
}

}  // namespace

SmarthostTroubles troubles_in(const JsonValue& status) {
  const JsonValue* smarthosts = status.find("smarthosts");
  if (smarthosts == nullptr || smarthosts->list() == nullptr) return std::nullopt;
  std::map<std::string, std::string> troubles;
  for (const JsonValue& smarthost : *smarthosts->list())
    troubles[smarthost.text_of("name")] = smarthost.text_of("why");
  return troubles;
}

ExplainedWay way_of(const config::Settings& settings, const std::string& sender, const std::string& recipient,
                    const SmarthostTroubles& troubles) {
  const auto routes = config::routes_of(settings);
  const std::size_t place = config::route_for(routes, sender, recipient);
  ExplainedWay way{.route = place + 1, .route_text = describe(routes[place]), .via = {}, .takes = 0};
  for (const auto& names : routes[place].via) {
    auto& group = way.via.emplace_back();
    for (const std::string& name : names) group.push_back(hop_of(smarthost_named(settings, name), troubles));
  }
  way.takes = group_that_takes(way.via);
  return way;
}

std::vector<SharedWay> ways_of(const config::Settings& settings, const std::string& sender,
                               const std::vector<std::string>& recipients,
                               const SmarthostTroubles& troubles) {
  std::vector<SharedWay> ways;
  for (const std::string& recipient : recipients) {
    ExplainedWay way = way_of(settings, sender, recipient, troubles);
    auto shared =
        std::ranges::find_if(ways, [&](const SharedWay& each) { return each.way.route == way.route; });
    if (shared == ways.end()) shared = ways.insert(ways.end(), {std::move(way), {}});
    shared->recipients.push_back(recipient);
  }
  return ways;
}

std::string to_text(const std::vector<SharedWay>& ways) {
  std::string text;
  for (const SharedWay& shared : ways)
    text += cat("  ", list_of(shared.recipients), "\n", text_of(shared.way));
  return text;
}

JsonList to_json_list(const std::vector<SharedWay>& ways) {
  JsonList list;
  for (const SharedWay& shared : ways)
    list.add(json_of(shared.way).add("recipients", JsonList(shared.recipients)));
  return list;
}

Result<Explanation, std::string> explain(const config::Settings& settings, const mail::Aliases& aliases,
                                         const ExplainQuestion& question, const SmarthostTroubles& troubles,
                                         const mail::IsUser& is_user, const dkim::KeyRing& keys) {
  Explanation explanation;
  if (!question.from.empty()) {
    auto sender = complete(question.from, settings);
    if (!sender) return std::unexpected(sender.error());
    explanation.sender = mail::Masquerade{settings.masquerade, settings.domain}.apply(std::move(*sender));
  }
  if (!explanation.sender.empty() && !mail::matches_any(settings.senders, explanation.sender))
    explanation.refusal = cat("this sender may not send, only ", mail::to_text(settings.senders));
  std::vector<mail::Recipient> recipients;
  for (const std::string& to : question.to) {
    auto address = complete(to, settings);
    if (!address) return std::unexpected(address.error());
    recipients.push_back(
        {.address = std::move(*address), .notify = {}, .orcpt = {}, .is_bare = to.find('@') == to.npos});
  }
  const mail::AliasRules rules{aliases, settings.domain, settings.hostname, settings.local_mail};
  auto expanded = mail::expand(rules, recipients, is_user);
  explanation.replaced = expanded.replaced;
  const std::string message = mail::canonicalised(question.message);
  for (const mail::Recipient& recipient : expanded.replaced.empty() ? recipients : expanded.recipients)
    explanation.recipients.push_back(
        explain_one({settings, troubles, keys}, explanation.sender, recipient, message));
  return explanation;
}

std::string to_text(const Explanation& explanation) {
  std::string text = cat("from ", in_brackets(explanation.sender), "\n");
  if (!explanation.refusal.empty()) return cat(text, "  refused (550 5.7.1): ", explanation.refusal, "\n");
  for (const std::string& address : explanation.replaced)
    text += cat(in_brackets(address), " is an alias, or a user of this machine; instead:\n");
  for (const ExplainedRecipient& recipient : explanation.recipients) text += text_of(recipient);
  return text;
}

JsonObject to_json_object(const Explanation& explanation) {
  JsonList recipients;
  for (const ExplainedRecipient& recipient : explanation.recipients) recipients.add(json_of(recipient));
  return JsonObject()
      .add("sender", explanation.sender)
      .add("refusal", explanation.refusal)
      .add("replaced", JsonList(explanation.replaced))
      .add("recipients", recipients);
}

}  // namespace hikyaku::commands
