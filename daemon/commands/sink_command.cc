// SPDX-License-Identifier: MIT
#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>

#include "daemon/base/text.h"
#include "daemon/commands/commands.h"
#include "daemon/config/read_file.h"
#include "daemon/tryout/sink.h"

namespace hikyaku::commands {
namespace {

constexpr const char* kPasswordVariable = "HIKYAKU_SINK_PASSWORD";

// What the command line says, before it is understood.
struct Words {
  std::string listen = "127.0.0.1:0";
  std::string hostname = "sink.example.com";
  std::string tls = "none";
  std::string cert;
  std::string key;
  std::string user;
  std::string password_file;
  std::string mechanisms = "PLAIN,LOGIN,CRAM-MD5";
  bool require_auth = false;
  std::vector<std::string> refuse;
  std::string directory;
  unsigned count = 0;
};

std::unexpected<StartError> misuse(std::string text) { return fail(Exit::usage, std::move(text)); }

// Never from the command line, which everyone on the machine can read.
Result<Secret, StartError> read_password(const std::string& file) {
  if (const char* variable = std::getenv(kPasswordVariable); file.empty() && variable != nullptr)
    return Secret(variable);
  if (file.empty()) return misuse(cat("--user needs --password-file or $", kPasswordVariable));
  auto text = config::read_file(file);
  if (!text) return misuse(cat(file, ": ", text.error().text));
  return Secret(text->text.substr(0, text->text.find_first_of("\r\n")));
}

Result<std::optional<smtpd::AuthOptions>, StartError> understand_auth(const Words& words) {
  if (words.user.empty() && words.require_auth) return misuse("--require-auth needs --user");
  if (words.user.empty()) return std::nullopt;
  auto password = read_password(words.password_file);
  if (!password) return std::unexpected(password.error());
  smtpd::AuthOptions auth;
  auth.mechanisms.clear();
  for (std::string_view name : split(words.mechanisms, ',')) auth.mechanisms.push_back(to_upper(trim(name)));
  auth.needs_tls = words.tls != "none";
  auth.required = words.require_auth;
  auth.user = words.user;
  auth.password = std::move(*password);
  return auth;
}

Result<std::vector<tryout::SinkRefusal>, StartError> understand_refusals(
    const std::vector<std::string>& texts) {
  std::vector<tryout::SinkRefusal> refusals;
  for (const std::string& text : texts) {
    auto refusal = tryout::parse_refusal(text);
    if (!refusal) return misuse(cat("--refuse ", text, ": write it as \"rcpt=550 5.1.1 no such user\""));
    refusals.push_back(std::move(*refusal));
  }
  return refusals;
}

mail::TlsMode mode_of(std::string_view word) {
  if (word == "starttls") return mail::TlsMode::starttls;
  return word == "implicit" ? mail::TlsMode::implicit : mail::TlsMode::none;
}

Result<tryout::SinkOptions, StartError> understand(const Words& words) {
  auto listen = Endpoint::parse(words.listen);
  if (!listen) return misuse(cat("--listen ", words.listen, ": write it as 127.0.0.1:2525 or [::1]:2525"));
  auto auth = understand_auth(words);
  if (!auth) return std::unexpected(auth.error());
  auto refusals = understand_refusals(words.refuse);
  if (!refusals) return std::unexpected(refusals.error());
  tryout::SinkOptions options;
  options.listen = *listen;
  options.hostname = words.hostname;
  options.tls = mode_of(words.tls);
  options.cert_file = words.cert;
  options.key_file = words.key;
  options.auth = std::move(*auth);
  options.refusals = std::move(*refusals);
  options.directory = words.directory;
  if (words.count > 0) options.count = words.count;
  return options;
}

void print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);  // whoever waits for a line of ours may read a pipe
}

Exit report(const StartError& error) {
  std::fprintf(stderr, "hikyaku sink: %s\n", error.text.c_str());
  return error.kind;
}

Exit run(const Words& words) {
  auto options = understand(words);
  if (!options) return report(options.error());
  SystemClock clock;
  io::Loop loop(clock);
  auto sink = tryout::Sink::open(loop, std::move(*options), print);
  if (!sink) return report(sink.error());
  loop.run((*sink)->run());
  return Exit::ok;
}

}  // namespace

void add_sink_command(CLI::App& app, Action& chosen) {
  auto words = std::make_shared<Words>();
  CLI::App* sink =
      app.add_subcommand("sink", "a smarthost for trying things out: stores or prints what it gets");
  sink->add_option("--listen", words->listen, "port 0 takes a free one")
      ->type_name("ADDR:PORT")
      ->capture_default_str();
  sink->add_option("--hostname", words->hostname, "in the greeting, and in the certificate")
      ->capture_default_str();
  sink->add_option("--tls", words->tls)
      ->check(CLI::IsMember({"none", "starttls", "implicit"}))
      ->capture_default_str();
  auto* cert = sink->add_option("--cert", words->cert, "PEM; without it one is made that signs itself");
  auto* key = sink->add_option("--key", words->key, "PEM")->needs(cert);
  cert->needs(key);
  sink->add_option("--user", words->user, "who may log in");
  sink->add_option("--password-file", words->password_file, "its first line; or $HIKYAKU_SINK_PASSWORD");
  sink->add_option("--auth", words->mechanisms, "what is offered")->type_name("LIST")->capture_default_str();
  sink->add_flag("--require-auth", words->require_auth, "no mail without logging in");
  sink->add_option("--refuse", words->refuse,
                   "\"rcpt:you@example.com=550 5.1.1 no\"; mail, rcpt, data or message")
      ->type_name("STAGE[:ADDRESS]=REPLY");
  sink->add_option("--directory", words->directory,
                   "where mails go, as ID.eml and ID.json; without it: printed")
      ->check(CLI::ExistingDirectory);
  sink->add_option("--count", words->count, "leave after so many mails");
  sink->callback([words, &chosen] { chosen = [words] { return run(*words); }; });
}

}  // namespace hikyaku::commands
