// SPDX-License-Identifier: MIT
#include "daemon/relay/bouncer.h"

#include <utility>

#include "daemon/base/random.h"

namespace hikyaku::relay {

BouncePolicy bounce_policy(const config::Settings& settings) {
  return {.hostname = settings.hostname,
          .domain = settings.domain,
          .full = settings.queue.bounce_return == config::BounceReturn::full,
          .lifetime = settings.queue.lifetime};
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

Task<Result<mail::MailId, mail::SinkError>> Bouncer::notice(const mail::QueuedMail& mail,
                                                            mail::NoticeKind kind,
                                                            std::vector<mail::ReportedRecipient> recipients) {
  bool wanted =
      mail.envelope.ret == mail::Ret::full || (mail.envelope.ret == mail::Ret::absent && policy_.full);
  bool full = wanted && mail.size <= mail::kMaxReturnedContent && kind == mail::NoticeKind::failure;
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
  request.full = full;
  request.original = co_await original(mail, full);
  mail::Envelope envelope;
  envelope.recipients.push_back({.address = mail.envelope.sender, .notify = {.never = true}, .orcpt = {}});
  envelope.smtputf8 = mail.envelope.smtputf8;
  auto committed =
      co_await commit_notice(sink_.begin_notice(), mail::make_bounce(request), std::move(envelope));
  co_return committed;
}

}  // namespace hikyaku::relay
