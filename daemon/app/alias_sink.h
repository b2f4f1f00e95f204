// SPDX-License-Identifier: MIT
// The sink that applies the aliases file. All mail passes through it on its way into the spool, our own
// notices included. Recipients are looked up when the content is complete, with the rules of that moment.
// The loop's thread.
#pragma once

#include "daemon/log/mail_log.h"
#include "daemon/mail/aliases.h"
#include "daemon/mail/mail_sink.h"

namespace hikyaku::app {

class AliasSink final : public mail::MailSink {
 public:
  // Both outlive the AliasSink.
  AliasSink(mail::MailSink& sink, log::MailLog& log) : sink_(sink), log_(log) {}

  // At start and at reloads.
  void configure(const std::string& domain, const std::string& hostname);
  void set_aliases(mail::Aliases aliases) { rules_.aliases = std::move(aliases); }
  std::size_t size() const { return rules_.aliases.size(); }
  bool has_alias(std::string_view name) const { return rules_.aliases.find(name) != nullptr; }

  Result<void, mail::SinkError> may_accept(std::uint64_t expected_size) override;
  std::unique_ptr<mail::EnvelopeRoom> envelope_room() override { return sink_.envelope_room(); }
  Result<std::unique_ptr<mail::MailWriter>, mail::SinkError> begin() override;
  Result<std::unique_ptr<mail::MailWriter>, mail::SinkError> begin_notice() override;

 private:
  class Writer;

  using Begun = Result<std::unique_ptr<mail::MailWriter>, mail::SinkError>;
  Begun expanding(Begun writer);

  mail::MailSink& sink_;
  log::MailLog& log_;
  mail::AliasRules rules_;
};

}  // namespace hikyaku::app
