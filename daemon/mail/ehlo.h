// SPDX-License-Identifier: MIT
// What a smarthost can do, as its reply to EHLO says (RFC 5321 4.1.1.1). Keywords we do not know are ignored,
// so are malformed ones. Forget it all after STARTTLS (RFC 3207 4.2). Pure; the reply is bounded, so is this.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/mail/smtp_reply.h"

namespace hikyaku::mail {

struct Capabilities {
  std::string name;  // how it calls itself, made printable; for the log
  bool pipelining = false;
  bool eight_bit_mime = false;
  bool smtputf8 = false;
  bool enhanced_status_codes = false;
  bool chunking = false;
  bool dsn = false;
  bool starttls = false;
  bool size = false;           // the SIZE parameter of MAIL may be used
  std::uint64_t max_size = 0;  // bytes; 0: it set no limit
  // `AUTH X Y` and the older `AUTH=X Y`, united, upper case, each once, in its order; also those nobody
  // knows.
  std::vector<std::string> mechanisms;

  bool offers(std::string_view mechanism) const;  // upper case
  bool operator==(const Capabilities&) const = default;
};

// Of a 2yz reply to EHLO. After HELO: Capabilities{}.
Capabilities parse_ehlo(const Reply& reply);

}  // namespace hikyaku::mail
