// SPDX-License-Identifier: MIT
#include "smtpd/session.h"

#include <algorithm>
#include <utility>

#include "daemon/base/text.h"
#include "smtpd/replies.h"

namespace hikyaku::smtpd {

Session::Session(Surroundings around, SessionOptionsPtr options, io::StreamPtr stream)
    : around_(around),
      options_(std::move(options)),
      channel_(around.loop, std::move(stream), *options_, around.stop.hard),
      client_(channel_.client()) {}

Task<void> Session::run() {
  try {
    co_await dialogue();
  } catch (const std::exception& error) {
    around_.observer.broke_down(error.what());
    say(replies::internal_error());
  }
  co_await channel_.farewell();
}

Task<void> Session::dialogue() {
  say(replies::greeting(options_->hostname, options_->token));
  bool is_hello = co_await is_tls_hello();
  if (is_hello) co_await obey(mail::command::NotSmtp{.is_tls = true});
  while (!ended_) {
    auto command = co_await next_command();
    if (!command) break;
    count(*command);
    if (ended_) break;
    if (is_body(*command)) co_return end_at_body();
    co_await std::visit([this](auto& what) { return obey(std::move(what)); }, *command);
  }
}

Task<std::optional<mail::Command>> Session::next_command() {
  auto line = co_await read_line(options_->limits.command_line);
  if (line) co_return parse(*line);
  if (line.error().kind != IoErrorKind::too_long) {
    lost(line.error());
    co_return std::nullopt;
  }
  auto command = co_await skip_long_line();
  co_return command;
}

// A TLS hello may hold no line end, so look before the first line is complete.
Task<bool> Session::is_tls_hello() {
  const Instant begin = around_.loop.now();
  auto first = co_await channel_.some({next_look(begin), &around_.stop.soft});
  while (!first && may_idle_on(first.error(), begin))
    first = co_await channel_.some({next_look(begin), &around_.stop.soft});
  if (!first) lost(first.error());
  co_return first&& mail::is_tls_hello(*first);
}

// A transaction that was begun may end in peace; only between two of them `soft` stops us.
Task<Result<io::Line, IoError>> Session::read_line(std::size_t limit) {
  io::Cancel& cancel = transaction_.is_open() ? around_.stop.hard : around_.stop.soft;
  if (cancel.is_requested()) co_return std::unexpected(io::to_error(io::Woken::cancelled));
  const Instant begin = around_.loop.now();
  auto line = co_await channel_.line(limit, {next_look(begin), &cancel});
  while (!line && may_idle_on(line.error(), begin))
    line = co_await channel_.line(limit, {next_look(begin), &cancel});
  if (!line) co_return line;
  if (line_end_ == io::LineEnd::crlf) spoke_crlf_ = true;
  line_end_ = line->end;
  co_return line;
}

// A wait for a command is looked at now and then, whether there is still room for who idles.
Instant Session::next_look(Instant begin) const {
  return std::min(begin + options_->deadlines.command, around_.loop.now() + options_->deadlines.crowded);
}

bool Session::may_idle_on(const IoError& error, Instant begin) const {
  return error.kind == IoErrorKind::timeout && !around_.stop.is_crowded &&
         around_.loop.now() < begin + options_->deadlines.command;
}

Task<std::optional<mail::Command>> Session::skip_long_line() {
  io::Until until = around_.loop.within(options_->deadlines.command, &around_.stop.hard);
  auto skipped = co_await channel_.skip_line(options_->limits.skipped_line, until);
  if (skipped) {
    Reply reply = replies::line_too_long();
    co_return mail::CommandError{reply.code, reply.status, reply.lines.front()};
  }
  if (skipped.error().kind == IoErrorKind::too_long)
    say(replies::endless_line());
  else
    lost(skipped.error());
  co_return std::nullopt;
}

mail::Command Session::parse(const io::Line& line) {
  auto command = mail::parse_command(line.text, {options_->domain, transaction_.smtputf8()});
  bool failed = std::holds_alternative<mail::CommandError>(command);
  if (failed && starts_with_ignoring_case(line.text, "MAIL")) clear();
  behind_refused_data_ |=
      failed && equals_ignoring_case(line.text.substr(0, line.text.find_first_of(" \t")), "DATA");
  return command;
}

// Behind a refused DATA: what is no command at all, and BDAT, whose octets could be anything.
bool Session::is_body(const mail::Command& command) const {
  const auto* error = std::get_if<mail::CommandError>(&command);
  bool is_unknown = error != nullptr && error->reply_code == 500;
  return behind_refused_data_ && (is_unknown || std::holds_alternative<mail::command::Bdat>(command));
}

Task<void> Session::obey(mail::command::Ehlo command) {
  clear();
  named_sender_.reset();
  client_.helo = std::move(command.name);
  said_ehlo_ = !command.is_helo;
  say(said_ehlo_ ? replies::ehlo(options_->hostname, keywords()) : replies::helo(options_->hostname));
  co_return;
}

std::vector<std::string> Session::keywords() const {
  std::vector<std::string> words = {"PIPELINING", cat("SIZE ", std::to_string(options_->limits.max_size)),
                                    "8BITMIME",   "SMTPUTF8",
                                    "CHUNKING",   "ENHANCEDSTATUSCODES",
                                    "DSN"};
  bool has_tls = channel_.tls() != nullptr;
  if (options_->starttls && !has_tls) words.push_back("STARTTLS");
  if (options_->auth && (has_tls || !options_->auth->needs_tls))
    words.push_back(cat("AUTH ", join(options_->auth->mechanisms, " ")));
  return words;
}

Task<void> Session::obey(mail::command::Mail command) {
  if (command.lenient) around_.observer.odd(client_, Oddity::envelope_syntax);
  name(command);
  std::string wished = command.envelope.sender;
  auto refusal = refusal_of(command);
  if (!refusal) refusal = co_await settle_submitter(command.envelope);
  auto room = around_.sink.envelope_room();
  if (!refusal && !room->grow_to(mail::memory_of(command.envelope), 0)) refusal = replies::no_memory();
  if (refusal) {
    clear();
    co_return refuse("MAIL", *refusal);
  }
  say(command.envelope.sender == wished ? replies::sender_ok() : replies::own_sender());
  transaction_.begin(std::move(command.envelope));
  room_ = std::move(room);
}

// Once for each message: it is cached there, and who was trusted need not be any more.
Task<std::optional<Reply>> Session::settle_submitter(mail::Envelope& envelope) {
  envelope.uid = client_.uid;
  if (!client_.uid || options_->submitters == nullptr) co_return std::nullopt;
  io::Until until = around_.loop.within(options_->deadlines.submitter, &around_.stop.hard);
  auto submitter = co_await options_->submitters->find(*client_.uid, until);
  if (!submitter) co_return replies::unknown_submitter();
  envelope.sender =
      sender_of(*client_.uid, *submitter, std::move(envelope.sender), {options_->domain, options_->hostname});
  client_.account = std::move(submitter->name);
  co_return std::nullopt;
}

std::optional<Reply> Session::refusal_of(const mail::command::Mail& command) const {
  if (options_->auth && options_->auth->required && client_.user.empty()) return replies::auth_required();
  if (auto refusal = transaction_.refusal_of(command, options_->limits)) return refusal;
  auto room = around_.sink.may_accept(command.size.value_or(0));
  if (!room) return replies::from(room.error());
  return hook(Stage::mail, command.envelope.sender);
}

Task<void> Session::obey(mail::command::Rcpt command) {
  if (command.lenient) around_.observer.odd(client_, Oddity::envelope_syntax);
  auto refusal = refusal_of(command);
  if (!refusal) refusal = make_room(command.recipient);
  bool is_too_many = refusal == replies::too_many_recipients() || refusal == replies::no_memory_for_more();
  if (is_too_many && std::exchange(told_too_many_, true)) {
    co_return say(*refusal);  // once in the log is enough: there may be a hundred thousand
  }
  if (refusal) co_return refuse("RCPT", *refusal);
  transaction_.add(std::move(command.recipient));
  say(replies::recipient_ok());
}

std::optional<Reply> Session::refusal_of(const mail::command::Rcpt& command) const {
  if (bdat_) return replies::inside_bdat();
  if (auto refusal = transaction_.refusal_of(command, options_->limits)) return refusal;
  return hook(Stage::rcpt, command.recipient.address);
}

std::optional<Reply> Session::make_room(const mail::Recipient& recipient) {
  std::size_t before = transaction_.envelope().recipients.size();
  std::uint64_t bytes = transaction_.memory() + mail::memory_of(recipient);
  // Those that are taken are the first: clients rely on it.
  if (!told_too_many_ && room_->grow_to(bytes, before + 1)) return std::nullopt;
  return before == 0 ? replies::no_memory() : replies::no_memory_for_more();
}

std::optional<Reply> Session::hook(Stage stage, std::string_view subject) const {
  return options_->refuse ? options_->refuse(stage, subject) : std::nullopt;
}

Task<void> Session::obey(mail::command::Rset) {
  clear();
  named_sender_.reset();
  say(replies::ok());
  co_return;
}

Task<void> Session::obey(mail::command::Noop) {
  say(replies::ok());
  co_return;
}

Task<void> Session::obey(mail::command::Vrfy) {
  say(replies::cannot_verify());
  co_return;
}

Task<void> Session::obey(mail::command::Help) {
  say(replies::help());
  co_return;
}

Task<void> Session::obey(mail::command::Quit) {
  say(replies::bye());
  co_return;
}

// A browser that is made to talk to us (VU#476267): one reply, and nothing of what follows is looked at.
Task<void> Session::obey(mail::command::NotSmtp command) {
  around_.observer.odd(client_, command.is_tls ? Oddity::tls_hello : Oddity::not_smtp);
  say(replies::not_smtp());
  ended_ = true;
  co_return;
}

Task<void> Session::obey(mail::CommandError error) {
  if (after_message_) around_.observer.odd(client_, Oddity::data_after_end);
  refuse("command", replies::from(error));
  ended_ = ended_ || error.must_close;
  co_return;
}

void Session::say(const Reply& reply) {
  channel_.say(reply);
  if (reply.ends_session()) ended_ = true;
  if (!reply.is_permanent() || ++errors_ <= options_->limits.errors) return;
  channel_.say(replies::too_many_errors());
  ended_ = true;
}

void Session::refuse(std::string_view stage, const Reply& reply) {
  Rejected rejected{.stage = stage, .reply = reply};
  if (named_sender_) rejected.sender = *named_sender_, rejected.size = named_size_;
  around_.observer.rejected(client_, rejected);
  say(reply);
}

void Session::name(const mail::command::Mail& command) {
  named_sender_ = command.envelope.sender;
  named_size_ = command.size.value_or(0);
}

void Session::end_at_body() {
  around_.observer.odd(client_, Oddity::body_unasked);
  say(replies::body_unasked());
}

void Session::lost(const IoError& error) {
  ended_ = true;
  if (error.kind == IoErrorKind::timeout) say(replies::timed_out());
  if (error.kind == IoErrorKind::cancelled) say(replies::shutting_down());
}

void Session::clear() {
  transaction_.clear();
  room_.reset();
  bdat_.reset();
  told_too_many_ = false;
}

// RCPT and filled chunks are bounded by their own limits.
void Session::count(const mail::Command& command) {
  after_message_ = std::exchange(accepted_now_, false);
  const auto* chunk = std::get_if<mail::command::Bdat>(&command);
  if (std::holds_alternative<mail::command::Rcpt>(command) || (chunk != nullptr && chunk->size > 0)) return;
  if (++commands_ > options_->limits.commands) say(replies::too_many_commands());
}

}  // namespace hikyaku::smtpd
