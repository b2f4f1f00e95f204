// SPDX-License-Identifier: MIT
// -bs while the daemon is down: enough of an SMTP server to leave each mail in the drop directory. What the
// daemon would refuse by its own rules it refuses when it fetches the mail; syntax, size and NUL are told at
// once.
#pragma once

#include <string>
#include <string_view>

#include "daemon/mail/data_decoder.h"
#include "daemon/mail/smtp_command.h"
#include "daemon/sendmail/drop.h"
#include "daemon/sendmail/places.h"
#include "daemon/sendmail/smtp_pipe.h"

namespace hikyaku::sendmail {

class DropSession {
 public:
  DropSession(const Places& places, const DropDirectory& drop, int in, TakeOutput out)
      : places_(places), drop_(drop), in_(in), out_(std::move(out)) {}

  // Until QUIT or the end of input.
  Exit run();

 private:
  bool read_line(std::string& line, bool& ends_in_lf);
  bool read_more();
  void obey(std::string_view line, bool ends_in_lf);
  void obey(const mail::command::Ehlo& command);
  void begin(const mail::command::Mail& command, std::string_view line);
  void add_recipient(std::string_view line);
  void take_data(bool ends_in_lf);
  bool take_content(mail::DataDecoder& decoder, Draft& draft);
  void finish(const mail::DataDecoder& decoder, Draft& draft);
  void clear();
  void say(std::string_view reply);
  void say(const mail::CommandError& error);

  const Places& places_;
  const DropDirectory& drop_;
  int in_;
  TakeOutput out_;
  std::string input_;     // read, not yet looked at
  std::string commands_;  // MAIL and RCPT as they came, each with CR LF
  std::size_t recipients_ = 0;
  std::uint64_t size_ = 0;  // of the content
  Result<void, Failure> stored_;
  bool smtputf8_ = false;
  bool ended_ = false;
};

}  // namespace hikyaku::sendmail
