// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <set>
#include <tuple>
#include <vector>

#include "daemon/base/json.h"
#include "daemon/base/text.h"
#include "daemon/listing/queue_listing.h"
#include "daemon/listing/queue_overview.h"

namespace hikyaku::listing {
namespace {

constexpr std::array<std::string_view, 5> kGroupNames = {"domain", "age", "reason", "sender", "smarthost"};
constexpr std::size_t kCountWidth = 8;

struct AgeRow {
  Duration below;
  std::string_view name;
};
// In their order, which is also that of the names' first characters.
constexpr std::array kAges = {AgeRow{5min, "1 below 5 min"}, AgeRow{1h, "2 below 1 h"},
                              AgeRow{4h, "3 below 4 h"}, AgeRow{24h, "4 below 1 d"},
                              AgeRow{5 * 24h, "5 below 5 d"}};

std::string age_of(Duration age) {
  for (const AgeRow& row : kAges)
    if (age < row.below) return std::string(row.name);
  return "6 older";
}

std::set<std::string> pending_domains(const mail::QueuedMail& mail) {
  std::set<std::string> domains;
  for (std::size_t i = 0; i < mail.envelope.recipients.size(); ++i) {
    const std::string& address = mail.envelope.recipients[i].address;
    if (mail.progress.is_pending(i)) domains.insert(to_lower(address.substr(address.rfind('@') + 1)));
  }
  return domains;
}

std::string reason_of(const mail::MailState& state) {
  if (!state.reason.empty()) return state.reason;
  return state.state == mail::QueueState::active ? "being sent, or next" : "none";
}

}  // namespace

std::optional<GroupBy> parse_group_by(std::string_view name) {
  auto found = std::ranges::find(kGroupNames, name);
  if (found == kGroupNames.end()) return std::nullopt;
  return static_cast<GroupBy>(found - kGroupNames.begin());
}

void QueueGroups::add(const MailBrief& mail, const mail::MailState& state, WallTime now) {
  switch (by_) {
    case GroupBy::age:
      ++counts_[age_of(std::chrono::floor<std::chrono::seconds>(now) - mail.arrival)];
      return;
    case GroupBy::reason: ++counts_[reason_of(state)]; return;
    case GroupBy::smarthost:
      ++counts_[mail.reason->smarthost.empty() ? "none yet" : mail.reason->smarthost];
      return;
    case GroupBy::domain:
    case GroupBy::sender: return;
  }
}

void QueueGroups::add(const spool::ViewedMail& viewed) {
  if (by_ == GroupBy::sender) ++counts_[viewed.mail.envelope.sender];
  if (by_ == GroupBy::domain)
    for (const std::string& domain : pending_domains(viewed.mail)) ++counts_[domain];
}

QueueGroups::Groups QueueGroups::shown() const {
  Groups groups;
  for (const auto& [what, mails] : counts_)
    groups[by_ == GroupBy::reason   ? listing::shown(mail::common_reason(what))
           : by_ == GroupBy::sender ? shown_address(what)
                                    : printable(what, 255)] += mails;
  return groups;
}

std::string QueueGroups::text() const {
  const Groups groups = shown();
  std::vector<std::pair<std::string, std::size_t>> sorted(groups.begin(), groups.end());
  if (by_ != GroupBy::age)
    std::ranges::sort(sorted, [](const auto& a, const auto& b) {
      return std::tie(b.second, a.first) < std::tie(a.second, b.first);
    });
  std::string text;
  for (const auto& [what, mails] : sorted) {
    const std::string count = std::to_string(mails);
    text += cat(std::string(kCountWidth - std::min(kCountWidth, count.size()), ' '), count, "  ",
                by_ == GroupBy::age ? what.substr(2) : what, "\n");
  }
  return text;
}

std::string QueueGroups::json() const {
  JsonList groups;
  for (const auto& [what, mails] : shown())
    groups.add(JsonObject().add("what", by_ == GroupBy::age ? what.substr(2) : what).add("mails", mails));
  return JsonObject().add("by", kGroupNames[static_cast<std::size_t>(by_)]).add("groups", groups).text();
}

}  // namespace hikyaku::listing
