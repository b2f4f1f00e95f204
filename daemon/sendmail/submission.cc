// SPDX-License-Identifier: MIT
#include "daemon/sendmail/submission.h"

#include <algorithm>

#include "daemon/base/text.h"
#include "daemon/mail/dot_stuffing.h"

namespace hikyaku::sendmail {
namespace {

using mail::Reply;

constexpr Timeout kReplyTimeout(30);
constexpr Timeout kStorageReplyTimeout(300);  // for the daemon's flush; longer than any working disk needs
constexpr std::size_t kGroup = 100;           // RCPT commands whose replies may wait in the socket

std::unexpected<Refusal> refusal(const LinkError& error) {
  return std::unexpected(Refusal{false, {Exit::try_again, error.text}});
}

std::unexpected<Refusal> refusal(Failure failure) {
  return std::unexpected(Refusal{true, std::move(failure)});
}

Exit exit_of(const Reply& reply) {
  if (reply.is_transient()) return Exit::try_again;
  if (reply.status && reply.status->subject == 7) return Exit::no_permission;
  if (reply.status && reply.status->subject == 5) return Exit::protocol;
  return reply.status ? Exit::damaged : Exit::unavailable;
}

// "No space" (452) is final as well: every other way leads to the same disk.
std::unexpected<Refusal> refusal(const Reply& reply) {
  bool full = reply.code == 452;
  return std::unexpected(
      Refusal{reply.is_permanent() || full, {exit_of(reply), cat("the daemon answered ", to_text(reply))}});
}

std::unexpected<Refusal> not_here(const Reply& reply) {
  return std::unexpected(Refusal{false, {Exit::try_again, to_text(reply)}});
}

bool is_too_many(const Reply& reply) {
  return reply.code == 452 && reply.status && reply.status->subject == 5;  // 4.5.3
}

std::string id_in(const Reply& reply) {
  auto last = words(reply.lines.back());
  bool has_id = reply.lines.back().find("queued as ") != std::string::npos;
  return has_id ? std::string(last.back()) : std::string();
}

}  // namespace

Result<Submission, Refusal> Submission::begin(Fd fd, Dialogue::Watch watch) {
  Submission submission(Dialogue(std::move(fd), std::move(watch)));
  if (auto greeted = submission.greet(); !greeted) return std::unexpected(greeted.error());
  return submission;
}

// A refusal here concerns the connection, not the mail.
Result<void, Refusal> Submission::greet() {
  auto greeting = reply(kReplyTimeout);
  if (!greeting) return std::unexpected(greeting.error());
  if (!greeting->is_completed()) return not_here(*greeting);
  auto hello = ask("EHLO localhost\r\n");
  if (hello && hello->is_completed()) can_ = mail::parse_ehlo(*hello);
  if (hello && !hello->is_completed()) hello = ask("HELO localhost\r\n");
  if (!hello) return std::unexpected(hello.error());
  return hello->is_completed() ? Result<void, Refusal>() : not_here(*hello);
}

Result<Taken, Refusal> Submission::send(const Envelope& envelope, std::span<const Address> recipients,
                                        Content& content, std::optional<SignalBlock>& signal_block) {
  if (auto begun = begin_mail(envelope, content); !begun) return std::unexpected(begun.error());
  auto accepted = name_recipients(envelope, recipients);
  if (!accepted) return std::unexpected(accepted.error());
  if (*accepted < recipients.size() && !content.size())
    return refusal(Failure{Exit::damaged, cat("more than ", std::to_string(*accepted),
                                              " recipients for a message of this size; nothing was sent")});
  auto answer = can_.chunking ? send_chunks(content, signal_block) : send_data(content, signal_block);
  if (!answer) return std::unexpected(answer.error());
  if (!answer->is_completed()) return refusal(*answer);
  return Taken{*accepted, id_in(*answer)};
}

void Submission::end() { (void)dialogue_.send_lines("QUIT\r\n", Timeout(1)); }

Result<void, Refusal> Submission::begin_mail(const Envelope& envelope, const Content& content) {
  bool needs_dsn = !envelope.notify.empty() || !envelope.ret.empty() || !envelope.envid.empty();
  if ((needs_dsn && !can_.dsn) || (envelope.smtputf8 && !can_.smtputf8))
    return refusal(
        Failure{Exit::unavailable,
                "the server there supports no DSN or no SMTPUTF8, which this mail needs; nothing was sent"});
  auto answer = ask(mail_command(envelope, can_.size ? content.size() : std::nullopt));
  if (!answer) return std::unexpected(answer.error());
  return answer->is_completed() ? Result<void, Refusal>() : refusal(*answer);
}

// Returns how many recipients, from the first on, were accepted: the daemon accepts max_recipients (452
// 4.5.3).
Result<std::size_t, Refusal> Submission::name_recipients(const Envelope& envelope,
                                                         std::span<const Address> recipients) {
  Named named;
  std::size_t group = can_.pipelining ? kGroup : 1;
  for (std::size_t at = 0; at < recipients.size() && !named.enough; at += group) {
    auto some = recipients.subspan(at, std::min(group, recipients.size() - at));
    if (auto done = name_some(envelope, some, named); !done) return std::unexpected(done.error());
  }
  return named.accepted;
}

Result<void, Refusal> Submission::name_some(const Envelope& envelope, std::span<const Address> recipients,
                                            Named& named) {
  auto sent = dialogue_.send_lines(rcpt_commands(envelope, recipients), kReplyTimeout);
  if (!sent) return refusal(sent.error());
  for (std::size_t i = 0; i < recipients.size(); ++i) {
    auto answer = reply(kReplyTimeout);
    if (!answer) return std::unexpected(answer.error());
    bool too_many = is_too_many(*answer) && named.accepted > 0;
    if (!answer->is_completed() && !too_many) return refusal(*answer);
    if (answer->is_completed() && named.enough)
      return not_here(*answer);  // it would be unclear which ones were accepted
    named.enough |= too_many;
    if (!too_many) ++named.accepted;
  }
  return {};
}

Result<mail::Reply, Refusal> Submission::send_chunks(Content& content,
                                                     std::optional<SignalBlock>& signal_block) {
  if (auto size = content.size()) return send_last_chunk(content, *size, signal_block);
  while (true) {
    auto piece = content.next();
    if (!piece) return refusal(piece.error());
    if (piece->empty()) return send_last_chunk(content, 0, signal_block);
    if (auto sent = send_bytes(cat("BDAT ", std::to_string(piece->size()), "\r\n", *piece)); !sent)
      return std::unexpected(sent.error());
    auto answer = reply(kStorageReplyTimeout);
    if (!answer || !answer->is_completed()) return answer;
  }
}

Result<mail::Reply, Refusal> Submission::send_last_chunk(Content& content, std::uint64_t size,
                                                         std::optional<SignalBlock>& signal_block) {
  std::string ahead = cat("BDAT ", std::to_string(size), " LAST\r\n");
  std::uint64_t given = 0;
  do {
    auto piece = size > 0 ? content.next() : Result<std::string_view, Failure>(std::string_view());
    if (!piece) return refusal(piece.error());
    given += piece->size();
    if (given == size && !signal_block) signal_block.emplace();
    if (auto sent = send_bytes(cat(ahead, *piece)); !sent) return std::unexpected(sent.error());
    ahead.clear();
  } while (given < size);
  return reply(kStorageReplyTimeout);
}

Result<mail::Reply, Refusal> Submission::send_data(Content& content,
                                                   std::optional<SignalBlock>& signal_block) {
  auto ready = ask("DATA\r\n");
  if (!ready) return ready;
  if (!ready->is_intermediate()) return refusal(*ready);
  mail::DotStuffer stuffer;
  while (true) {
    auto piece = content.next();
    if (!piece) return refusal(piece.error());
    std::string bytes;
    if (piece->empty()) break;
    stuffer.feed(*piece, bytes);
    if (auto sent = send_bytes(bytes); !sent) return std::unexpected(sent.error());
  }
  if (!signal_block) signal_block.emplace();
  std::string end;
  stuffer.finish(end);
  if (auto sent = send_bytes(end); !sent) return std::unexpected(sent.error());
  return reply(kStorageReplyTimeout);
}

Result<mail::Reply, Refusal> Submission::ask(std::string_view line) {
  if (auto sent = dialogue_.send_lines(line, kReplyTimeout); !sent) return refusal(sent.error());
  return reply(kReplyTimeout);
}

Result<mail::Reply, Refusal> Submission::reply(Timeout timeout) {
  auto answer = dialogue_.reply(timeout);
  if (!answer) return refusal(answer.error());
  return *answer;
}

Result<void, Refusal> Submission::send_bytes(std::string_view bytes) {
  auto sent = dialogue_.send_bytes(bytes, kReplyTimeout);
  return sent ? Result<void, Refusal>() : refusal(sent.error());
}

}  // namespace hikyaku::sendmail
