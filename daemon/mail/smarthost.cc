// SPDX-License-Identifier: MIT
#include "daemon/mail/smarthost.h"

#include <algorithm>
#include <utility>

#include "daemon/base/text.h"

namespace hikyaku::mail {
namespace {

constexpr std::string_view kRecipients = " recipients";

std::string_view words_for(TlsMode mode) {
  switch (mode) {
    case TlsMode::none: return "no TLS";
    case TlsMode::opportunistic: return "STARTTLS where offered";
    case TlsMode::starttls: return "STARTTLS required";
    case TlsMode::implicit: return "implicit TLS";
  }
  std::unreachable();
}

std::string forced_addresses(const Rewriting& rules) {
  if (!rules.envelope_from.empty() && rules.envelope_from == rules.header_from)
    return cat(", mail leaves as ", rules.header_from);
  std::string text;
  if (!rules.envelope_from.empty()) text += cat(", sender ", rules.envelope_from);
  if (!rules.header_from.empty()) text += cat(", From ", rules.header_from);
  return text;
}

}  // namespace

Duration length(RateUnit unit) {
  static constexpr std::array<Duration, 4> kLengths{1s, 1min, 1h, 24h};
  return kLengths[static_cast<std::size_t>(unit)];
}

std::optional<Rate> parse_rate(std::string_view text) {
  const std::size_t slash = std::min(text.find('/'), text.size());
  std::string_view number = text.substr(0, slash);
  const bool is_of_recipients = number.ends_with(kRecipients);
  if (is_of_recipients) number.remove_suffix(kRecipients.size());
  auto count = parse_number(number);
  if (!count || *count == 0 || *count > kMaxRate || slash == text.size()) return std::nullopt;
  const auto unit = std::ranges::find(kRateUnits, text.substr(slash + 1));
  if (unit == kRateUnits.end()) return std::nullopt;
  return Rate{static_cast<std::uint32_t>(*count), static_cast<RateUnit>(unit - kRateUnits.begin()),
              is_of_recipients ? RateOf::recipients : RateOf::messages};
}

std::string to_text(const Rate& rate) {
  return cat(std::to_string(rate.count), rate.of == RateOf::recipients ? kRecipients : "", "/",
             kRateUnits[static_cast<std::size_t>(rate.unit)]);
}

std::string account_of(const Smarthost& smarthost) {
  if (smarthost.oauth) return smarthost.user;
  return smarthost.credentials ? smarthost.credentials->user : "";
}

std::string describe(const Smarthost& smarthost) {
  const std::string where = smarthost.direct ? "each recipient's own servers," : smarthost.host;
  std::string text = cat(smarthost.name, ": ", where, smarthost.lookup_mx ? " (by its MX records)" : "",
                         " port ", std::to_string(smarthost.port), ", ", words_for(smarthost.tls.mode));
  for (const Rate& rate : smarthost.rates) text += cat(", at most ", to_text(rate));
  text += forced_addresses(smarthost.rewrite);
  if (smarthost.oauth) return cat(text, ", logs in as ", smarthost.user, " with OAuth2");
  if (smarthost.auth && smarthost.credentials)
    return cat(text, ", logs in as ", smarthost.credentials->user, " (", smarthost.credentials->origin, ")");
  if (smarthost.direct) return text;
  return cat(text, smarthost.auth ? ", no credentials: no log-in" : ", no log-in");
}

}  // namespace hikyaku::mail
