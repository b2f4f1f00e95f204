// SPDX-License-Identifier: MIT
// The sink that decides to whom a mail goes that comes in: it applies the aliases file and `local_mail`, and adds
// the recipient of `copy_to`. All mail passes through it on its way into the spool, our own notices included, but what
// another hikyaku hands over: that has been through one already.
// Recipients are looked up when the content is complete, with the rules of that moment. The loop's thread.
#pragma once

#include "daemon/app/local_users.h"
#include "daemon/log/mail_log.h"
#include "daemon/mail/aliases.h"
#include "daemon/mail/mail_sink.h"

namespace hikyaku::app {

// Of the configuration; empty addresses: none.
struct RecipientRules {
  std::string domain;
  std::string hostname;
  std::string local_mail{};
  std::string copy_to{};
};

class AliasSink final : public mail::MailSink {
 public:
  // All outlive the AliasSink.
  AliasSink(io::Loop& loop, mail::MailSink& sink, log::MailLog& log, LocalUsers& users)
      : loop_(loop), sink_(sink), log_(log), users_(users) {}

  // At start and at reloads.
  void configure(RecipientRules rules);
  void set_aliases(mail::Aliases aliases) { rules_.aliases = std::move(aliases); }
  std::size_t size() const { return rules_.aliases.size(); }
  bool has_alias(std::string_view name) const { return rules_.aliases.find(name) != nullptr; }

  Result<void, mail::SinkError> may_accept(std::uint64_t expected_size) override;
  std::unique_ptr<mail::EnvelopeRoom> envelope_room() override { return sink_.envelope_room(); }
  Result<std::unique_ptr<mail::MailWriter>, mail::SinkError> begin() override;
  Result<std::unique_ptr<mail::MailWriter>, mail::SinkError> begin_notice(mail::MailId about) override;
  void withdraw_notice(mail::MailId notice) override { sink_.withdraw_notice(notice); }
  Result<std::unique_ptr<mail::MailWriter>, mail::SinkError> begin_handed_over(
      const mail::Handover& handover) override {
    return sink_.begin_handed_over(handover);
  }
  Result<std::unique_ptr<mail::MailWriter>, mail::SinkError> begin_from_file() override;
  void forget_file(mail::MailId id) override { sink_.forget_file(id); }

 private:
  class Writer;

  Task<bool> learn_users(const std::vector<mail::Recipient>& recipients);
  std::vector<std::string> names_in_question(const std::vector<mail::Recipient>& recipients) const;
  mail::AliasExpansion expand(const std::vector<mail::Recipient>& recipients) const;
  void add_copy(mail::Envelope& envelope) const;

  io::Loop& loop_;
  mail::MailSink& sink_;
  log::MailLog& log_;
  LocalUsers& users_;
  mail::AliasRules rules_;
  std::string copy_to_;
};

}  // namespace hikyaku::app
