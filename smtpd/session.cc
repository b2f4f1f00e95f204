// SPDX-License-Identifier: MIT
#include "smtpd/session.h"

#include <algorithm>
#include <utility>

#include "daemon/base/text.h"
#include "smtpd/policy.h"
#include "smtpd/replies.h"

namespace hikyaku::smtpd {

Session::Session(SessionContext context, SessionOptionsPtr options, io::StreamPtr stream)
    : talk_(context, std::move(options), std::move(stream)), content_(talk_), login_(talk_) {}

Task<void> Session::run() {
  try {
    co_await dialogue();
  } catch (const std::exception& error) {
    talk_.context.observer.broke_down(error.what());
    talk_.say(replies::internal_error());
  }
  co_await talk_.channel.farewell();
}

Task<void> Session::dialogue() {
  talk_.say(replies::greeting(talk_.options->hostname, talk_.options->token));
  bool is_hello = co_await is_tls_hello();
  if (is_hello) co_await obey(mail::command::NotSmtp{.is_tls = true});
  while (!talk_.ended) {
    auto command = co_await next_command();
    if (!command) break;
    count(*command);
    if (talk_.ended) break;
    if (is_body(*command)) co_return talk_.end_at_body();
    co_await std::visit([this](auto& what) { return obey(std::move(what)); }, *command);
  }
}

Task<std::optional<mail::Command>> Session::next_command() {
  auto line = co_await talk_.read_line(talk_.options->limits.command_line);
  if (line) co_return parse(*line);
  if (line.error().kind != IoErrorKind::too_long) {
    talk_.lost(line.error());
    co_return std::nullopt;
  }
  auto command = co_await skip_long_line();
  co_return command;
}

// A TLS hello may hold no line end, so look before the first line is complete.
Task<bool> Session::is_tls_hello() {
  auto first = co_await talk_.first_bytes();
  if (!first) talk_.lost(first.error());
  co_return first.has_value() && mail::is_tls_hello(*first);
}

Task<std::optional<mail::Command>> Session::skip_long_line() {
  io::Until until = talk_.context.loop.within(talk_.options->deadlines.command, &talk_.context.stop.hard);
  auto skipped = co_await talk_.channel.skip_line(talk_.options->limits.skipped_line, until);
  if (skipped) {
    Reply reply = replies::line_too_long();
    co_return mail::CommandError{reply.code, reply.status, reply.lines.front()};
  }
  if (skipped.error().kind == IoErrorKind::too_long)
    talk_.say(replies::endless_line());
  else
    talk_.lost(skipped.error());
  co_return std::nullopt;
}

mail::Command Session::parse(const io::Line& line) {
  auto command = mail::parse_command(line.text, {.default_domain = talk_.options->domain,
                                                 .smtputf8 = talk_.transaction.smtputf8(),
                                                 .is_peer = is_peer()});
  bool failed = std::holds_alternative<mail::CommandError>(command);
  if (failed && starts_with_ignoring_case(line.text, "MAIL")) talk_.clear();
  talk_.behind_refused_data |=
      failed && equals_ignoring_case(line.text.substr(0, line.text.find_first_of(" \t")), "DATA");
  return command;
}

// Behind a refused DATA: what is no command at all, and BDAT, whose octets could be anything.
bool Session::is_body(const mail::Command& command) const {
  const auto* error = std::get_if<mail::CommandError>(&command);
  bool is_unknown = error != nullptr && error->reply_code == 500;
  return talk_.behind_refused_data && (is_unknown || std::holds_alternative<mail::command::Bdat>(command));
}

Task<void> Session::obey(mail::command::Ehlo command) {
  talk_.clear();
  talk_.named_sender.reset();
  talk_.client.helo = std::move(command.name);
  talk_.said_ehlo = !command.is_helo;
  talk_.say(talk_.said_ehlo ? replies::ehlo(talk_.options->hostname, keywords())
                            : replies::helo(talk_.options->hostname));
  co_return;
}

std::vector<std::string> Session::keywords() const {
  std::vector<std::string> words = {
      "PIPELINING", cat("SIZE ", std::to_string(talk_.options->limits.max_size)),
      "8BITMIME",   "SMTPUTF8",
      "CHUNKING",   "ENHANCEDSTATUSCODES",
      "DSN"};
  if (login_.offers_tls()) words.push_back("STARTTLS");
  if (login_.offers_auth()) words.push_back(cat("AUTH ", join(talk_.options->auth->mechanisms, " ")));
  if (is_peer()) words.emplace_back(mail::kHandoverKeyword);
  return words;
}

bool Session::is_peer() const {
  const auto& client = talk_.client.address;
  auto has_client = [&client](const Network& network) { return network.contains(client->address); };
  return client && std::ranges::any_of(talk_.options->peers, has_client);
}

Task<void> Session::obey(mail::command::Mail command) {
  if (command.lenient) talk_.context.observer.odd(talk_.client, Oddity::envelope_syntax);
  name(command);
  const std::string wished = wished_sender(command);
  command.envelope.sender = wished;
  auto refusal = refusal_of(command);
  if (!refusal) refusal = co_await settle_submitter(command.envelope);
  if (!refusal && !command.handover)
    refusal = refusal_of_sender(talk_.options->senders, command.envelope.sender);
  auto room = talk_.context.sink.envelope_room();
  if (!refusal && !room->grow_to(mail::memory_of(command.envelope), 0)) refusal = replies::no_memory();
  if (refusal) {
    talk_.clear();
    co_return talk_.refuse("MAIL", *refusal);
  }
  talk_.say(command.envelope.sender == wished ? replies::sender_ok() : replies::own_sender());
  talk_.transaction.begin(std::move(command.envelope), command.handover);
  talk_.room = std::move(room);
}

// What is handed over was taken by a hikyaku already, by its own rules: to refuse it for its sender would bounce it.
std::string Session::wished_sender(mail::command::Mail& command) const {
  std::string sender = std::move(command.envelope.sender);
  return command.handover ? sender : talk_.options->masquerade.apply(std::move(sender));
}

// Once for each message: the look-up is cached, and a user may have lost trust meanwhile.
Task<std::optional<Reply>> Session::settle_submitter(mail::Envelope& envelope) {
  envelope.uid = talk_.client.uid;
  if (!talk_.client.uid || talk_.options->submitters == nullptr) co_return std::nullopt;
  io::Until until = talk_.context.loop.within(talk_.options->deadlines.submitter, &talk_.context.stop.hard);
  auto submitter = co_await talk_.options->submitters->find(*talk_.client.uid, until);
  if (!submitter) co_return replies::unknown_submitter();
  envelope.sender = sender_of(*talk_.client.uid, *submitter, std::move(envelope.sender),
                              {talk_.options->domain, talk_.options->hostname});
  talk_.client.account = std::move(submitter->name);
  co_return std::nullopt;
}

std::optional<Reply> Session::refusal_of(const mail::command::Mail& command) const {
  if (talk_.options->auth && talk_.options->auth->required && talk_.client.user.empty())
    return replies::auth_required();
  if (auto refusal = talk_.transaction.refusal_of(command, talk_.options->limits)) return refusal;
  auto room = talk_.context.sink.may_accept(command.size.value_or(0));
  if (!room) return replies::from(room.error());
  return talk_.hook(Stage::mail, command.envelope.sender);
}

Task<void> Session::obey(mail::command::Rcpt command) {
  if (command.lenient) talk_.context.observer.odd(talk_.client, Oddity::envelope_syntax);
  auto refusal = refusal_of(command);
  if (!refusal) refusal = make_room(command.recipient);
  bool is_too_many = refusal == replies::too_many_recipients() || refusal == replies::no_memory_for_more();
  if (is_too_many && std::exchange(talk_.told_too_many, true)) {
    co_return talk_.say(*refusal);  // once in the log is enough: there may be a hundred thousand
  }
  if (refusal) co_return talk_.refuse("RCPT", *refusal);
  talk_.transaction.add(std::move(command.recipient));
  talk_.say(replies::recipient_ok());
}

std::optional<Reply> Session::refusal_of(const mail::command::Rcpt& command) const {
  if (talk_.bdat) return replies::inside_bdat();
  if (auto refusal = talk_.transaction.refusal_of(command, talk_.options->limits)) return refusal;
  return talk_.hook(Stage::rcpt, command.recipient.address);
}

std::optional<Reply> Session::make_room(const mail::Recipient& recipient) {
  std::size_t before = talk_.transaction.envelope().recipients.size();
  std::uint64_t bytes = talk_.transaction.memory() + mail::memory_of(recipient);
  // Those that are taken are the first: clients rely on it.
  if (!talk_.told_too_many && talk_.room->grow_to(bytes, before + 1)) return std::nullopt;
  return before == 0 ? replies::no_memory() : replies::no_memory_for_more();
}

Task<void> Session::obey(mail::command::Rset) {
  talk_.clear();
  talk_.named_sender.reset();
  talk_.say(replies::ok());
  co_return;
}

Task<void> Session::obey(mail::command::Noop) {
  talk_.say(replies::ok());
  co_return;
}

Task<void> Session::obey(mail::command::Vrfy) {
  talk_.say(replies::cannot_verify());
  co_return;
}

Task<void> Session::obey(mail::command::Help) {
  talk_.say(replies::help());
  co_return;
}

Task<void> Session::obey(mail::command::Quit) {
  talk_.say(replies::bye());
  co_return;
}

// A browser that is made to talk to us (VU#476267): one reply, and the rest of its input is ignored.
Task<void> Session::obey(mail::command::NotSmtp command) {
  talk_.context.observer.odd(talk_.client, command.is_tls ? Oddity::tls_hello : Oddity::not_smtp);
  talk_.say(replies::not_smtp());
  talk_.ended = true;
  co_return;
}

Task<void> Session::obey(mail::CommandError error) {
  if (after_message_) talk_.context.observer.odd(talk_.client, Oddity::data_after_end);
  talk_.refuse("command", replies::from(error));
  talk_.ended = talk_.ended || error.must_close;
  co_return;
}

void Session::name(const mail::command::Mail& command) {
  talk_.named_sender = command.envelope.sender;
  talk_.named_size = command.size.value_or(0);
}

// RCPT and filled chunks are bounded by their own limits.
void Session::count(const mail::Command& command) {
  after_message_ = std::exchange(talk_.accepted_now, false);
  const auto* chunk = std::get_if<mail::command::Bdat>(&command);
  if (std::holds_alternative<mail::command::Rcpt>(command) || (chunk != nullptr && chunk->size > 0)) return;
  if (++talk_.commands > talk_.options->limits.commands) talk_.say(replies::too_many_commands());
}

}  // namespace hikyaku::smtpd
