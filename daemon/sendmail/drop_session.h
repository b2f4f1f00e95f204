// SPDX-License-Identifier: MIT
// -bs and -bS while the daemon is down: a minimal SMTP server that stores each mail in the drop directory.
// Wrong syntax, size and NUL are refused at once; the daemon applies its own rules when it fetches the mail.
// The message after a refused DATA is discarded, because its lines must not become commands.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "daemon/mail/dot_stuffing.h"
#include "daemon/mail/smtp_command.h"
#include "daemon/sendmail/daemon_info.h"
#include "daemon/sendmail/drop.h"
#include "daemon/sendmail/smtp_input.h"
#include "daemon/sendmail/smtp_pipe.h"

namespace hikyaku::sendmail {

class DropSession {
 public:
  // How the caller sends commands.
  struct Manner {
    bool is_batch = false;  // nobody reads the replies, and a message follows every DATA
    // After a refused DATA: the time during which no content may arrive before the next 354 is sent.
    std::chrono::milliseconds unasked = std::chrono::seconds(1);
  };

  DropSession(const DaemonInfo& info, const DropDirectory& drop, int in, TakeOutput out, Manner manner)
      : info_(info), drop_(drop), input_(in), out_(std::move(out)), manner_(manner) {}

  // Serves until QUIT or the end of input.
  Exit run();

 private:
  void obey(std::string_view line);
  void obey(const mail::command::Ehlo& command);
  void begin(const mail::command::Mail& command, std::string_view line);
  void add_recipient(std::string_view line);
  void take_data();
  void take_content(mail::DataDecoder& decoder, Draft& draft);
  void keep(std::string_view content, Draft& draft);
  void finish(const mail::DataDecoder& decoder, Draft& draft);
  void refuse_data(std::string_view reply);
  void refuse(std::string_view line, const mail::CommandError& error);
  void swallow_message();
  void clear();
  void say(std::string_view reply);

  const DaemonInfo& info_;
  const DropDirectory& drop_;
  SmtpInput input_;
  TakeOutput out_;
  Manner manner_;
  std::string commands_;  // MAIL and RCPT as received, each with CR LF
  std::size_t recipients_ = 0;
  std::uint64_t size_ = 0;  // of the content
  Result<void, Failure> stored_;
  bool smtputf8_ = false;
  bool behind_refused_data_ = false;  // until the caller has waited for a 354
  bool ended_ = false;
};

}  // namespace hikyaku::sendmail
