// SPDX-License-Identifier: MIT
// Turns failures and delays into notices: mails from <> to the sender, committed to the spool like any other.
// When notice() returns a value, the notice is on stable storage, or will be together with the mail's next record
// (MailSink::begin_notice); only then may the failed recipients' new state be written.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/base/defaults.h"
#include "daemon/config/settings.h"
#include "daemon/io/loop.h"
#include "daemon/mail/dsn.h"
#include "daemon/mail/mail_sink.h"
#include "daemon/mail/mail_source.h"

namespace hikyaku::relay {

struct BouncePolicy {
  std::string hostname;
  std::string domain;
  bool full = false;  // what is returned where the sender did not say (RET)
  Duration lifetime = defaults::kLifetime;
  std::string postmaster{};  // gets a copy of each bounce, and is told of failed mail from <>; empty: nobody
};
BouncePolicy bounce_policy(const config::Settings& settings);

// Writes a notice through the writer that the sink has begun. Returns its id when it is on stable storage.
using BegunMail = Result<std::unique_ptr<mail::MailWriter>, mail::SinkError>;
Task<Result<mail::MailId, mail::SinkError>> commit_notice(BegunMail writer, std::string content,
                                                          mail::Envelope envelope);

// The postmaster's copy of a bounce: with the header only. nullopt: there is no postmaster, or it is the bounce's
// recipient.
std::optional<mail::BounceRequest> copy_for_postmaster(const BouncePolicy& policy,
                                                       mail::BounceRequest bounce);
// From <> to whom the notice is for; NOTIFY=NEVER. What is for the postmaster has that address as ORCPT, which stays
// where an alias replaces it: so is_for_postmaster() knows it again.
mail::Envelope envelope_of_notice(const mail::BounceRequest& notice, bool smtputf8);
// Nothing is ever reported about such a recipient: that report would have the same fate.
bool is_for_postmaster(const BouncePolicy& policy, const mail::Recipient& recipient);

class Bouncer {
 public:
  // All outlive the bouncer.
  Bouncer(io::Loop& loop, mail::MailSource& source, mail::MailSink& sink)
      : loop_(loop), source_(source), sink_(sink) {}
  void configure(BouncePolicy policy) { policy_ = std::move(policy); }

  const BouncePolicy& policy() const { return policy_; }

  // One notice about `recipients` (at least one) of `mail`, whose sender is not <>.
  Task<Result<mail::MailId, mail::SinkError>> notice(const mail::QueuedMail& mail, mail::NoticeKind kind,
                                                     std::vector<mail::ReportedRecipient> recipients);
  // What the notice tells of does not happen after all, as far as that can still be helped.
  void withdraw(mail::MailId notice) { sink_.withdraw_notice(notice); }
  // The postmaster's copy of the notice of a failure; if the sender is <>, the only one. nullopt: none is due.
  Task<Result<std::optional<mail::MailId>, mail::SinkError>> postmaster_notice(
      const mail::QueuedMail& mail, std::vector<mail::ReportedRecipient> recipients);

 private:
  mail::BounceRequest request_for(const mail::QueuedMail& mail, mail::NoticeKind kind,
                                  std::vector<mail::ReportedRecipient> recipients) const;
  Task<std::string> original(const mail::QueuedMail& mail, bool full);

  io::Loop& loop_;
  mail::MailSource& source_;
  mail::MailSink& sink_;
  BouncePolicy policy_;
};

}  // namespace hikyaku::relay
