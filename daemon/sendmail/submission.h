// SPDX-License-Identifier: MIT
// Submits a mail to the daemon over SMTP. All or nothing: if one recipient is refused permanently, the whole
// mail is refused before any content is sent.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "daemon/mail/smtp_reply.h"
#include "daemon/sendmail/content.h"
#include "daemon/sendmail/dialogue.h"
#include "daemon/sendmail/message.h"
#include "daemon/sendmail/process_hygiene.h"

namespace hikyaku::sendmail {

struct Refusal {
  // No other way would accept the mail either: it is at fault, or the disk is full. Otherwise the daemon is
  // absent, stopping, or the connection was lost; if lost after the last byte, the daemon may have stored the
  // mail.
  bool is_final = false;
  Failure failure;
};

struct Taken {
  std::size_t recipients = 0;  // the number accepted, from the first on; the others need another mail
  std::string id;              // the daemon's id of the mail; empty if the reply had none
};

class Submission {
 public:
  // Greets the server; `fd` is connected.
  static Result<Submission, Refusal> begin(Fd fd, Dialogue::Watch watch);
  // Call once for each mail. Sets `signal_block` before the last bytes, after which the daemon may store the
  // mail; the caller releases it, because only the caller knows the final exit code. If this succeeds, the
  // content has been read to its end.
  Result<Taken, Refusal> send(const Envelope& envelope, std::span<const Address> recipients, Content& content,
                              std::optional<SignalBlock>& signal_block);
  // Sends QUIT and does not wait.
  void end();

 private:
  explicit Submission(Dialogue dialogue) : dialogue_(std::move(dialogue)) {}

  Result<void, Refusal> greet();
  Result<void, Refusal> begin_mail(const Envelope& envelope, const Content& content);
  Result<std::size_t, Refusal> name_recipients(const Envelope& envelope, std::span<const Address> recipients);
  struct Named {
    std::size_t accepted = 0;
    bool enough = false;
  };
  Result<void, Refusal> name_some(const Envelope& envelope, std::span<const Address> recipients,
                                  Named& named);
  Result<mail::Reply, Refusal> send_chunks(Content& content, std::optional<SignalBlock>& signal_block);
  Result<mail::Reply, Refusal> send_last_chunk(Content& content, std::uint64_t size,
                                               std::optional<SignalBlock>& signal_block);
  Result<mail::Reply, Refusal> send_data(Content& content, std::optional<SignalBlock>& signal_block);
  Result<mail::Reply, Refusal> ask(std::string_view line);
  Result<mail::Reply, Refusal> reply(Timeout timeout);
  Result<void, Refusal> send_bytes(std::string_view bytes);

  Dialogue dialogue_;
  mail::Capabilities can_;
};

}  // namespace hikyaku::sendmail
