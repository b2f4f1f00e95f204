// SPDX-License-Identifier: MIT
// MAIL, RCPT and DATA and the replies to them, in one write where the smarthost offers PIPELINING (RFC 2920)
// and has never answered out of step, else one after the other. Internal to the transaction.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "daemon/mail/handover.h"
#include "daemon/mail/mail_source.h"
#include "daemon/mail/smtp_reply.h"
#include "smtpc/outcomes.h"

namespace hikyaku::smtpc {

// MAIL and RCPT as they go out: no space behind the colon, angle brackets always (RFC 5321 4.1.1), a
// parameter only where the smarthost offers its extension. Pure. Without line ends.

// Whether an address cannot travel without SMTPUTF8 (RFC 6531).
bool needs_smtputf8(const std::string& address);

// What MAIL says of a mail as it leaves, after the smarthost's rewriting.
struct AsSent {
  std::string sender;          // empty: <>
  std::uint64_t size = 0;      // of the content, bytes
  bool has_eight_bit = false;  // the content has bytes from 0x80, or says that it may
  bool needs_utf8 = false;     // an address of the transaction needs SMTPUTF8; the smarthost offers it then
  std::optional<mail::Handover> handover{};  // to a peer that offers it
};
// RET and ENVID are the envelope's.
std::string mail_command(const mail::Envelope& envelope, const mail::Capabilities& capabilities,
                         const AsSent& sent);
std::string rcpt_command(const mail::Recipient& recipient, const mail::Capabilities& capabilities);

struct EnvelopeCommand {
  mail::Stage stage;
  std::size_t recipient;  // for RCPT: index into the envelope's
  std::string line;       // without its end
};

class EnvelopeDialogue {
 public:
  // Both outlive the dialogue.
  EnvelopeDialogue(Session& session, Outcomes& outcomes);

  // The most commands of one pipelined group: either side must be able to hold what the other has not read
  // yet (RFC 2920 3.1).
  static constexpr std::size_t kGroup = 100;
  static std::string lines(std::span<const EnvelopeCommand> group);

  // Records in the outcomes which recipients were accepted. `commands` must be valid until then. The first
  // `sent_ahead` of them, one group at most, have been sent already.
  Task<void> run(std::span<const EnvelopeCommand> commands, std::size_t sent_ahead);
  // Reads the replies to all commands, which have been sent together with the whole content: if the
  // connection breaks from now on, the mail has perhaps been delivered.
  Task<void> hear_beside_content(std::span<const EnvelopeCommand> commands);
  // 354 came: the smarthost waits for content.
  bool is_data_open() const { return data_open_; }

 private:
  Task<void> say(std::span<const EnvelopeCommand> group);
  Task<void> hear_all(std::span<const EnvelopeCommand> group, bool is_ahead);
  bool is_worthwhile(const EnvelopeCommand& command) const;
  void hear(const EnvelopeCommand& command, const mail::Reply& reply);
  void hear_after_refused_mail(const EnvelopeCommand& command, bool accepted);
  void hear_refusal(const EnvelopeCommand& command, Refusal refusal);
  void break_off(mail::Stage stage, const ExchangeError& error, bool amid_group);
  void lose_reply(const ExchangeError& error);
  void hung_up(const ExchangeError& error);
  bool refuses_company(const mail::Reply& reply) const;
  void refused_company(const mail::Reply& reply);

  Session& session_;
  Outcomes& outcomes_;
  bool pipelining_;
  bool content_is_out_ = false;
  bool mail_accepted_ = false;
  bool data_open_ = false;
};

}  // namespace hikyaku::smtpc
