// SPDX-License-Identifier: MIT
#include "daemon/mail/rewriting.h"

#include <algorithm>

#include "daemon/base/text.h"
#include "daemon/mail/address.h"

namespace hikyaku::mail {
bool Rewriting::changes_header() const {
  return !header_from.empty() || !add.empty() || !remove.empty() || is_received_private;
}

const std::string& sender_as_sent(const Rewriting& rules, const std::string& sender) {
  const std::string& other = sender.empty() ? rules.null_sender : rules.envelope_from;
  return other.empty() || matches_any(rules.unless, sender) ? sender : other;
}

bool is_field_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) { return c > ' ' && c < 0x7f && c != ':'; });
}

std::string fingerprint(const Rewriting& rules) {
  if (rules == Rewriting{}) return {};
  std::string text =
      cat(rules.envelope_from, "\n", rules.header_from, "\n", rules.null_sender, "\n",
          std::to_string(static_cast<int>(rules.keep_original)), rules.is_received_private ? "p" : "f", "\n",
          to_text(rules.unless), "\n", join(rules.remove, " "), "\n");
  for (const HeaderField& field : rules.add) text += cat(field.name, ":", field.value, "\n");
  return text;
}

}  // namespace hikyaku::mail
