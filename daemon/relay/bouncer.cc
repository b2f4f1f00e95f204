// SPDX-License-Identifier: MIT
#include "daemon/relay/bouncer.h"

#include <utility>

#include "daemon/base/random.h"
#include "daemon/base/text.h"
#include "daemon/mail/address.h"
#include "daemon/mail/aliases.h"

namespace hikyaku::relay {
namespace {

std::string postmaster_orcpt(const std::string& postmaster) { return cat("rfc822;", postmaster); }

}  // namespace

BouncePolicy bounce_policy(const config::Settings& settings) {
  return {.hostname = settings.hostname,
          .domain = settings.domain,
          .full = settings.queue.bounce_return == config::BounceReturn::full,
          .lifetime = settings.queue.lifetime,
          .postmaster = settings.queue.postmaster};
}

std::optional<mail::BounceRequest> copy_for_postmaster(const BouncePolicy& policy,
                                                       mail::BounceRequest bounce) {
  if (policy.postmaster.empty() || mail::is_same_address(policy.postmaster, bounce.sender))
    return std::nullopt;
  bounce.postmaster = policy.postmaster;
  bounce.token = random_token(24);  // another Message-ID
  bounce.full = false;
  return bounce;
}

mail::Envelope envelope_of_notice(const mail::BounceRequest& notice, bool smtputf8) {
  const bool is_copy = !notice.postmaster.empty();
  mail::Envelope envelope;
  envelope.recipients.push_back({.address = is_copy ? notice.postmaster : notice.sender,
                                 .notify = {.never = true},
                                 .orcpt = is_copy ? postmaster_orcpt(notice.postmaster) : ""});
  envelope.smtputf8 = smtputf8;
  return envelope;
}

bool is_for_postmaster(const BouncePolicy& policy, const mail::Recipient& recipient) {
  return recipient.orcpt == postmaster_orcpt(policy.postmaster);
}

// Returns "" for a damaged original: no part of it is returned to the sender.
Task<std::string> Bouncer::original(const mail::QueuedMail& mail, bool full) {
  std::string content;
  auto reader = source_.open(mail.id);
  if (!reader) co_return content;
  std::size_t most = full ? mail::kMaxReturnedContent : mail::kMaxReturnedHeader;
  for (;;) {
    auto piece = co_await (*reader)->next();
    if (!piece) co_return std::string();
    content += piece->substr(0, most - content.size());
    std::size_t header_end = full ? content.npos : content.find("\r\n\r\n");
    if (header_end != content.npos) co_return content.substr(0, header_end + 2);
    if (piece->empty() || content.size() == most) co_return content;
  }
}

Task<Result<mail::MailId, mail::SinkError>> commit_notice(BegunMail writer, std::string content,
                                                          mail::Envelope envelope) {
  if (!writer) co_return std::unexpected(writer.error());
  auto written = co_await (*writer)->write(content);
  if (!written) co_return std::unexpected(written.error());
  auto committed = co_await (*writer)->commit(std::move(envelope));
  if (!committed) co_return std::unexpected(committed.error());
  co_return (*writer)->id();
}

mail::BounceRequest Bouncer::request_for(const mail::QueuedMail& mail, mail::NoticeKind kind,
                                         std::vector<mail::ReportedRecipient> recipients) const {
  mail::BounceRequest request;
  request.kind = kind;
  request.hostname = policy_.hostname;
  request.domain = policy_.domain;
  request.id = to_text(mail.id);
  request.token = random_token(24);
  request.sender = mail.envelope.sender;
  request.envid = mail.envelope.envid;
  request.arrival = mail.arrival;
  request.now = loop_.clock().wall();
  request.time_left = std::max(Duration{0}, policy_.lifetime - mail.progress.waited);
  request.recipients = std::move(recipients);
  return request;
}

Task<Result<mail::MailId, mail::SinkError>> Bouncer::notice(const mail::QueuedMail& mail,
                                                            mail::NoticeKind kind,
                                                            std::vector<mail::ReportedRecipient> recipients) {
  bool wanted =
      mail.envelope.ret == mail::Ret::full || (mail.envelope.ret == mail::Ret::absent && policy_.full);
  mail::BounceRequest request = request_for(mail, kind, std::move(recipients));
  request.full = wanted && mail.size <= mail::kMaxReturnedContent && kind == mail::NoticeKind::failure;
  request.original = co_await original(mail, request.full);
  auto committed = co_await commit_notice(sink_.begin_notice(mail.id), mail::make_bounce(request),
                                          envelope_of_notice(request, mail.envelope.smtputf8));
  co_return committed;
}

Task<Result<std::optional<mail::MailId>, mail::SinkError>> Bouncer::postmaster_notice(
    const mail::QueuedMail& mail, std::vector<mail::ReportedRecipient> recipients) {
  auto copy =
      copy_for_postmaster(policy_, request_for(mail, mail::NoticeKind::failure, std::move(recipients)));
  if (!copy) co_return std::nullopt;
  copy->original = co_await original(mail, false);
  auto committed = co_await commit_notice(sink_.begin_notice(mail.id), mail::make_bounce(*copy),
                                          envelope_of_notice(*copy, mail.envelope.smtputf8));
  if (!committed) co_return std::unexpected(std::move(committed.error()));
  co_return *committed;
}

}  // namespace hikyaku::relay
