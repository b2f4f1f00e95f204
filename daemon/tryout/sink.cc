// SPDX-License-Identifier: MIT
#include "daemon/tryout/sink.h"

#include <unistd.h>

#include <csignal>
#include <fstream>
#include <utility>

#include "daemon/base/random.h"
#include "daemon/base/text.h"
#include "daemon/io/self_signed.h"
#include "daemon/io/signals.h"

namespace hikyaku::tryout {
namespace {

constexpr Duration kDrainTimeout = 2s;
constexpr std::size_t kTokenLength = 20;

std::string in_brackets(const std::string& address) { return cat("<", printable(address), ">"); }

std::string recipients_of(const mail::Envelope& envelope) {
  std::vector<std::string> addresses;
  for (const mail::Recipient& recipient : envelope.recipients)
    addresses.push_back(in_brackets(recipient.address));
  return join(addresses, ", ");
}

std::optional<smtpd::Stage> parse_stage(std::string_view word) {
  using enum smtpd::Stage;
  constexpr std::pair<std::string_view, smtpd::Stage> kStages[] = {
      {"mail", mail}, {"rcpt", rcpt}, {"data", data}, {"message", message}};
  for (const auto& [name, stage] : kStages)
    if (equals_ignoring_case(word, name)) return stage;
  return std::nullopt;
}

// "550 5.1.1 no such user": 4yz or 5yz, an optional enhanced status of the same class, a text.
std::optional<smtpd::Reply> parse_reply(std::string_view text) {
  std::string_view digits = text.substr(0, 3);
  auto code = parse_number(digits);
  bool is_refusal = code && *code >= 400 && *code <= 599 && text.size() > 4 && text[3] == ' ';
  if (!is_refusal || text.find_first_of("\r\n") != text.npos) return std::nullopt;
  std::string_view words = text.substr(4);
  auto status = mail::parse_enhanced_status(words);
  if (!status) return smtpd::Reply(static_cast<int>(*code), {}, std::string(words));
  words.remove_prefix(std::min(words.size(), words.find(' ')));
  return smtpd::Reply(static_cast<int>(*code), *status, std::string(trim(words)));
}

}  // namespace

Sink::Sink(io::Loop& loop, SinkOptions options, Print print)
    : loop_(loop),
      options_(std::move(options)),
      print_(std::move(print)),
      temporary_("hikyaku-sink"),
      folder_(options_.directory.empty() ? temporary_.path() : options_.directory, loop.clock()) {}

Sink::~Sink() = default;

Result<std::unique_ptr<Sink>, StartError> Sink::open(io::Loop& loop, SinkOptions options, Print print) {
  std::unique_ptr<Sink> sink(new Sink(loop, std::move(options), std::move(print)));
  auto started = sink->start();
  if (!started) return std::unexpected(started.error());
  return sink;
}

Result<std::shared_ptr<io::TlsServer>, StartError> Sink::make_tls() {
  if (options_.tls == mail::TlsMode::none) return nullptr;
  if (options_.cert_file.empty()) {
    auto made = io::make_self_signed(temporary_.path(),
                                     {options_.hostname, "localhost", options_.listen.address.to_text()});
    if (!made) return fail(Exit::cannot_create, made.error().text);
    options_.cert_file = made->cert_file;
    options_.key_file = made->key_file;
    print_(cat("certificate ", made->cert_file, ", ", made->fingerprint, "\n"));
  }
  auto server = io::TlsServer::create(options_.cert_file, options_.key_file);
  if (!server) return fail(Exit::configuration, server.error().text);
  return *server;
}

smtpd::AcceptorOptions Sink::acceptor_options(std::shared_ptr<io::TlsServer> tls) const {
  smtpd::SessionOptions session;
  session.hostname = session.domain = options_.hostname;
  session.token = random_token(kTokenLength);
  session.auth = options_.auth;
  session.refuse = make_refuse(options_.refusals);
  if (options_.tls == mail::TlsMode::starttls) session.starttls = tls;
  smtpd::AcceptorOptions accepting;
  accepting.policy.allow = {*Network::parse("0.0.0.0/0"), *Network::parse("::/0")};
  accepting.session = std::make_shared<const smtpd::SessionOptions>(std::move(session));
  if (options_.tls == mail::TlsMode::implicit) accepting.implicit_tls = std::move(tls);
  return accepting;
}

Result<void, StartError> Sink::start() {
  auto tls = make_tls();
  if (!tls) return std::unexpected(tls.error());
  auto listener = io::Listener::listen_tcp(loop_, options_.listen);
  if (!listener) return fail(Exit::unavailable, listener.error().text);
  local_ = (*listener)->local().value_or(options_.listen);
  smtpd::Observer& observer = *this;
  acceptor_.emplace(loop_, folder_, observer, acceptor_options(std::move(*tls)));
  acceptor_->listen(std::move(*listener));
  print_(cat("listening on ", local_.to_text(), "\n"));
  return {};
}

Task<void> Sink::run() {
  io::Signals signals(loop_, {SIGTERM, SIGINT});
  auto told = co_await signals.next({kNever, &full_});
  if (told) print_("stopping\n");
  co_await acceptor_->stop(kDrainTimeout);
}

void Sink::accepted(const smtpd::Client& client, const smtpd::Accepted& mail) {
  std::string user = client.user.empty() ? "" : cat(", logged in as ", printable(client.user));
  std::string where = options_.directory.empty() ? "" : cat(": ", folder_.content_file(mail.id));
  print_(cat("received ", mail::to_text(mail.id), " from ", in_brackets(mail.envelope.sender), " to ",
             recipients_of(mail.envelope), ", ", std::to_string(mail.size), " bytes, ", mail.protocol, user,
             where, "\n"));
  if (options_.directory.empty()) print_content(mail.id);
  if (options_.count && ++accepted_ >= *options_.count) full_.request();
}

void Sink::rejected(const smtpd::Client& client, const smtpd::Rejected& what) {
  print_(cat("refused ", smtpd::to_text(client), " ", what.stage, ": ", smtpd::to_text(what.reply), "\n"));
}

void Sink::broke_down(const std::string& what) { print_(cat("a session failed: ", what, "\n")); }

// Printed unchanged, in pieces.
void Sink::print_content(mail::MailId id) {
  std::ifstream content(folder_.content_file(id), std::ios::binary);
  std::string piece(64 * 1024, '\0');
  while (content.read(piece.data(), static_cast<std::streamsize>(piece.size())) || content.gcount() > 0)
    print_(std::string_view(piece).substr(0, static_cast<std::size_t>(content.gcount())));
  print_("\n");
  ::unlink(folder_.content_file(id).c_str());
  ::unlink(folder_.envelope_file(id).c_str());
}

std::optional<SinkRefusal> parse_refusal(std::string_view text) {
  std::size_t equals = text.find('=');
  if (equals == text.npos) return std::nullopt;
  std::string_view place = text.substr(0, equals);
  std::size_t colon = std::min(place.find(':'), place.size());
  auto stage = parse_stage(place.substr(0, colon));
  auto reply = parse_reply(text.substr(equals + 1));
  if (!stage || !reply) return std::nullopt;
  std::string_view address = place.substr(std::min(colon + 1, place.size()));
  return SinkRefusal{*stage, std::string(address), std::move(*reply)};
}

std::function<std::optional<smtpd::Reply>(smtpd::Stage, std::string_view)> make_refuse(
    std::vector<SinkRefusal> refusals) {
  return [refusals = std::move(refusals)](smtpd::Stage stage,
                                          std::string_view subject) -> std::optional<smtpd::Reply> {
    for (const SinkRefusal& refusal : refusals) {
      bool is_meant = refusal.address.empty() || equals_ignoring_case(refusal.address, subject);
      if (refusal.stage == stage && is_meant) return refusal.reply;
    }
    return std::nullopt;
  };
}

}  // namespace hikyaku::tryout
