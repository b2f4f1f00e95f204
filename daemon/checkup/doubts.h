// SPDX-License-Identifier: MIT
// What works at a smarthost today and may not tomorrow, or is probably not meant: found by a connection to it, where
// config/warnings.h finds what the file alone shows. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/io/stream.h"
#include "daemon/mail/smarthost.h"
#include "daemon/mail/smtp_reply.h"

namespace hikyaku::checkup {

// What a connection has shown.
struct Seen {
  const mail::Smarthost& smarthost;
  mail::Capabilities offered{};
  std::optional<io::TlsInfo> tls{};  // nullopt: clear text
  std::string greeting{};            // without its code
  std::string sender{};              // as it is said in MAIL; empty: it did not come to that
  std::uint64_t max_size = 0;        // of the configuration, bytes
  WallTime now{};
};

// Each a sentence that says what to change.
std::vector<std::string> doubts(const Seen& seen);

// The date that many servers have in their greeting: "Sun, 29 Nov 2026 18:25:26 +0100". nullopt: none is there.
std::optional<WallTime> date_in(std::string_view greeting);

}  // namespace hikyaku::checkup
