// SPDX-License-Identifier: MIT
#include "daemon/config/schema.h"

#include "daemon/base/text.h"

namespace hikyaku::config {
namespace {

// Words that people bring along from other programs, and what stands for them here.
std::string_view advice_for(std::string_view key) {
  static constexpr std::string_view kTls =
      "there is no such key: write `tls: implicit` (465) or `tls: starttls` (587), and the port, if it is "
      "another, "
      "in `port`";
  static constexpr std::string_view kPassword =
      "passwords do not belong in this file, which others may read: put them into the authinfo file, as "
      "`machine "
      "HOST login USER password PASSWORD`";
  static constexpr std::string_view kSmarthost =
      "there is no such key: write `smarthost: smtps://HOST` or `smarthost: submission://HOST`";
  static constexpr std::pair<std::string_view, std::string_view> kAdvice[] = {
      {"ssl", kTls},
      {"starttls", kTls},
      {"smtp_tls", kTls},
      {"enable_starttls_auto", kTls},
      {"secure", kTls},
      {"password", kPassword},
      {"pass", kPassword},
      {"secret", kPassword},
      {"relayhost", kSmarthost},
      {"smart_host", kSmarthost},
      {"smtp_server", kSmarthost},
      {"relay", kSmarthost},
      {"helo", "there is no such key: the name in EHLO is `hostname`"},
      {"ehlo", "there is no such key: the name in EHLO is `hostname`"},
      {"username",
       "there is no such key: it is `user`, and only needed to choose between entries of authinfo"},
      {"mynetworks", "there is no such key: who may send is `allow`"},
  };
  for (const auto& [word, advice] : kAdvice)
    if (equals_ignoring_case(key, word)) return advice;
  return {};
}

}  // namespace

void report_unknown_key(const Value::Member& member, const std::vector<std::string>& known) {
  auto meant = nearest(member.name, known);
  std::string_view advice = advice_for(member.name);
  if (!advice.empty()) {
    member.key.problem(std::string(advice));
  } else if (meant) {
    member.key.problem(cat("unknown key; did you mean `", *meant, "`?"));
  } else {
    member.key.problem(cat("unknown key; there are ", join(known, ", ")));
  }
}

bool is_map_or_empty(const Value& value) {
  if (value.is_map()) return true;
  if (!value.is_null()) value.problem("must be a mapping, with a line `key: value` for each");
  return false;
}

}  // namespace hikyaku::config
