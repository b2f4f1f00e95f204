// SPDX-License-Identifier: MIT
#include "daemon/checkup/doubts.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "daemon/base/bytes.h"
#include "daemon/base/text.h"
#include "daemon/checkup/certificate_text.h"

namespace hikyaku::checkup {
namespace {

using mail::Smarthost;
using mail::TlsMode;
using Doubt = std::optional<std::string>;

constexpr Duration kClockMayDiffer = 10min;

Doubt certificate_ends_soon(const Seen& seen) {
  if (!seen.tls || !seen.tls->certificate) return std::nullopt;
  const ChainLink* link = link_that_ends_soon(*seen.tls->certificate, seen.now);
  if (link == nullptr) return std::nullopt;
  const bool is_own = link == &seen.tls->certificate->chain.front();
  return cat(is_own ? "its certificate"
                    : cat("a certificate of its chain, that of ", printable(link->subject, 200), ","),
             " is valid until ", to_rfc3339(*link->not_after),
             " only: if its operator does not renew it by then, mail waits");
}

Doubt sent_in_clear(const Seen& seen) {
  if (seen.tls || seen.smarthost.tls.mode != TlsMode::opportunistic) return std::nullopt;
  return "it offers no TLS, so mail leaves unencrypted: with `tls: starttls` it would wait instead";
}

Doubt unverified(const Seen& seen) {
  const mail::TlsSettings& tls = seen.smarthost.tls;
  if (!seen.tls || tls.verify || !tls.fingerprint.empty() || seen.smarthost.direct) return std::nullopt;
  if (!seen.tls->fault)
    return "its certificate can be verified, so `tls_verify: false` is not needed: remove that line";
  return cat("its certificate ", words_for_fault(*seen.tls->fault),
             ", and only `tls_verify: false` lets it pass: pin it instead, with `tls_fingerprint: \"",
             seen.tls->fingerprint, "\"`");
}

Doubt takes_less(const Seen& seen) {
  const std::uint64_t limit = seen.offered.max_size;
  if (!seen.offered.size || limit == 0 || limit >= seen.max_size) return std::nullopt;
  return cat("it takes messages of at most ", std::to_string(limit), " bytes (SIZE), but `max_size` is ",
             to_text(ByteSize{seen.max_size}),
             ": what is larger is accepted here and returned to its sender; set `message: {max_size: ",
             to_text(ByteSize{limit}), "}`");
}

// Where `from` is set it is what the operator wants.
Doubt sender_is_not_the_accounts(const Seen& seen) {
  const Smarthost& smarthost = seen.smarthost;
  if (!smarthost.auth || mail::account_of(smarthost).empty() || !smarthost.rewrite.envelope_from.empty())
    return std::nullopt;
  const std::string user = mail::account_of(smarthost);
  if (seen.sender.empty() || user.find('@') == user.npos || equals_ignoring_case(user, seen.sender))
    return std::nullopt;
  return cat(
      "mail leaves as <", printable(seen.sender), ">, and the account is ", printable(user),
      ": many providers refuse other senders, or put their mail into the junk folder; then set `from: ",
      printable(user), "` for it");
}

Doubt clock_differs(const Seen& seen) {
  const auto theirs = date_in(seen.greeting);
  if (!theirs) return std::nullopt;
  const Duration off = *theirs - seen.now;
  if (off < kClockMayDiffer && off > -kClockMayDiffer) return std::nullopt;
  return cat(
      "its clock says ", to_rfc3339(*theirs), ", this machine's ", to_rfc3339(seen.now),
      ": if this machine's is wrong, certificates seem invalid and mail carries a wrong date; have it set by "
      "the network (systemd-timesyncd or chrony)");
}

constexpr Doubt (*kRules[])(const Seen&) = {certificate_ends_soon,      sent_in_clear, unverified, takes_less,
                                            sender_is_not_the_accounts, clock_differs};

// ---- dates

constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::optional<unsigned> number_up_to(std::string_view text, unsigned most) {
  const auto number = parse_number(text);
  return number && *number <= most ? std::optional(static_cast<unsigned>(*number)) : std::nullopt;
}

// "18:25:26"
std::optional<std::chrono::seconds> time_of_day(std::string_view text) {
  const auto parts = split(text, ':');
  if (parts.size() != 3) return std::nullopt;
  const auto hours = number_up_to(parts[0], 23), minutes = number_up_to(parts[1], 59),
             seconds = number_up_to(parts[2], 60);
  if (!hours || !minutes || !seconds) return std::nullopt;
  return std::chrono::hours(*hours) + std::chrono::minutes(*minutes) + std::chrono::seconds(*seconds);
}

// "+0100"
std::optional<std::chrono::seconds> zone(std::string_view text) {
  if (text == "GMT" || text == "UTC") return std::chrono::seconds(0);
  if (text.size() != 5 || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const auto hours = number_up_to(text.substr(1, 2), 14), minutes = number_up_to(text.substr(3), 59);
  if (!hours || !minutes) return std::nullopt;
  const std::chrono::seconds east = std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
  return text[0] == '+' ? east : -east;
}

// "29 Nov 2026"
std::optional<std::chrono::sys_days> day(std::string_view day, std::string_view month,
                                         std::string_view year) {
  const auto in_month = number_up_to(day, 31), in_era = number_up_to(year, 9999);
  const auto name = std::ranges::find(kMonths, month);
  if (!in_month || !in_era || *in_era < 1970 || name == kMonths.end()) return std::nullopt;
  const std::chrono::year_month_day date(
      std::chrono::year(static_cast<int>(*in_era)),
      std::chrono::month(static_cast<unsigned>(name - kMonths.begin()) + 1), std::chrono::day(*in_month));
  return date.ok() ? std::optional(std::chrono::sys_days(date)) : std::nullopt;
}

}  // namespace

std::vector<std::string> doubts(const Seen& seen) {
  std::vector<std::string> found;
  for (const auto& rule : kRules)
    if (Doubt doubt = rule(seen)) found.push_back(std::move(*doubt));
  return found;
}

std::optional<WallTime> date_in(std::string_view greeting) {
  const auto all = words(greeting);
  for (std::size_t i = 0; i + 5 <= all.size(); ++i) {
    const auto date = day(all[i], all[i + 1], all[i + 2]);
    const auto time = time_of_day(all[i + 3]), east = zone(all[i + 4]);
    if (date && time && east) return WallTime(*date) + *time - *east;
  }
  return std::nullopt;
}

}  // namespace hikyaku::checkup
