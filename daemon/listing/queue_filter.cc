// SPDX-License-Identifier: MIT
#include "daemon/listing/queue_filter.h"

#include <fnmatch.h>
#include <string.h>

#include <algorithm>

#include "daemon/base/bytes.h"
#include "daemon/base/text.h"

namespace hikyaku::listing {
namespace {

bool fits(const std::string& pattern, const std::string& address) {
  std::string_view bare = pattern;
  if (bare.starts_with('<') && bare.ends_with('>')) bare = bare.substr(1, bare.size() - 2);
  return ::fnmatch(std::string(bare).c_str(), address.c_str(), FNM_CASEFOLD) == 0;
}

bool has_part(const std::string& text, const std::string& part) {
  return ::strcasestr(text.c_str(), part.c_str()) != nullptr;
}

}  // namespace

bool QueueFilter::matches(const spool::ViewedMail& mail, const mail::RouteState& route,
                          bool is_operator) const {
  const mail::Envelope& envelope = mail.mail.envelope;
  if (from && !fits(*from, envelope.sender)) return false;
  auto is_asked_for = [&](const mail::Recipient& recipient) { return fits(*to, recipient.address); };
  if (to && std::ranges::none_of(envelope.recipients, is_asked_for)) return false;
  return judge(brief_of(mail), route, is_operator).value_or(true);
}

std::optional<bool> QueueFilter::judge(const MailBrief& mail, const mail::RouteState& route,
                                       bool is_operator) const {
  if (arrived_before && mail.arrival >= *arrived_before) return false;
  if (smarthost && !equals_ignoring_case(*smarthost, mail.reason->smarthost)) return false;
  if (state || reason) {
    const mail::MailState now = state_of(mail, route, is_operator);
    if (state && *state != now.state) return false;
    const bool is_its_own = now.reason == mail.reason->text;
    if (reason && !has_part(is_its_own ? now.reason : mail::common_reason(now.reason), *reason)) return false;
  }
  return from || to ? std::nullopt : std::optional(true);
}

bool is_filter(std::string_view name) {
  return std::ranges::find(kFilterNames, name) != std::end(kFilterNames);
}

Result<void, std::string> set_filter(QueueFilter& filter, std::string_view name, const std::string& value,
                                     WallTime now) {
  if (name == "from") filter.from = value;
  if (name == "to") filter.to = value;
  if (name == "smarthost") filter.smarthost = value;
  if (name == "reason") filter.reason = value;
  if (name == "state") {
    filter.state = mail::parse_queue_state(value);
    if (!filter.state) return std::unexpected("state must be active, deferred (or waiting) or held");
  }
  if (name == "older_than") {
    const auto age = parse_duration(value);
    if (!age) return std::unexpected("older_than must be a duration: 30m, 4h, 5d");
    filter.arrived_before = std::chrono::floor<std::chrono::seconds>(now - *age);
  }
  return {};
}

}  // namespace hikyaku::listing
