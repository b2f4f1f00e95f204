// SPDX-License-Identifier: MIT
// What the caller of -bs and -bS says: SMTP commands in lines, and the messages between them. Blocks. Owned
// by whoever answers.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/mail/dot_stuffing.h"

namespace hikyaku::sendmail {

class SmtpInput {
 public:
  explicit SmtpInput(int fd) : fd_(fd) {}

  // The next line, without its end. Returns nullopt at the end of input, or if it has no end (is_endless).
  std::optional<std::string> line();
  bool is_endless() const { return is_endless_; }
  // As if the last line had not been read.
  void put_back(std::string_view line);

  // For the message behind the last line, a DATA; the same rule as the daemon's (smtpd/DIALOGUE.md).
  mail::LineMode line_mode() const;
  // The next bytes of a message, canonical; false at the end of input. Ask the decoder for the message's end.
  bool content(mail::DataDecoder& decoder, std::string& out);
  // Up to `most` bytes as they came; empty at the end of input.
  std::string octets(std::size_t most);
  // Whether more is there, or comes within that time; the end of input counts.
  bool comes_within(std::chrono::milliseconds patience) const;

 private:
  bool read_more();
  std::string_view line_end() const { return ends_in_lf_ ? "\n" : "\r\n"; }

  int fd_;
  std::string bytes_;        // read, not yet looked at
  bool ends_in_lf_ = true;   // the last line
  bool spoke_crlf_ = false;  // a line before it did not
  bool is_endless_ = false;
};

// Instead of the reply to a message that broke off: of a batch, nobody would notice else.
inline constexpr std::string_view kInputEnded = "451 4.3.0 The input ended inside a message\r\n";

// Whether a line is DATA, perhaps with an argument that it must not have: a message may come behind it.
bool is_data(std::string_view line);

}  // namespace hikyaku::sendmail
