// SPDX-License-Identifier: MIT
// A smarthost's keys as they were written, each checked by itself, before the defaults that depend on one
// another are chosen and contradictions are found (read_smarthost.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/config/schema.h"
#include "daemon/config/smarthost_url.h"
#include "daemon/mail/smarthost.h"

namespace hikyaku::config {

struct SmarthostDraft {
  mail::Smarthost smarthost;  // what depends on nothing else
  bool has_target = false;    // `url` or `host` was written, if perhaps wrongly
  std::optional<SmarthostUrl> url;
  std::optional<std::string> host;
  std::optional<std::uint16_t> port;
  std::optional<mail::TlsMode> mode;
};

inline constexpr std::string_view kTlsModes = "implicit, starttls, opportunistic, none";

void read_url(const Value& value, SmarthostDraft& draft);
// Every key of a smarthost.
const Schema<SmarthostDraft>& smarthost_schema();

}  // namespace hikyaku::config
