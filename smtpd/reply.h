// SPDX-License-Identifier: MIT
// A reply as a plain value, and its form on the wire (RFC 5321 4.2, RFC 2034). Texts are ours alone: no byte
// that a client sent may ever stand in one, so that nobody can make us say something to a third party. Pure.
#pragma once

#include <string>
#include <vector>

#include "daemon/mail/smtp_reply.h"

namespace hikyaku::smtpd {

struct Reply {
  int code = 0;
  mail::EnhancedStatus status;  // class 0: none (greeting, EHLO, 3yz)
  std::vector<std::string> lines;

  Reply() = default;
  Reply(int reply_code, mail::EnhancedStatus enhanced, std::string text)
      : code(reply_code), status(enhanced), lines{std::move(text)} {}

  bool is_positive() const { return code < 400; }
  bool is_permanent() const { return code >= 500; }
  bool ends_session() const { return code == 221 || code == 421; }
  bool operator==(const Reply&) const = default;
};

// All lines with their CR LF; each carries code and enhanced status.
std::string to_wire(const Reply& reply);
// "550 5.1.1 no such user" with lines joined by " / ", for the log.
std::string to_text(const Reply& reply);

}  // namespace hikyaku::smtpd
