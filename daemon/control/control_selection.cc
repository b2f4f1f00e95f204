// SPDX-License-Identifier: MIT
#include "daemon/control/control_selection.h"

#include <algorithm>
#include <utility>

#include "daemon/base/json_value.h"
#include "daemon/base/text.h"

namespace hikyaku::control {
namespace {

constexpr std::size_t kMostIds = 1000;
constexpr std::size_t kPortion = 500;

using ParsedSelection = Result<Selection, std::string>;
constexpr const char* kForms =
    R"(must be {"ids":[...]}, {"all":true}, or filters: "recipient_domain", "state", "from", "to",)"
    R"( "smarthost", "reason", "older_than")";

ParsedSelection parse_ids(const JsonValue& value) {
  if (value.list() == nullptr) return std::unexpected("ids must be a list of mail IDs");
  if (value.list()->size() > kMostIds)
    return std::unexpected(cat("at most ", std::to_string(kMostIds), " ids at a time"));
  std::vector<mail::MailId> ids;
  for (const JsonValue& element : *value.list()) {
    auto id = element.text() != nullptr ? mail::parse_mail_id(*element.text()) : std::nullopt;
    if (!id) return std::unexpected("ids must be mail IDs, as strings");
    ids.push_back(*id);
  }
  std::ranges::sort(ids);
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

ParsedSelection parse_filters(const JsonValue::Members& members, WallTime now) {
  Fitting fitting;
  for (const auto& [name, value] : members) {
    const bool is_known = listing::is_filter(name) || name == "recipient_domain";
    if (value.text() == nullptr || !is_known)
      return std::unexpected(cat(printable(name), ": the body ", kForms));
    if (name == "recipient_domain")
      fitting.recipient_domain = *value.text();
    else if (auto set = listing::set_filter(fitting.filter, name, *value.text(), now); !set)
      return std::unexpected(set.error());
  }
  return fitting;
}

bool has_domain(std::string_view address, std::string_view domain) {
  std::size_t at = address.rfind('@');
  return at != address.npos && equals_ignoring_case(address.substr(at + 1), domain);
}

}  // namespace

bool Fitting::matches(const spool::ViewedMail& mail, const mail::RouteState& route, bool is_operator) const {
  if (!filter.matches(mail, route, is_operator)) return false;
  if (!recipient_domain) return true;
  const auto& recipients = mail.mail.envelope.recipients;
  for (std::size_t i = 0; i < recipients.size(); ++i)
    if (mail.mail.progress.recipients[i].state == mail::RecipientState::pending &&
        has_domain(recipients[i].address, *recipient_domain))
      return true;
  return false;
}

ParsedSelection parse_selection(std::string_view body, WallTime now) {
  auto value = parse_json(body);
  if (!value) return std::unexpected(cat("the body is not JSON: ", value.error()));
  const JsonValue::Members* members = value->members();
  if (members == nullptr || members->empty()) return std::unexpected(cat("the body ", kForms));
  const auto& [name, first] = members->front();
  if (members->size() == 1 && name == "ids") return parse_ids(first);
  if (members->size() == 1 && name == "all" && first.boolean() == true) return Everything{};
  return parse_filters(*members, now);
}

JsonList to_list(const std::vector<mail::MailId>& ids) {
  JsonList texts;
  for (mail::MailId id : ids) texts.add(to_text(id));
  return texts;
}

JsonList to_list(const std::vector<mail::Decided>& refused) {
  JsonList list;
  for (const mail::Decided& each : refused)
    list.add(JsonObject().add("id", to_text(each.id)).add("error", each.why));
  return list;
}

Result<std::size_t, StartError> for_all_fitting(const ControlRequest& request, listing::QueueReader& reader,
                                                Instant begin, const Wanted& wanted, const UsePortion& use) {
  std::size_t count = 0;
  std::optional<mail::MailId> next = mail::MailId{};
  while (next && request.is_wanted()) {
    auto page = reader.page(*next, kPortion, wanted, begin);
    if (!page) return std::unexpected(page.error());
    std::vector<mail::MailId> ids;
    for (const spool::ViewedMail& mail : page->mails) ids.push_back(mail.mail.id);
    count += ids.size();
    next = page->next;
    if (!ids.empty() && !use(std::move(ids))) break;
  }
  return count;
}

}  // namespace hikyaku::control
