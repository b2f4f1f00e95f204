// SPDX-License-Identifier: MIT
// Handing a mail to the daemon over SMTP. All or nothing: a recipient that is refused for good costs the
// whole mail, before any content is sent.
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
  // The mail will not be taken on another way either: its fault, or the disk is full. Otherwise the daemon is
  // not there, is going, or was lost; was it lost behind the last byte, it may have stored the mail.
  bool is_final = false;
  Failure failure;
};

struct Taken {
  std::size_t recipients = 0;  // of those asked for, the first so many: the others are for another mail
  std::string id;              // as the daemon calls the mail; empty if it did not say
};

class Submission {
 public:
  // Greets; `fd` is connected.
  static Result<Submission, Refusal> begin(Fd fd, Dialogue::Watch watch);
  // Once for each mail. `signal_block` is filled before the last bytes, with which the daemon may store it,
  // and left to the caller: it knows what the whole comes to. The content is read to its end if Taken comes
  // back.
  Result<Taken, Refusal> send(const Envelope& envelope, std::span<const Address> recipients, Content& content,
                              std::optional<SignalBlock>& signal_block);
  // Says QUIT and does not wait.
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
  Result<mail::Reply, Refusal> reply(Patience patience);
  Result<void, Refusal> send_bytes(std::string_view bytes);

  Dialogue dialogue_;
  mail::Capabilities can_;
};

}  // namespace hikyaku::sendmail
