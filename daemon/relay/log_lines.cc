// SPDX-License-Identifier: MIT
#include "daemon/relay/log_lines.h"

#include "daemon/mail/diagnosis.h"

namespace hikyaku::relay {
namespace {

log::Status status_of(RecipientOutcome outcome) {
  switch (outcome) {
    case RecipientOutcome::delivered: return log::Status::delivered;
    case RecipientOutcome::deferred: return log::Status::deferred;
    case RecipientOutcome::failed: break;
  }
  return log::Status::failed;
}

std::string joined(const mail::Reply& reply) {
  std::string text = std::to_string(reply.code);
  for (const std::string& line : reply.lines) text += (&line == &reply.lines.front() ? " " : "\n") + line;
  return text;
}

std::string dsn_of(const SettledRecipient& settled) {
  if (settled.failure)
    return to_text(mail::status_of(*settled.failure, settled.outcome == RecipientOutcome::failed));
  bool has_own = settled.final_reply && settled.final_reply->status;
  return has_own ? to_text(*settled.final_reply->status) : "2.0.0";
}

std::optional<log::TlsInfo> tls_of(const smtpc::UsedConnection& used) {
  if (!used.tls) return std::nullopt;
  return log::TlsInfo{used.tls->version, used.tls->cipher, used.tls->verdict, used.tls->certificate_ends};
}

void describe(const SettledRecipient& settled, log::Outcome& line) {
  line.status = status_of(settled.outcome);
  line.dsn = dsn_of(settled);
  if (settled.final_reply) line.reply = joined(*settled.final_reply);
  if (settled.failure && settled.failure->reply) line.reply = joined(*settled.failure->reply);
  if (!settled.failure) return;
  line.diagnosis = mail::diagnose(*settled.failure);
  line.reason = mail::to_text(settled.failure->kind);
}

}  // namespace

std::vector<log::Outcome> outcome_lines(const mail::QueuedMail& mail, const Settlement& settlement,
                                        const smtpc::UsedConnection& used, WallTime now) {
  std::vector<log::Outcome> lines;
  if (!settlement.counts) return lines;
  for (const SettledRecipient& settled : settlement.recipients) {
    log::Outcome& line = lines.emplace_back();
    line.id = to_text(mail.id);
    line.from = mail.envelope.sender;
    line.to = mail.envelope.recipients[settled.recipient].address;
    line.smarthost = used.smarthost;
    line.address = used.address;
    line.tls = tls_of(used);
    line.signature = used.signature;
    line.delay = now - mail.arrival;
    describe(settled, line);
  }
  if (!lines.empty()) lines.back().ends_mail = settlement.is_over;
  return lines;
}

log::Connection connection_line(const smtpc::ConnectionAttempt& attempt) {
  log::Connection line{.smarthost = attempt.used.smarthost,
                       .address = attempt.used.address,
                       .tls = tls_of(attempt.used),
                       .mechanism = attempt.mechanism};
  if (attempt.failure == nullptr) return line;
  line.reason = mail::to_text(attempt.failure->kind);
  line.login_refused = attempt.failure->stage == mail::Stage::auth && attempt.failure->reply.has_value();
  return line;
}

log::SmarthostChange smarthost_line(const smtpc::Lane& lane, const Backlog& backlog, Instant now) {
  const smtpc::Health& health = lane.health();
  log::SmarthostChange line;
  line.smarthost = lane.name();
  line.host = lane.smarthost().host;
  line.port = lane.smarthost().port;
  line.up = !health.is_paused();
  line.waiting = backlog.queued;
  line.oldest = backlog.oldest;
  line.at = now;
  if (line.up) return line;
  const mail::Failure& why = health.pause()->why;
  line.diagnosis = mail::diagnose(why);
  if (why.reply) line.reply = joined(*why.reply);
  line.next_probe = health.pause()->next_probe - now;
  if (!lane.is_retired()) line.since = health.pause()->since;  // nobody would tell the end of it
  return line;
}

}  // namespace hikyaku::relay
