// SPDX-License-Identifier: MIT
#include "smtpd/conversation.h"

#include <algorithm>
#include <utility>

#include "smtpd/replies.h"

namespace hikyaku::smtpd {

Conversation::Conversation(SessionContext its_context, SessionOptionsPtr its_options, io::StreamPtr stream)
    : context(its_context),
      options(std::move(its_options)),
      channel(context.loop, std::move(stream), *options, context.stop.hard),
      client(channel.client()) {}

Task<Result<std::string_view, IoError>> Conversation::first_bytes() {
  const Instant begin = context.loop.now();
  auto first = co_await channel.some({next_look(begin), &context.stop.soft});
  while (!first && may_idle_on(first.error(), begin))
    first = co_await channel.some({next_look(begin), &context.stop.soft});
  co_return first;
}

// A transaction that was begun may end in peace; only between two of them `soft` stops us.
Task<Result<io::Line, IoError>> Conversation::read_line(std::size_t limit) {
  io::Cancel& cancel = transaction.is_open() ? context.stop.hard : context.stop.soft;
  if (cancel.is_requested()) co_return std::unexpected(io::to_error(io::Woken::cancelled));
  const Instant begin = context.loop.now();
  auto line = co_await channel.line(limit, {next_look(begin), &cancel});
  while (!line && may_idle_on(line.error(), begin))
    line = co_await channel.line(limit, {next_look(begin), &cancel});
  if (!line) co_return line;
  if (line_end == io::LineEnd::crlf) spoke_crlf = true;
  line_end = line->end;
  co_return line;
}

// A wait for a command ends now and then, to check whether there is still room for idle clients.
Instant Conversation::next_look(Instant begin) const {
  return std::min(begin + options->deadlines.command, context.loop.now() + options->deadlines.crowded);
}

bool Conversation::may_idle_on(const IoError& error, Instant begin) const {
  return error.kind == IoErrorKind::timeout && !context.stop.is_crowded &&
         context.loop.now() < begin + options->deadlines.command;
}

std::optional<Reply> Conversation::hook(Stage stage, std::string_view subject) const {
  return options->refuse ? options->refuse(stage, subject) : std::nullopt;
}

void Conversation::say(const Reply& reply) {
  channel.say(reply);
  if (reply.ends_session()) ended = true;
  if (!reply.is_permanent() || ++errors <= options->limits.errors) return;
  channel.say(replies::too_many_errors());
  ended = true;
}

void Conversation::refuse(std::string_view stage, const Reply& reply) {
  Rejected rejected{.stage = stage, .reply = reply};
  if (named_sender) {
    rejected.sender = *named_sender;
    rejected.size = named_size;
  }
  context.observer.rejected(client, rejected);
  say(reply);
}

void Conversation::end_at_body() {
  context.observer.odd(client, Oddity::body_unasked);
  say(replies::body_unasked());
}

void Conversation::lost(const IoError& error) {
  ended = true;
  if (error.kind == IoErrorKind::timeout) say(replies::timed_out());
  if (error.kind == IoErrorKind::cancelled) say(replies::shutting_down());
}

void Conversation::clear() {
  transaction.clear();
  room.reset();
  bdat.reset();
  told_too_many = false;
}

}  // namespace hikyaku::smtpd
