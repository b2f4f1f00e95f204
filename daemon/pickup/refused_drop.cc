// SPDX-License-Identifier: MIT
#include "daemon/pickup/refused_drop.h"

#include <numeric>
#include <utility>

#include "daemon/mail/smtp_command.h"

namespace hikyaku::pickup {
namespace {

mail::Failure failure_of(const mail::Reply& reply, const std::string& hostname) {
  mail::Failure failure;
  failure.kind = mail::FailureKind::message_refused;
  failure.stage = mail::Stage::message;
  failure.concerns = mail::Concerns::message;
  failure.reply = reply;
  failure.smarthost = failure.host = hostname;
  return failure;
}

std::string header_of(const std::string& content) {
  const std::size_t end = content.find("\r\n\r\n");
  return end == content.npos ? content : content.substr(0, end + 2);
}

}  // namespace

std::optional<mail::Envelope> envelope_of(const RefusedDrop& drop, std::string_view domain) {
  std::optional<mail::Envelope> envelope;
  for (const std::string& line : drop.commands) {
    auto command = mail::parse_command(line, {domain, envelope && envelope->smtputf8});
    if (auto* mail = std::get_if<mail::command::Mail>(&command)) envelope = std::move(mail->envelope);
    auto* rcpt = std::get_if<mail::command::Rcpt>(&command);
    if (envelope && rcpt != nullptr) envelope->recipients.push_back(std::move(rcpt->recipient));
  }
  return envelope;
}

std::optional<mail::BounceRequest> refusal_notice(const RefusedDrop& drop, const mail::Envelope& envelope,
                                                  const relay::BouncePolicy& policy, WallTime now,
                                                  std::string token) {
  std::vector<std::size_t> all(envelope.recipients.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  mail::BounceRequest request;
  for (std::size_t place : recipients_to_report(envelope, all, mail::NoticeKind::failure))
    request.recipients.push_back({envelope.recipients[place], failure_of(drop.reply, policy.hostname)});
  if (request.recipients.empty()) return std::nullopt;
  request.hostname = policy.hostname;
  request.domain = policy.domain;
  request.id = drop.name;
  request.token = std::move(token);
  request.sender = envelope.sender;
  request.envid = envelope.envid;
  request.arrival = request.now = now;
  request.original = header_of(drop.beginning);
  return request;
}

}  // namespace hikyaku::pickup
