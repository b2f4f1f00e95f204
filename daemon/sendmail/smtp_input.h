// SPDX-License-Identifier: MIT
// The input of -bs and -bS: lines of SMTP commands, and the messages between them. Blocks.
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
  // Undoes the last line().
  void put_back(std::string_view line);

  // The mode of the message after the last line, which was DATA; the daemon's rule (smtpd/DIALOGUE.md).
  mail::LineMode line_mode() const;
  // Appends the next bytes of a message, canonical; returns false at the end of input. The decoder knows
  // whether the message has ended.
  bool content(mail::DataDecoder& decoder, std::string& out);
  // Up to `most` raw bytes; empty at the end of input.
  std::string octets(std::size_t most);
  // Whether more input, or its end, arrives within that time.
  bool comes_within(std::chrono::milliseconds timeout) const;

 private:
  bool read_more();
  std::string_view line_end() const { return ends_in_lf_ ? "\n" : "\r\n"; }

  int fd_;
  std::string bytes_;        // read but not consumed
  bool ends_in_lf_ = true;   // the last line
  bool spoke_crlf_ = false;  // an earlier line ended in CR LF
  bool is_endless_ = false;
};

// The reply to a message that broke off; in a batch nobody would notice otherwise.
inline constexpr std::string_view kInputEnded = "451 4.3.0 The input ended inside a message\r\n";

// Whether a line is DATA, possibly with an argument (which is wrong): a message may follow it.
bool is_data(std::string_view line);

}  // namespace hikyaku::sendmail
